"""The simulated warehouse itself: it takes orders, picks, splits, ships, delivers and cancels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.kit.simulator import Memory
from connectors.kit.simulator_agenda import Agenda
from connectors.shipbob.simulator_post import share
from connectors.shipbob.simulator_shelves import CENTRES, PRODUCT, Row, Shelves, now, quantities

OPEN = ("Processing", "OnHold", "Exception")
ORDER_STATUS: tuple[tuple[str, Callable[[set[str]], bool]], ...] = (
    ("Cancelled", lambda said: said == {"Cancelled"}),
    ("Fulfilled", lambda said: said <= {"Completed", "Cancelled"}),
    ("PartiallyFulfilled", lambda said: "Completed" in said),
    ("Exception", lambda said: "Exception" in said or "OnHold" in said),
    ("Processing", lambda said: True),
)
KEPT = ("reference_id", "recipient", "shipping_method", "type", "tags", "purchase_date", "gift_message")
KEPT_OF_PRODUCT = ("external_line_id", "gtin", "upc", "unit_price", "quantity_unit_of_measure_code")
BAD_ADDRESS = {"id": 400, "name": "InvalidAddress", "description": "Invalid address"}


class Warehouse:
    """Orders are kept in `memory` as ShipBob answers them. `tell(topic, reference, document)` sends the webhooks."""

    def __init__(self, memory: Memory, settings: Row, tell: Callable[[str, str, Row], None]) -> None:
        self._memory, self._settings, self._tell = memory, settings, tell
        self.shelves = Shelves(memory, int(settings.get("default_stock", 1000)))
        self._agenda = Agenda("shipbob-warehouse")
        for order in self.orders():
            self._plan(order)

    # ---- orders

    def orders(self) -> list[Row]:
        with self._memory.lock:
            return list(self._memory.table("orders").values())

    def order(self, order_id: int) -> Row | None:
        return self._memory.table("orders").get(str(order_id))

    def by_reference(self, reference: str) -> list[Row]:
        return [order for order in self.orders() if order["reference_id"] == reference]

    def take(self, channel: int, body: Mapping[str, Any]) -> Row:
        """A new order with its first shipment, stock promised; it is picked by itself after `ship_after` seconds."""
        with self._memory.lock:
            order = self._entered(channel, body)
            wanted = [(product, self.shelves.item(product)) for product in body["products"]]
            order["products"] = [_ordered(product, item) for product, item in wanted]
            shipment = self._shipment(order, [_picked(item, int(product["quantity"])) for product, item in wanted])
            order["shipments"] = [shipment]
            self.shelves.allocate(shipment)
            self._keep(order)
        self._plan(order)
        return order

    def _entered(self, channel: int, body: Mapping[str, Any]) -> Row:
        order: Row = {name: body.get(name) for name in KEPT}
        order |= {"id": self._memory.next_id("orders", 300_000_001), "created_date": now()}
        order["channel"] = {"id": channel, "name": self._settings["channels"][str(channel)]}
        order["order_number"] = body.get("order_number") or body["reference_id"]
        order["financials"] = body.get("financials") or {"total_price": None}
        return order

    def _shipment(self, order: Row, products: list[Row]) -> Row:
        to, at, number = order["recipient"], now(), self._memory.next_id("shipments", 700_000_001)
        who = {"name": to["name"], "full_name": to["name"], "address": to["address"]}
        who |= {"email": to.get("email"), "phone_number": to.get("phone_number")}
        return {
            "id": number,
            "order_id": order["id"],
            "reference_id": order["reference_id"],
            "created_date": at,
            "last_update_at": at,
            "status": "Processing",
            "status_details": [],
            "products": products,
            "recipient": who,
            "location": {"id": 11, "name": CENTRES["11"]},
            "ship_option": order["shipping_method"],
            "require_signature": False,
            "is_tracking_uploaded": False,
            "actual_fulfillment_date": None,
            "delivery_date": None,
        }

    def touch(self, order_id: int, at: str = "") -> None:
        """Something about the order changed that nobody sees."""
        with self._memory.lock:
            order = self._memory.table("orders")[str(order_id)]
            for shipment in order["shipments"]:
                shipment["last_update_at"] = at or now()
                shipment["created_date"] = min(shipment["created_date"], shipment["last_update_at"])
            order["created_date"] = min(order["created_date"], at or now())
            self._keep(order)

    def restock(self, sku: str, quantity: int, centre: str, lots: Mapping[str, Row] | None = None) -> Row:
        """Sets what is on hand, and of which lots; orders that waited for it are picked."""
        with self._memory.lock:
            item = self.shelves.put(sku, sku, quantity, centre)
            item = self.shelves.receive(sku, lots, centre) if lots else item
            for order in self.orders():
                waiting = [s for s in order["shipments"] if s["status"] == "Exception"]
                if [s for s in waiting if self.shelves.allocate(s)]:
                    self._keep(order)
                    self._plan(order)
        return item

    # ---- picking

    def _plan(self, order: Row) -> None:
        """What happens to open shipments by itself. A share of the orders goes in two parts (`partial_share`)."""
        for shipment in (s for s in order["shipments"] if s["status"] == "Exception"):
            self._event("order.shipment.exception", order, shipment)
        wait = self._settings.get("ship_after")
        if wait is not None and any(s["status"] == "Processing" for s in order["shipments"]):
            partial = share(order["reference_id"], "partial") < float(self._settings.get("partial_share", 0))
            self._agenda.after(float(wait), lambda: self._pick(order["id"], partial))

    def _pick(self, order_id: int, partial: bool) -> None:
        order = self._memory.table("orders")[str(order_id)]
        ready = next((s for s in order["shipments"] if s["status"] == "Processing"), None)
        if ready is None:
            return
        part = halves(quantities(ready)) if partial else None
        self.ship(order_id, part)
        if part:
            self._agenda.after(float(self._settings["ship_after"]), lambda: self._pick(order_id, False))

    def ship(self, order_id: int, wanted: Mapping[str, int] | None = None) -> list[Row]:
        """Ships what is open of an order: all of it, or only `wanted` by SKU, in a shipment of its own. Tells it.

        Raises ValueError for more than is open.
        """
        with self._memory.lock:
            order = self._memory.table("orders")[str(order_id)]
            going = [s for s in order["shipments"] if s["status"] == "Processing"]
            if wanted:
                going = [self._split(order, going, wanted)]
            for shipment in going:
                self._leave(shipment)
            self._keep(order)
        for shipment in going:
            self._event("order.shipped", order, shipment)
            self._expect(order_id, shipment["id"])
        return going

    def _expect(self, order_id: int, shipment_id: int) -> None:
        if (wait := self._settings.get("deliver_after")) is not None:
            self._agenda.after(float(wait), lambda: self.deliver(order_id, shipment_id))

    def _split(self, order: Row, going: list[Row], wanted: Mapping[str, int]) -> Row:
        """Takes `wanted` out of a shipment into a new one; the shipment itself when that is all of it."""
        have = quantities(going[0]) if going else {}
        if any(quantity > have.get(sku, 0) or quantity < 1 for sku, quantity in wanted.items()):
            raise ValueError(f"open there: {have}")
        shipment = going[0]
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
        tracking = {"carrier": "UPS", "carrier_service": "UPS Ground", "tracking_number": number}
        tracking["tracking_url"] = f"https://track.example/{number}"
        if share(str(shipment["id"]), "freight") < float(self._settings.get("freight_share", 0)):
            tracking |= {"pro_number": f"PRO{shipment['id']}", "scac": "UPSN"}
        self.shelves.promise(shipment, -1, left=True)
        times = {"actual_fulfillment_date": at, "last_update_at": at, "last_tracking_update_at": at}
        shipment |= {"status": "Completed", "tracking": tracking, **times}

    # ---- afterwards

    def deliver(self, order_id: int, shipment_id: int) -> None:
        with self._memory.lock:
            order = self._memory.table("orders")[str(order_id)]
            shipment = next(s for s in order["shipments"] if s["id"] == shipment_id)
            shipment |= {"delivery_date": now(), "last_update_at": now(), "last_tracking_update_at": now()}
            self._keep(order)
        self._event("order.shipment.delivered", order, shipment)

    def hold(self, order_id: int) -> None:
        """Open shipments wait for the merchant."""
        with self._memory.lock:
            order = self._memory.table("orders")[str(order_id)]
            held = [s for s in order["shipments"] if s["status"] == "Processing"]
            for shipment in held:
                shipment |= {"status": "OnHold", "status_details": [BAD_ADDRESS], "last_update_at": now()}
            self._keep(order)
        for shipment in held:
            self._event("order.shipment.on_hold", order, shipment)

    def cancel(self, order_id: int) -> list[Row]:
        """Cancels what is open. One result for each shipment, as ShipBob answers."""
        with self._memory.lock:
            order = self._memory.table("orders")[str(order_id)]
            stopped = [s for s in order["shipments"] if s["status"] in OPEN]
            results = [_result(s) for s in order["shipments"]]
            for shipment in stopped:
                if shipment["status"] != "Exception":
                    self.shelves.promise(shipment, -1)
                shipment |= {"status": "Cancelled", "last_update_at": now()}
            self._keep(order)
        for shipment in stopped:
            self._event("order.shipment.cancelled", order, shipment)
        return results

    def _keep(self, order: Row) -> None:
        said = {shipment["status"] for shipment in order["shipments"]}
        order["status"] = next(status for status, holds in ORDER_STATUS if holds(said))
        self._memory.put("orders", str(order["id"]), order)

    def _event(self, topic: str, order: Row, shipment: Row) -> None:
        """ShipBob does not publish its bodies: a shipment is sent, or the whole order with the setting payload =
        "order"."""
        with self._memory.lock:
            self._tell(topic, order["reference_id"], order if self._settings.get("payload") == "order" else shipment)


def _ordered(product: Mapping[str, Any], item: Row) -> Row:
    kept = {name: product.get(name) for name in KEPT_OF_PRODUCT}
    named = {"id": item["inventory_id"] + PRODUCT, "reference_id": item["sku"], "sku": item["sku"]}
    return {**kept, **named, "quantity": int(product["quantity"])}


def _picked(item: Row, quantity: int) -> Row:
    row = {"id": item["inventory_id"], "name": item["name"], "quantity": quantity, "quantity_committed": 0}
    named = {
        "id": item["inventory_id"] + PRODUCT,
        "reference_id": item["sku"],
        "sku": item["sku"],
        "name": item["name"],
    }
    return {**named, "inventory_items": [{**row, "is_dangerous_goods": False}]}


def _result(shipment: Row) -> Row:
    can = shipment["status"] in OPEN
    reason = None if can else f"Shipment in status {shipment['status']} cannot be cancelled"
    return {"shipment_id": shipment["id"], "action": "Cancel", "is_success": can, "reason": reason}


def halves(whole: Mapping[str, int]) -> dict[str, int] | None:
    """About half of the pieces; None where there is only one."""
    pieces = [sku for sku, quantity in whole.items() for _ in range(quantity)]
    first = pieces[: len(pieces) // 2]
    return {sku: first.count(sku) for sku in dict.fromkeys(first)} or None


def _cut(product: Row, quantity: int) -> tuple[Row | None, Row | None]:
    """A product's rows in two: `quantity` of it, and the rest."""
    item = product["inventory_items"][0]

    def part(count: int) -> Row | None:
        return (
            {**product, "inventory_items": [{**item, "quantity": count, "quantity_committed": count}]}
            if count
            else None
        )

    return part(quantity), part(item["quantity"] - quantity)
