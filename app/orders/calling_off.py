"""Calling off: pieces, or all of it, are taken off an order whose channel tells us by our own API, as far as they have not left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, text

from app.accounts import entries
from app.bell import INTAKE, RECEIVE, Ring
from app.journal import accept, events, subjects
from app.journal.actions import audit
from app.orders import return_requests
from app.orders.life import ZERO
from app.orders.refused import Refused
from app.orders.shipping import to_ship
from app.stock.counter import at_the_counter, carried
from config.reader import config
from connectors.canonical.order import Line, Order

TOPIC, DOOR = "cancellation", "desk"
HEADERS = {"content-type": "application/json"}
NOT_HERE = frozenset(("declined", "cancelled"))  # returns of which nothing came back, nor will
KEPT = text("SELECT 1 FROM deliveries WHERE account = :account AND delivery_id = :id")


class TooMany(Refused):
    """`lines` are those of which not so many are still to be sent."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("not_that_many", "Not so many of these lines are still to be sent.")
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Told:
    """The delivery of the channel's that says it (connectors/direct, topic "cancellation")."""

    delivery_id: str
    body: bytes


def by_api(roles: Mapping[str, Any]) -> bool:
    """Whether the order's channel is one of ours by API: it has no other mouth than ours, so what is called off here is called off there."""
    channel = str(roles.get("channel") or "")
    return channel in config().accounts and entries.manifest(channel).api


def cancellable(order: Order) -> dict[str, Decimal]:
    """Line id -> pieces that may still be taken off, of the lines that have some; what is never shipped (a service) until it is all gone, what was
    carried home never."""
    left = to_ship(order)
    found = {line.id: _cancellable(order, left, line) for line in order.lines if order.cancelled_at is None}
    return {name: many for name, many in found.items() if many > 0}


def asked(tx: Connection, subject: int, order: Order, lines: Mapping[str, Decimal], reason: str, name: str) -> Told:
    """`lines` is line id -> pieces, none for the whole order. The caller has the order locked and keeps what is answered for it (`events.concerns`).

    Raises Refused; TooMany where only some of what is named is still here.
    """
    before = [json.loads(body, parse_float=Decimal) for body in events.unread_of(tx, subject, TOPIC)]
    _may(order, lines, before)
    if not lines and carried(order) and any(row.state not in NOT_HERE for row in return_requests.of(tx, subject)):
        raise Refused("returned", "Pieces of it came back or are to come: what is left of it is returned as they are.")
    told: dict[str, Any] = {
        "id": f"cancel-{name}",
        "order_id": order.id,
        "currency": order.totals.total.shop.currency,
        "at": datetime.now(UTC).isoformat(),
        "lines": [{"line_id": line, "quantity": f"{many:f}"} for line, many in lines.items()],
        "reason": reason,
    }
    return Told(f"{TOPIC}:{subject}:{name}", orjson.dumps(told))


def at_the_desk(
    tx: Connection, waybill: str, lines: Mapping[str, Decimal], reason: str, key: str, who: str, note: str
) -> list[Ring]:
    """A person says it for the channel; under one key once. Raises Refused, also where the channel has a word of its own."""
    subject = subjects.lock_waybill(tx, waybill)
    if subject is None or not isinstance(subject.document, Order):
        raise Refused("unknown", f"There is no order {waybill}, or it is not read yet.")
    if not by_api(subject.roles):
        raise Refused("not_by_api", f"{subject.account} has a word of its own: take the pieces off there.")
    name, channel = f"desk-{key}", str(subject.roles["channel"])
    if tx.execute(KEPT, {"account": channel, "id": f"{TOPIC}:{subject.id}:{name}"}).first() is not None:
        return []
    told = asked(tx, subject.id, subject.document, lines, reason, name)
    kept = accept.accept_in(tx, channel, told.delivery_id, TOPIC, HEADERS, told.body, door=DOOR)
    events.concerns(tx, kept.event_id, subject.id)
    after = {"lines": {line: f"{many:f}" for line, many in lines.items()} or "all", "reason": reason}
    audit(tx, who, "call off pieces" if lines else "call off order", f"order:{subject.waybill}", note, after=after)
    return [Ring(RECEIVE, INTAKE, kept.event_id)]


def _may(order: Order, lines: Mapping[str, Decimal], before: Sequence[Mapping[str, Any]]) -> None:
    """`before` are the cancellations that are kept and not read yet: they are taken off first."""
    if order.cancelled_at is not None or any(not one["lines"] for one in before):
        raise Refused("cancelled", "The order is cancelled already.")
    if not lines and (order.shipments and sum(to_ship(order).values()) < _open(order)):
        raise Refused("shipped", "Pieces of it have left: name the lines that are still here, or ask for a return.")
    wanted = dict(lines)
    for line in (line for one in before for line in one["lines"] if line["line_id"] in lines):
        wanted[line["line_id"]] += Decimal(line["quantity"])
    here = cancellable(order)
    over = sorted(name for name, many in wanted.items() if many > here.get(name, ZERO))
    if over:
        raise TooMany(over)


def _open(order: Order) -> Decimal:
    return sum((line.current_quantity for line in order.lines if line.requires_shipping), ZERO)


def _cancellable(order: Order, left: Mapping[str, Decimal], line: Line) -> Decimal:
    if at_the_counter(order, line):
        return ZERO
    return left.get(line.id, ZERO) if line.requires_shipping else line.current_quantity
