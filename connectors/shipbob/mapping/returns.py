"""ShipBob's returns, once a centre has worked through them: which pieces came back, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.canonical.returns import Return, ReturnLine, ReturnStatus
from connectors.canonical.shipment import Tracking
from connectors.canonical.snapshot import Ignored, Reading, Snapshot
from connectors.kit.errors import Unreadable
from connectors.shipbob.mapping.fields import identifier, moment, part, parts, quantity, text

# Returns.ReturnAction in ShipBob's OpenAPI 2026-01; Default is only ever asked for, never taken.
CONDITIONS = {"Restock": "sellable", "Quarantine": "quarantined", "Dispose": "scrapped"}
DONE = "Completed"
UNDER_WAY = ("AwaitingArrival", "Arrived", "Processing", "Cancelled")
TIMES = ("completed_date", "processing_date", "arrived_date", "cancelled_date", "insert_date")


def read_return(body: Mapping[str, Any], topic: str) -> tuple[Reading, ...]:
    """Nothing is counted before the return is Completed. The published examples write a status with blanks and without."""
    name, said = identifier(body, "id"), text(body, "status").replace(" ", "")
    if said in UNDER_WAY:
        return (Ignored(f"return {name} is {said}: nothing of it is counted"),)
    if not said:
        raise Unreadable("status is missing.", field="status")
    if said != DONE:
        return (Ignored(f"return {name} is in status {said}, for which the hub has no word"),)
    done = moment(body, "completed_date")
    if done is None:
        raise Unreadable("completed_date is missing.", field="completed_date")
    version = max([done, *_history(body)]).isoformat(timespec="microseconds")
    return (Snapshot("return", name, version, _return(body, name, done), reference=text(body, "reference_id")),)


def _history(body: Mapping[str, Any]) -> Iterator[datetime]:
    for n, row in enumerate(parts(body, "status_history")):
        at = moment(row, "timestamp", f"status_history[{n}].")
        if at is not None:
            yield at


def _return(body: Mapping[str, Any], name: str, done: datetime) -> Return:
    back, out = text(body, "tracking_number"), text(body, "shipment_tracking_number")
    return Return(
        id=name,
        status=ReturnStatus.RECEIVED,
        lines=tuple(_lines(body)),
        number=text(body, "reference_id"),
        at=done,
        trackings=(Tracking(back),) if back else (),
        location=str(part(body, "fulfillment_center").get("id") or ""),
        clues=tuple(filter(None, (text(body, "store_order_id"), out))),
    )


def _lines(body: Mapping[str, Any]) -> Iterator[ReturnLine]:
    """One line for each action that was taken on an item; lots of one item are rows of their own."""
    for n, item in enumerate(parts(body, "inventory")):
        at = f"inventory[{n}]."
        sku = text(item, "sku", at)
        if not sku:
            raise Unreadable(f"{at}sku is missing.", field=f"{at}sku")
        many = quantity(item, "quantity", at)
        for m, taken in enumerate(parts(item, "action_taken", at)):
            here = f"{at}action_taken[{m}]."
            action = text(taken, "action", here)
            if action not in CONDITIONS:
                raise Unreadable(
                    f"{here}action is {action or 'missing'}, which is no disposition.", field=f"{here}action"
                )
            counted = quantity(taken, "quantity_processed", here)
            if counted:
                yield ReturnLine("", many, text(taken, "action_reason", here), sku, counted, CONDITIONS[action])
