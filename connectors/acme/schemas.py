"""The shape of Acme's documents: what must be there and of what kind; what is new is let through unread."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import ChargeKind
from connectors.canonical.payment import PaymentKind, PaymentStatus, Takes
from connectors.canonical.shipment import ShipmentStatus
from connectors.kit.errors import Unreadable


class Shape(Schema):
    class Meta:
        unknown = EXCLUDE


def text(**more: Any) -> fields.String:
    """Text that may be left out or null."""
    return fields.String(load_default="", allow_none=True, **more)


def amount() -> fields.Decimal:
    return fields.Decimal(required=True)


def rows(shape: type[Shape], **more: Any) -> fields.List[Any]:
    return fields.List(fields.Nested(shape), **(more or {"load_default": list}))


def moment(**more: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(format="iso", **more)


class Address(Shape):
    name, company, line1, line2 = text(), text(), text(), text()
    city, region, postcode, country, phone = text(), text(), text(), text(), text()


class Customer(Shape):
    id, email, phone, first_name, last_name, company = text(), text(), text(), text(), text(), text()


class Tax(Shape):
    title, code = text(), text()
    rate = fields.Decimal(load_default=None, allow_none=True)
    amount = amount()


class Discount(Shape):
    code, title = text(), text()
    amount = amount()


class Part(Shape):
    sku = fields.String(required=True)
    quantity = amount()


class Line(Shape):
    id = fields.String(required=True)
    sku = fields.String(required=True)
    title, kind, tax_code = text(), text(), text()
    quantity = amount()
    current_quantity = fields.Decimal(load_default=None, allow_none=True)
    unit_price = amount()
    discounts, taxes, parts = rows(Discount), rows(Tax), rows(Part)


class Shipping(Shape):
    id = fields.String(required=True)
    title, code = text(), text()
    price = amount()
    discounts, taxes = rows(Discount), rows(Tax)


class Charge(Shape):
    kind = fields.Enum(ChargeKind, by_value=True, required=True)
    title = text()
    amount = amount()
    taxes = rows(Tax)


class Payment(Shape):
    id = fields.String(required=True)
    kind = fields.Enum(PaymentKind, by_value=True, required=True)
    status = fields.Enum(PaymentStatus, by_value=True, required=True)
    tender, gateway, reference, parent_id = text(), text(), text(), text()
    amount = amount()
    at = moment(load_default=None, allow_none=True)
    takes = fields.Enum(Takes, by_value=True, load_default=Takes.PARTS)


class Totals(Shape):
    lines, discounts, shipping, charges, tax, total = (amount() for _ in range(6))


class Tracking(Shape):
    number = fields.String(required=True)
    carrier, url = text(), text()


class Lot(Shape):
    lot = fields.String(required=True)
    quantity = amount()
    expires = fields.Date(load_default=None, allow_none=True)


class ShippedLine(Shape):
    sku, line_id = text(), text()
    quantity = amount()
    lots = rows(Lot)


class Shipment(Shape):
    id = fields.String(required=True)
    status = fields.Enum(ShipmentStatus, by_value=True, required=True)
    lines = rows(ShippedLine, required=True)
    trackings = rows(Tracking)
    order_id, request, location, service = text(), text(), text(), text()
    shipped_at = moment(load_default=None, allow_none=True)
    promised_at = moment(load_default=None, allow_none=True)
    updated_at = moment(required=True)


class ReceivedLine(Shape):
    sku = fields.String(required=True)
    quantity = amount()
    condition = fields.String(required=True, validate=validate.OneOf(("sellable", "quarantined", "scrapped")))
    reason = text()


class GoodsBack(Shape):
    """`return_number` is what we told Acme's customer to write on the parcel, `request` the reference that it left under."""

    id = fields.String(required=True)
    return_number, request = text(), text()
    location = fields.String(required=True)
    lines = rows(ReceivedLine, required=True)
    received_at, updated_at = moment(required=True), moment(required=True)


class RefundedLine(Shape):
    line_id = fields.String(required=True)
    sku, location = text(), text()
    quantity, subtotal, tax = amount(), amount(), amount()
    restock = fields.Boolean(load_default=False)


class Refund(Shape):
    id = fields.String(required=True)
    order_id, note = text(), text()
    currency = fields.String(required=True)
    total = amount()
    lines, payments = rows(RefundedLine), rows(Payment)
    updated_at = moment(required=True)


class Delivery(Shape):
    """How the order travels: `kind` ship or pickup; `location` where it is fetched, `person` who may fetch it, and what was promised."""

    kind = fields.Enum(DeliveryKind, by_value=True, required=True)
    location, person, service = text(), text(), text()
    ship_by = moment(load_default=None, allow_none=True)
    deliver_by = moment(load_default=None, allow_none=True)


class Order(Shape):
    id = fields.String(required=True)
    number = fields.String(required=True)
    placed_at, updated_at = moment(required=True), moment(required=True)
    cancelled_at = moment(load_default=None, allow_none=True)
    currency = fields.String(required=True)
    taxes_included = fields.Boolean(required=True)
    customer = fields.Nested(Customer, load_default=None, allow_none=True)
    billing_address = fields.Nested(Address, load_default=None, allow_none=True)
    shipping_address = fields.Nested(Address, load_default=None, allow_none=True)
    lines = rows(Line, required=True)
    shipping, charges, discounts = rows(Shipping), rows(Charge), rows(Discount)
    payments, shipments, refunds = rows(Payment), rows(Shipment), rows(Refund)
    totals = fields.Nested(Totals, required=True)
    current_totals = fields.Nested(Totals, load_default=None, allow_none=True)
    payment_status, fulfilment_status, cancel_reason = text(), text(), text()
    note, acknowledged_as, hold = text(), text(), text()
    delivery = fields.Nested(Delivery, load_default=None, allow_none=True)
    tags = fields.List(fields.String(), load_default=list)


class Level(Shape):
    id = fields.String(required=True)
    sku = fields.String(required=True)
    location = fields.String(required=True)
    available = amount()
    on_hand = fields.Decimal(load_default=None, allow_none=True)
    lots = rows(Lot)
    updated_at = moment(required=True)


class Price(Shape):
    sku = fields.String(required=True)
    currency = fields.String(required=True)
    amount = amount()
    price_list = text()
    taxes_included = fields.Boolean(load_default=None, allow_none=True)


class Product(Shape):
    id = fields.String(required=True)
    sku = fields.String(required=True)
    title = fields.String(required=True)
    barcode, tax_code, kind = text(), text(), text()
    active = fields.Boolean(load_default=True)
    updated_at = moment(required=True)


class Envelope(Shape):
    type = fields.String(required=True)
    timestamp = moment(required=True)
    data = fields.Dict(required=True)


class Thin(Shape):
    id = fields.String(required=True)


def loaded(shape: type[Shape], document: Any, path: str = "") -> Mapping[str, Any]:
    """The document's fields. Raises Unreadable naming the first that is missing or wrong, as a path (lines[0].sku)."""
    try:
        fine: Mapping[str, Any] = _reader(shape).load(document)
        return fine
    except ValidationError as error:
        name, words = _first(error.messages, path)
        raise Unreadable(f"{name or 'The document'}: {words}", field=name) from error


@cache
def _reader(shape: type[Shape]) -> Shape:
    """One reader of each shape for the process: making one costs more than reading with it."""
    return shape()


def _first(messages: Any, path: str) -> tuple[str, str]:
    """The first complaint of marshmallow's tree and the path to it."""
    if not isinstance(messages, dict):
        return path, str(messages[0] if isinstance(messages, list) and messages else messages)
    name, inner = next(iter(messages.items()))
    if name == "_schema":
        return _first(inner, path)
    return _first(inner, f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}" if path else str(name))
