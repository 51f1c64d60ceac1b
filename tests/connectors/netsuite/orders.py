"""Orders for the NetSuite stories: all of our own making."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Line, Order, Tax, Totals
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.canonical.returns import Adjustment, Refund, RefundLine
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from tests.contract.samples import NOW, ORDER, eur

__all__ = ["NOW", "ORDER", "eur"]

SHIPPING = Adjustment("shipping", eur("4.90"), eur("0.93"))


def guest(name: str, email: str) -> Order:
    """The sample order of a guest who is only an address."""
    assert ORDER.billing is not None
    place = replace(ORDER.billing, email=email)
    return replace(ORDER, id=name, number=f"#{name}", customer=None, billing=place, shipping=place)


def paid_by(order: Order, *tenders: tuple[str, Tender, str]) -> Order:
    """The order paid by several tenders: (gateway, tender, amount)."""
    payments = tuple(
        Payment(
            f"{order.id}-p{n}", PaymentKind.SALE, tender, eur(amount), gateway=gateway, reference=f"ref-{n}", at=NOW
        )
        for n, (gateway, tender, amount) in enumerate(tenders)
    )
    return replace(order, payments=payments)


def shipment(name: str, *lines: tuple[str, int], by_sku: bool = False, **more: Any) -> Shipment:
    sent = tuple(
        ShipmentLine(Decimal(count), sku=what) if by_sku else ShipmentLine(Decimal(count), line_id=what)
        for what, count in lines
    )
    trackings = (Tracking(f"JD-{name}", "dhl"),)
    return Shipment(
        name, ShipmentStatus.SHIPPED, sent, trackings, location="main", shipped_at=NOW, origin="warehouse", **more
    )


def refund(
    name: str, *tenders: tuple[str, str], lines: tuple[RefundLine, ...] = (), more: tuple[Adjustment, ...] = ()
) -> Refund:
    """A refund through tenders (gateway, amount)."""
    payments = tuple(
        Payment(f"{name}-{n}", PaymentKind.REFUND, Tender.CARD, eur(amount), gateway=gateway, at=NOW)
        for n, (gateway, amount) in enumerate(tenders)
    )
    total = MoneyBag(Money(sum((one.amount.shop.amount for one in payments), Decimal(0)), "EUR"))
    return Refund(name, total, lines, more, payments, at=NOW, origin="shop")


def back(line: Line, count: int, subtotal: str, tax: str) -> RefundLine:
    return RefundLine(line.id, Decimal(count), eur(subtotal), eur(tax), sku=line.sku)


def pending(one: Refund) -> Refund:
    return replace(one, payments=tuple(replace(p, status=PaymentStatus.PENDING) for p in one.payments))


def same_sku_twice() -> Order:
    """Two lines of one SKU at two prices: 2 x 10.00 and 3 x 8.00, tax 19 %."""
    first, second = ORDER.lines
    tees = (
        replace(
            first,
            id="a",
            quantity=Decimal(2),
            current_quantity=Decimal(2),
            unit_price=eur("10.00"),
            discounts=(),
            taxes=_vat("3.80"),
        ),
        replace(
            second,
            id="b",
            sku="WB-TEE",
            quantity=Decimal(3),
            current_quantity=Decimal(3),
            unit_price=eur("8.00"),
            taxes=_vat("4.56"),
        ),
    )
    totals = Totals(eur("44.00"), eur("0"), eur("0"), eur("0"), eur("8.36"), eur("52.36"))
    return replace(ORDER, id="2002", number="#2002", lines=tees, shipping_lines=(), totals=totals)


def _vat(amount: str) -> tuple[Tax, ...]:
    return (Tax("VAT 19%", eur(amount), Decimal("0.19"), code="standard"),)
