"""Dirty marks: SKUs whose stock must be told to channels; the newest value wins, so a mark holds none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from config.reader import config

MARK = text("""
INSERT INTO dirty AS d (account, sku, location) VALUES (:account, :sku, '')
ON CONFLICT (account, sku, location) DO UPDATE SET mark = d.mark + 1, due_at = now(), refused = ''
""")
PENDING = text("SELECT account, count(*) AS n FROM dirty WHERE due_at <= now() AND refused = '' GROUP BY account")
TAKE = text("""
SELECT d.sku, d.mark,
    greatest(0, coalesce((SELECT sum(p.available) FROM positions p WHERE p.sku = d.sku), 0)
        - coalesce((SELECT sum(r.quantity - r.shipped) FROM reservations r JOIN subjects s ON s.id = r.subject_id
            WHERE r.sku = d.sku AND r.state = 'open'
            AND NOT EXISTS (SELECT 1 FROM links l WHERE l.subject_id = r.subject_id AND l.kind = 'request')), 0)) AS available,
    (SELECT quantity FROM published q WHERE q.account = d.account AND q.sku = d.sku) AS told,
    EXISTS (SELECT 1 FROM positions p WHERE p.sku = d.sku) AS known
FROM dirty d WHERE d.account = :account AND d.due_at <= now() AND d.refused = '' ORDER BY d.since, d.sku LIMIT :most
""")
TOLD = text("""
INSERT INTO published (account, sku, location, quantity) VALUES (:account, :sku, '', :quantity)
ON CONFLICT (account, sku, location) DO UPDATE SET quantity = excluded.quantity, at = now()
""")
CLEAN = text("DELETE FROM dirty WHERE account = :account AND sku = :sku AND mark = :mark")
REFUSE = text("UPDATE dirty SET refused = :why WHERE account = :account AND sku = :sku AND mark = :mark")
LAST_TOLD = text("SELECT quantity FROM published WHERE account = :account AND sku = :sku")


@dataclass(frozen=True, slots=True)
class Mark:
    """A SKU to be told, with what is available now and what the account was told last."""

    sku: str
    mark: int
    available: Decimal
    told: Decimal | None
    known: bool


def publishers() -> list[str]:
    """Accounts that are told of stock (routes of kind `stock`)."""
    return sorted(
        {account for route in config().routes if route.kind == "stock" for account in route.roles.get("publish", ())}
    )


def mark(tx: Connection, skus: Collection[str]) -> None:
    """The stock of these SKUs changed: every account that is told of stock hears of it in its next batch.

    Always in the same order, or two orders of the same articles would wait for each other.
    """
    for account in publishers():
        for sku in sorted(skus):
            tx.execute(MARK, {"account": account, "sku": sku})


def pending(tx: Connection) -> dict[str, int]:
    """How many SKUs wait to be told, by account."""
    return {row.account: row.n for row in tx.execute(PENDING)}


def take(tx: Connection, account: str, most: int) -> Sequence[Mark]:
    """The next SKUs to tell with their truth of this moment: the owner's quantity less what the owner does not know reserved yet."""
    return [
        Mark(row.sku, row.mark, _plain(row.available), row.told, row.known)
        for row in tx.execute(TAKE, {"account": account, "most": most})
    ]


def _plain(quantity: Decimal) -> Decimal:
    """40, not 40.0000: the column's scale is no part of the quantity."""
    return quantity.quantize(Decimal(1)) if quantity == quantity.to_integral_value() else quantity.normalize()


def told(tx: Connection, account: str, sku: str, mark: int, quantity: Decimal) -> None:
    """The account knows this quantity; the mark goes unless the stock changed meanwhile."""
    tx.execute(TOLD, {"account": account, "sku": sku, "quantity": quantity})
    tx.execute(CLEAN, {"account": account, "sku": sku, "mark": mark})


def nothing_to_tell(tx: Connection, account: str, sku: str, mark: int) -> None:
    tx.execute(CLEAN, {"account": account, "sku": sku, "mark": mark})


def refuse(tx: Connection, account: str, sku: str, mark: int, why: str) -> None:
    """The account refused this SKU: it is not sent again until its stock changes or somebody mends it."""
    tx.execute(REFUSE, {"account": account, "sku": sku, "mark": mark, "why": why[:300]})


def is_echo(tx: Connection, account: str, sku: str, quantity: Decimal | None) -> bool:
    """Whether a level told by an account is only what we told it."""
    last = tx.execute(LAST_TOLD, {"account": account, "sku": sku}).scalar()
    return last is not None and quantity is not None and Decimal(last) == quantity
