"""What must be asked of the items and conditions of a booked sales order; an item is kept for ever and rejected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.kit.errors import Rejected
from connectors.sap_s4hana.mapping.asks import HEADER_PRICE, ITEM, ITEM_PRICE, ORDER, Ask, Standing, item_keys
from connectors.sap_s4hana.mapping.conditions import Condition, standing
from connectors.sap_s4hana.mapping.draft import Item
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.mapping.sales_order import Document
from connectors.sap_s4hana.odata import Row, etag, number, rows

DELIVERED = "C"
GIVEN_UP = re.compile(r"/X\d{1,7}$")


def towards(there: Standing, wanted: Document, policy: Policy) -> Iterator[Ask]:
    """Items first, then the conditions of the whole order. Raises Rejected("shipped")."""
    ours = {str(one.get("PurchaseOrderByCustomer") or ""): one for one in there.items if not rejected(one)}
    for item in wanted.items:
        found = ours.get(item.ref)
        if found is None:
            yield Ask("POST", ORDER, there.keys, item.body(), below="to_Item")
        else:
            yield from _item(there.number, found, item, policy)
    kept = {item.ref for item in wanted.items}
    for ref, one in ours.items():
        if ref and ref not in kept:
            yield rejection(there.number, one, policy)
    elements = rows(there.header.get("to_PricingElement"))
    yield from _conditions(elements, wanted.charges, policy, ORDER, HEADER_PRICE, there.keys)


def rejected(item: Mapping[str, Any]) -> bool:
    return bool(item.get("SalesDocumentRjcnReason"))


def delivered(item: Mapping[str, Any]) -> bool:
    return item.get("DeliveryStatus") == DELIVERED


def rejection(order: str, item: Row, policy: Policy) -> Ask:
    """SAP keeps an item for ever and gives it a reason of rejection instead."""
    if delivered(item):
        raise too_late(item)
    reason = policy.wanted("rejection_reason", "a reason of rejection")
    return Ask("PATCH", ITEM, item_keys(order, item), {"SalesDocumentRjcnReason": reason}, etag(item))


def _item(order: str, there: Row, wanted: Item, policy: Policy) -> Iterator[Ask]:
    """Only quantity and words change: which material a line is never does."""
    keys, patch = item_keys(order, there), dict[str, Any]()
    if number(there.get("RequestedQuantity")) != wanted.quantity:
        patch["RequestedQuantity"] = wanted.fields()["RequestedQuantity"]
    if (there.get("SalesOrderItemText") or "") != wanted.words[:40]:
        patch["SalesOrderItemText"] = wanted.words[:40]
    asked = _conditions(rows(there.get("to_PricingElement")), wanted.conditions, policy, ITEM, ITEM_PRICE, keys)
    changes = [*([Ask("PATCH", ITEM, keys, patch, etag(there))] if patch else []), *asked]
    if changes and delivered(there):
        raise too_late(there)
    yield from changes


def _conditions(
    elements: Iterable[Row],
    wanted: Iterable[Condition],
    policy: Policy,
    owner: str,
    entity: str,
    keys: Mapping[str, str],
) -> list[Ask]:
    """Conditions that are ours are changed, made or removed; those that SAP found by itself are left alone."""
    there, asked = standing(elements, map(str, policy.conditions.values())), []
    for one in wanted:
        found = there.pop(one.type, None)
        if found is None:
            asked.append(Ask("POST", owner, keys, one.body(), below="to_PricingElement"))
        elif not one.same(found):
            body = {name: value for name, value in one.body().items() if name != "ConditionType"}
            asked.append(Ask("PATCH", entity, _element(keys, found), body, etag(found)))
    return asked + [Ask("DELETE", entity, _element(keys, found), etag=etag(found)) for found in there.values()]


def _element(keys: Mapping[str, str], found: Row) -> dict[str, str]:
    return {**keys, **{name: str(found[name]) for name in ("PricingProcedureStep", "PricingProcedureCounter")}}


def too_late(item: Row) -> Rejected:
    what = f"item {item.get('SalesOrderItem')} ({item.get('SalesOrderItemText') or item.get('Material')})"
    return Rejected(
        f"The {what} of the sales order is delivered: SAP changes it no more.",
        code="shipped",
        field="to_Item",
        remedy="Let the customer return it, or book a credit memo request, instead of changing the order.",
        owner="customer service",
    )


def total(items: Iterable[Mapping[str, Any]]) -> Decimal:
    """What a sales order comes to: the net amounts of its items with their taxes; rejected items count nothing."""
    live = (one for one in items if not rejected(one))
    return sum((number(one.get("NetAmount")) + number(one.get("TaxAmount")) for one in live), Decimal(0))


def ordered(items: Sequence[Mapping[str, Any]]) -> Decimal:
    """What an order came to: as total(); of one that is rejected as a whole, what it would have been."""
    whole = [{**one, "SalesDocumentRjcnReason": ""} for one in items]
    return total(whole if given_up(items) else items)


def given_up(items: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every item was rejected: the order is cancelled."""
    return bool(items) and all(rejected(one) for one in items)


def given_up_name(name: str, number_: str) -> str:
    """The purchase order number of what SAP priced otherwise and could not delete: none of an order of ours any more."""
    return f"{name}/X{number_[-7:]}"


def is_given_up(order: Row) -> bool:
    return GIVEN_UP.search(str(order.get("PurchaseOrderByCustomer") or "")) is not None
