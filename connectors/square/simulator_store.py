"""What the simulated seller holds: orders with their versions, payments, refunds and returns, articles and counts."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.kit.simulator import Memory, Simulator
from connectors.kit.simulator_agenda import Agenda
from connectors.square.simulator_changes import CLOSED, changed_by
from connectors.square.simulator_drafts import Draft
from connectors.square.simulator_payments import back, paid
from connectors.square.simulator_refused import Refused
from connectors.square.simulator_returns import of_money, returned
from connectors.square.simulator_sums import even, money

Json = dict[str, Any]
ARTICLES = (("WB-TEE", 1990), ("WB-MUG", 850), ("WB-CAP", 1450), ("WB-BAG", 2400), ("WB-TEA", 3990))


class Store:
    """One seller. `tell(topic, kind, id, object)` sends an event."""

    def __init__(
        self, simulator: Simulator, tell: Callable[[str, str, str, Json], None], locations: Sequence[str], quantity: int
    ) -> None:
        self.simulator, self.tell, self.locations = simulator, tell, tuple(locations)
        self.memory: Memory = simulator.memory
        self.quantity = quantity
        self.refunds_take: float | None = None  # seconds until a refund is completed; None: until somebody says so
        self._agenda = Agenda("square-refunds")
        self.refund_orders = False  # whether RefundPayment makes an order of its own, which is not published
        self._last = datetime(2020, 1, 1, tzinfo=UTC)
        self._clock = threading.Lock()

    def open(self) -> None:
        """Fills empty shelves."""
        if self.memory.table("articles"):
            return
        for sku, price in ARTICLES:
            self.add_article(sku, price)

    # ---- time and names

    def now(self) -> str:
        """Square's clock in milliseconds; no two changes at one instant."""
        with self._clock:
            self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
            return written(self._last)

    def name(self, table: str) -> str:
        """An id as Square makes them, the same for the same sequence."""
        number = self.memory.next_id(table)
        return f"{table[:2].upper()}{hashlib.sha256(f'{table}{number}'.encode()).hexdigest()[:18].upper()}"

    # ---- articles

    def add_article(self, sku: str, price: int, currency: str = "EUR") -> Json:
        name = self.name("variation")
        data = {
            "item_id": f"I{name}",
            "name": sku.removeprefix("WB-").title(),
            "sku": sku,
            "pricing_type": "FIXED_PRICING",
            "price_money": money(price, currency),
            "track_inventory": True,
            "sellable": True,
            "stockable": True,
        }
        at = self.now()
        row = {
            "type": "ITEM_VARIATION",
            "id": name,
            "updated_at": at,
            "created_at": at,
            "version": self.memory.next_id("versions", 1700000000000),
        }
        made: Json = {**row, "is_deleted": False, "present_at_all_locations": True, "item_variation_data": data}
        self.memory.put("articles", name, made)
        for place in self.locations:
            self._counted(name, place, str(self.quantity))
        return made

    def article(self, sku: str) -> Json | None:
        rows = self.memory.table("articles").values()
        return next((one for one in rows if one["item_variation_data"]["sku"] == sku and not one["is_deleted"]), None)

    def set_count(self, article: str, place: str, quantity: str) -> Json:
        made = self._counted(article, place, quantity)
        self.tell("inventory.count.updated", "inventory_counts", article, {"inventory_counts": [made]})
        return made

    def _counted(self, article: str, place: str, quantity: str) -> Json:
        row = {
            "catalog_object_id": article,
            "catalog_object_type": "ITEM_VARIATION",
            "state": "IN_STOCK",
            "location_id": place,
            "quantity": quantity,
            "calculated_at": self.now(),
        }
        made: Json = self.memory.put("counts", f"{article}@{place}", row)
        return made

    # ---- orders

    def orders(self) -> list[Json]:
        return list(self.memory.table("orders").values())

    def find(self, order_id: str) -> Json:
        found = self.memory.table("orders").get(order_id)
        if found is None:
            raise Refused(404, "NOT_FOUND", f"Order not found for id {order_id}", "order_id")
        return dict(found)

    def place(self, spec: Json) -> Json:
        """A sale, with its payments. What came through the API bears a version; what was rung up does not."""
        with self.memory.lock:
            at = str(spec.get("created_at") or self.now())
            draft = Draft(spec, self.name("order"), str(spec.get("location", self.locations[0])), at, self.article)
            order = draft.order()
            order["created_at"], order["updated_at"] = at, str(spec.get("updated_at") or at)
            order["state"] = spec.get("state") or (
                "OPEN" if order.get("fulfillments") or spec.get("payment") == "none" else "COMPLETED"
            )
            if order.get("fulfillments") or spec.get("version"):
                order["version"] = 1
            for payment, tender in paid(self, order, spec):
                self.memory.put("payments", payment["id"], payment)
                order.setdefault("tenders", []).append(tender)
            due = 0 if order.get("tenders") else order["total_money"]["amount"]
            order["net_amount_due_money"] = money(due, draft.currency)
            if order["state"] in CLOSED:
                order["closed_at"] = order["updated_at"]
            return self._kept(order, "order.created", bool(spec.get("silent")))

    def _kept(self, order: Json, topic: str, silent: bool = False) -> Json:
        self.memory.put("orders", order["id"], order)
        self.simulator.created("orders", order["id"])
        if not silent:
            name = topic.replace(".", "_")
            told = {
                "order_id": order["id"],
                "location_id": order["location_id"],
                "state": order["state"],
                "created_at": order["created_at"],
            }
            told.update({key: order[key] for key in ("version",) if key in order})
            more = {} if topic == "order.created" else {"updated_at": order["updated_at"]}
            self.tell(topic, name, order["id"], {name: {**told, **more}})
        return order

    def touch(self, order: Json, topic: str = "order.updated") -> Json:
        """A change: another version, a later time."""
        changed = {**order, "updated_at": self.now()}
        if "version" in order:
            changed["version"] = order["version"] + 1
        if changed["state"] in CLOSED:
            changed.setdefault("closed_at", changed["updated_at"])
        return self._kept(changed, topic)

    def update(self, order_id: str, wanted: Json) -> Json:
        """UpdateOrder."""
        changed = changed_by(self.find(order_id), wanted, self.now())
        return self.touch(changed, "order.fulfillment.updated" if wanted.get("fulfillments") else "order.updated")

    # ---- money back

    def refund(self, wanted: Json) -> Json:
        """RefundPayment: never more than is left; it begins as PENDING."""
        payment = self.memory.table("payments").get(wanted.get("payment_id", ""))
        if payment is None:
            raise Refused(404, "NOT_FOUND", "Payment not found", "payment_id")
        minor = int(wanted["amount_money"]["amount"])
        self.settle_in(self.refunds_take)
        if self.refund_orders:
            order = of_money(self, payment, minor)
            made = back(self, payment, minor, wanted.get("reason", ""), order["id"])
            self._kept(order, "order.created")
            return made
        return back(self, payment, minor, wanted.get("reason", ""), payment["order_id"])

    def settle_in(self, seconds: float | None) -> None:
        """What waits by then is completed; None: only once somebody says so."""
        if seconds is not None:
            self._agenda.after(seconds, lambda: self.settle_refunds("COMPLETED"))

    def settle_refunds(self, state: str) -> int:
        """What waits is completed, or fails."""
        waiting = [one for one in list(self.memory.table("refunds").values()) if one["status"] == "PENDING"]
        for one in waiting:
            moved: Json = self.memory.put("refunds", one["id"], {**one, "status": state, "updated_at": self.now()})
            self.tell("refund.updated", "refund", one["id"], {"refund": moved})
        return len(waiting)

    def take_back(self, source: Json | None, wanted: Mapping[str, Any]) -> Json:
        """Goods come back at a till: an order of its own, whose `returns` names the sale (or none: an unlinked return)."""
        with self.memory.lock:
            return self._kept(returned(self, source, wanted), "order.created", bool(wanted.get("silent")))


def written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def share(minor: int, quantity: Decimal, whole: Decimal) -> int:
    return even(Decimal(minor) * quantity / whole)
