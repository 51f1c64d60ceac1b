"""Telling: each difference of a partner's order becomes an event for everyone of its account who listens for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection

from app.accounts import listeners
from app.journal import runs
from app.journal.runs import NewRun, NewStep
from app.orders.difference import Difference, Kind
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment
from tasks.flows.book import FLOWS
from tasks.reading import laying

Data = dict[str, Any]
FLOW = "partner_told"


def lay(tx: Connection, setting: laying.Setting, found: Iterable[Difference]) -> None:
    """One run for each event and listener, once. No person's data is in it: who is told may ask for the order."""
    account = setting.subject.account
    if not listeners.may_listen(account):
        return
    for difference in found:
        event, data = EVENTS.get(difference.kind, _nothing)(difference)
        for listener in listeners.wanting(tx, account, event) if event else ():
            _lay(tx, setting, f"{event}:{difference.key}", listener, event, data)


def _lay(tx: Connection, setting: laying.Setting, what: str, listener: str, event: str, data: Data) -> None:
    subject = setting.subject
    about = {"id": subject.external_id, "waybill": subject.waybill, "number": setting.order.number, **data}
    at = (setting.cause.at or datetime.now(UTC)).astimezone(UTC).isoformat()
    told = {"event": event, "at": at, "listener": listener, "id": f"msg_{uuid.uuid4().hex}", "data": about}
    difference = f"{what}:{listener}"
    step = NewStep(
        "tell_partner",
        "partner",
        subject.account,
        "outer",
        laying.key(subject, FLOW, difference, "tell_partner", subject.account),
        ordered=False,
    )
    run = NewRun(
        subject.id,
        setting.cause.id,
        setting.cause.at,
        FLOW,
        FLOWS[FLOW].version,
        difference,
        setting.document,
        subject.account,
        setting.cause.lane,
        (step,),
        child=told,
    )
    runs.lay(tx, run)


def _nothing(difference: Difference) -> tuple[str, Data]:
    return "", {}


def _accepted(difference: Difference) -> tuple[str, Data]:
    return "order.accepted", {}


def _shipped(difference: Difference) -> tuple[str, Data]:
    parcel = cast(Shipment, difference.child)
    trackings = [{"number": one.number, "carrier": one.carrier, "url": one.url} for one in parcel.trackings]
    lines = [{"line_id": one.line_id, "sku": one.sku, "quantity": f"{one.quantity:f}"} for one in parcel.lines]
    at = parcel.shipped_at.isoformat() if parcel.shipped_at else None
    return "order.shipped", {"shipment": {"id": parcel.id, "shipped_at": at, "trackings": trackings, "lines": lines}}


def _cancelled(difference: Difference) -> tuple[str, Data]:
    return "order.cancelled", {"whole": True, "lines": []}


def _refunded(difference: Difference) -> tuple[str, Data]:
    """A refund that moved no money took pieces off the order."""
    refund = cast(Refund, difference.child)
    lines = [{"line_id": one.line_id, "quantity": f"{one.quantity:f}"} for one in refund.lines]
    if not refund.payments:
        return "order.cancelled", {"whole": False, "lines": lines}
    total = {"amount": f"{refund.total.shop.amount:f}", "currency": refund.total.shop.currency}
    return "order.refunded", {"refund": {"id": refund.id, "total": total, "lines": lines}}


EVENTS: Mapping[Kind, Callable[[Difference], tuple[str, Data]]] = {
    Kind.PLACED: _accepted,
    Kind.SHIPPED: _shipped,
    Kind.CANCELLED: _cancelled,
    Kind.REFUNDED: _refunded,
}
