"""What comes back to the simulated centres: a return arrives, is worked through item by item, and goes on the shelf or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.shipbob.simulator_house import ShipBobSimulator
from connectors.shipbob.simulator_shelves import CENTRES, Row, now

ACTIONS = ("Restock", "Quarantine", "Dispose")


def arrive(sim: ShipBobSimulator, said: Row) -> Row:
    """{"items": [{"sku", "action", "quantity"}], "reference_id"?, "of"? (the reference of the order it left with), "centre"?, "completed_date"?}:
    a return that is completed at once, told as return.completed."""
    wrong = [item["action"] for item in said["items"] if item["action"] not in ACTIONS]
    if wrong:
        raise ValueError(f"an action is one of {', '.join(ACTIONS)}, not {wrong[0]}")
    number, centre, at = (
        sim.memory.next_id("returns", 500_001),
        str(said.get("centre", "11")),
        said.get("completed_date") or now(),
    )
    row: Row = {"id": number, "reference_id": said.get("reference_id"), "status": "Completed", "return_type": "Regular"}
    row |= {"insert_date": at, "arrived_date": at, "completed_date": at, "tracking_number": f"RET{number}"}
    row |= {"fulfillment_center": {"id": int(centre), "name": CENTRES[centre]}, **_left_with(sim, said.get("of", ""))}
    row["inventory"] = [
        _item(sim, said["items"], sku, centre) for sku in dict.fromkeys(i["sku"] for i in said["items"])
    ]
    row["status_history"] = [{"status": "Completed", "timestamp": at}]
    sim.memory.put("returns", str(number), row)
    sim.post.tell("return.completed", str(number), row)
    return row


def _left_with(sim: ShipBobSimulator, reference: str) -> Row:
    order = next(iter(sim.warehouse.by_reference(reference)), None) if reference else None
    gone = [s for s in (order or {}).get("shipments", ()) if s["status"] == "Completed"]
    if order is None or not gone:
        return {"original_shipment_id": None, "shipment_tracking_number": None, "store_order_id": None}
    number = gone[-1]["tracking"]["tracking_number"]
    return {
        "original_shipment_id": gone[-1]["id"],
        "shipment_tracking_number": number,
        "store_order_id": order["order_number"],
    }


def _item(sim: ShipBobSimulator, items: list[Mapping[str, Any]], sku: str, centre: str) -> Row:
    """The item with what was done with it; what is restocked is on the shelf."""
    mine = [item for item in items if item["sku"] == sku]
    for item in mine:
        if item["action"] == "Restock":
            stands = sim.warehouse.shelves.item({"reference_id": sku, "name": sku})["locations"][centre]["on_hand"]
            sim.warehouse.restock(sku, stands + int(item["quantity"]), centre)
    found = sim.warehouse.shelves.item({"reference_id": sku, "name": sku})
    taken = [
        {
            "action": item["action"],
            "action_reason": item.get("reason"),
            "image_url": None,
            "quantity_processed": int(item["quantity"]),
        }
        for item in mine
    ]
    many = sum(int(item["quantity"]) for item in mine)
    return {"id": found["inventory_id"], "name": found["name"], "sku": sku, "quantity": many, "action_taken": taken}
