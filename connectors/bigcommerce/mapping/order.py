"""An order as fetched whole becomes an order of ours whose parts make its total.

Which arithmetic holds: where base prices include tax, the sums with tax make the total; else the sums without tax and
`total_tax`. `is_tax_inclusive_pricing` says which; where the order's own header adds up only the other way (orders
from before the flag), that way is read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from connectors.bigcommerce.mapping import parties
from connectors.bigcommerce.mapping.deliveries import Ways, ways
from connectors.bigcommerce.mapping.lines import Frame, line
from connectors.bigcommerce.mapping.payments import payments
from connectors.bigcommerce.mapping.refunds import Sold, refund, returned
from connectors.bigcommerce.mapping.shipments import shipment
from connectors.bigcommerce.mapping.taxes import TaxRows, added, tax_rows
from connectors.bigcommerce.mapping.values import (
    AWAITING_PAYMENT,
    DECLINED,
    DISPUTED,
    GONE,
    PENDING,
    VERIFICATION,
    amount,
    instant,
    sums_of,
)
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Charge, ChargeKind, Discount, Line, Order, ShippingLine, Source, Tax, Totals
from connectors.canonical.party import Address
from connectors.kit.place import Place
from connectors.kit.sums import Sums

SOURCES = {
    **dict.fromkeys(("www", "iphone", "ipad", "android", "mobile", "buybutton", "checkout_api"), Source.WEB),
    **dict.fromkeys(("facebookshop", "facebookcheckout", "pinterest", "socialshop"), Source.SOCIAL),
    **dict.fromkeys(("amazon", "ebay", "facebookmarketplace"), Source.MARKETPLACE),
    "manual": Source.DRAFT,
}
HOLDS = {
    PENDING: "payment",
    AWAITING_PAYMENT: "payment",
    VERIFICATION: "manual verification",
    DISPUTED: "payment dispute",
}
COSTS = ("shipping_cost", "handling_cost", "wrapping_cost")


def order(body: Place, unit: str = "") -> Order:
    """`body`: {order, products, taxes, coupons, shipments, transactions, refunds}, the order with its consignments and
    fees. `unit`: that of weights. Raises Unreadable naming the field."""
    node = body.at("order")
    frame = _frame(node, unit)
    sums, road = frame.sums, ways(node)
    rows, back = tax_rows(body.at("taxes").items(), sums), returned(body.at("refunds").items())
    lines = _discounted(node, _lines(body, frame, rows, road, back))
    shipping = _shipping(node, frame, rows)
    charges = (*_charges(body, frame, rows), *_rest_of_tax(node, rows, sums))
    total = _total(node, frame)
    paid = payments(node, body.at("transactions").items(), total, sums)
    sold = Sold({one.id: one for one in lines}, paid, sums, frame.basis == "inc")
    status = int(node.at("status_id").needed().number())
    skus = {one.id: one.sku for one in lines}
    return Order(
        id=node.at("id").needed().id(),
        number=node.at("id").id(),
        placed_at=instant(node.at("date_created")),
        updated_at=instant(node.at("date_modified")),
        currency=sums.currency,
        lines=lines,
        totals=Totals(
            lines=sums.sum([one.gross or one.unit_price for one in lines]),
            discounts=sums.bag(_taken_off(node)),
            shipping=sums.sum([one.price for one in shipping]),
            charges=sums.sum([one.amount for one in charges]),
            tax=sums.bag(amount(node, "total_tax")),
            total=sums.bag(total),
        ),
        taxes_included=frame.basis == "inc",
        source=_source(node),
        external_reference=node.at("external_order_id").text() or node.at("external_merchant_id").text(),
        customer=parties.customer(node),
        billing=parties.address(node.at("billing_address")),
        shipping=_main_address(road),
        shipping_lines=shipping,
        charges=charges,
        discounts=_discounts(node, body.at("coupons").items(), lines, sums),
        payments=paid,
        shipments=tuple(shipment(item, skus) for item in body.at("shipments").items()),
        refunds=tuple(refund(item, sold) for item in body.at("refunds").items()),
        payment_status=node.at("payment_status").text().lower(),
        fulfilment_status=node.at("status").text().lower(),
        cancelled_at=instant(node.at("date_modified")) if status in GONE else None,
        cancel_reason=("declined" if status == DECLINED else "cancelled") if status in GONE else "",
        note=node.at("customer_message").text(),
        attributes=_attributes(node),
        test=any(row.at("test").flag() for row in body.at("transactions").items()),
        store=node.at("channel_id").text(),
        status=node.at("status").text(),
        hold=HOLDS.get(status, ""),
        deliveries=road.deliveries,
    )


def _frame(node: Place, unit: str) -> Frame:
    sums, books = sums_of(node), node.at("store_default_currency_code").text().upper()
    flagged = "inc" if node.at("is_tax_inclusive_pricing").flag() else "ex"
    other = "ex" if flagged == "inc" else "inc"
    basis = other if not _adds_up(node, flagged, sums) and _adds_up(node, other, sums) else flagged
    return Frame(sums, basis, books, unit)


# ---- the order's own arithmetic


def parts(node: Place, basis: str) -> Decimal:
    """What the header's parts make: subtotal, costs and fees less discounts, with tax or with tax beside."""
    named = sum((amount(node, f"{name}_{basis}_tax") for name in COSTS), amount(node, f"subtotal_{basis}_tax"))
    fees = sum((fee_cost(fee, basis) for fee in _fees(node)), Decimal(0))
    beside = Decimal(0) if basis == "inc" else amount(node, "total_tax")
    return named + fees + beside - _taken_off(node)


def _adds_up(node: Place, basis: str, sums: Sums) -> bool:
    made, total = parts(node, basis), node.at("total_inc_tax").needed().number()
    near = minor_unit(sums.currency) / 2
    return min(abs(made - total), abs(made - total - _credits(node))) <= near


def _total(node: Place, frame: Frame) -> Decimal:
    """What is to be paid. Store credit and gift certificates used are tenders: where the total is less by them (only
    then do the parts make it), they are added back."""
    total = node.at("total_inc_tax").needed().number()
    short = parts(node, frame.basis) - total
    near = minor_unit(frame.sums.currency) / 2
    used = _credits(node)
    return total + used if used and abs(short) > near and abs(short - used) <= near else total


def _credits(node: Place) -> Decimal:
    return amount(node, "store_credit_amount") + amount(node, "gift_certificate_amount")


def _taken_off(node: Place) -> Decimal:
    """Discounts and coupons are told apart, and both are taken off."""
    return amount(node, "discount_amount") + amount(node, "coupon_discount")


# ---- lines


def _lines(body: Place, frame: Frame, rows: TaxRows, road: Ways, back: Counter[str]) -> tuple[Line, ...]:
    made = []
    for item in body.at("products").needed().items():
        name = item.at("id").needed().id()
        address = item.at("order_address_id").text("0")
        way = road.of.get(name, "" if address == "0" else address)
        made.append(line(item, frame, rows, back, way, road.picked_up(name)))
    return tuple(made)


def _discounted(node: Place, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Where the lines' own discounts are more than the order says was taken off, they are no part of its sum."""
    if _on_lines(lines) <= _taken_off(node):
        return lines
    return tuple(replace(one, discounts=()) for one in lines)


def _on_lines(lines: tuple[Line, ...]) -> Decimal:
    return sum((off.amount.shop.amount for one in lines for off in one.discounts), Decimal(0))


def _discounts(node: Place, coupons: tuple[Place, ...], lines: tuple[Line, ...], sums: Sums) -> tuple[Discount, ...]:
    """What was taken off beyond the lines: of the shipping, or of the order as a whole."""
    rest = _taken_off(node) - _on_lines(lines)
    if not rest:
        return ()
    codes = ", ".join(row.at("code").text() for row in coupons if row.at("code").text())
    ids = ", ".join(row.at("coupon_id").text() for row in coupons)
    return (Discount(sums.bag(rest), codes, kind=_kinds(coupons), id=ids),)


# GET /orders/{id}/coupons
COUPONS = ("per item", "percentage", "per total", "shipping", "free shipping", "promotion")


def _kinds(coupons: tuple[Place, ...]) -> str:
    numbers = {int(row.at("type").number(default=Decimal(-1))) for row in coupons}
    return ", ".join(COUPONS[number] for number in sorted(numbers) if 0 <= number < len(COUPONS))


# ---- shipping, charges, tax of nothing in particular


def _shipping(node: Place, frame: Frame, rows: TaxRows) -> tuple[ShippingLine, ...]:
    """One for each consignment where they make the order's cost; else one for all (the cost was overridden)."""
    told = frame.told(node, "shipping_cost")
    each = tuple(_consigned(one, frame, rows) for one in node.at("consignments").at("shipping").items())
    if sum((one.price.shop.amount for one in each), Decimal(0)) == told:
        return tuple(one for one in each if one.price.shop or one.title)
    taxes = tuple(tax for found in rows.shipping.values() for tax in found)
    title = next((one.title for one in each if one.title), "Shipping")
    return (ShippingLine(f"{node.at('id').id()}-shipping", title, frame.sums.bag(told), taxes=taxes),)


def _consigned(node: Place, frame: Frame, rows: TaxRows) -> ShippingLine:
    name, method = node.at("id").needed().id(), node.at("shipping_method").text()
    cost = frame.sums.bag(frame.told(node, "cost"))
    return ShippingLine(name, method, cost, code=method, taxes=tuple(rows.shipping[name]), delivery_id=name)


def _charges(body: Place, frame: Frame, rows: TaxRows) -> tuple[Charge, ...]:
    node = body.at("order")
    handling = frame.told(node, "handling_cost")
    kept = (Charge(ChargeKind.FEE, "Handling", frame.sums.bag(handling), tuple(rows.handling), code="handling"),)
    fees = tuple(_fee(fee, frame) for fee in _fees(node))
    return (*(kept if handling or rows.handling else ()), *_wrapping(body, frame, rows), *fees)


def _wrapping(body: Place, frame: Frame, rows: TaxRows) -> tuple[Charge, ...]:
    """Gift wrapping line by line where that makes the order's cost."""
    told = frame.told(body.at("order"), "wrapping_cost")
    items = [(item, frame.told(item, "wrapping_cost")) for item in body.at("products").items()]
    if sum((cost for _, cost in items), Decimal(0)) != told:
        taxes = tuple(tax for found in rows.wrapping.values() for tax in found)
        return (Charge(ChargeKind.FEE, "Gift wrapping", frame.sums.bag(told), taxes, code="wrapping"),)
    return tuple(_wrapped(item, cost, frame, rows) for item, cost in items if cost)


def _wrapped(item: Place, cost: Decimal, frame: Frame, rows: TaxRows) -> Charge:
    name, title = item.at("id").text(), item.at("wrapping_name").text() or "Gift wrapping"
    return Charge(ChargeKind.FEE, title, frame.sums.bag(cost), tuple(rows.wrapping[name]), name, code="wrapping")


def _fees(node: Place) -> tuple[Place, ...]:
    """Fees are there as a list when they are asked for, else as an address."""
    fees = node.at("fees")
    return fees.items() if isinstance(fees.value, list) else ()


def fee_cost(fee: Place, basis: str) -> Decimal:
    """With or without tax; a fee may state only the one and its tax."""
    told = fee.at(f"cost_{basis}_tax")
    if told.value is not None:
        return told.number()
    tax, other = amount(fee, "cost_tax"), fee.at("cost_ex_tax" if basis == "inc" else "cost_inc_tax")
    return other.needed().number() + (tax if basis == "inc" else -tax)


def _fee(fee: Place, frame: Frame) -> Charge:
    tax = amount(fee, "cost_tax")
    title = fee.at("display_name_customer").text() or fee.at("display_name_merchant").text() or "Fee"
    taxes = (Tax("Tax of the fee", frame.sums.bag(tax)),) if tax else ()
    cost = frame.sums.bag(fee_cost(fee, frame.basis))
    return Charge(ChargeKind.FEE, title, cost, taxes, id=fee.at("id").text(), code=fee.at("type").text())


def _rest_of_tax(node: Place, rows: TaxRows, sums: Sums) -> tuple[Charge, ...]:
    """Taxes of nothing in particular, and what total_tax says beyond all rows, on a fee of nothing: so every tax of the
    order is somewhere once, and they make total_tax."""
    named = [*rows.rest, *rows.handling]
    for found in (*rows.lines.values(), *rows.wrapping.values(), *rows.shipping.values()):
        named += found
    on_fees = sum((amount(fee, "cost_tax") for fee in _fees(node)), Decimal(0))
    beyond = amount(node, "total_tax") - added(named) - on_fees
    taxes = (*rows.rest, *((Tax("Tax of the order", sums.bag(beyond)),) if beyond else ()))
    return (Charge(ChargeKind.FEE, "Tax of the order", sums.zero(), taxes),) if taxes else ()


# ---- the rest of the header


def _source(node: Place) -> Source:
    word = node.at("order_source").text().lower()
    return SOURCES.get(word, Source.OTHER if word else Source.WEB)


def _main_address(road: Ways) -> Address | None:
    """The first that something is shipped to."""
    shipped = (one.address for one in road.deliveries if one.kind is DeliveryKind.SHIP)
    return next(shipped, None)


def _attributes(node: Place) -> tuple[tuple[str, str], ...]:
    """Fields of the shop's own forms, the store's own currency where it is another, and whether it was archived."""
    fields = [
        (row.at("name").text(), _words(row.at("value"))) for row in node.at("billing_address").at("form_fields").items()
    ]
    for name in ("store_default_currency_code", "store_default_to_transactional_exchange_rate", "external_source"):
        fields.append((name, node.at(name).text()))
    fields.append(("archived", "true" if node.at("is_deleted").flag() else ""))
    return tuple((name, value) for name, value in fields if value)


def _words(place: Place) -> str:
    """A form field's value is text, a number or a list of them."""
    if isinstance(place.value, list):
        return ", ".join(item.text() for item in place.items())
    return place.text()
