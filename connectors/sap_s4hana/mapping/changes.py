"""What must be asked of a booked sales order so that it becomes what it should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.kit.errors import Rejected
from connectors.sap_s4hana.mapping import parties
from connectors.sap_s4hana.mapping.conditions import Condition, standing
from connectors.sap_s4hana.mapping.draft import Item
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.mapping.sales_order import Document, text
from connectors.sap_s4hana.odata import Row, etag, keyed, number, rows

FIXED = frozenset(
    "SalesOrderType SalesOrganization DistributionChannel OrganizationDivision PurchaseOrderByCustomer TransactionCurrency "
    "CustomerPurchaseOrderDate".split()
)
DELIVERED = "C"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request below the sales order service."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    etag: str = "*"


@dataclass(frozen=True, slots=True)
class Standing:
    """A sales order as SAP holds it: the header with items, conditions and texts; the items' conditions; addresses."""

    header: Row
    items: tuple[Row, ...]
    addresses: tuple[Row, ...]

    @property
    def number(self) -> str:
        return str(self.header["SalesOrder"])


def towards(there: Standing, wanted: Document, policy: Policy) -> list[Ask]:
    """The requests that bring an order to a document; empty when it stands so already. Raises Rejected("shipped")."""
    return [
        *_items(there, wanted, policy),
        *_conditions(
            rows(there.header.get("to_PricingElement")),
            wanted.charges,
            _types(policy),
            f"{keyed_order(there.number)}/to_PricingElement",
            "A_SalesOrderHeaderPrElement",
            {"SalesOrder": there.number},
        ),
        *_header(there, wanted),
        *_addresses(there, wanted, policy),
        *_note(there, wanted, policy),
    ]


def keyed_order(number_: str) -> str:
    return f"A_SalesOrder('{number_}')"


def _types(policy: Policy) -> frozenset[str]:
    return frozenset(str(one) for one in policy.conditions.values())


def _header(there: Standing, wanted: Document) -> Iterator[Ask]:
    told = {name: value for name, value in wanted.header.items() if name not in FIXED}
    patch = {name: value for name, value in told.items() if not _same(there.header.get(name), value)}
    if patch:
        yield Ask("PATCH", keyed_order(there.number), patch, etag(there.header))


def _same(told: Any, wanted: Any) -> bool:
    return (told or "") == (wanted or "")


# ---- items


def _items(there: Standing, wanted: Document, policy: Policy) -> Iterator[Ask]:
    ours = {str(one.get("PurchaseOrderByCustomer") or ""): one for one in there.items if not rejected(one)}
    for item in wanted.items:
        found = ours.get(item.ref)
        if found is None:
            yield Ask("POST", f"{keyed_order(there.number)}/to_Item", item.body())
        else:
            yield from _item(there.number, found, item, policy)
    kept = {item.ref for item in wanted.items}
    for ref, one in ours.items():
        if ref and ref not in kept:
            yield rejection(there.number, one, policy)


def rejected(item: Mapping[str, Any]) -> bool:
    return bool(item.get("SalesDocumentRjcnReason"))


def delivered(item: Mapping[str, Any]) -> bool:
    return item.get("DeliveryStatus") == DELIVERED


def rejection(order: str, item: Row, policy: Policy) -> Ask:
    """SAP keeps an item for ever and gives it a reason of rejection instead."""
    if delivered(item):
        raise too_late(item)
    reason = policy.wanted("rejection_reason", "a reason of rejection")
    return Ask("PATCH", item_path(order, item), {"SalesDocumentRjcnReason": reason}, etag(item))


def item_path(order: str, item: Row) -> str:
    return keyed("A_SalesOrderItem", SalesOrder=order, SalesOrderItem=str(item["SalesOrderItem"]))


def _item(order: str, there: Row, wanted: Item, policy: Policy) -> Iterator[Ask]:
    """Only quantity and words change: which material a line is never does."""
    patch: dict[str, Any] = {}
    if number(there.get("RequestedQuantity")) != wanted.quantity:
        patch["RequestedQuantity"] = wanted.fields()["RequestedQuantity"]
    if not _same(there.get("SalesOrderItemText"), wanted.words[:40]):
        patch["SalesOrderItemText"] = wanted.words[:40]
    asked = _conditions(
        rows(there.get("to_PricingElement")),
        wanted.conditions,
        _types(policy),
        f"{item_path(order, there)}/to_PricingElement",
        "A_SalesOrderItemPrElement",
        {"SalesOrder": order, "SalesOrderItem": str(there["SalesOrderItem"])},
    )
    changes = [*([Ask("PATCH", item_path(order, there), patch, etag(there))] if patch else []), *asked]
    if changes and delivered(there):
        raise too_late(there)
    yield from changes


def _conditions(
    elements: Iterable[Row],
    wanted: Iterable[Condition],
    types: frozenset[str],
    address: str,
    entity: str,
    keys: Mapping[str, str],
) -> list[Ask]:
    """Conditions that are ours are changed, made or removed; those that SAP found by itself are left alone."""
    there, asked = standing(elements, types), []
    for one in wanted:
        found = there.pop(one.type, None)
        if found is None:
            asked.append(Ask("POST", address, one.body()))
        elif not one.same(found):
            body = {name: value for name, value in one.body().items() if name != "ConditionType"}
            asked.append(Ask("PATCH", _element(entity, keys, found), body, etag(found)))
    return asked + [Ask("DELETE", _element(entity, keys, found), None, etag(found)) for found in there.values()]


def _element(entity: str, keys: Mapping[str, str], found: Row) -> str:
    own = {name: str(found[name]) for name in ("PricingProcedureStep", "PricingProcedureCounter")}
    return keyed(entity, **keys, **own)


def too_late(item: Row) -> Rejected:
    what = f"item {item.get('SalesOrderItem')} ({item.get('SalesOrderItemText') or item.get('Material')})"
    return Rejected(
        f"The {what} of the sales order is delivered: SAP changes it no more.",
        code="shipped",
        field="to_Item",
        remedy="Let the customer return it, or book a credit memo request, instead of changing the order.",
        owner="support",
    )


# ---- addresses, note


def _addresses(there: Standing, wanted: Document, policy: Policy) -> Iterator[Ask]:
    order = wanted.order
    places = {policy.ship_to_function: order.shipping, policy.bill_to_function: order.billing}
    for one in there.addresses:
        place = places.get(str(one["PartnerFunction"]))
        patch = parties.moved(one, place, order.email) if place is not None else {}
        if patch:
            names = ("SalesOrder", "PartnerFunction", "AddressRepresentationCode")
            path = keyed("A_SalesOrderPartnerAddress", **{name: str(one.get(name) or "") for name in names})
            yield Ask("PATCH", path, patch, etag(one))


def _note(there: Standing, wanted: Document, policy: Policy) -> Iterator[Ask]:
    note = wanted.order.note
    mine = [one for one in rows(there.header.get("to_Text")) if one.get("LongTextID") == policy.note_text]
    if not policy.note_text or (mine[0].get("LongText") if mine else "") == note:
        return
    if not mine:
        yield Ask("POST", f"{keyed_order(there.number)}/to_Text", text(note, policy))
        return
    keys = {name: str(mine[0][name]) for name in ("Language", "LongTextID")}
    yield Ask("PATCH", keyed("A_SalesOrderText", SalesOrder=there.number, **keys), {"LongText": note}, etag(mine[0]))


def total(items: Iterable[Mapping[str, Any]]) -> Decimal:
    """What a sales order comes to: the net amounts of its items with their taxes; rejected items count nothing."""
    live = (one for one in items if not rejected(one))
    return sum((number(one.get("NetAmount")) + number(one.get("TaxAmount")) for one in live), Decimal(0))


def ordered(items: Sequence[Mapping[str, Any]]) -> Decimal:
    """What an order came to: as total(); of one that is rejected as a whole, what it would have been."""
    whole = [{**one, "SalesDocumentRjcnReason": ""} for one in items]
    return total(whole if items and all(rejected(one) for one in items) else items)
