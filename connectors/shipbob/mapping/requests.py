"""An order's shippable lines as ShipBob wants to be asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Line, Order
from connectors.canonical.party import Address
from connectors.canonical.product import ProductKind
from connectors.canonical.shipment import ShipmentStatus
from connectors.kit import regions
from connectors.kit.errors import NotOffered, Rejected

GONE = (ShipmentStatus.SHIPPED, ShipmentStatus.DELIVERED)
NEVER_SHIPPED = (ProductKind.GIFT_CARD, ProductKind.SERVICE, ProductKind.DIGITAL)


def request_body(
    order: Order, reference: str, key: str, sku: Callable[[str], str], method: str, location: str = ""
) -> dict[str, Any]:
    """The body of Create Order. `sku` gives ShipBob's name of one of ours (raises Missing).

    Prices are sent in US dollar orders only, for ShipBob's `financials` are "in USD". Raises Rejected naming the
    field that a
    person must mend, NotOffered when nothing is to be shipped.
    """
    products = _products(order, sku)
    if not products:
        raise NotOffered("Nothing of this order is to be shipped from a warehouse.", code="nothing_to_ship")
    body: dict[str, Any] = {
        "reference_id": reference,
        "order_number": order.number or reference,
        "type": "DTC",
        "shipping_method": method,
        "purchase_date": order.placed_at.isoformat(),
        "recipient": _recipient(order),
        "products": products,
        "tags": [{"name": "waybill", "value": reference}, {"name": "waybill-key", "value": key}],
    }
    if location:
        body["location_id"] = int(location)
    if order.currency == "USD":
        body["financials"] = {"total_price": order.totals.total.shop.amount}
    return body


def _products(order: Order, sku: Callable[[str], str]) -> list[dict[str, Any]]:
    """One entry for each SKU: what the order still wants of it, lines of the same SKU added up."""
    wanted: dict[str, dict[str, Any]] = {}
    for path, title, ours, quantity, price in outstanding(order):
        theirs = sku(ours)
        entry = wanted.setdefault(theirs, {"reference_id": theirs, "sku": theirs, "name": title, "quantity": 0})
        entry["quantity"] += _whole(quantity, path)
        if order.currency == "USD" and price is not None:
            entry["unit_price"] = price
    return [{"external_line_id": number, **entry} for number, entry in enumerate(wanted.values(), 1)]


def outstanding(order: Order) -> Iterator[tuple[str, str, str, Decimal, Decimal | None]]:
    """(path, title, SKU, quantity, unit price) of what must leave: no bundle's parent, nothing that left already.

    A bundle whose parts are lines of their own is shipped by these; one that only names its components by them.
    """
    parents = {line.bundle_id for line in order.lines if line.bundle_id}
    shipped = _shipped(order)
    for number, line in enumerate(order.lines):
        quantity = line.current_quantity - shipped.get(line.id, Decimal(0))
        if line.id in parents or not line.requires_shipping or line.kind in NEVER_SHIPPED or quantity <= 0:
            continue
        yield from _pieces(line, f"lines[{number}]", quantity)


def _pieces(line: Line, path: str, quantity: Decimal) -> Iterator[tuple[str, str, str, Decimal, Decimal | None]]:
    if line.components:
        for part in line.components:
            yield f"{path}.components", f"{line.title}: {part.sku}", part.sku, quantity * part.quantity, None
        return
    if not line.sku:
        raise Rejected(
            f'The line "{line.title}" has no SKU, so the warehouse cannot find it.',
            code="no_sku",
            field=f"{path}.sku",
            remedy="Give the product a SKU in the shop, then retry.",
        )
    yield path, line.title or line.sku, line.sku, quantity, line.unit_price.shop.amount


def _shipped(order: Order) -> Mapping[str, Decimal]:
    """What the channel itself says has left already (taken along in a store, shipped by a marketplace), by line."""
    gone: dict[str, Decimal] = {}
    for shipment in order.shipments:
        for line in shipment.lines if shipment.status in GONE else ():
            gone[line.line_id] = gone.get(line.line_id, Decimal(0)) + line.quantity
    return gone


def _whole(quantity: Decimal, path: str) -> int:
    if quantity != quantity.to_integral_value():
        raise Rejected(
            f"The warehouse ships whole pieces; this line wants {quantity.normalize()}.",
            code="quantity",
            field=f"{path}.quantity",
            remedy="Correct the quantity, or ship this line from elsewhere.",
        )
    return int(quantity)


def _recipient(order: Order) -> dict[str, Any]:
    to = order.shipping
    if to is None:
        raise Rejected(
            "The order has no delivery address.",
            code="address",
            field="shipping",
            remedy="Add the address in the shop, then retry.",
        )
    name = to.name or (order.customer.name if order.customer else "") or to.company
    for value, field, words in (
        (name, "name", "a recipient's name"),
        (to.line1, "line1", "a street"),
        (to.city, "city", "a city"),
        (to.country, "country", "a country"),
    ):
        if not value:
            raise Rejected(
                f"The delivery address lacks {words}.",
                code="address",
                field=f"shipping.{field}",
                remedy="Complete the address in the shop, or edit it here and retry.",
            )
    return {"name": name, "email": order.email or None, "phone_number": to.phone or None, "address": _address(to)}


def _address(to: Address) -> dict[str, Any]:
    return {
        "address1": to.line1,
        "address2": ", ".join(part for part in (to.line2, to.line3) if part) or None,
        "company_name": to.company or None,
        "city": to.city,
        "state": regions.coded(to.country, to.region, to.region_name) or None,
        "country": to.country,
        "zip_code": to.postcode or None,
    }
