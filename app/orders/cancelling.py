"""Cancelling by the hub: somebody has a whole order cancelled in the channel that sold it, as long as nothing of it has left or is set out."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from app.accounts import entries
from app.journal import subjects
from app.journal.actions import audit
from app.journal.subjects import Subject
from app.orders import deadlines, fulfilments
from app.orders.refused import Refused
from connectors.canonical.order import CancelReason, Order
from connectors.canonical.shipment import GONE

KIND = "cancel_sale"  # of the deadline that keeps what was asked for; its part is the reason
FLOW = "sale_cancelled"
ASKED = text("""
SELECT 1 FROM deadlines WHERE subject_id = :subject AND kind = :kind AND state = 'open'
UNION ALL SELECT 1 FROM steps WHERE subject_id = :subject AND flow = :flow AND state NOT IN ('cancelled', 'skipped')
""")
LEFT = frozenset(("shipped", "in_transit", "delivered", "collected"))
SET_OUT = {
    "packed": "is packed at {0} and about to leave: what has left comes back as a return.",
    "ready": "is set out at {0} for its customer, who can refuse it there; if nobody fetches it, have it put back first.",
    "no_show": "was not fetched at {0}: have it put back there first.",
}
REASONS: Mapping[CancelReason, str] = {
    CancelReason.CUSTOMER: "the customer does not want it any more",
    CancelReason.INVENTORY: "it cannot be delivered",
    CancelReason.ADDRESS: "its address cannot be delivered to",
    CancelReason.DECLINED: "it was not paid",
    CancelReason.FRAUD: "it looks like fraud",
    CancelReason.OTHER: "another reason",
}


def ask(tx: Connection, waybill: str, reason: CancelReason, who: str, note: str) -> Subject:
    """Keeps what a person asks for; a worker tells the channel. Raises Refused where it cannot be, or is asked for already."""
    subject = subjects.lock_waybill(tx, waybill)
    if subject is None:
        raise Refused("unknown", f"There is no order {waybill}.")
    refused = why_not(tx, subject)
    if refused is not None:
        raise refused
    if tx.execute(ASKED, {"subject": subject.id, "kind": KIND, "flow": FLOW}).first() is not None:
        raise Refused("asked", "Its channel was asked already: the step on this page says what became of it.")
    deadlines.set_(tx, subject.id, KIND, reason.value, 0)
    audit(tx, who, "cancel order", f"order:{subject.waybill}", note, after={"reason": reason.value})
    return subject


def why_not(tx: Connection, subject: Subject) -> Refused | None:
    """Why the order may not be cancelled in its channel (any more); None where it may."""
    order, channel = subject.document, str(subject.roles.get("channel") or "")
    if not isinstance(order, Order):
        return Refused("unknown", "The order itself is not known yet.")
    if order.cancelled_at is not None:
        return Refused("cancelled", "It is cancelled already.")
    return _gone(tx, subject, order) or _lacking(channel)


def _gone(tx: Connection, subject: Subject, order: Order) -> Refused | None:
    asked = fulfilments.of(tx, subject.id)
    if any(one.status in GONE for one in order.shipments) or any(one.state in LEFT for one in asked):
        return Refused("shipped", "Something of it has left: it is cancelled no more, and comes back as a return.")
    out = next((one for one in asked if one.state in SET_OUT), None)
    return None if out is None else Refused("set_out", f"{out.number} {SET_OUT[out.state].format(out.location)}")


def _lacking(channel: str) -> Refused | None:
    if not channel:
        return Refused(
            "not_sold", "No channel knows of this order: it stands for an exchange. Hold it, or take it back."
        )
    manifest = entries.manifest(channel)
    if "SaleCanceller" in manifest.offers:
        return None
    instead = manifest.absent.get("cancel_sale", "Cancel it there.")
    return Refused("not_offered", f"{channel} cannot be told to cancel an order: {instead}")
