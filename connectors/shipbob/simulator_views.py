"""How the simulated ShipBob checks what it is sent and lists what it holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import ge, le
from typing import Any

from connectors.shipbob.simulator_shelves import Row, quantities

Complaint = tuple[int, str, str]

REQUIRED = ("products", "recipient", "reference_id", "shipping_method", "type")
TEXTS = ("reference_id", "shipping_method", "type")
ADDRESS = ("address1", "city", "country")


def complaints(body: Row, known: Collection[str]) -> Iterator[Complaint]:
    """Complaints about a Create Order body: 400 for its shape, 422 for its sense. `known` are the products'
    reference ids and ids."""
    yield from ((400, name, f"The {name} field is required.") for name in REQUIRED if body.get(name) is None)
    yield from (
        (400, name, f"The {name} field must be a string.") for name in TEXTS if not isinstance(body.get(name), str)
    )
    if body.get("type") not in ("DTC", "DropShip", "B2B"):
        yield 400, "type", "The type is not one of DTC, DropShip, B2B."
    yield from _recipient(body.get("recipient"))
    yield from _products(body.get("products"), known)


def _recipient(to: Any) -> Iterator[Complaint]:
    if not isinstance(to, dict) or not isinstance(to.get("address"), dict):
        yield 400, "recipient.address", "The recipient needs an address."
        return
    if not to.get("name"):
        yield 400, "recipient.name", "The name field is required."
    yield from (
        (400, f"recipient.address.{name}", f"The {name} field is required.")
        for name in ADDRESS
        if not to["address"].get(name)
    )
    if not re.fullmatch(r"[A-Z]{2}", str(to["address"].get("country") or "")):
        yield 422, "recipient.address.country", "The country is not a valid ISO Alpha-2 code."
    if to["address"].get("country") == "US" and not re.fullmatch(
        r"\d{5}(-\d{4})?", str(to["address"].get("zip_code") or "")
    ):
        yield 422, "recipient.address.zip_code", "The zip code is not valid for this country."
    if to.get("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+", str(to["email"])):
        yield 400, "recipient.email", "The email field is not a valid e-mail address."


def _products(products: Any, known: Collection[str]) -> Iterator[Complaint]:
    if not isinstance(products, list) or not products:
        yield 422, "products", "An order needs at least one product."
        return
    for number, product in enumerate(products):
        at = f"products[{number}]"
        if not isinstance(product, dict) or ("reference_id" in product) == ("id" in product):
            yield 400, at, "A product is named by either reference_id or id."
        elif not isinstance(product.get("quantity"), int) or product["quantity"] < 1:
            yield 422, f"{at}.quantity", "The quantity must be a whole number above zero."
        elif "id" in product and str(product["id"]) not in known:
            yield 422, f"{at}.id", "There is no product with this id."
        elif "reference_id" in product and not product.get("name") and product["reference_id"] not in known:
            yield 422, f"{at}.name", "There is no product with this reference_id: a name is required to create it."


# ---- lists


def listed(rows: Sequence[Row], asked: Mapping[str, str]) -> list[Row] | tuple[str, str]:
    """Orders that match every filter, in the order asked for; or field and sentence of a filter that cannot be read."""
    kept = list(rows)
    for name, key in (("IDs", lambda o: str(o["id"])), ("ReferenceIds", lambda o: o["reference_id"])):
        if asked.get(name):
            wanted = set(asked[name].split(","))
            kept = [order for order in kept if key(order) in wanted]
    try:
        for name, (first, bound) in RANGES.items():
            if asked.get(name):
                at = _moment(asked[name])
                kept = [order for order in kept if (bound(order) >= at if first else bound(order) <= at)]
    except ValueError:
        return name, "The value is not a valid date."
    if asked.get("HasTracking"):
        kept = [
            order
            for order in kept
            if (asked["HasTracking"].lower() == "true") is any("tracking" in s for s in order["shipments"])
        ]
    return sorted(kept, key=lambda order: int(order["id"]), reverse=asked.get("SortOrder", "Newest") != "Oldest")


def completed(rows: Sequence[Row], asked: Mapping[str, str]) -> list[Row] | tuple[str, str]:
    """Returns in the statuses asked for that were completed in the window, by id; or field and sentence of a filter that cannot be read."""
    wanted = set(filter(None, asked.get("Status", "").split(",")))
    kept = [row for row in rows if not wanted or row["status"] in wanted]
    try:
        for name, inside in (("CompletedStartDate", ge), ("CompletedEndDate", le)):
            if asked.get(name):
                at = _moment(asked[name])
                kept = [row for row in kept if row["completed_date"] and inside(_moment(row["completed_date"]), at)]
    except ValueError:
        return name, "The value is not a valid date."
    return sorted(kept, key=lambda row: int(row["id"]), reverse=asked.get("SortOrder", "Desc") == "Desc")


def _moment(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _touched(order: Row) -> datetime:
    return max(_moment(text) for text in (order["created_date"], *(s["last_update_at"] for s in order["shipments"])))


RANGES: dict[str, tuple[bool, Any]] = {
    "StartDate": (True, lambda order: _moment(order["created_date"])),
    "EndDate": (False, lambda order: _moment(order["created_date"])),
    "LastUpdateStartDate": (True, _touched),
    "LastUpdateEndDate": (False, _touched),
}


def paged(rows: Sequence[Row], asked: Mapping[str, str]) -> tuple[list[Row], bool]:
    """A page (50 rows unless asked, never above 250) and whether there is another."""
    number, size = max(1, int(asked.get("Page", 1))), min(250, max(1, int(asked.get("Limit", 50))))
    start = (number - 1) * size
    return list(rows[start : start + size]), start + size < len(rows)


def asked_for(items: Sequence[Row], asked: Mapping[str, str]) -> list[Row]:
    """Inventory items; SearchBy is a part of name or SKU, or the id."""
    search, ids = asked.get("SearchBy", "").lower(), set(filter(None, asked.get("InventoryIds", "").split(",")))
    hit = [
        i
        for i in items
        if not search or search in (i["sku"] + "\n" + i["name"]).lower() or search == str(i["inventory_id"])
    ]
    return [item for item in hit if not ids or str(item["inventory_id"]) in ids]


def location_row(item: Row) -> Row:
    """An item at each centre."""
    named = {name: item[name] for name in ("inventory_id", "sku", "name")}
    return {**named, "locations": [_at(centre, place) for centre, place in item["locations"].items()]}


def lot_row(item: Row) -> Row:
    """An item by lot and centre; what is promised is of no lot before it is picked."""
    lots = []
    for number, at in item.get("lots", {}).items():
        places = [
            _at(centre, {"on_hand": many, "committed": 0, "awaiting": 0}) for centre, many in at["places"].items()
        ]
        whole = sum(at["places"].values())
        sums = {"on_hand_quantity": whole, "fulfillable_quantity": whole, "committed_quantity": 0}
        more = {"awaiting_quantity": 0, "internal_transfer_quantity": 0, "lot_date": at["date"], "lot_number": number}
        lots.append({**sums, **more, "locations": places})
    return {**{name: item[name] for name in ("inventory_id", "sku", "name")}, "lots": lots}


def _at(centre: str, place: Mapping[str, int]) -> Row:
    return {
        "location_id": int(centre),
        "name": f"centre {centre}",
        "on_hand_quantity": place["on_hand"],
        "committed_quantity": place["committed"],
        "fulfillable_quantity": max(0, place["on_hand"] - place["committed"]),
        "awaiting_quantity": place["awaiting"],
        "internal_transfer_quantity": 0,
    }


def effects(orders: Sequence[Row]) -> Row:
    """What the warehouse did, by our reference: how often it was asked, for what, what left in which parcel, what
    was stopped."""
    found: Row = {}
    for order in orders:
        entry = found.setdefault(
            order["reference_id"], {"count": 0, "ids": [], "lines": {}, "shipments": [], "cancelled": False}
        )
        entry["count"] += 1
        entry["ids"].append(order["id"])
        entry["status"], entry["cancelled"] = order["status"], order["status"] == "Cancelled"
        entry["lines"] = {product["reference_id"]: product["quantity"] for product in order["products"]}
        entry["shipments"] += [_parcel(s) for s in order["shipments"] if s["status"] == "Completed"]
    return {"orders": found}


def _parcel(shipment: Row) -> Row:
    tracking = shipment.get("tracking") or {}
    numbers = [tracking[name] for name in ("tracking_number", "pro_number") if tracking.get(name)]
    return {
        "id": shipment["id"],
        "lines": quantities(shipment),
        "trackings": numbers,
        "delivered": bool(shipment["delivery_date"]),
    }
