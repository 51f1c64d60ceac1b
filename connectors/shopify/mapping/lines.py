"""An order's line items: goods and gift cards are lines; tips and duties are charges."""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.order import Charge, ChargeKind, Line
from connectors.canonical.product import ProductKind
from connectors.shopify.mapping.bags import Books, times
from connectors.shopify.mapping.taxes import discounts, taxes
from connectors.shopify.mapping.values import Place, pairs

NO_TIP_HAS = ("product_id", "variant_id", "sku", "requires_shipping", "gift_card")


def split_tips(order: Place, books: Books) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """(goods, tips). A tip stands among the line items; a webhook marks it, the GraphQL shape does not.

    So a tip is a line that is marked, or one without product, delivery, tax or SKU that is called "Tip" or makes
    exactly what total_tip_received says.
    """
    items = order.at("line_items").needed().items()
    received = books.read(order, "total_tip_received")
    told = received.shop.amount if received else Decimal(0)
    tips = tuple(item for item in items if _is_tip(item, told, books))
    return tuple(item for item in items if item not in tips), tips


def _is_tip(item: Place, told: Decimal, books: Books) -> bool:
    if item.at("tip").value is not None or item.at("tip_payment_gateway").value:
        return True
    if not told or any(item.at(name).value for name in NO_TIP_HAS):
        return False
    worth = books.needed(item, "price").shop.amount * item.at("quantity").number()
    return item.at("title").text().lower() == "tip" or worth == told


def tip(item: Place, books: Books) -> Charge:
    amount = times(books.needed(item, "price"), item.at("quantity").number())
    return Charge(ChargeKind.TIP, item.at("title").text(), amount, taxes(item, books), item.at("id").id())


def line(item: Place, applications: tuple[Place, ...], books: Books, returned: Decimal) -> Line:
    """`returned`: how many of it the refunds took back, for payloads from before current_quantity."""
    quantity = item.at("quantity").number()
    current = item.at("current_quantity")
    gift_card = item.at("gift_card").flag()
    return Line(
        id=item.at("id").needed().id(),
        sku=item.at("sku").text(),
        title=item.at("name").text() or item.at("title").text(),
        quantity=quantity,
        current_quantity=current.number(default=max(Decimal(0), quantity - returned)),
        unit_price=books.needed(item, "price"),
        kind=ProductKind.GIFT_CARD if gift_card else ProductKind.GOODS,
        product_id=item.at("product_id").id(),
        variant_id=item.at("variant_id").id(),
        discounts=discounts(item, applications, books),
        taxes=taxes(item, books),
        requires_shipping=item.at("requires_shipping").flag(default=True),
        taxable=item.at("taxable").flag(default=True),
        properties=pairs(item.at("properties"), "name") + _bundle(item),
    )


def _bundle(item: Place) -> tuple[tuple[str, str], ...]:
    """Shopify sells a bundle as its components, each with its own SKU and share of the price. They are ordinary lines
    that carry their group's id, or an article that Shopify never charged would be booked and shipped."""
    group = item.at("sales_line_item_group_id").id()
    return (("bundle", group),) if group else ()


def duties(item: Place, books: Books) -> tuple[Charge, ...]:
    """Duties collected at checkout for a line, each with its own taxes."""
    return tuple(
        Charge(
            ChargeKind.DUTY,
            duty.at("harmonized_system_code").text(),
            books.pair(duty),
            taxes(duty, books),
            item.at("id").id(),
        )
        for duty in item.at("duties").items()
    )
