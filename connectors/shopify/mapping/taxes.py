"""Taxes and discounts as Shopify states them on lines, shipping and duties."""

from __future__ import annotations

from connectors.canonical.money import MoneyBag
from connectors.canonical.order import Discount, Tax
from connectors.shopify.mapping.bags import Books, less, nothing
from connectors.shopify.mapping.values import Place


def taxes(node: Place, books: Books) -> tuple[Tax, ...]:
    """The tax_lines of a line, shipping line, duty or fee; a tax of nothing is left out."""
    read = (_tax(line, books) for line in node.at("tax_lines").items())
    return tuple(tax for tax in read if not nothing(tax.amount))


def _tax(node: Place, books: Books) -> Tax:
    rate = node.at("rate")
    return Tax(
        title=node.at("title").text(),
        amount=books.needed(node, "price"),
        rate=None if rate.value is None else rate.number().normalize(),
        remitted_by_channel=node.at("channel_liable").flag(),
    )


def discounts(node: Place, applications: tuple[Place, ...], books: Books) -> tuple[Discount, ...]:
    """What was allocated to a line or shipping line; payloads from before allocations state one sum only."""
    allocated = [_allocation(one, applications, books) for one in node.at("discount_allocations").items()]
    told = [discount for discount in allocated if not nothing(discount.amount)]
    return tuple(told) if told else _unallocated(node, books)


def _allocation(node: Place, applications: tuple[Place, ...], books: Books) -> Discount:
    amount = books.needed(node, "amount")
    index = node.at("discount_application_index")
    if index.value is None or not 0 <= int(index.number()) < len(applications):
        return Discount(amount)
    source = applications[int(index.number())]
    title = source.at("title").text() or source.at("description").text()
    return Discount(amount, source.at("code").text(), title, source.at("type").text())


def _unallocated(node: Place, books: Books) -> tuple[Discount, ...]:
    off = books.read(node, "total_discount")
    if off is None and node.has("discounted_price"):
        off = less(books.needed(node, "price"), books.needed(node, "discounted_price"))
    return () if off is None or nothing(off) else (Discount(off),)


def taxed(node_taxes: tuple[Tax, ...], books: Books) -> MoneyBag:
    return books.sum([tax.amount for tax in node_taxes])
