"""What Acme's deliveries say, in canonical words: pure, one reader a topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import simplejson

from connectors.acme import orders, schemas
from connectors.acme.shapes import shape
from connectors.canonical.money import Money
from connectors.canonical.product import Price, Product, ProductKind
from connectors.canonical.returns import Return, ReturnLine, ReturnStatus
from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Account, Codes
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable

Row = Mapping[str, Any]


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """The readings of one delivery. Raises Unreadable naming the field; an unknown topic is Ignored under its name."""
    reader = READERS.get(message.topic)
    if reader is None:
        return (Ignored(f"Acme's topic {message.topic} is not one that this hub has a use for."),)
    envelope = schemas.loaded(schemas.Envelope, _json(message.body))
    if shape(account.settings).tells == "thin" and message.topic in THIN:
        return (_pointer(envelope),)
    return (reader(envelope["data"]),)


def _json(body: bytes) -> Any:
    try:
        return simplejson.loads(body, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is no JSON.") from error


def _pointer(envelope: Row) -> Pointer:
    """A thin delivery names the order only; its timestamp says from when the document is at least."""
    named = schemas.loaded(schemas.Thin, envelope["data"], "data")
    return Pointer("order", named["id"], told(envelope["timestamp"]))


def _order(data: Row) -> Snapshot:
    row = schemas.loaded(schemas.Order, data, "data")
    return Snapshot("order", row["id"], told(row["updated_at"]), _sound(orders.order, row))


def _shipment(data: Row) -> Snapshot:
    """A warehouse knows our reference; a channel its own order."""
    row = schemas.loaded(schemas.Shipment, data, "data")
    parcel = orders.shipment(row)
    return Snapshot("shipment", row["order_id"] or "", told(row["updated_at"]), parcel, reference=row["request"] or "")


def _goods_back(data: Row) -> Snapshot:
    """What a warehouse has counted of a parcel that came back."""
    row = schemas.loaded(schemas.GoodsBack, data, "data")
    name, left_as = row["return_number"] or "", row["request"] or ""
    lines = tuple(
        ReturnLine("", one["quantity"], one["reason"] or "", one["sku"], one["quantity"], one["condition"])
        for one in row["lines"]
    )
    came = {"number": name, "at": row["received_at"], "location": row["location"]}
    document = Return(row["id"], ReturnStatus.RECEIVED, lines, clues=(left_as,) if left_as else (), **came)
    return Snapshot("return", row["id"], told(row["updated_at"]), document, reference=name)


def _acknowledgement(data: Row) -> Snapshot:
    """What a supplier will send of a purchase order of ours; nothing where he refuses it."""
    row = schemas.loaded(schemas.Shipment, data, "data")
    reference = row["request"] or ""
    return Snapshot("acknowledgement", "", told(row["updated_at"]), orders.shipment(row), reference=reference)


def _refund(data: Row) -> Snapshot:
    row = schemas.loaded(schemas.Refund, data, "data")
    return Snapshot("refund", row["order_id"], told(row["updated_at"]), _sound(orders.refund, row))


def _stock(data: Row) -> Snapshot:
    row = schemas.loaded(schemas.Level, data, "data")
    stands = _level(row, row["sku"], row["location"])
    return Snapshot("stock", f"{row['id']}@{row['location']}", told(row["updated_at"]), stands)


def _product(data: Row) -> Snapshot:
    row = schemas.loaded(schemas.Product, data, "data")
    return Snapshot("product", row["id"], told(row["updated_at"]), _article(row))


def _sound(make: Callable[[Row], Any], row: Row) -> Any:
    """A currency that is none, or an amount that is none, is the delivery's own defect."""
    try:
        return make(row)
    except (ValueError, TypeError) as error:
        raise Unreadable(str(error), field="data.currency") from error


def level(row: Row, codes: Codes) -> StockLevel:
    """A listed level in our SKU and location. Raises Missing for one that nobody has mapped."""
    fine = schemas.loaded(schemas.Level, row)
    return _level(fine, codes.ours("sku", fine["sku"]), codes.ours("location", fine["location"]))


def _level(row: Row, sku: str, location: str) -> StockLevel:
    counted = {"available": row["available"], "on_hand": row["on_hand"]}
    return StockLevel(sku, location, item_id=row["id"], as_of=row["updated_at"], lots=orders.lots(row), **counted)


def product(row: Row) -> Product:
    return _article(schemas.loaded(schemas.Product, row))


def _article(row: Row) -> Product:
    kind = orders.KINDS.get(row["kind"], ProductKind.GOODS)
    named: dict[str, Any] = {name: row[name] or "" for name in ("id", "sku", "title", "barcode", "tax_code")}
    return Product(**named, kind=kind, active=row["active"], updated_at=row["updated_at"])


def price(row: Row, codes: Codes) -> Price:
    fine = schemas.loaded(schemas.Price, row)
    money = Money(fine["amount"], fine["currency"])
    sku = codes.ours("sku", fine["sku"])
    return Price(sku, money, price_list=fine["price_list"] or "", taxes_included=fine["taxes_included"])


def told(at: datetime) -> str:
    """A time as a version that compares as text: UTC, microseconds always there."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


READERS: dict[str, Callable[[Row], Reading]] = {
    "order.placed": _order,
    "order.changed": _order,
    "order.cancelled": _order,
    "order.document": _order,
    "refund.made": _refund,
    "shipment.sent": _shipment,
    "shipment.document": _shipment,
    "return.arrived": _goods_back,
    "return.document": _goods_back,
    "purchase.acknowledged": _acknowledgement,
    "stock.changed": _stock,
    "stock.document": _stock,
    "product.changed": _product,
    "product.document": _product,
}
THIN = frozenset(("order.placed", "order.changed", "order.cancelled"))
