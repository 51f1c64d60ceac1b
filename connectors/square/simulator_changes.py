"""What UpdateOrder takes, and what it refuses: the version, what has ended, what is not paid, metadata that is full."""

from __future__ import annotations

from typing import Any

from connectors.square.simulator_refused import Refused

Json = dict[str, Any]
CLOSED = ("COMPLETED", "CANCELED")
ENDED = ("COMPLETED", "CANCELED", "FAILED")


def changed_by(order: Json, wanted: Json, now: str) -> Json:
    """The order after a sparse change under its version. Raises Refused."""
    if order["state"] in CLOSED:
        raise Refused(400, "BAD_REQUEST", f"Orders in state {order['state']} cannot be updated", "order.state")
    if "version" not in order:
        raise Refused(400, "BAD_REQUEST", "Only orders created through the API can be updated", "order.version")
    if wanted.get("version") != order["version"]:
        raise Refused(409, "VERSION_MISMATCH", "The version is not the order's current one", "order.version")
    changed = {**order, "metadata": _merged(order.get("metadata"), wanted.get("metadata"))}
    rows = {one["uid"]: one for one in order.get("fulfillments", ())}
    for told in wanted.get("fulfillments", ()):
        rows[told.get("uid")] = _moved(rows.get(told.get("uid")), told, now)
    if rows:
        changed["fulfillments"] = list(rows.values())
    _state(changed, str(wanted.get("state", order["state"])))
    return {name: value for name, value in changed.items() if name != "metadata" or value}


def _moved(row: Json | None, told: Json, now: str) -> Json:
    if row is None:
        raise Refused(400, "BAD_REQUEST", "Only one fulfillment can be made, with the order", "order.fulfillments")
    if row["state"] in ENDED:
        raise Refused(400, "BAD_REQUEST", f"Fulfillment is {row['state']}", "order.fulfillments.state")
    merged = {**row, **{name: told[name] for name in ("state",) if name in told}}
    merged["metadata"] = _merged(row.get("metadata"), told.get("metadata"))
    for name in ("shipment_details", "pickup_details", "delivery_details"):
        if name in told:
            merged[name] = {**row.get(name, {}), **told[name]}
    _stamped(merged, now)
    return {name: value for name, value in merged.items() if name != "metadata" or value}


def _stamped(row: Json, now: str) -> None:
    """When a fulfilment reached its state."""
    names = {
        ("SHIPMENT", "RESERVED"): "in_progress_at",
        ("SHIPMENT", "PREPARED"): "packaged_at",
        ("SHIPMENT", "COMPLETED"): "shipped_at",
        ("PICKUP", "RESERVED"): "accepted_at",
        ("PICKUP", "PREPARED"): "ready_at",
        ("PICKUP", "COMPLETED"): "picked_up_at",
        ("DELIVERY", "COMPLETED"): "delivered_at",
    }
    field = names.get((row["type"], row["state"]))
    if field:
        details = f"{row['type'].lower()}_details"
        row[details] = {**row.get(details, {}), field: now}


def _state(order: Json, wanted: str) -> None:
    open_ones = [one for one in order.get("fulfillments", ()) if one["state"] not in ENDED]
    if wanted in CLOSED and open_ones:
        raise Refused(400, "BAD_REQUEST", f"All fulfillments must be ended for an order to be {wanted}", "order.state")
    if wanted == "COMPLETED" and order["net_amount_due_money"]["amount"]:
        raise Refused(400, "BAD_REQUEST", "The order is not paid", "order.state")
    if wanted == "CANCELED" and order.get("tenders"):
        raise Refused(400, "BAD_REQUEST", "A paid order cannot be canceled", "order.state")
    order["state"] = wanted


def _merged(kept: Json | None, told: Json | None) -> Json:
    whole = {**(kept or {}), **(told or {})}
    if len(whole) > 10:
        raise Refused(400, "TOO_MANY_MAP_ENTRIES", "At most 10 entries", "metadata")
    if any(len(name) > 60 or len(str(value)) > 255 for name, value in whole.items()):
        raise Refused(400, "VALUE_TOO_LONG", "A key has 60 characters, a value 255", "metadata")
    return whole
