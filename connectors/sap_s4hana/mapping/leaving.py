"""A shipment as an outbound delivery: which pieces of which items left, from where, under our name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, ShipmentLine
from connectors.kit import names
from connectors.kit.errors import Rejected
from connectors.sap_s4hana.mapping.asks import ITEM, Ask, item_keys
from connectors.sap_s4hana.mapping.draft import REFERENCE
from connectors.sap_s4hana.mapping.items import rejected
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import Row, day, decimal, etag, number


def delivery(order: Order, shipment: Shipment, number_: str, items: Sequence[Row], policy: Policy) -> dict[str, Any]:
    """The body of A_OutbDeliveryHeader with reference to sales order `number_`. `items` are the order's, as SAP holds them.

    DeliveryDocumentBySupplier bears our name of the shipment, BillOfLading the first parcel's tracking number.
    """
    place = policy.place(shipment.location) if shipment.location else ("", "")
    lines = [_line(number_, item, quantity, place) for item, quantity in _pieces(order, shipment, items)]
    header = {
        "DeliveryDocumentBySupplier": names.of_shipment(order, shipment),
        "BillOfLading": next((one.number for one in shipment.trackings), "")[:35],
        "ActualGoodsMovementDate": day(policy.day(shipment.shipped_at)) if shipment.shipped_at else "",
    }
    kept = {name: value for name, value in header.items() if value}
    return {**kept, "to_DeliveryDocumentItem": {"results": lines}}


def pieces_left(order: Order, items: Sequence[Row], delivered: Sequence[Row]) -> dict[str, Decimal]:
    """Line id -> the pieces of it that `delivered` items of deliveries have taken."""
    sums: dict[str, Decimal] = {}
    for one in delivered:
        position = str(one["ReferenceSDDocumentItem"]).lstrip("0")
        sums[position] = sums.get(position, Decimal(0)) + number(one.get("ActualDeliveryQuantity"))
    mine = {str(one.get("PurchaseOrderByCustomer") or ""): str(one["SalesOrderItem"]).lstrip("0") for one in items}
    named = {line.id: mine.get(names.of_line(line.id, REFERENCE), "") for line in order.lines}
    return {line_id: sums[position] for line_id, position in named.items() if position in sums}


def moves(order: Order, shipment: Shipment, number_: str, items: Sequence[Row], policy: Policy) -> list[Ask]:
    """Items that leave another plant than they were booked for are moved there first, while nothing of them has left: an
    item has one plant, so what leaves a second one later is booked from the first.
    """
    if not shipment.location:
        return []
    plant, storage = policy.place(shipment.location)
    wanted = {"ProductionPlant": plant, **({"StorageLocation": storage} if storage else {})}
    return [
        Ask("PATCH", ITEM, item_keys(number_, item), wanted, etag(item))
        for item, _ in _pieces(order, shipment, items)
        if item.get("ProductionPlant") != plant and item.get("DeliveryStatus") in ("", "A", None)
    ]


def _line(order: str, item: Row, quantity: Decimal, place: tuple[str, str]) -> dict[str, Any]:
    storage = place[1] if item.get("ProductionPlant") == place[0] else ""
    told = {
        "ReferenceSDDocument": order,
        "ReferenceSDDocumentItem": str(item["SalesOrderItem"]),
        "ActualDeliveryQuantity": decimal(quantity),
        "DeliveryQuantityUnit": str(item.get("RequestedQuantityUnit") or ""),
        "StorageLocation": storage,
    }
    return {name: value for name, value in told.items() if value}


def _pieces(order: Order, shipment: Shipment, items: Sequence[Row]) -> list[tuple[Row, Decimal]]:
    ours = {str(one.get("PurchaseOrderByCustomer") or ""): one for one in items if not rejected(one)}
    left: dict[str, Decimal] = {}
    for index, line in enumerate(shipment.lines):
        for ref, quantity in _share(order, line, ours, left, index):
            left[ref] = left.get(ref, Decimal(0)) + quantity
    return [(ours[ref], quantity) for ref, quantity in left.items() if quantity]


def _share(
    order: Order, line: ShipmentLine, ours: Mapping[str, Row], left: Mapping[str, Decimal], index: int
) -> list[tuple[str, Decimal]]:
    """A shipped line on its item; where only the SKU is known, on the items of that SKU in their order."""
    if line.line_id:
        ref = names.of_line(line.line_id, REFERENCE)
        if ref not in ours:
            raise _unknown(line, index)
        return [(ref, line.quantity)]
    named = [names.of_line(one.id, REFERENCE) for one in order.lines if one.sku == line.sku]
    found = [ref for ref in named if ref in ours]
    if not found:
        raise _unknown(line, index)
    rest, shares = line.quantity, []
    for ref in found:
        some = min(rest, max(Decimal(0), number(ours[ref].get("RequestedQuantity")) - left.get(ref, Decimal(0))))
        shares.append((ref, some))
        rest -= some
    return [*shares, (found[-1], rest)]


def _unknown(line: ShipmentLine, index: int) -> Rejected:
    return Rejected(
        f"{line.sku or line.line_id} was shipped, but the sales order in SAP has no such item.",
        code="line_unknown",
        field=f"lines[{index}].{'line_id' if line.line_id else 'sku'}",
        remedy="Add the item to the sales order in SAP (our line's name as the item's customer reference), or correct the "
        "shipment, then retry.",
        owner="logistics",
    )
