"""The simulated warehouse itself: it takes orders, allocates stock, picks, splits, ships, delivers and cancels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.kit.simulator import Memory
from connectors.shipbob.simulator_agenda import Agenda
from connectors.shipbob.simulator_post import share

Row = dict[str, Any]
CENTRES = {"11": "Cicero (IL)", "12": "Carson (CA)"}
PRODUCT = 1_000_000  # what a product's id is above its inventory item's
OPEN = ("Processing", "OnHold", "Exception")
ORDER_STATUS: tuple[tuple[str, Callable[[set[str]], bool]], ...] = (
    ("Cancelled", lambda said: said == {"Cancelled"}),
    ("Fulfilled", lambda said: said <= {"Completed", "Cancelled"}),
    ("PartiallyFulfilled", lambda said: "Completed" in said),
    ("Exception", lambda said: "Exception" in said or "OnHold" in said),
    ("Processing", lambda said: True),
)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Warehouse:
    """Everything is kept in `memory` as ShipBob would answer it. `tell(topic, reference, document)` sends the webhooks."""

    def __init__(self, memory: Memory, settings: Row, tell: Callable[[str, str, Row], None]) -> None:
        self.memory, self._settings, self._tell = memory, settings, tell
        self._agenda = Agenda("shipbob-warehouse")
        for order in self.orders():
            self._plan(order)

    # ---- orders

    def orders(self) -> list[Row]:
        with self.memory.lock:
            return list(self.memory.table("orders").values())

    def order(self, order_id: int) -> Row | None:
        return self.memory.table("orders").get(str(order_id))

    def by_reference(self, reference: str) -> list[Row]:
        return [order for order in self.orders() if order["reference_id"] == reference]

    def known(self) -> set[str]:
        """Reference ids and ids of all products."""
        items = self.memory.table("inventory").values()
        return {item["sku"] for item in items} | {str(item["inventory_id"] + PRODUCT) for item in items}

    def take(self, channel: int, body: Mapping[str, Any]) -> Row:
        """A new order with its first shipment, stock allocated; it is picked by itself after `ship_after` seconds."""
        with self.memory.lock:
            number, at = self.memory.next_id("orders", 300_000_001), now()
            order: Row = {
                name: body.get(name)
                for name in (
                    "reference_id",
                    "recipient",
                    "shipping_method",
                    "type",
                    "tags",
                    "purchase_date",
                    "gift_message",
                )
            }
            order |= {
                "id": number,
                "created_date": at,
                "channel": {"id": channel, "name": self._settings["channels"][str(channel)]},
            }
            order |= {
                "order_number": body.get("order_number") or body["reference_id"],
                "financials": body.get("financials") or {"total_price": None},
            }
            items = [self._item(product) for product in body["products"]]
            order["products"] = [
                self._ordered(product, item) for product, item in zip(body["products"], items, strict=True)
            ]
            order["shipments"] = [
                self._shipment(
                    order,
                    [self._picked(item, int(p["quantity"])) for p, item in zip(body["products"], items, strict=True)],
                )
            ]
            self._allocate(order["shipments"][0])
            self._keep(order)
        self._plan(order)
        return order

    def _item(self, product: Mapping[str, Any]) -> Row:
        """The product's inventory; one that ShipBob does not know is made from its name, as Create Order does."""
        for item in self.memory.table("inventory").values():
            if item["sku"] == product.get("reference_id") or item["inventory_id"] + PRODUCT == product.get("id"):
                return dict(item)
        return self.stocked(
            product["reference_id"], str(product["name"]), int(self._settings.get("default_stock", 1000))
        )

    def stocked(self, sku: str, name: str, quantity: int, centre: str = "11") -> Row:
        """Sets what is on hand of a SKU at a centre; orders that waited for it are picked again."""
        with self.memory.lock:
            found: Row | None = next((i for i in self.memory.table("inventory").values() if i["sku"] == sku), None)
            number: int = found["inventory_id"] if found else self.memory.next_id("inventory", 8_000_001)
            empty: Row = {c: {"on_hand": 0, "committed": 0, "awaiting": 0} for c in CENTRES}
            places = dict(found["locations"]) if found else empty
            places[centre] = {**places[centre], "on_hand": quantity}
            item = {"inventory_id": number, "sku": sku, "name": name or sku, "locations": places}
            self.memory.put("inventory", str(number), item)
        for order in self.orders():
            self._retry(order)
        return item

    def _retry(self, order: Row) -> None:
        """Shipments in exception whose stock has come are processed."""
        with self.memory.lock:
            waiting = [s for s in order["shipments"] if s["status"] == "Exception"]
            freed = [s for s in waiting if self._allocate(s)]
            if freed:
                self._keep(order)
        if freed:
            self._plan(order)

    @staticmethod
    def _ordered(product: Mapping[str, Any], item: Row) -> Row:
        kept = {
            name: product.get(name)
            for name in ("external_line_id", "gtin", "upc", "unit_price", "quantity_unit_of_measure_code")
        }
        return {
            **kept,
            "id": item["inventory_id"] + PRODUCT,
            "reference_id": item["sku"],
            "sku": item["sku"],
            "quantity": int(product["quantity"]),
        }

    @staticmethod
    def _picked(item: Row, quantity: int) -> Row:
        inventory = {
            "id": item["inventory_id"],
            "name": item["name"],
            "quantity": quantity,
            "quantity_committed": 0,
            "is_dangerous_goods": False,
        }
        return {
            "id": item["inventory_id"] + PRODUCT,
            "reference_id": item["sku"],
            "sku": item["sku"],
            "name": item["name"],
            "inventory_items": [inventory],
        }

    def _shipment(self, order: Row, products: list[Row]) -> Row:
        to, at = order["recipient"], now()
        who = {
            "name": to["name"],
            "full_name": to["name"],
            "email": to.get("email"),
            "phone_number": to.get("phone_number"),
            "address": to["address"],
        }
        return {
            "id": self.memory.next_id("shipments", 700_000_001), "order_id": order["id"], "reference_id": order["reference_id"],
            "created_date": at, "last_update_at": at, "status": "Processing", "status_details": [], "products": products, "recipient": who,
            "location": {"id": int("11"), "name": CENTRES["11"]}, "ship_option": order["shipping_method"], "require_signature": False,
            "is_tracking_uploaded": False, "actual_fulfillment_date": None, "delivery_date": None,
        }  # fmt: skip

    # ---- stock

    def _allocate(self, shipment: Row) -> bool:
        """Commits stock at the first centre that has all of it; else the shipment is an exception. Whether it could."""
        wanted = quantities(shipment)
        for centre, name in CENTRES.items():
            if all(self._free(sku, centre) >= quantity for sku, quantity in wanted.items()):
                shipment |= {
                    "location": {"id": int(centre), "name": name},
                    "status": "Processing",
                    "status_details": [],
                    "last_update_at": now(),
                }
                self._commit(shipment, 1)
                return True
        shipment |= {
            "status": "Exception",
            "status_details": [{"id": 300, "name": "OutOfStock", "description": "Out of stock"}],
            "last_update_at": now(),
        }
        return False

    def _free(self, sku: str, centre: str) -> int:
        item = next(i for i in self.memory.table("inventory").values() if i["sku"] == sku)
        return int(item["locations"][centre]["on_hand"] - item["locations"][centre]["committed"])

    def _commit(self, shipment: Row, sign: int, shipped: bool = False) -> None:
        """Moves committed stock (and, when shipped, what is on hand) by the shipment's quantities."""
        for sku, quantity in quantities(shipment).items():
            item = next(i for i in self.memory.table("inventory").values() if i["sku"] == sku)
            place = dict(item["locations"][str(shipment["location"]["id"])])
            place["committed"] += sign * quantity
            place["on_hand"] -= quantity if shipped else 0
            item = {**item, "locations": {**item["locations"], str(shipment["location"]["id"]): place}}
            self.memory.put("inventory", str(item["inventory_id"]), item)
        for product in shipment["products"]:
            for row in product["inventory_items"]:
                row["quantity_committed"] = row["quantity"] if sign > 0 or shipped else 0

    # ---- picking

    def _plan(self, order: Row) -> None:
        """What happens to open shipments by itself. A share of the orders goes in two parts (`partial_share`)."""
        if any(s["status"] == "Exception" for s in order["shipments"]):
            self._event(
                "order.shipment.exception", order, next(s for s in order["shipments"] if s["status"] == "Exception")
            )
        wait = self._settings.get("ship_after")
        if wait is None or not any(s["status"] == "Processing" for s in order["shipments"]):
            return
        partial = share(order["reference_id"], "partial") < float(self._settings.get("partial_share", 0))
        self._agenda.after(float(wait), lambda: self._pick(order["id"], partial))

    def _pick(self, order_id: int, partial: bool) -> None:
        order = self.order(order_id)
        if order is None or not any(s["status"] == "Processing" for s in order["shipments"]):
            return
        parts = (
            halves(quantities(next(s for s in order["shipments"] if s["status"] == "Processing"))) if partial else None
        )
        self.ship(order_id, parts)
        if parts:
            self._agenda.after(float(self._settings["ship_after"]), lambda: self._pick(order_id, False))

    def ship(self, order_id: int, wanted: Mapping[str, int] | None = None) -> list[Row]:
        """Ships what is open of an order (all of it, or only `wanted` by SKU, in a shipment of its own). Tells it."""
        with self.memory.lock:
            order = self.memory.table("orders")[str(order_id)]
            going = [s for s in order["shipments"] if s["status"] == "Processing"]
            if wanted and going:
                going = [self._split(order, going[0], wanted)]
            for shipment in going:
                self._leave(shipment)
            self._keep(order)
        for shipment in going:
            self._event("order.shipped", order, shipment)
            if (wait := self._settings.get("deliver_after")) is not None:
                self._agenda.after(float(wait), lambda gone=shipment: self.deliver(order_id, gone["id"]))  # type: ignore[misc]
        return going

    def _split(self, order: Row, shipment: Row, wanted: Mapping[str, int]) -> Row:
        """Takes `wanted` out of a shipment into a new one; the shipment itself when that is all of it."""
        have = quantities(shipment)
        if any(quantity > have.get(sku, 0) or quantity < 1 for sku, quantity in wanted.items()):
            raise ValueError(f"open there: {have}")
        if dict(wanted) == have:
            return shipment
        parts = [_cut(product, wanted.get(product["reference_id"], 0)) for product in shipment["products"]]
        shipment["products"] = [rest for _, rest in parts if rest]
        new = self._shipment(order, [taken for taken, _ in parts if taken])
        new["location"] = shipment["location"]
        order["shipments"].append(new)
        return new

    def _leave(self, shipment: Row) -> None:
        at, number = now(), f"1ZWB{shipment['id']:012d}"
        tracking = {
            "carrier": "UPS",
            "carrier_service": "UPS Ground",
            "tracking_number": number,
            "tracking_url": f"https://track.example/{number}",
        }
        if share(str(shipment["id"]), "freight") < float(self._settings.get("freight_share", 0)):
            tracking |= {"pro_number": f"PRO{shipment['id']}", "scac": "UPSN"}
        self._commit(shipment, -1, shipped=True)
        shipment |= {
            "status": "Completed",
            "tracking": tracking,
            "actual_fulfillment_date": at,
            "last_update_at": at,
            "last_tracking_update_at": at,
        }

    def deliver(self, order_id: int, shipment_id: int) -> None:
        with self.memory.lock:
            order = self.memory.table("orders")[str(order_id)]
            shipment = next(s for s in order["shipments"] if s["id"] == shipment_id)
            shipment |= {"delivery_date": now(), "last_update_at": now(), "last_tracking_update_at": now()}
            self._keep(order)
        self._event("order.shipment.delivered", order, shipment)

    def hold(self, order_id: int) -> None:
        """The merchant must look: open shipments wait."""
        with self.memory.lock:
            order = self.memory.table("orders")[str(order_id)]
            held = [s for s in order["shipments"] if s["status"] == "Processing"]
            for shipment in held:
                shipment |= {
                    "status": "OnHold",
                    "status_details": [{"id": 400, "name": "InvalidAddress", "description": "Address"}],
                    "last_update_at": now(),
                }
            self._keep(order)
        for shipment in held:
            self._event("order.shipment.on_hold", order, shipment)

    def cancel(self, order_id: int) -> list[Row]:
        """Cancels what is open. One result for each shipment, as ShipBob answers."""
        results, stopped = [], []
        with self.memory.lock:
            order = self.memory.table("orders")[str(order_id)]
            for shipment in order["shipments"]:
                can = shipment["status"] in OPEN
                if can:
                    if shipment["status"] != "Exception":
                        self._commit(shipment, -1)
                    shipment |= {"status": "Cancelled", "last_update_at": now()}
                    stopped.append(shipment)
                reason = None if can else f"Shipment in status {shipment['status']} cannot be cancelled"
                results.append({"shipment_id": shipment["id"], "action": "Cancel", "is_success": can, "reason": reason})
            self._keep(order)
        for shipment in stopped:
            self._event("order.shipment.cancelled", order, shipment)
        return results

    def _keep(self, order: Row) -> None:
        said = {shipment["status"] for shipment in order["shipments"]}
        order["status"] = next(status for status, holds in ORDER_STATUS if holds(said))
        self.memory.put("orders", str(order["id"]), order)

    def _event(self, topic: str, order: Row, shipment: Row) -> None:
        """ShipBob does not publish its bodies: a shipment is sent, or the whole order with the setting payload = "order"."""
        document = order if self._settings.get("payload") == "order" else shipment
        with self.memory.lock:
            self._tell(topic, order["reference_id"], document)


def quantities(shipment: Mapping[str, Any]) -> dict[str, int]:
    """How many of each SKU a shipment holds."""
    return {p["reference_id"]: sum(item["quantity"] for item in p["inventory_items"]) for p in shipment["products"]}


def halves(whole: Mapping[str, int]) -> dict[str, int] | None:
    """About half of the pieces; None where there is only one."""
    pieces = [sku for sku, quantity in whole.items() for _ in range(quantity)]
    first = pieces[: len(pieces) // 2]
    return {sku: first.count(sku) for sku in dict.fromkeys(first)} or None


def _cut(product: Row, quantity: int) -> tuple[Row | None, Row | None]:
    """A product's rows in two: `quantity` of it, and the rest."""
    item = product["inventory_items"][0]
    rest = item["quantity"] - quantity

    def part(count: int) -> Row | None:
        return (
            {**product, "inventory_items": [{**item, "quantity": count, "quantity_committed": count}]}
            if count
            else None
        )

    return part(quantity), part(rest)
