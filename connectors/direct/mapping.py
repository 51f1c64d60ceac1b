"""What a partner told our API, in canonical words: pure, one reader a topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Any

import simplejson

from connectors.canonical.codec import load
from connectors.canonical.money import MoneyBag, zero
from connectors.canonical.order import Order, Source
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund, RefundLine
from connectors.canonical.snapshot import Ignored, Reading, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.place import Place
from connectors.kit.versions import version

Row = Mapping[str, Any]
NONE = Decimal(0)
WRONG = (ValueError, TypeError, KeyError, ArithmeticError, InvalidOperation, AttributeError)


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """The readings of one delivery. Raises Unreadable naming the field; an unknown topic is Ignored under its name."""
    reader = READERS.get(message.topic)
    if reader is None:
        return (Ignored(f"The API's topic {message.topic} is not one that this hub has a use for."),)
    return (reader(_json(message.body)),)


def _json(body: bytes) -> Row:
    try:
        found = simplejson.loads(body, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is no JSON.") from error
    if not isinstance(found, dict):
        raise Unreadable("The body is no JSON object.")
    return found


def _order(body: Row) -> Snapshot:
    made = order(body)
    return Snapshot("order", made.id, version(made.updated_at), made)


def order(body: Row) -> Order:
    """An order in the canonical shape. Where they are left out, `updated_at` is `placed_at`, and a line's `current_quantity` its quantity less
    what the order's own refunds name of it (never below zero)."""
    place = Place(body)
    for name in ("id", "number", "currency", "placed_at", "totals"):
        place.at(name).needed()
    placed = place.at("placed_at").instant()
    lines = [_line(line) for line in place.at("lines").items()]
    whole = {"updated_at": placed.isoformat(), **body, "lines": lines}
    said = {line.at("id").id() for line in place.at("lines").items() if "current_quantity" in line.value}
    return _less(_utc(_sound(Order, whole)), said)


def _less(made: Order, said: Set[str]) -> Order:
    """The order, of whose lines those that did not say so are what its refunds leave."""
    back: dict[str, Decimal] = {}
    for gone in (one for refund in made.refunds for one in refund.lines):
        back[gone.line_id] = back.get(gone.line_id, NONE) + gone.quantity
    lines = (
        line if line.id in said else replace(line, current_quantity=max(NONE, line.quantity - back.get(line.id, NONE)))
        for line in made.lines
    )
    return replace(made, lines=tuple(lines))


def _line(place: Place) -> Row:
    for name in ("id", "sku", "title", "quantity", "unit_price"):
        place.at(name).needed()
    return {"current_quantity": place.value["quantity"], **place.value}


def _sound(kind: type[Any], body: Row) -> Any:
    """What is of the wrong kind is the delivery's own defect."""
    try:
        return load(kind, body)
    except WRONG as error:
        raise Unreadable(f"The {kind.__name__.lower()} has a value that cannot be: {error}") from error


def _utc(made: Order) -> Order:
    """Times without their zone name no instant."""
    for name in ("placed_at", "updated_at", "cancelled_at", "ship_by", "deliver_by", "due_at", "closed_at"):
        at = getattr(made, name)
        if at is not None and at.tzinfo is None:
            raise Unreadable(f"{name} should be a time with its offset.", field=name)
    try:
        return replace(made, placed_at=made.placed_at.astimezone(UTC), updated_at=made.updated_at.astimezone(UTC))
    except OverflowError as error:
        raise Unreadable("placed_at or updated_at lies outside the calendar.", field="placed_at") from error


def _cancellation(body: Row) -> Snapshot:
    """Pieces that are not wanted any more: a refund that moves no money takes them off the order; without lines it is the whole order."""
    place = Place(body)
    currency = place.at("currency").needed().text()
    nothing = MoneyBag(zero(currency))
    at = place.at("at").instant()
    lines = tuple(_cancelled(line, nothing) for line in place.at("lines").items())
    gone = Refund(place.at("id").needed().id(), nothing, lines, note=place.at("reason").text(), at=at)
    return Snapshot("cancellation", place.at("order_id").needed().id(), version(at), gone)


def _cancelled(line: Place, nothing: MoneyBag) -> RefundLine:
    return RefundLine(line.at("line_id").needed().id(), line.at("quantity").number(), nothing, nothing)


def _sale(body: Row) -> Snapshot:
    """A till's sale is an order that its customer carried home: nothing of it is shipped, and it belongs to its till and sequence."""
    made = order(body)
    home = tuple(replace(line, requires_shipping=False) for line in made.lines)
    return Snapshot("order", made.id, version(made.updated_at), replace(made, source=Source.POS, lines=home))


def _void(body: Row) -> Snapshot:
    """Pieces of a till's sale that were taken back at once; what each was sold for is the hub's to reckon."""
    place = Place(body)
    payments = tuple(_sound(Payment, {"kind": "refund", **one}) for one in body.get("payments", ()))
    currency = place.at("currency").needed().text()
    nothing = MoneyBag(zero(currency))
    lines = tuple(_cancelled(line, nothing) for line in place.at("lines").items())
    at = place.at("placed_at").instant()
    gone = Refund(
        place.at("id").needed().id(), nothing, lines, payments=payments, note=place.at("reason").text(), at=at
    )
    return Snapshot("void", place.at("order_id").needed().id(), version(at), gone)


READERS: dict[str, Callable[[Row], Reading]] = {
    "order": _order,
    "cancellation": _cancellation,
    "till.sale": _sale,
    "till.void": _void,
}
