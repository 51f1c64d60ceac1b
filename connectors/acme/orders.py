"""An order of Acme's as a canonical order, with its payments, parcels and refunds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.canonical.delivery import Delivery
from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Charge, Discount, Line, Order, ShippingLine, Tax, Totals
from connectors.canonical.party import Address, Party
from connectors.canonical.payment import Payment, Tender
from connectors.canonical.product import Component, ProductKind
from connectors.canonical.returns import Refund, RefundLine
from connectors.canonical.shipment import Shipment, ShipmentLine, Tracking
from connectors.canonical.stock import Lot
from connectors.kit.place import Place

Row = Mapping[str, Any]
KINDS = {kind.value: kind for kind in ProductKind}
TENDERS = {tender.value: tender for tender in Tender}


def order(row: Row) -> Order:
    """Acme states all amounts in the shop's currency, in major units as text."""
    currency = row["currency"]
    return Order(
        id=row["id"],
        number=row["number"],
        placed_at=row["placed_at"],
        updated_at=row["updated_at"],
        currency=currency,
        taxes_included=row["taxes_included"],
        lines=tuple(_line(one, currency) for one in row["lines"]),
        shipping_lines=tuple(_shipping(one, currency) for one in row["shipping"]),
        charges=tuple(_charge(one, currency) for one in row["charges"]),
        discounts=_discounts(row, currency),
        payments=tuple(payment(one, currency) for one in row["payments"]),
        shipments=tuple(shipment(one) for one in row["shipments"]),
        refunds=tuple(refund(one) for one in row["refunds"]),
        totals=_totals(row["totals"], currency),
        current=_totals(row["current_totals"], currency) if row["current_totals"] else None,
        customer=Party(**_texts(row["customer"])) if row["customer"] else None,
        billing=_address(Place(row["billing_address"], "billing_address")),
        shipping=_address(Place(row["shipping_address"], "shipping_address")),
        cancelled_at=row["cancelled_at"],
        external_reference=row["acknowledged_as"] or "",
        tags=tuple(row["tags"]),
        deliveries=_deliveries(row),
        **_texts(
            {name: row[name] for name in ("payment_status", "fulfilment_status", "cancel_reason", "note", "hold")}
        ),
    )


def _address(place: Place) -> Address | None:
    return Address(**{**_texts(place.value), "country": place.at("country").country()}) if place.value else None


def _deliveries(row: Row) -> tuple[Delivery, ...]:
    """Acme tells of one way for the whole order, where it is not simply sent to the shipping address."""
    way = row["delivery"]
    if way is None:
        return ()
    told = _texts({"location": way["location"], "service": way["service"], "pickup_person": way["person"]})
    return (Delivery("1", way["kind"], ship_by=way["ship_by"], deliver_by=way["deliver_by"], **told),)


def payment(row: Row, currency: str) -> Payment:
    """A tender that we do not know is OTHER; its own name stays as the gateway where Acme gives none."""
    return Payment(
        id=row["id"],
        kind=row["kind"],
        tender=TENDERS.get(row["tender"] or "", Tender.OTHER),
        amount=_money(row["amount"], currency),
        status=row["status"],
        gateway=row["gateway"] or row["tender"] or "",
        reference=row["reference"] or "",
        parent_id=row["parent_id"] or "",
        at=row["at"],
        takes=row["takes"],
    )


def shipment(row: Row) -> Shipment:
    return Shipment(
        id=row["id"],
        status=row["status"],
        lines=tuple(_shipped(one) for one in row["lines"]),
        trackings=tuple(Tracking(**_texts(one)) for one in row["trackings"]),
        location=row["location"] or "",
        service=row["service"] or "",
        shipped_at=row["shipped_at"],
        estimated_at=row["promised_at"],
        updated_at=row["updated_at"],
    )


def _shipped(row: Row) -> ShipmentLine:
    return ShipmentLine(row["quantity"], row["sku"] or "", row["line_id"] or "", lots=lots(row))


def lots(row: Row) -> tuple[Lot, ...]:
    """The batches of what is on hand, or of what left."""
    return tuple(Lot(one["lot"], one["quantity"], one["expires"]) for one in row["lots"])


def refund(row: Row) -> Refund:
    currency = row["currency"]
    return Refund(
        id=row["id"],
        total=_money(row["total"], currency),
        lines=tuple(_refunded(one, currency) for one in row["lines"]),
        payments=tuple(payment(one, currency) for one in row["payments"]),
        note=row["note"] or "",
        at=row["updated_at"],
    )


def _refunded(row: Row, currency: str) -> RefundLine:
    money: dict[str, Any] = {"subtotal": _money(row["subtotal"], currency), "tax": _money(row["tax"], currency)}
    named = {"line_id": row["line_id"], **_texts({"sku": row["sku"], "location": row["location"]})}
    return RefundLine(quantity=row["quantity"], restock=row["restock"], **named, **money)


def _line(row: Row, currency: str) -> Line:
    """A kind of product that is new to us is sold as goods, its name kept among the properties."""
    kind = row["kind"] or ""
    left = row["current_quantity"]
    return Line(
        id=row["id"],
        sku=row["sku"],
        title=row["title"] or "",
        quantity=row["quantity"],
        current_quantity=row["quantity"] if left is None else left,
        unit_price=_money(row["unit_price"], currency),
        kind=KINDS.get(kind, ProductKind.GOODS),
        properties=(("kind", kind),) if kind and kind not in KINDS else (),
        discounts=_discounts(row, currency),
        taxes=_taxes(row, currency),
        tax_code=row["tax_code"] or "",
        components=tuple(Component(one["sku"], one["quantity"]) for one in row["parts"]),
    )


def _shipping(row: Row, currency: str) -> ShippingLine:
    taxes, discounts = _taxes(row, currency), _discounts(row, currency)
    price = _money(row["price"], currency)
    return ShippingLine(row["id"], row["title"] or "", price, row["code"] or "", discounts=discounts, taxes=taxes)


def _charge(row: Row, currency: str) -> Charge:
    return Charge(row["kind"], row["title"] or "", _money(row["amount"], currency), _taxes(row, currency))


def _discounts(row: Row, currency: str) -> tuple[Discount, ...]:
    return tuple(
        Discount(_money(one["amount"], currency), one["code"] or "", one["title"] or "") for one in row["discounts"]
    )


def _taxes(row: Row, currency: str) -> tuple[Tax, ...]:
    return tuple(
        Tax(one["title"] or "", _money(one["amount"], currency), one["rate"], one["code"] or "") for one in row["taxes"]
    )


def _totals(row: Row, currency: str) -> Totals:
    return Totals(**{name: _money(value, currency) for name, value in row.items()})


def _money(amount: Decimal, currency: str) -> MoneyBag:
    return MoneyBag(Money(amount, currency))


def _texts(row: Row) -> dict[str, Any]:
    """Null is as empty as left out."""
    return {name: value or "" for name, value in row.items()}
