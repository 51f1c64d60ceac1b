"""Dirty marks: SKUs whose stock must be told to channels; the newest value wins, so a mark holds none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.stock import availability, parts, rules
from app.stock.quantities import plain
from config.reader import config

MARK = text("""
INSERT INTO dirty AS d (account, sku, location) SELECT :account, sku, place
FROM unnest(CAST(:skus AS text[])) AS t (sku), unnest(CAST(:places AS text[])) AS p (place) ORDER BY sku, place
ON CONFLICT (account, sku, location) DO UPDATE SET mark = d.mark + 1, due_at = now(), refused = '', waits = ''
""")
PENDING = text("SELECT account, count(*) AS n FROM dirty WHERE due_at <= now() AND refused = '' GROUP BY account")
TAKE = text("""
SELECT d.sku, d.location, d.mark, d.sent, d.least,
    (SELECT quantity FROM published q WHERE q.account = d.account AND q.sku = d.sku AND q.location = d.location) AS told
FROM dirty d WHERE d.account = :account AND d.due_at <= now() AND d.refused = '' ORDER BY d.since, d.sku, d.location LIMIT :most
""")
TOLD = text("""
INSERT INTO published (account, sku, location, quantity) VALUES (:account, :sku, :location, :quantity)
ON CONFLICT (account, sku, location) DO UPDATE SET quantity = excluded.quantity, at = now()
""")
# What each place of the account may be showing: the greatest of what it took last and of what was sent since and not answered.
SHOWN = text("""
SELECT sku, location, max(quantity) AS quantity FROM (
    SELECT sku, location, quantity FROM published WHERE account = :account AND sku = ANY(:skus) AND location = ANY(:places)
    UNION ALL SELECT sku, location, sent FROM dirty WHERE account = :account AND sku = ANY(:skus) AND location = ANY(:places) AND sent IS NOT NULL) s
GROUP BY sku, location
""")
# Kept before the first byte leaves, in the order in which marks are made.
SENDING = text("""
WITH d AS (SELECT d.sku, d.location, t.quantity FROM dirty d
    JOIN unnest(CAST(:skus AS text[]), CAST(:places AS text[]), CAST(:quantities AS numeric[])) AS t (sku, place, quantity)
        ON t.sku = d.sku AND t.place = d.location WHERE d.account = :account ORDER BY d.sku, d.location FOR UPDATE OF d)
UPDATE dirty SET sent = greatest(coalesce(dirty.sent, 0), d.quantity), least = least(coalesce(dirty.least, d.quantity), d.quantity) FROM d
WHERE dirty.account = :account AND dirty.sku = d.sku AND dirty.location = d.location
""")
# Not where it was marked anew since: whoever did may want it told once more.
ANSWERED = text("""
UPDATE dirty SET sent = :sent, least = :least WHERE account = :account AND sku = :sku AND location = :location AND mark = :mark
""")
# All of a SKU, in the order in which marks are made: what waits for this place is looked at again.
HOLD = text("SELECT 1 FROM dirty WHERE account = :account AND sku = :sku ORDER BY location FOR UPDATE")
WAKE = text("UPDATE dirty SET due_at = now(), waits = '' WHERE account = :account AND sku = :sku AND waits <> ''")
PUT_OFF = text("""
UPDATE dirty SET due_at = now() + make_interval(secs => :seconds), waits = :waits
WHERE account = :account AND sku = :sku AND location = :location AND mark = :mark
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
    what is truly free, and what it was told last.

    `sent` and `least`: the greatest and the least that was sent since and not answered; None where every call was. `waits`: the other place
    that must be told of less before this one may be told of all that is its own.
    """

    sku: str
    mark: int
    available: Decimal
    told: Decimal | None
    known: bool
    free: Decimal = Decimal(0)
    location: str = ""
    sent: Decimal | None = None
    least: Decimal | None = None
    waits: str = ""

    @property
    def news(self) -> bool:
        """Whether the account is to be told, or told once more since nobody knows what it took."""
        return self.known and (self.sent is not None or self.told != self.available)


PATIENCE = 300  # seconds until what waits for another place is looked at again, were it not woken


def publishers() -> list[str]:
    """Accounts that are told of stock (routes of kind `stock`)."""
    return sorted(
        {account for route in config().routes if route.kind == "stock" for account in route.roles.get("publish", ())}
    )


def places() -> list[tuple[str, str]]:
    """Each publisher with each place that it is told of; '' where it is told one figure for all."""
    return [(account, place) for account in publishers() for place in sorted(rules.places(account)) or [""]]


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
DOUBT = text("""
WITH d AS (SELECT account, sku, location FROM dirty WHERE account = ANY(:accounts) AND sku = ANY(:skus) ORDER BY account, sku, location FOR UPDATE)
UPDATE dirty SET sent = greatest(coalesce(dirty.sent, 0), coalesce((SELECT quantity FROM published q
    WHERE q.account = d.account AND q.sku = d.sku AND q.location = d.location), 0)), least = 0
FROM d WHERE (dirty.account, dirty.sku, dirty.location) = (d.account, d.sku, d.location)
""")


def doubt(tx: Connection, accounts: Collection[str], skus: Collection[str]) -> None:
    """These accounts are told of these SKUs whatever they were told before."""
    mark_for(tx, accounts, skus)
    tx.execute(DOUBT, {"accounts": sorted(accounts), "skus": sorted(skus)})


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
        (doubt if again else mark_for)(tx, accounts, skus)
    return len(skus)


def pending(tx: Connection) -> dict[str, int]:
    """How many SKUs wait to be told, by account."""
    return {row.account: row.n for row in tx.execute(PENDING)}


def take(tx: Connection, account: str, most: int) -> Sequence[Mark]:
    """The next SKUs to tell, with their truth of this moment. The marks are read first: what changes after is marked anew.

    A place of several is told of more only as far as what all places may be showing stays within what there is (docs/decisions.md, 119).
    """
    rows = tx.execute(TAKE, {"account": account, "most": most}).all()
    seen = {place: _seen_at(tx, account, place, rows) for place in sorted({row.location for row in rows})}
    marks = [_marked(row, seen[row.location].get(row.sku)) for row in rows]
    return _capped(tx, account, marks) if rules.places(account) else marks


def _seen_at(tx: Connection, account: str, place: str, rows: Sequence[Any]) -> Mapping[str, availability.Seen]:
    """What may be seen at a place of the account; nothing where it has no such place (any more)."""
    known, skus = rules.places(account), [row.sku for row in rows if row.location == place]
    if place not in (known or ("",)):
        return {}
    return availability.read(tx, skus, rules.of(account), known[place] if known else None)


def _marked(row: Any, seen: availability.Seen | None) -> Mark:
    if seen is None:
        return Mark(
            row.sku, row.mark, Decimal(0), row.told, known=False, location=row.location, sent=row.sent, least=row.least
        )
    return Mark(
        row.sku,
        row.mark,
        plain(seen.visible),
        row.told,
        seen.known,
        plain(seen.free),
        row.location,
        row.sent,
        row.least,
    )


def _capped(tx: Connection, account: str, marks: Sequence[Mark]) -> Sequence[Mark]:
    """The same, none raised above what the other places leave of all that is there; read last, in one statement, so of one instant."""
    skus, known = sorted({mark.sku for mark in marks}), rules.places(account)
    may = {"account": account, "skus": skus, "places": sorted(known)}
    shown = {(row.sku, row.location): row.quantity for row in tx.execute(SHOWN, may)}
    ours = sorted({one for locations in known.values() for one in locations})
    there = availability.read(tx, skus, rules.of(account), ours)
    return [_capped_by(mark, rules.whole(there[mark.sku].free), shown, known) if mark.known else mark for mark in marks]


def _capped_by(mark: Mark, there: Decimal, shown: dict[tuple[str, str], Decimal], places: Collection[str]) -> Mark:
    """What this place surely shows it may be told again. `shown` grows by what it will show, for the places that are looked at after it."""
    others = {place: shown.get((mark.sku, place), Decimal(0)) for place in places if place != mark.location}
    left = there - sum(others.values(), Decimal(0))
    shows = min(one for one in (mark.told or Decimal(0), mark.least) if one is not None)
    most = max(left, shows, Decimal(0))
    capped = mark
    if most < mark.available:
        capped = replace(mark, available=plain(most), waits=max(sorted(others), key=lambda place: others[place]))
    shown[mark.sku, mark.location] = max(shown.get((mark.sku, mark.location), Decimal(0)), capped.available)
    return capped


def sending(tx: Connection, account: str, marks: Sequence[Mark]) -> None:
    """These are about to be told: until the account answers it may show what it showed before, or this."""
    columns = {
        "skus": [mark.sku for mark in marks],
        "places": [mark.location for mark in marks],
        "quantities": [mark.available for mark in marks],
    }
    tx.execute(SENDING, {"account": account, **columns})


def told(tx: Connection, account: str, mark: Mark) -> None:
    """The account knows what the mark says; it goes unless the stock changed meanwhile, or more is to be told once another place allows."""
    where = {"account": account, "sku": mark.sku, "location": mark.location, "mark": mark.mark}
    tx.execute(TOLD, {**where, "quantity": mark.available})
    tx.execute(TELLING, {**where, "quantity": mark.available, "available": mark.free})
    if mark.location:
        tx.execute(HOLD, where)
        tx.execute(WAKE, where)
    tx.execute(ANSWERED, {**where, "sent": None, "least": None})
    if not mark.waits:
        tx.execute(CLEAN, where)


def nothing_to_tell(tx: Connection, account: str, mark: Mark) -> None:
    """The account knows it already. What waits for another place stays marked, and is looked at again once that one was told."""
    where = {"account": account, "sku": mark.sku, "location": mark.location, "mark": mark.mark}
    if mark.waits:
        tx.execute(PUT_OFF, {**where, "waits": mark.waits, "seconds": PATIENCE})
    else:
        tx.execute(CLEAN, where)


def refuse(tx: Connection, account: str, mark: Mark, why: str) -> None:
    """The account refused this SKU: it is not sent again until its stock changes or somebody mends it."""
    where = {"account": account, "sku": mark.sku, "location": mark.location, "mark": mark.mark}
    tx.execute(ANSWERED, {**where, "sent": mark.sent, "least": mark.least})
    tx.execute(REFUSE, {**where, "why": why[:300]})


def is_echo(tx: Connection, account: str, sku: str, quantity: Decimal | None, location: str = "") -> bool:
    """Whether a level told by an account is only what we told it, there or for all places together."""
    last = tx.execute(LAST_TOLD, {"account": account, "sku": sku, "location": location}).scalar()
    return last is not None and quantity is not None and Decimal(last) == quantity
