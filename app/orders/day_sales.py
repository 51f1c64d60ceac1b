"""Store sales that their ERP wants as one booking for each till and day: noted as they are made, summed up once the day is over.

A sale that comes late (its till was offline) is in a further booking of that day; no sale is in two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from app import cases
from app.orders import money
from app.stock import counter
from connectors.canonical.codec import decode
from connectors.canonical.order import Order

NOTE = text("""
INSERT INTO day_sales (subject_id, account, till, day, currency, taxes_included)
VALUES (:subject, :account, :till, :day, :currency, :taxes_included) ON CONFLICT DO NOTHING
""")
DROP = text("DELETE FROM day_sales WHERE subject_id = :subject AND summary = '' RETURNING 1")
OF = text("SELECT account, till, day, summary FROM day_sales WHERE subject_id = :subject")
OPEN = text("""
SELECT DISTINCT account, till, day, currency, taxes_included FROM day_sales WHERE summary = '' ORDER BY day, account, till LIMIT :most
""")
TAKE = text("""
SELECT s.subject_id, d.body FROM day_sales s JOIN subjects o ON o.id = s.subject_id JOIN documents d ON d.id = o.document_id
WHERE s.account = :account AND s.till = :till AND s.day = :day AND s.currency = :currency AND s.taxes_included = :taxes_included
    AND s.summary = '' ORDER BY s.subject_id LIMIT :most FOR UPDATE OF s
""")
BEFORE = text("""
SELECT count(DISTINCT summary) FROM day_sales WHERE account = :account AND till = :till AND day = :day AND summary <> ''
""")
SUMMED = text("UPDATE day_sales SET summary = :summary, voids = :voids WHERE subject_id = :subject")
POSTED = text("SELECT EXISTS (SELECT 1 FROM day_sales WHERE subject_id = :subject AND summary <> '')")
LEFT_OUT = text("SELECT summary <> '' AND :refund = ANY(voids) FROM day_sales WHERE subject_id = :subject")
BOOKED = text("""
SELECT d.body FROM day_sales s JOIN subjects o ON o.kind = 'order' AND o.account = s.account AND o.external_id = s.summary
JOIN documents d ON d.id = o.document_id JOIN links l ON l.subject_id = o.id AND l.kind = 'order' AND l.account = :erp
WHERE s.subject_id = :subject AND s.summary <> ''
""")
MOST = 5000  # sales in one booking; more make another


@dataclass(frozen=True, slots=True)
class Day:
    """A till's day in one currency; `taxes_included` says how its prices are."""

    account: str
    till: str
    day: date
    currency: str
    taxes_included: bool

    @property
    def name(self) -> str:
        return f"{self.till}/{self.day:%Y-%m-%d}"


def applies(order: Order) -> bool:
    """Whether a sale comes before the ERP with its till's day: carried home whole, at an account whose policy says so."""
    if money.policy(order.channel).get("sales") != "day" or order.replaces:
        return False
    return bool(counter.carried(order)) and not any(line.requires_shipping for line in order.lines)


def note(tx: Connection, subject: int, order: Order) -> None:
    """The sale belongs to its till's day, in the account's own zone. Told again it is noted once."""
    zone = ZoneInfo(str(money.policy(order.channel)["zone"]))
    row = {"account": order.channel, "till": order.store or order.location, "currency": order.currency}
    day = order.placed_at.astimezone(zone).date()
    tx.execute(NOTE, {"subject": subject, "day": day, "taxes_included": order.taxes_included, **row})


def drop(tx: Connection, subject: int, waybill: str) -> None:
    """A sale that was voided is in no booking; one that is booked already is for a person to take back."""
    if tx.execute(DROP, {"subject": subject}).scalar() is not None:
        return
    row = tx.execute(OF, {"subject": subject}).first()
    if row is not None:
        cases.open_case(
            tx,
            "money",
            row.account,
            "voided_after_summary",
            f"Sale {waybill} of till {row.till} was voided after its day was booked ({row.summary}).",
            member=f"day_sale:{subject}",
            subject=subject,
            role="erp",
            cause=row.summary,
            remedy="Take the sale back in the ERP, from that day's booking.",
        )


def over(tx: Connection, now: datetime, most: int = 200) -> list[Day]:
    """Tills' days that are over (and some hours for the tills to tell the last of it) and have sales that no booking holds."""
    found = [Day(*row) for row in tx.execute(OPEN, {"most": most})]
    return [one for one in found if now >= _closes(one)]


def _closes(one: Day) -> datetime:
    policy = money.policy(one.account)
    midnight = datetime.combine(one.day + timedelta(days=1), datetime.min.time(), ZoneInfo(str(policy["zone"])))
    return midnight + timedelta(seconds=int(policy["sales_after"]))


def take(tx: Connection, one: Day) -> tuple[str, list[tuple[int, Order]]]:
    """The id of a day's next booking and the sales that go into it, locked."""
    named = {"account": one.account, "till": one.till, "day": one.day}
    more = {"currency": one.currency, "taxes_included": one.taxes_included, "most": MOST}
    rows = [(row.subject_id, decode(row.body)) for row in tx.execute(TAKE, {**named, **more})]
    number = int(tx.execute(BEFORE, named).scalar_one()) + 1
    return f"{one.name}/{number}", [(subject, order) for subject, order in rows if isinstance(order, Order)]


def summed(tx: Connection, summary: str, subject: int, voids: Sequence[str]) -> None:
    """A sale stands in a booking, without what was voided of it by these refunds."""
    tx.execute(SUMMED, {"summary": summary, "subject": subject, "voids": list(voids)})


def empty(tx: Connection, subject: int) -> None:
    """Every piece of a sale was voided before its day was booked: it is in no booking."""
    tx.execute(DROP, {"subject": subject})


def posted(tx: Connection, subject: int) -> bool:
    """Whether a sale stands in a booking of its till's day."""
    return bool(tx.execute(POSTED, {"subject": subject}).scalar())


def left_out(tx: Connection, subject: int, order: Order, refund: str) -> bool:
    """Whether a refund's pieces were voided in time: the booking was made without them, or without all of the sale."""
    found = tx.execute(LEFT_OUT, {"subject": subject, "refund": refund}).scalar()
    nothing = order.cancelled_at is not None or not any(line.current_quantity for line in order.lines)
    return nothing if found is None else bool(found)


def booked(tx: Connection, subject: int, erp: str) -> Order | None:
    """The booking that holds a sale, once the ERP has it."""
    body = tx.execute(BOOKED, {"subject": subject, "erp": erp}).scalar()
    found = decode(body) if body is not None else None
    return found if isinstance(found, Order) else None
