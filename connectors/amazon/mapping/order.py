"""An order of 2026-01-01 becomes an order of ours whose parts make its total.

Whether prices include their tax Amazon does not say: where the order's total is made by charges less discounts alone,
they do; where it takes the taxes as well, they stand beside. Where neither makes it the money gate stops the order.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.amazon.mapping import parties
from connectors.amazon.mapping.items import SHIPPING, Proceeds, charges, line, measured, proceeds, taxes
from connectors.amazon.mapping.packages import shipments
from connectors.amazon.mapping.values import CANCELLED, UNFULFILLABLE, ZERO, Sums, currency_of
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Charge, ChargeKind, Discount, Order, ShippingLine, Source, Totals
from connectors.canonical.payment import Payment, PaymentKind, Tender
from connectors.kit.place import Place

TIP = "DELIVERY_TIP"


def order(node: Place, currency: str = "") -> Order:
    """`currency`: for a cancelled order, which may state no sum. Raises Unreadable naming the field."""
    status, items = node.at("fulfillment").at("fulfillmentStatus").text(), node.at("orderItems").needed().items()
    total_at = node.at("proceeds").at("grandTotal")
    bare = total_at.value is None and bool(currency)
    sums = Sums(currency if bare else currency_of(total_at.needed().at("currencyCode")))
    each = [(item, proceeds(item, sums)) for item in items]
    for item in items:
        measured(item)
    told = sums.of(total_at)
    included, tip = _arithmetic(node, told, [money for _, money in each], sums)
    by_amazon = node.at("fulfillment").at("fulfilledBy").text() == "AMAZON"
    lines = tuple(line(item, money, sums, by_amazon) for item, money in each)
    sent = _shipping(node, each, sums)
    fees = (*(fee for item, money in each for fee in charges(item, money, sums)), *_tips(tip, sums))
    created, changed = node.at("createdTime").instant(), node.at("lastUpdatedTime").instant()
    windows = node.at("fulfillment")
    return Order(
        id=node.at("orderId").needed().id(),
        number=node.at("orderId").id(),
        placed_at=created,
        updated_at=changed,
        currency=sums.currency,
        lines=lines,
        totals=Totals(
            lines=sums.total([one.gross or one.unit_price for one in lines]),
            discounts=sums.bag(sum((money.off for _, money in each), ZERO)),
            shipping=sums.total([one.price for one in sent]),
            charges=sums.total([one.amount for one in fees]),
            tax=sums.bag(sum((sum(money.taxes.values(), ZERO) for _, money in each), ZERO)),
            total=sums.bag(told),
        ),
        taxes_included=included,
        source=Source.MARKETPLACE,
        external_reference=_alias(node),
        customer=parties.customer(node),
        shipping=parties.address(node.at("recipient").at("deliveryAddress")),
        shipping_lines=sent,
        charges=fees,
        payments=() if bare or not told else _payments(node, told, sums),
        shipments=shipments(node, {one.id: one.sku for one in lines}),
        payment_status="" if bare else "paid",
        fulfilment_status=status.lower(),
        cancelled_at=changed if status == CANCELLED else None,
        cancel_reason=_cancel_reason(items) if status == CANCELLED else "",
        ship_by=windows.at("shipByWindow").at("latestDateTime").time(),
        deliver_by=windows.at("deliverByWindow").at("latestDateTime").time(),
        note=node.at("recipient").at("deliveryPreference").at("addressInstruction").text(),
        tags=tuple(one.text() for one in node.at("programs").items()),
        attributes=_attributes(node),
        purchase_order=node.at("buyer").at("buyerPurchaseOrderNumber").text(),
        store=node.at("salesChannel").at("marketplaceId").text(),
        status=status,
        hold=_hold(status, items),
    )


def shipped_pieces(node: Place) -> int:
    counts = (item.at("fulfillment").at("quantityFulfilled") for item in node.at("orderItems").items())
    return sum(int(one.number(ZERO)) for one in counts)


# ---- the order's own arithmetic


def _arithmetic(node: Place, total: Decimal, each: list[Proceeds], sums: Sums) -> tuple[bool, Decimal]:
    """Are taxes in the prices, and the tip that the total counts: that which makes the total, among what is told."""
    net = sum((money.net for money in each), ZERO)
    beside = sum((sum(money.taxes.values(), ZERO) for money in each), ZERO)
    tip = _tip(node, sums)
    ways = [(included, given) for given in dict.fromkeys((tip, ZERO)) for included in (False, True)]
    near = minor_unit(sums.currency) / 2
    for included, given in ways:
        if abs(net + given + (ZERO if included else beside) - total) <= near:
            return included, given
    return False, tip


def _tip(node: Place, sums: Sums) -> Decimal:
    rows = node.at("proceeds").at("breakdowns").items()
    return sum((sums.of(row.at("subtotal")) for row in rows if row.at("type").text() == TIP), ZERO)


def _tips(tip: Decimal, sums: Sums) -> tuple[Charge, ...]:
    return (Charge(ChargeKind.TIP, "Delivery tip", sums.bag(tip), code=TIP),) if tip else ()


def _shipping(node: Place, each: list[tuple[Place, Proceeds]], sums: Sums) -> tuple[ShippingLine, ...]:
    """Amazon charges delivery item by item: one line of ours for all, with their discounts and taxes."""
    price = sum((money.of(SHIPPING) for _, money in each), ZERO)
    off = sum((money.discounts.get(SHIPPING, ZERO) for _, money in each), ZERO)
    of = tuple(tax for item, money in each for tax in taxes(item, money.taxes.get(SHIPPING, ZERO), sums))
    level = node.at("fulfillment").at("fulfillmentServiceLevel").text()
    if not (price or off or of or level):
        return ()
    discounts = (Discount(sums.bag(off), title="Shipping promotion"),) if off else ()
    name = f"{node.at('orderId').text()}-shipping"
    title = level.replace("_", " ").capitalize() or "Shipping"
    return (ShippingLine(name, title, sums.bag(price), code=level.lower(), discounts=discounts, taxes=of),)


def _payments(node: Place, total: Decimal, sums: Sums) -> tuple[Payment, ...]:
    """The buyer pays Amazon, and Amazon us; how the buyer paid is told for some marketplaces only, and counts where it is
    the order's total in the order's currency."""
    name = node.at("orderId").text()
    told = node.at("payment").at("paymentExecutions").items()
    at = node.at("createdTime").instant()
    same = all(one.at("paymentAmount").at("currencyCode").text() == sums.currency for one in told)
    if told and same and sum((sums.of(one.at("paymentAmount")) for one in told), ZERO) == total:
        return tuple(
            Payment(
                f"{name}-{n}",
                PaymentKind.SALE,
                Tender.MARKETPLACE,
                sums.bag(sums.of(one.at("paymentAmount"))),
                gateway=f"amazon {one.at('paymentMethod').text()}".strip(),
                card_brand=one.at("cardBrand").text(),
                authorisation_code=one.at("authorizationCode").text(),
                at=at,
            )
            for n, one in enumerate(told, 1)
        )
    return (Payment(f"{name}-1", PaymentKind.SALE, Tender.MARKETPLACE, sums.bag(total), gateway="amazon", at=at),)


# ---- the rest of the header


def _alias(node: Place) -> str:
    rows = node.at("orderAliases").items()
    return next((row.at("aliasId").text() for row in rows if row.at("aliasType").text() == "SELLER_ORDER_ID"), "")


def _cancel_reason(items: tuple[Place, ...]) -> str:
    executed = [item.at("cancellation").at("cancellationExecution") for item in items]
    return next((one.at("cancelReason").text() for one in executed if one.at("cancelReason").text()), "cancelled")


def _hold(status: str, items: tuple[Place, ...]) -> str:
    """What must not move: an order that the buyer asks to be given up, and one that Amazon cannot send."""
    if status == UNFULFILLABLE:
        return "unfulfillable"
    asked = [item.at("cancellation") for item in items]
    wanted = any(
        one.at("cancellationRequest").value is not None and one.at("cancellationExecution").value is None
        for one in asked
    )
    return "the buyer asks to cancel" if wanted and status == "UNSHIPPED" else ""


def _attributes(node: Place) -> tuple[tuple[str, str], ...]:
    related = [
        (one.at("associationType").text().lower(), one.at("orderId").text())
        for one in node.at("associatedOrders").items()
    ]
    preference = node.at("recipient").at("deliveryPreference")
    invoice = node.at("tax").at("taxInvoicing")
    told = [
        ("marketplace", node.at("salesChannel").at("marketplaceName").text()),
        ("fulfilled_by", node.at("fulfillment").at("fulfilledBy").text().lower()),
        ("drop_off", preference.at("dropOffLocation").text()),
        ("invoice", invoice.at("buyerInvoicePreference").text() or invoice.at("invoiceStatus").text()),
        *related,
    ]
    return tuple((name, value) for name, value in told if value)
