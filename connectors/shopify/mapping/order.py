"""A Shopify order, in its webhook's words, becomes an order of ours whose parts make its total."""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.money import MoneyBag, Role
from connectors.canonical.order import Charge, ChargeKind, Discount, Line, Order, ShippingLine, Source, Tax, Totals
from connectors.shopify.mapping.bags import Books, less, nothing, times
from connectors.shopify.mapping.lines import duties, line, split_tips, tip
from connectors.shopify.mapping.parties import address, customer
from connectors.shopify.mapping.payments import payments
from connectors.shopify.mapping.refunds import refund, returned
from connectors.shopify.mapping.returns import back
from connectors.shopify.mapping.shipments import shipment
from connectors.shopify.mapping.shipping import shipping_lines
from connectors.shopify.mapping.values import Place, pairs

SOURCES = {
    "web": Source.WEB,
    "pos": Source.POS,
    "shopify_draft_order": Source.DRAFT,
    "draft": Source.DRAFT,
    "facebook": Source.SOCIAL,
    "instagram": Source.SOCIAL,
    "tiktok": Source.SOCIAL,
    "pinterest": Source.SOCIAL,
    "amazon": Source.MARKETPLACE,
    "amazon-us": Source.MARKETPLACE,
    "ebay": Source.MARKETPLACE,
    "walmart": Source.MARKETPLACE,
}


def books_of(node: Place) -> Books:
    """The order's currencies. Raises Unreadable where the currency is missing or none."""
    shop = node.at("currency").needed().text().upper()
    seen = node.at("presentment_currency").text(shop).upper() or shop
    for name, code in (("currency", shop), ("presentment_currency", seen)):
        if len(code) != 3 or not code.isascii() or not code.isalpha():
            raise node.at(name).fault(f"is {code!r}, not a currency (ISO 4217)")
    return Books(shop, seen)


def order(node: Place, role: Role = Role.SHOP, listed: bool = False) -> Order:
    """The order as this snapshot tells it. `role` is the account's choice of the currency that the books follow; `listed`: every transaction
    by itself, which the node must have."""
    books = books_of(node)
    applications = node.at("discount_applications").items()
    goods, tips = split_tips(node, books)
    gone = returned(node)
    lines = tuple(line(item, applications, books, Decimal(gone[item.at("id").id()])) for item in goods)
    shipping = shipping_lines(node, applications, books)
    charges = _charges(node, goods, tips, books)
    refunds = tuple(refund(item, books) for item in node.at("refunds").items())
    source = node.at("source_name").text().lower()
    return Order(
        id=node.at("id").needed().id(),
        number=node.at("name").text() or node.at("id").id(),
        placed_at=node.at("processed_at").time() or node.at("created_at").instant(),
        updated_at=node.at("updated_at").instant(),
        currency=books.shop,
        presentment_currency="" if books.same else books.presentment,
        money_role=role if books.same or node.at("total_price_set").value is not None else Role.SHOP,
        lines=lines,
        totals=_totals(node, lines, shipping, charges, books),
        current=_current(node, lines, books),
        taxes_included=node.at("taxes_included").flag(),
        source=Source.B2B if node.at("company").value else SOURCES.get(source, Source.OTHER if source else Source.WEB),
        location=node.at("location_id").id(),
        external_reference=node.at("source_identifier").text() or node.at("po_number").text(),
        customer=customer(node),
        billing=address(node.at("billing_address")),
        shipping=address(node.at("shipping_address")),
        shipping_lines=shipping,
        charges=charges + _untold_tax(node, lines, shipping, charges, books),
        discounts=_untold_discount(node, lines, shipping, books),
        payments=payments(node, books, books.sum([one.total for one in refunds]), listed),
        shipments=tuple(shipment(item) for item in node.at("fulfillments").items()),
        refunds=refunds,
        returns=tuple(back(item) for item in node.at("returns_in_full").items()),
        payment_status=node.at("financial_status").text().lower(),
        fulfilment_status=node.at("fulfillment_status").text().lower() or "unfulfilled",
        cancelled_at=node.at("cancelled_at").time(),
        cancel_reason=node.at("cancel_reason").text().lower(),
        note=node.at("note").text(),
        tags=_tags(node.at("tags")),
        attributes=pairs(node.at("note_attributes"), "name"),
        test=node.at("test").flag(),
    )


def _tags(node: Place) -> tuple[str, ...]:
    """Tags in alphabetical order: the webhook joins them with commas, GraphQL lists them."""
    told = [tag.text() for tag in node.items()] if isinstance(node.value, list) else node.text().split(",")
    return tuple(sorted(tag.strip() for tag in told if tag.strip()))


def _charges(node: Place, goods: tuple[Place, ...], tips: tuple[Place, ...], books: Books) -> tuple[Charge, ...]:
    """Tips, fees, and duties where they are not inside the prices already (duties_included)."""
    beside = () if node.at("duties_included").flag() else tuple(duty for item in goods for duty in duties(item, books))
    named = tuple(tip(item, books) for item in tips)
    return (*named, *_untold_tip(node, named, books), *_fees(node, books), *beside)


def _untold_tip(node: Place, named: tuple[Charge, ...], books: Books) -> tuple[Charge, ...]:
    """What total_tip_received says beyond the tips among the lines."""
    told = books.read(node, "total_tip_received")
    rest = None if told is None else less(told, books.sum([one.amount for one in named]))
    return (Charge(ChargeKind.TIP, "Tip", rest),) if rest is not None and rest.shop.amount > 0 else ()


def _fees(node: Place, books: Books) -> tuple[Charge, ...]:
    told = books.read(node, "original_total_additional_fees")
    return () if told is None or nothing(told) else (Charge(ChargeKind.FEE, "Additional fees", told),)


def _untold_tax(
    node: Place, lines: tuple[Line, ...], shipping: tuple[ShippingLine, ...], charges: tuple[Charge, ...], books: Books
) -> tuple[Charge, ...]:
    """What total_tax says beyond the tax of lines, shipping and charges (fees are taxed at the order; old payloads tax
    nothing else): it stands on a fee of nothing, so that every tax of the order is somewhere once."""
    told = books.read(node, "total_tax")
    taxed: tuple[Line | ShippingLine | Charge, ...] = (*lines, *shipping, *charges)
    named = [tax.amount for part in taxed for tax in part.taxes]
    rest = None if told is None else less(told, books.sum(named))
    if rest is None or nothing(rest):
        return ()
    return (Charge(ChargeKind.FEE, "Tax of the order", books.zero(), (Tax("Tax of the order", rest),)),)


def _untold_discount(
    node: Place, lines: tuple[Line, ...], shipping: tuple[ShippingLine, ...], books: Books
) -> tuple[Discount, ...]:
    """What total_discounts says beyond what is allocated to lines and shipping (payloads from before allocations)."""
    told = books.read(node, "total_discounts")
    parts: tuple[Line | ShippingLine, ...] = (*lines, *shipping)
    named = [discount.amount for part in parts for discount in part.discounts]
    rest = None if told is None else less(told, books.sum(named))
    if rest is None or rest.shop.amount <= 0:
        return ()
    codes = [code.at("code").text() for code in node.at("discount_codes").items()]
    return (Discount(rest, ", ".join(codes)),)


def _totals(
    node: Place, lines: tuple[Line, ...], shipping: tuple[ShippingLine, ...], charges: tuple[Charge, ...], books: Books
) -> Totals:
    return Totals(
        lines=books.sum([times(one.unit_price, one.quantity) for one in lines]),
        discounts=books.read(node, "total_discounts") or books.zero(),
        shipping=books.sum([one.price for one in shipping]),
        charges=books.sum([one.amount for one in charges]),
        tax=books.read(node, "total_tax") or books.zero(),
        total=books.needed(node, "total_price"),
    )


def _current(node: Place, lines: tuple[Line, ...], books: Books) -> Totals | None:
    """After edits, returns and refunds, as Shopify states it; None in payloads from before it did."""
    total = books.read(node, "current_total_price")
    if total is None:
        return None

    def told(name: str) -> MoneyBag:
        return books.read(node, f"current_{name}") or books.zero()

    return Totals(
        lines=books.sum([times(one.unit_price, one.current_quantity) for one in lines]),
        discounts=told("total_discounts"),
        shipping=told("shipping_price"),
        charges=told("total_duties") + told("total_additional_fees"),
        tax=told("total_tax"),
        total=total,
    )
