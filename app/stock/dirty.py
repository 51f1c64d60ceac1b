"""Dirty marks: SKUs whose stock must be told to channels; the newest value wins, so a mark holds none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.stock import availability, parts, rules
from app.stock.quantities import plain
from config.reader import config

MARK = text("""
INSERT INTO dirty AS d (account, sku, location) SELECT :account, sku, place
FROM unnest(CAST(:skus AS text[])) AS t (sku), unnest(CAST(:places AS text[])) AS p (place) ORDER BY sku, place
ON CONFLICT (account, sku, location) DO UPDATE SET mark = d.mark + 1, due_at = now(), refused = ''
""")
PENDING = text("SELECT account, count(*) AS n FROM dirty WHERE due_at <= now() AND refused = '' GROUP BY account")
TAKE = text("""
SELECT d.sku, d.location, d.mark,
    (SELECT quantity FROM published q WHERE q.account = d.account AND q.sku = d.sku AND q.location = d.location) AS told
FROM dirty d WHERE d.account = :account AND d.due_at <= now() AND d.refused = '' ORDER BY d.since, d.sku, d.location LIMIT :most
""")
TOLD = text("""
INSERT INTO published (account, sku, location, quantity) VALUES (:account, :sku, :location, :quantity)
ON CONFLICT (account, sku, location) DO UPDATE SET quantity = excluded.quantity, at = now()
""")
CLEAN = text("DELETE FROM dirty WHERE account = :account AND sku = :sku AND location = :location AND mark = :mark")
REFUSE = text(
    "UPDATE dirty SET refused = :why WHERE account = :account AND sku = :sku AND location = :location AND mark = :mark"
)
TELLING = text(
    "INSERT INTO tellings (account, sku, location, quantity, available) VALUES (:account, :sku, :location, :quantity, :available)"
)
LAST_TOLD = text("""
SELECT quantity FROM published WHERE account = :account AND sku = :sku AND location IN ('', :location) ORDER BY location DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Mark:
    """A SKU to be told, at a place of the account ('' where it is told one figure for all): what the account may see of it now (its rule),
    what is truly free, and what it was told last."""

    sku: str
    mark: int
    available: Decimal
    told: Decimal | None
    known: bool
    free: Decimal = Decimal(0)
    location: str = ""


def publishers() -> list[str]:
    """Accounts that are told of stock (routes of kind `stock`)."""
    return sorted(
        {account for route in config().routes if route.kind == "stock" for account in route.roles.get("publish", ())}
    )


def mark(tx: Connection, skus: Collection[str]) -> None:
    """The stock of these SKUs changed: every account that is told of stock hears of it in its next batch.

    Always in the same order, or two orders of the same articles would wait for each other.
    """
    told = sorted(set(skus) | parts.above(tx, skus))
    if told:
        mark_for(tx, publishers(), told)


def mark_for(tx: Connection, accounts: Collection[str], skus: Collection[str]) -> None:
    """These accounts hear of these SKUs in their next batch."""
    for account in sorted(accounts):
        tx.execute(MARK, {"account": account, "skus": sorted(skus), "places": sorted(rules.places(account)) or [""]})


FITTING = text("""
SELECT DISTINCT sku FROM shelves WHERE (:word = '' OR sku ILIKE :like) AND (:location = '' OR location = :location) ORDER BY sku
""")
# In the order of conclude, which keeps what was told before it takes the mark away: SKU by SKU, `published` before `dirty`.
FORGET = text("""
WITH held AS (SELECT account, sku, location FROM published WHERE account = ANY(:accounts) AND sku = ANY(:skus)
    ORDER BY account, sku, location FOR UPDATE)
DELETE FROM published p USING held h WHERE (p.account, p.sku, p.location) = (h.account, h.sku, h.location)
""")


def mark_fitting(
    tx: Connection, account: str = "", word: str = "", location: str = "", *, again: bool = False, dry: bool = False
) -> int:
    """Marks the SKUs whose name holds `word` and that have stock at `location`, for one account or for all; answers how many.

    What an account knows already is left out when the batch is made, unless `again`. `dry` only counts.
    """
    like = f"%{word.replace('%', '').replace('_', chr(92) + '_')}%"
    skus = list(tx.execute(FITTING, {"word": word, "like": like, "location": location}).scalars())
    accounts = [account] if account else publishers()
    if skus and not dry:
        if again:
            tx.execute(FORGET, {"accounts": accounts, "skus": skus})
        mark_for(tx, accounts, skus)
    return len(skus)


def pending(tx: Connection) -> dict[str, int]:
    """How many SKUs wait to be told, by account."""
    return {row.account: row.n for row in tx.execute(PENDING)}


def take(tx: Connection, account: str, most: int) -> Sequence[Mark]:
    """The next SKUs to tell, with their truth of this moment. The marks are read first: what changes after is marked anew."""
    rows = tx.execute(TAKE, {"account": account, "most": most}).all()
    seen = {place: _seen_at(tx, account, place, rows) for place in sorted({row.location for row in rows})}
    return [_marked(row, seen[row.location].get(row.sku)) for row in rows]


def _seen_at(tx: Connection, account: str, place: str, rows: Sequence[Any]) -> Mapping[str, availability.Seen]:
    """What may be seen at a place of the account; nothing where it has no such place (any more)."""
    known, skus = rules.places(account), [row.sku for row in rows if row.location == place]
    if place not in (known or ("",)):
        return {}
    return availability.read(tx, skus, rules.of(account), known[place] if known else None)


def _marked(row: Any, seen: availability.Seen | None) -> Mark:
    if seen is None:
        return Mark(row.sku, row.mark, Decimal(0), row.told, known=False, location=row.location)
    return Mark(row.sku, row.mark, plain(seen.visible), row.told, seen.known, plain(seen.free), row.location)


def told(tx: Connection, account: str, mark: Mark) -> None:
    """The account knows what the mark says; it goes unless the stock changed meanwhile."""
    where = {"account": account, "sku": mark.sku, "location": mark.location}
    tx.execute(TOLD, {**where, "quantity": mark.available})
    tx.execute(TELLING, {**where, "quantity": mark.available, "available": mark.free})
    nothing_to_tell(tx, account, mark)


def nothing_to_tell(tx: Connection, account: str, mark: Mark) -> None:
    tx.execute(CLEAN, {"account": account, "sku": mark.sku, "location": mark.location, "mark": mark.mark})


def refuse(tx: Connection, account: str, mark: Mark, why: str) -> None:
    """The account refused this SKU: it is not sent again until its stock changes or somebody mends it."""
    where = {"account": account, "sku": mark.sku, "location": mark.location, "mark": mark.mark}
    tx.execute(REFUSE, {**where, "why": why[:300]})


def is_echo(tx: Connection, account: str, sku: str, quantity: Decimal | None, location: str = "") -> bool:
    """Whether a level told by an account is only what we told it, there or for all places together."""
    last = tx.execute(LAST_TOLD, {"account": account, "sku": sku, "location": location}).scalar()
    return last is not None and quantity is not None and Decimal(last) == quantity
