"""A refund: which lines, what beside them, and through which tenders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from connectors.canonical.money import MoneyBag
from connectors.canonical.payment import PaymentKind, PaymentStatus
from connectors.canonical.returns import Adjustment, Refund, RefundLine
from connectors.shopify.mapping.bags import Books, less, nothing
from connectors.shopify.mapping.payments import one_sided, transactions
from connectors.shopify.mapping.values import Place

# restock_type: "legacy_restock" is the old flag, "no_restock" leaves the stock alone. "cancel" puts back into Shopify's own figure
# what never left: nothing comes back to a shelf.
RESTOCKED = ("return", "legacy_restock")


def refund(node: Place, books: Books) -> Refund:
    """`total` is what the tenders have given back; a removal by edit has lines and moves no money."""
    moved = transactions(node.at("transactions"), books)
    given = [p.amount for p in moved if p.kind is PaymentKind.REFUND and p.status is PaymentStatus.SUCCESS]
    return Refund(
        id=node.at("id").needed().id(),
        total=books.sum(given),
        lines=tuple(_line(item, books) for item in node.at("refund_line_items").items()),
        adjustments=_adjustments(node, books),
        payments=moved,
        return_id=node.at("return").at("id").id(),
        note=node.at("note").text(),
        at=node.at("processed_at").time() or node.at("created_at").time(),
    )


def _line(item: Place, books: Books) -> RefundLine:
    """What was cancelled had not been fulfilled, what is a return had; without restock it may be either.

    Source: https://shopify.dev/docs/api/admin-graphql/latest/enums/RefundLineItemRestockType
    """
    kind, quantity = item.at("restock_type").text().lower(), item.at("quantity").number()
    return RefundLine(
        line_id=item.at("line_item_id").needed().id(),
        quantity=quantity,
        subtotal=books.needed(item, "subtotal"),
        tax=books.read(item, "total_tax") or books.zero(),
        restock=kind in RESTOCKED,
        left={"return": quantity, "cancel": Decimal(0)}.get(kind),
        location=item.at("location_id").id(),
        sku=item.at("line_item").at("sku").text(),
    )


def _adjustments(node: Place, books: Books) -> tuple[Adjustment, ...]:
    """Shipping, duties and discrepancies. Newer payloads list shipping apart; older ones among the adjustments, where
    sums are negative when they go to the customer. Some say it in both ways: then the adjustments repeat the lines, and count
    only for what they say beyond them.

    Source: https://shopify.dev/docs/api/admin-rest/latest/resources/refund (order_adjustments since 2024-10).
    """
    shipping = tuple(_shipping(item, books) for item in node.at("refund_shipping_lines").items())
    others = tuple(_adjustment(item, books) for item in node.at("order_adjustments").items())
    duties = tuple(Adjustment("duty", books.needed(item, "amount")) for item in node.at("duties").items())
    older = tuple(one for one in others if one.kind == "shipping")
    rest = tuple(one for one in others if one.kind != "shipping")
    return (*shipping, *_beyond(older, shipping, books), *rest, *duties)


def _beyond(older: tuple[Adjustment, ...], told: tuple[Adjustment, ...], books: Books) -> tuple[Adjustment, ...]:
    """Shipping given back as adjustments, less what shipping lines have told already."""
    if not older or not told:
        return older
    amount = less(_worth(older, books), _worth(told, books))
    tax = less(_tax(older, books), _tax(told, books))
    return () if nothing(amount) and nothing(tax) else (Adjustment("shipping", amount, tax),)


def _worth(parts: tuple[Adjustment, ...], books: Books) -> MoneyBag:
    return books.sum([one.amount for one in parts])


def _tax(parts: tuple[Adjustment, ...], books: Books) -> MoneyBag:
    return books.sum([one.tax for one in parts if one.tax is not None])


def _shipping(item: Place, books: Books) -> Adjustment:
    return Adjustment("shipping", books.needed(item, "subtotal_amount"), books.read(item, "tax_amount"))


def _adjustment(item: Place, books: Books) -> Adjustment:
    kind = item.at("kind").text().lower()
    tax = books.read(item, "tax_amount")
    gone = books.needed(item, "amount")
    return Adjustment(
        kind={"shipping_refund": "shipping", "refund_discrepancy": "discrepancy"}.get(kind, kind or "discrepancy"),
        amount=less(books.zero(), gone),
        tax=None if tax is None else less(books.zero(), tax),
        reason=item.at("reason").text().lower().replace("_", " "),
    )


def returned(order: Place) -> Counter[str]:
    """How many of each line the refunds took back."""
    counted: Counter[str] = Counter()
    for one in order.at("refunds").items():
        for item in one.at("refund_line_items").items():
            counted[item.at("line_item_id").id()] += int(item.at("quantity").number(default=Decimal(0)))
    return counted


def told_in_full(node: Place, books: Books) -> bool:
    """Whether every transaction of the refund states the shop's currency."""
    told = node.at("transactions").items()
    return not any(one.at("amount_set").value is None and one_sided(one, books) for one in told)


def refund_books(node: Place) -> Books:
    """The currencies of a refund told by itself: its payload names them only at its sums. The first that does counts.

    Raises Unreadable where none does.
    """
    for place in _sums(node):
        shop, seen = (place.at(name).at("currency_code").text().upper() for name in ("shop_money", "presentment_money"))
        if shop:
            return Books(shop, seen or shop)
    for one in node.at("transactions").items():
        if told := one.at("currency").text().upper():
            return Books(told, told)
    raise node.at("total_duties_set").fault("is missing, and nothing else names the refund's currency")


def _sums(node: Place) -> Iterator[Place]:
    yield node.at("total_duties_set")
    for item in node.at("refund_line_items").items():
        yield item.at("subtotal_set")
    for item in node.at("order_adjustments").items():
        yield item.at("amount_set")
    for item in node.at("refund_shipping_lines").items():
        yield item.at("subtotal_amount_set")
    for item in node.at("duties").items():
        yield item.at("amount_set")
