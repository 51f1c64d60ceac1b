"""What lies in the simulated fulfilment centres: products, pieces on hand, pieces promised to shipments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.kit.simulator import Memory

Row = dict[str, Any]
CENTRES = {"11": "Cicero (IL)", "12": "Carson (CA)"}
PRODUCT = 1_000_000  # what a product's id is above its inventory item's
OUT_OF_STOCK = {"id": 300, "name": "OutOfStock", "description": "Out of stock"}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def quantities(shipment: Mapping[str, Any]) -> dict[str, int]:
    """How many of each SKU a shipment holds."""
    return {p["reference_id"]: sum(item["quantity"] for item in p["inventory_items"]) for p in shipment["products"]}


class Shelves:
    """Inventory items by their number, each with its pieces at every centre."""

    def __init__(self, memory: Memory, default: int) -> None:
        self._memory, self._default = memory, default

    def items(self) -> list[Row]:
        return list(self._memory.table("inventory").values())

    def known(self) -> set[str]:
        """Reference ids and ids of all products."""
        return {item["sku"] for item in self.items()} | {str(item["inventory_id"] + PRODUCT) for item in self.items()}

    def open(self, stock: Mapping[str, Any]) -> None:
        """The first stock; what is there already stays as it is."""
        there = {item["sku"] for item in self.items()}
        for sku, pieces in stock.items():
            if sku not in there:
                self.put(sku, sku, int(pieces))

    def item(self, product: Mapping[str, Any]) -> Row:
        """A product's inventory item; one that ShipBob does not know is made from its name, as Create Order does."""
        for item in self.items():
            if item["sku"] == product.get("reference_id") or item["inventory_id"] + PRODUCT == product.get("id"):
                return item
        return self.put(product["reference_id"], str(product["name"]), self._default)

    def put(self, sku: str, name: str, quantity: int, centre: str = "11") -> Row:
        """Sets what is on hand of a SKU at a centre."""
        found = next((item for item in self.items() if item["sku"] == sku), None)
        empty = {c: {"on_hand": 0, "committed": 0, "awaiting": 0} for c in CENTRES}
        item = found or {"inventory_id": self._memory.next_id("inventory", 8_000_001), "sku": sku, "name": name}
        places = item.get("locations", empty)
        changed = {**item, "locations": {**places, centre: {**places[centre], "on_hand": quantity}}}
        return dict(self._memory.put("inventory", str(item["inventory_id"]), changed))

    def allocate(self, shipment: Row) -> bool:
        """Promises the stock of the first centre that has all of it; else the shipment is an exception. Whether it
        could."""
        wanted = quantities(shipment)
        for centre, name in CENTRES.items():
            if all(self._free(sku, centre) >= quantity for sku, quantity in wanted.items()):
                where = {"location": {"id": int(centre), "name": name}}
                shipment |= {**where, "status": "Processing", "status_details": [], "last_update_at": now()}
                self.promise(shipment, 1)
                return True
        shipment |= {"status": "Exception", "status_details": [OUT_OF_STOCK], "last_update_at": now()}
        return False

    def _free(self, sku: str, centre: str) -> int:
        place = self._of(sku)["locations"][centre]
        return int(place["on_hand"] - place["committed"])

    def _of(self, sku: str) -> Row:
        return next(item for item in self.items() if item["sku"] == sku)

    def promise(self, shipment: Row, sign: int, left: bool = False) -> None:
        """Promises a shipment's pieces (1) or takes the promise back (-1); `left`: they are off the shelf too."""
        centre = str(shipment["location"]["id"])
        for sku, quantity in quantities(shipment).items():
            item = self._of(sku)
            place = dict(item["locations"][centre])
            place["committed"] += sign * quantity
            place["on_hand"] -= quantity if left else 0
            changed = {**item, "locations": {**item["locations"], centre: place}}
            self._memory.put("inventory", str(item["inventory_id"]), changed)
        for product in shipment["products"] if left else ():
            product["inventory_items"] = [
                row for one in product["inventory_items"] for row in self._by_lot(one, centre)
            ]
        for row in (row for product in shipment["products"] for row in product["inventory_items"]):
            row["quantity_committed"] = row["quantity"] if sign > 0 or left else 0

    def receive(self, sku: str, lots: Mapping[str, Mapping[str, Any]], centre: str) -> Row:
        """The pieces on hand are of these lots: {number: {"pieces", "date" (of expiry)}}."""
        item = self._of(sku)
        told = {name: {"date": lot.get("date"), "places": {centre: int(lot["pieces"])}} for name, lot in lots.items()}
        return dict(self._memory.put("inventory", str(item["inventory_id"]), {**item, "lots": told}))

    def _by_lot(self, row: Row, centre: str) -> list[Row]:
        """A picked row, as one for each lot that it is taken from; what is kept without lots stays as it is."""
        item = next(one for one in self.items() if one["inventory_id"] == row["id"])
        lots, left, rows = {**item.get("lots", {})}, int(row["quantity"]), []
        for name in sorted(lots, key=lambda one: (str(lots[one]["date"]), one)):
            there = int(lots[name]["places"].get(centre, 0))
            taken = min(there, left)
            if taken:
                lots[name] = {**lots[name], "places": {**lots[name]["places"], centre: there - taken}}
                rows.append({**row, "quantity": taken, "lot": name, "expiration_date": lots[name]["date"]})
                left -= taken
        if rows:
            self._memory.put("inventory", str(item["inventory_id"]), {**item, "lots": lots})
        return [*rows, {**row, "quantity": left}] if left else rows
