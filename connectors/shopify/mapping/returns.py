"""A Shopify return: what is to come back, how far it is, and what goes out for it.

It is read with its order only: its webhooks carry no time and some of them no lines (mapping/__init__.py makes pointers of them).
Source: Admin GraphQL 2026-07, Return, ReturnLineItem, ExchangeLineItem.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.returns import Return, ReturnLine, ReturnStatus
from connectors.shopify.mapping.values import Place

STATES = {
    "requested": ReturnStatus.REQUESTED,
    "open": ReturnStatus.OPEN,
    "closed": ReturnStatus.CLOSED,
    "declined": ReturnStatus.DECLINED,
    "canceled": ReturnStatus.CANCELLED,
}


def back(node: Place) -> Return:
    """Lines that belong to no line of the order (UnverifiedReturnLineItem) have no line_id. What is wanted instead names the line of
    the order that it became, once the exchange was processed; until then it has neither line nor SKU."""
    return Return(
        id=node.at("id").needed().id(),
        status=node.at("status").one_of(STATES),
        lines=tuple(_line(item) for item in node.at("return_line_items").items()),
        number=node.at("name").text(),
        exchange_lines=tuple(line for item in node.at("exchange_line_items").items() for line in _wanted(item)),
        at=node.at("created_at").time(),
    )


def _line(item: Place) -> ReturnLine:
    sold = item.at("fulfillment_line_item").at("line_item")
    processed = item.at("processed_quantity").number(default=Decimal(0))
    note = item.at("return_reason_note").text() or item.at("customer_note").text()
    return ReturnLine(
        line_id=sold.at("id").id(),
        quantity=item.at("quantity").number(),
        reason=": ".join(filter(None, (item.at("return_reason").text().replace("-", " "), note))),
        sku=sold.at("sku").text(),
        received_quantity=processed or None,
    )


def _wanted(item: Place) -> tuple[ReturnLine, ...]:
    quantity = item.at("quantity").number()
    lines = item.at("line_items").items()
    if not lines:
        return (ReturnLine("", quantity),)
    return tuple(ReturnLine(line.at("id").needed().id(), quantity, sku=line.at("sku").text()) for line in lines)
