"""Papers: the receipt or the invoice that a customer shows finds the order, and says what of it that paper is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.journal import subjects
from app.journal.subjects import Subject
from app.orders.refused import Refused
from app.orders.standing import handed_over
from app.stock.departed import pieces_of
from connectors.canonical.codec import decode
from connectors.canonical.order import Order, Source
from connectors.canonical.shipment import LEFT

RECEIPT, INVOICE = "receipt", "invoice"
KINDS = (RECEIPT, INVOICE)
MOST = 20  # orders that one number may name
COLUMNS = "s.id, s.waybill, s.account AS sold_at, d.body"
# An invoice stands for the shipment that it bills, under `paper_of`; a receipt's number is the sale's own or one that its payment names.
BY_INVOICE = text(f"""
SELECT {COLUMNS}, l.ours, l.theirs FROM links l JOIN subjects s ON s.id = l.subject_id JOIN documents d ON d.id = s.document_id
WHERE l.kind = 'invoice' AND lower(l.theirs) = lower(:number) AND s.kind = 'order' ORDER BY s.id LIMIT {MOST}
""")  # noqa: S608 - constants only
BY_RECEIPT = text(f"""
SELECT {COLUMNS}, '' AS ours, :number AS theirs FROM subjects s JOIN documents d ON d.id = s.document_id
WHERE s.kind = 'order' AND s.id IN (
    SELECT id FROM subjects WHERE lower(number) = lower(:number) OR external_id = :number
    UNION SELECT subject_id FROM links WHERE kind = 'receipt' AND lower(theirs) = lower(:number)) ORDER BY s.id LIMIT {MOST}
""")  # noqa: S608 - constants only
STATEMENTS = {RECEIPT: BY_RECEIPT, INVOICE: BY_INVOICE}
INVOICES = text("SELECT ours, theirs FROM links WHERE subject_id = :subject AND kind = 'invoice' ORDER BY theirs")


@dataclass(frozen=True, slots=True)
class Paper:
    """`pieces` is line id -> what the paper is about; `handed_at` when that was handed over, None where it has not left or nobody told."""

    kind: str
    number: str
    subject_id: int
    waybill: str
    order: Order
    pieces: Mapping[str, Decimal]
    handed_at: datetime | None

    @property
    def name(self) -> str:
        return f"{self.kind} {self.number}"


def paper_of(origin: str, shipment: str) -> str:
    """What the cross reference "invoice" calls a shipment: each house numbers its own."""
    return f"{origin}-{shipment}"


def find(tx: Connection, kind: str, number: str) -> list[Paper]:
    """The papers of this kind and number, as several systems may give one; not locked."""
    wanted = number.strip().replace("\x00", "")[:200]
    rows = tx.execute(STATEMENTS[kind], {"number": wanted}).all() if wanted else ()
    return [paper for row in rows if (paper := _paper(kind, row, decode(row.body))) is not None]


def one(tx: Connection, kind: str, number: str, waybill: str = "") -> tuple[Subject, Paper]:
    """The order, locked, and its paper. Raises Refused: `no_paper`, or `several` where `waybill` must say which of them."""
    found = [paper for paper in find(tx, kind, number) if waybill in ("", paper.waybill)]
    if not found:
        of = f" of {waybill}" if waybill else ""
        raise Refused("no_paper", f"No {kind}{of} with the number {number} is known.")
    if len({paper.subject_id for paper in found}) > 1:
        names = ", ".join(paper.waybill for paper in found)
        raise Refused("several", f"{kind.capitalize()} {number} is the number of several orders: {names}. Say which.")
    subject = subjects.lock_id(tx, found[0].subject_id)
    return subject, next(paper for paper in find(tx, kind, number) if paper.subject_id == subject.id)


def invoiced(tx: Connection, subject: int, order: Order) -> dict[str, list[tuple[str, Decimal]]]:
    """Line id -> (invoice, pieces) of everything that the books have billed."""
    held: dict[str, list[tuple[str, Decimal]]] = {}
    for row in tx.execute(INVOICES, {"subject": subject}):
        for line, many in pieces_of(order, _billed(order, row.ours)).items():
            held.setdefault(line, []).append((row.theirs, many))
    return held


def receipts(order: Order) -> Iterator[tuple[str, str]]:
    """(our name, number) of each receipt that a till's payment names."""
    for payment in order.payments if order.source is Source.POS else ():
        if payment.reference:
            yield f"{order.id}:{payment.reference}", payment.reference


def _paper(kind: str, row: Any, order: Any) -> Paper | None:
    if not isinstance(order, Order):
        return None
    about: tuple[str, str, int, str, Order] = (kind, row.theirs, row.id, row.waybill, order)
    if kind == RECEIPT:
        sold = {line.id: line.shipped for line in handed_over(order).lines}
        return Paper(*about, sold, None) if order.source is Source.POS else None
    billed = _billed(order, row.ours)
    gone = [at for one in billed if (at := one.delivered_at or one.shipped_at) is not None]
    return Paper(*about, pieces_of(order, billed), max(gone, default=None))


def _billed(order: Order, ours: str) -> list[Any]:
    return [one for one in order.shipments if paper_of(one.origin, one.id) == ours and one.status in LEFT]
