"""Goods that came back as SAP receives and moves them: the returns delivery, and movements of a material document."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Return, ReturnLine
from connectors.kit import names
from connectors.kit.amounts import ZERO
from connectors.sap_s4hana.mapping.draft import material
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import Row, day, decimal, rows

ISSUE, TRANSFER = "03", "04"  # goods movement codes: as MB1A and MB1B post
LONGEST = 16  # characters of ReferenceDocument


def delivery(back: Row, name: str) -> dict[str, Any]:
    """All of a customer return, under our name for what came."""
    items = [
        {
            "ReferenceSDDocument": str(back["CustomerReturn"]),
            "ReferenceSDDocumentItem": str(one["CustomerReturnItem"]),
            "ActualDeliveryQuantity": str(one["RequestedQuantity"]),
            "DeliveryQuantityUnit": str(one["RequestedQuantityUnit"]),
        }
        for one in rows(back.get("to_Item"))
    ]
    return {"DeliveryDocumentBySupplier": name, "to_DeliveryDocumentItem": {"results": items}}


def mark(order: Order, returned: Return, code: str, key: str) -> str:
    """The material document's reference: a look at the same pieces again is another."""
    told = "\x1f".join((names.of_return(order, returned), code, key))
    return "W" + hashlib.sha256(told.encode()).hexdigest()[: LONGEST - 1].upper()


def document(order: Order, name: str, code: str, items: Sequence[Row], today: date) -> dict[str, Any]:
    return {
        "GoodsMovementCode": code,
        "DocumentDate": day(today),
        "PostingDate": day(today),
        "ReferenceDocument": name,
        "MaterialDocumentHeaderText": names.of_order(order)[:25],
        "to_MaterialDocumentItem": {"results": list(items)},
    }


def moves(order: Order, returned: Return, held: Sequence[Row], policy: Policy) -> Mapping[str, list[Row]]:
    """Goods movement code -> its items: sellable pieces go to where they were counted, scrapped ones to the place of what is thrown away,
    or out of stock where the account has no such place."""
    found: dict[str, list[Row]] = {}
    for line in (one for one in returned.lines if one.received_quantity):
        sold = next((one for one in order.lines if one.id == line.line_id), None)
        item: Row = {
            "Material": material(sold, policy) if sold else policy.codes.theirs("sku", line.sku or line.line_id),
            "EntryUnit": policy.measure(sold.unit if sold else ""),
            "QuantityInEntryUnit": decimal(line.received_quantity or ZERO),
        }
        start = _lies(item["Material"], held, policy)
        code, movement = _movement(line, start, returned, policy)
        found.setdefault(code, []).append({**item, **_at(start), **movement})
    return found


def _movement(line: ReturnLine, start: tuple[str, str], returned: Return, policy: Policy) -> tuple[str, Row]:
    if line.condition == "scrapped" and not policy.scrap:
        more = {"CostCenter": policy.scrap_cost_center, "GoodsMovementReasonCode": policy.scrap_reason}
        told = {name: value for name, value in more.items() if value}
        return ISSUE, {"GoodsMovementType": policy.movement("scrap"), **told}
    plant, storage = policy.place_of(line.condition, returned.location)
    kind = policy.movement("within_plant" if plant == start[0] else "between_plants")
    goal = {"IssuingOrReceivingPlant": plant, "IssuingOrReceivingStorageLoc": storage}
    return TRANSFER, {"GoodsMovementType": kind, **{name: value for name, value in goal.items() if value}}


def _lies(wanted: str, held: Sequence[Row], policy: Policy) -> tuple[str, str]:
    """Where the pieces were put: in the plant of quarantine, at the storage location that SAP says."""
    plant, storage = policy.place_of("quarantined", "")
    told = next((one for one in held if one.get("Material") == wanted and one.get("Plant") == plant), {})
    return plant, str(told.get("StorageLocation") or storage)


def _at(place: tuple[str, str]) -> Row:
    return {name: value for name, value in zip(("Plant", "StorageLocation"), place, strict=True) if value}
