"""Delivery charges of an order."""

from __future__ import annotations

from dataclasses import replace

from connectors.canonical.order import ShippingLine
from connectors.shopify.mapping.bags import Books, less
from connectors.shopify.mapping.taxes import discounts, taxes
from connectors.shopify.mapping.values import Place


def shipping_lines(order: Place, applications: tuple[Place, ...], books: Books) -> tuple[ShippingLine, ...]:
    """All shipping lines; one removed by an edit costs nothing where the stated shipping total leaves it out."""
    lines = tuple(_line(item, applications, books) for item in order.at("shipping_lines").items())
    if not _left_out(order, lines, books):
        return lines
    return tuple(_uncharged(line, books) if line.removed else line for line in lines)


def _line(item: Place, applications: tuple[Place, ...], books: Books) -> ShippingLine:
    return ShippingLine(
        id=item.at("id").id(),
        title=item.at("title").text(),
        price=books.needed(item, "price"),
        code=item.at("code").text(),
        carrier=item.at("carrier_identifier").text(),
        discounts=discounts(item, applications, books),
        taxes=taxes(item, books),
        removed=item.at("is_removed").flag(),
    )


def _left_out(order: Place, lines: tuple[ShippingLine, ...], books: Books) -> bool:
    stated = books.read(order, "total_shipping_price")
    kept = [line for line in lines if not line.removed]
    if stated is None or len(kept) == len(lines):
        return False
    before = books.sum([line.price for line in kept])
    after = less(before, books.sum([d.amount for line in kept for d in line.discounts]))
    return stated.shop in (before.shop, after.shop)


def _uncharged(line: ShippingLine, books: Books) -> ShippingLine:
    return replace(line, price=books.zero(), discounts=(), taxes=())
