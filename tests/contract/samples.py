"""The order that every connector is tried with, its partial shipments, its refund, and addresses from everywhere."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.canonical.money import Money, MoneyBag, minor_unit
from connectors.canonical.order import Discount, Line, Order, ShippingLine, Tax, Totals
from connectors.canonical.party import Address, Party
from connectors.canonical.payment import Payment, PaymentKind, Takes, Tender
from connectors.canonical.product import Price
from connectors.canonical.returns import Refund, RefundLine, Return, ReturnLine, ReturnStatus
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.canonical.stock import StockLevel
from connectors.kit.capabilities import PartnerEvent

if TYPE_CHECKING:
    from tests.contract.system import System

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
REFERENCE = "WB-100001"
NUMBER = "SO-7001"

# kind -> ours -> theirs: what the sample needs. A connector with other codes gives its own.
CODES = {
    "sku": {"WB-TEE": "WB-TEE", "WB-MUG": "WB-MUG"},
    "location": {"main": "main"},
    "carrier": {"dhl": "dhl"},
    "payment_method": {"card": "card"},
    "shipping_method": {"standard": "standard"},
    "tax_code": {"standard": "standard"},
    "unit": {"each": "each"},
    "supplier": {"maker": "maker"},
}


def eur(amount: str) -> MoneyBag:
    return MoneyBag(Money(Decimal(amount), "EUR"))


def line(name: str, sku: str, title: str, quantity: int, price: str, tax: str, off: str = "") -> Line:
    return Line(
        id=name,
        sku=sku,
        title=title,
        quantity=Decimal(quantity),
        current_quantity=Decimal(quantity),
        unit_price=eur(price),
        discounts=(Discount(eur(off), code="SPRING"),) if off else (),
        taxes=(Tax("VAT 19%", eur(tax), Decimal("0.19"), code="standard"),),
        tax_code="standard",
    )


def address(name: str, street: str, city: str, region: str, postcode: str, country: str, **more: str) -> Address:
    base = Address(name, "", street, "", "", city, region, "", postcode, country, email="someone@example.com")
    return replace(base, **more)  # type: ignore[arg-type]  # `more` are the fields that are text


EMAIL, PHONE = "ana@example.com", "+49 221 5550100"
HOME = address("Ana Example", "Musterweg 5", "Köln", "NW", "50667", "DE", phone=PHONE, email=EMAIL)
VAT = Tax("VAT 19%", eur("0.93"), Decimal("0.19"), code="standard")
STANDARD = ShippingLine("1001-s", "Standard", eur("4.90"), code="standard", taxes=(VAT,))
CHARGE = Payment("1001-p", PaymentKind.SALE, Tender.CARD, eur("57.36"), gateway="card", reference="ch_test_1", at=NOW)

ORDER = Order(
    id="1001",
    number="#1001",
    placed_at=NOW,
    updated_at=NOW,
    currency="EUR",
    channel="shop",
    lines=(
        line("1001-1", "WB-TEE", "Tee, black, M", 2, "19.90", "6.61", off="5.00"),
        line("1001-2", "WB-MUG", "Mug", 1, "8.50", "1.62"),
    ),
    shipping_lines=(STANDARD,),
    totals=Totals(eur("48.30"), eur("5.00"), eur("4.90"), eur("0.00"), eur("9.16"), eur("57.36")),
    customer=Party("C-1", EMAIL, PHONE, "Ana", "Example"),
    billing=HOME,
    shipping=HOME,
    payments=(CHARGE,),
    payment_status="paid",
)


def sample_order(system: System) -> Order:
    """An order of some other channel: for systems that book, ship or notify it."""
    return ORDER


def another(order: Order = ORDER) -> Order:
    """The order under an id that no test has used: for live systems, which forget nothing."""
    fresh = uuid.uuid4().hex[:10]
    lines = tuple(replace(one, id=f"{fresh}-{n}") for n, one in enumerate(order.lines, 1))
    return replace(order, id=fresh, number=f"#{fresh}", lines=lines)


def parcels(order: Order) -> tuple[Shipment, Shipment]:
    """The order in two partial shipments: one piece of the first line, then all the rest."""
    first, rest = order.lines[0], order.lines[1:]
    left = tuple(ShipmentLine(one.quantity, one.sku, one.id) for one in rest)
    if first.quantity > 1:
        left = (ShipmentLine(first.quantity - 1, first.sku, first.id), *left)
    return (
        shipment(f"{order.id}-f1", (ShipmentLine(Decimal(1), first.sku, first.id),), "JD000001"),
        shipment(f"{order.id}-f2", left, "JD000002"),
    )


def shipment(name: str, lines: tuple[ShipmentLine, ...], number: str) -> Shipment:
    trackings = (Tracking(number, "dhl", f"https://tracking.example.com/{number}"),)
    sent = Shipment(name, ShipmentStatus.SHIPPED, lines, trackings, location="main", origin="warehouse")
    return replace(sent, shipped_at=NOW, updated_at=NOW)


def refund(order: Order) -> Refund:
    """One piece of the last line goes back to the tender it was paid with."""
    last, paid = order.lines[-1], order.payments[0]
    tax = last.taxes[0].amount if last.taxes else MoneyBag(last.unit_price.shop * 0)
    total = last.unit_price if order.taxes_included else last.unit_price + tax
    payment = replace(paid, id=f"{order.id}-rp", kind=PaymentKind.REFUND, amount=total, parent_id=paid.id)
    lines = (RefundLine(last.id, Decimal(1), last.unit_price, tax, restock=True, location="main", sku=last.sku),)
    return Refund(f"{order.id}-r", total, lines, payments=(payment,), at=NOW, origin="shop")


def goods_back(order: Order, *conditions: str) -> Return:
    """One piece of each of the last lines came back without money, in these conditions."""
    lines = tuple(
        ReturnLine(line.id, Decimal(1), "does not fit", line.sku, Decimal(1), condition)
        for line, condition in zip(order.lines[-len(conditions) :], conditions, strict=True)
    )
    name = f"WB-{order.id}-R1"
    return Return(name, ReturnStatus.RECEIVED, lines, name, at=NOW, location="main", origin="hub")


def looked_at(order: Order) -> Return:
    """The piece that was in quarantine may be sold after all."""
    back = goods_back(order, "sellable", "quarantined")
    return replace(back, lines=(replace(back.lines[1], condition="sellable"),))


def part(order: Order, less: int = 0) -> Order:
    """The pieces of an order that are bought of a supplier, at what they cost; `less` pieces of the first line fewer."""
    lines = tuple(replace(line, unit_cost=eur("7.25").shop) for line in order.lines)
    first = replace(lines[0], current_quantity=lines[0].current_quantity - less)
    return replace(order, id=f"{order.id}/F1", lines=(first, *lines[1:]), shipments=())


def received(order: Order) -> Payment:
    """A payment that came after the order was booked, in the way of the first."""
    return replace(order.payments[0], id=f"{order.id}-late", amount=eur("3.20"), at=NOW)


def capture(order: Order) -> Payment:
    """The half of what was authorised (all of it where its channel takes no part), under our own number."""
    held = next(one for one in order.payments if one.kind is PaymentKind.AUTHORISATION)
    share = 1 if held.takes is Takes.WHOLE else 2
    half = replace(held.amount.shop, amount=(held.amount.shop.amount / share).quantize(minor_unit(order.currency)))
    number = f"WB-{order.id}-M1"
    return replace(held, id=number, kind=PaymentKind.CAPTURE, amount=MoneyBag(half), parent_id=held.id, at=None)


def void(order: Order) -> Payment:
    """All that was authorised is let go, under our own number."""
    held = next(one for one in order.payments if one.kind is PaymentKind.AUTHORISATION)
    return replace(held, id=f"WB-{order.id}-M2", kind=PaymentKind.VOID, parent_id=held.id, at=None)


def charge(order: Order) -> Payment:
    """A little more, in the way of the first payment, under our own number."""
    return replace(
        order.payments[0], id=f"WB-{order.id}-M9", amount=eur("3.20"), parent_id=order.payments[0].id, at=None
    )


def amended(order: Order) -> Order:
    """The same order with one piece of the first line less, a new street and a note."""
    first = replace(order.lines[0], current_quantity=order.lines[0].quantity - 1)
    moved = replace(order.shipping or HOME, line1="Neue Gasse 7")
    lines = (first, *order.lines[1:])
    return replace(order, lines=lines, shipping=moved, note="Ring twice", updated_at=NOW.replace(hour=10))


def levels(skus: Sequence[str], location: str = "main") -> tuple[StockLevel, ...]:
    counted = enumerate(skus)
    return tuple(StockLevel(sku, location, available=Decimal(7 + n), on_hand=Decimal(9 + n)) for n, sku in counted)


def event(order: Order, address: str) -> PartnerEvent:
    """What a partner is told of the order."""
    body = f'{{"type": "order.accepted", "timestamp": "2026-03-02T09:30:00Z", "data": {{"id": "{order.id}"}}}}'
    secret = "whsec_YSBwYXJ0bmVyIGZvciB0ZXN0cyBvbmx5LCBub2JvZHk="
    return PartnerEvent(f"msg_{order.id}", "order.accepted", f"{address}/events", body.encode(), (secret,))


def prices(skus: Sequence[str], currency: str) -> tuple[Price, ...]:
    return tuple(Price(sku, Money(Decimal("21.50") + n, currency)) for n, sku in enumerate(skus))


# Addresses that trip systems up: letters, no postcode, no region, a region that is another country's too.
ADDRESSES = (
    address("Zoë Ångström", "Drottninggatan 1", "Malmö", "", "211 20", "SE"),
    address("Łukasz Example", "ul. Świętokrzyska 5/7", "Łódź", "", "90-001", "PL", company="Żółw Sp.", line2="m. 3"),
    address(
        "Pat Example", "1 Main Street", "Miami", "FL", "33101", "US", region_name="Florida", phone="+1 305 555 0100"
    ),
    address("Chan Example", "Flat 1, 2/F, 3 Queen's Road", "Hong Kong", "", "", "HK", phone="+852 5550 0100"),
    address("Áine Example", "The Old Mill", "Galway", "G", "", "IE", line2="Béal Átha"),
)
