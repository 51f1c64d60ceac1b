"""Money that the hub itself moves at a channel: the account's policy, and each move as it was decided, once, under the order's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.accounts import entries
from config.reader import config
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment

DEFAULTS = {
    "capture": "channel",
    "once": "last",
    "rest": "channel",
    "refund": "channel",
    "credit": "store_credit",
    "sales": "each",
    "zone": "UTC",
    "sales_after": 7200,
}
COLUMNS = "m.id, m.subject_id, m.number, m.kind, m.cause, m.tender, m.parent, m.amount, m.currency, m.state, m.moved_as, m.pending"
# A move that nobody will make any more (its step was given up, or its channel offers none) holds no money.
OF = text(f"""
SELECT {COLUMNS} FROM money_moves m WHERE m.subject_id = :subject AND (m.state = 'done' OR NOT EXISTS (
    SELECT 1 FROM runs r JOIN steps s ON s.run_id = r.id
    WHERE r.subject_id = m.subject_id AND r.difference IN (m.number, m.cause) AND s.kind = 'outer'
        AND r.flow IN ('payment_captured', 'payment_charged', 'payment_refunded', 'payment_released') AND s.state IN ('cancelled', 'skipped')))
ORDER BY m.id
""")  # noqa: S608 - constants only
MAKE = text("""
INSERT INTO money_moves (subject_id, number, kind, cause, tender, parent, amount, currency)
SELECT :subject, :waybill || '-M' || (count(*) + 1), :kind, :cause, :tender, :parent, :amount, :currency
FROM money_moves WHERE subject_id = :subject
ON CONFLICT (subject_id, kind, cause, tender, parent) DO NOTHING RETURNING number
""")
DONE = text("""
UPDATE money_moves SET state = 'done', moved_as = :moved_as, pending = true, done_at = now()
WHERE subject_id = :subject AND :number IN (number, CASE WHEN kind = 'refund' THEN cause END) AND state = 'asked'
""")
TO_GIVE = text("""
SELECT DISTINCT subject_id, cause FROM money_moves m WHERE kind = 'refund' AND state = 'asked' AND NOT EXISTS (
    SELECT 1 FROM runs r WHERE r.subject_id = m.subject_id AND r.flow = 'payment_refunded' AND r.difference = m.cause)
ORDER BY subject_id, cause LIMIT :most
""")
PENDING = text(f"SELECT {COLUMNS} FROM money_moves m WHERE m.pending ORDER BY m.id LIMIT :most")  # noqa: S608 - constants only
CAUSES = text(
    "SELECT count(DISTINCT cause) FROM money_moves WHERE subject_id = :subject AND starts_with(cause, :prefix)"
)
NOTED = text("UPDATE money_moves SET pending = false WHERE id = :id AND pending RETURNING 1")


@dataclass(frozen=True, slots=True)
class Move:
    """`kind` capture, charge, refund or void; `cause` what for; `amount` in the order's own money; `moved_as` the channel's id, once it is `done`."""

    id: int
    subject_id: int
    number: str
    kind: str
    cause: str
    tender: str
    parent: str
    amount: Decimal
    currency: str
    state: str = "asked"
    moved_as: str = ""
    pending: bool = False


def policy(account: str) -> Mapping[str, Any]:
    """What the hub does about money at an account (config/money.toml)."""
    told = config().money
    return {**DEFAULTS, **told.get("default", {}), **told.get("accounts", {}).get(account, {})}


def refunds(account: str) -> bool:
    """Whether the hub gives money back there: by policy, and where the channel offers it."""
    return policy(account).get("refund") == "hub" and "Refunder" in entries.manifest(account).offers


def of(tx: Connection, subject: int) -> Sequence[Move]:
    """The moves of an order that were made or may still be, oldest first."""
    return [Move(*row) for row in tx.execute(OF, {"subject": subject})]


def ask(tx: Connection, subject: int, waybill: str, **move: Any) -> str | None:
    """Decides a move; answers its number, None when this cause has its move already. The subject is locked by the caller."""
    number: str | None = tx.execute(MAKE, {"subject": subject, "waybill": waybill, "parent": "", **move}).scalar()
    return number


def causes(tx: Connection, subject: int, prefix: str) -> int:
    """How many causes of an order's moves begin so, given-up ones too. The subject is locked by the caller."""
    return int(tx.execute(CAUSES, {"subject": subject, "prefix": prefix}).scalar_one())


def done(tx: Connection, subject: int, number: str, moved_as: str) -> None:
    """The channel made it (a move by its number, all moves of a refund by their cause), under an id of its own."""
    tx.execute(DONE, {"subject": subject, "number": number, "moved_as": moved_as})


def to_give(tx: Connection, most: int = 200) -> Sequence[tuple[int, str]]:
    """(subject, cause) of refunds that are decided and that no run makes yet."""
    return [(row[0], row[1]) for row in tx.execute(TO_GIVE, {"most": most})]


def pending(tx: Connection, most: int = 200) -> Sequence[Move]:
    """Moves that are made and not yet noted on their orders."""
    return [Move(*row) for row in tx.execute(PENDING, {"most": most})]


def noted(tx: Connection, move: int) -> bool:
    """Takes a move to be noted on its order; False when another did. The subject is locked by the caller."""
    return tx.execute(NOTED, {"id": move}).scalar() is not None


def pays_elsewhere(tx: Connection, subject: int, payment: Payment, order: Order) -> bool:
    """Whether a payment is the charge of an exchange: it pays for the order that replaces this one, and is booked there.

    Known by the channel's id; told before its answer came, by what it was taken like, and how much.
    """
    amount = payment.amount.in_role(order.money_role).amount
    return any(
        payment.id == move.moved_as
        or (not move.moved_as and (payment.parent_id, amount) == (move.parent, move.amount) and bool(move.parent))
        for move in of(tx, subject)
        if move.kind == "charge"
    )
