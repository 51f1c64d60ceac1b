"""The simulated site: orders and what becomes of them, its inventory, its catalogue and its price books."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.kit.simulator import Simulator
from connectors.salesforce_commerce.simulator_order import PRICES, document
from connectors.salesforce_commerce.simulator_refusal import Refused

Json = dict[str, Any]
# What an order may become (PUT /orders/{orderNo}/status).
MOVES = {
    "created": ("failed", "failed_with_reopen", "new", "completed", "cancelled"),
    "failed": ("created",),
    "new": ("completed", "cancelled"),
    "completed": ("new", "cancelled"),
    "cancelled": ("new", "completed"),
}
ZERO = Decimal(0)


@dataclass
class Site:
    """What one site of one instance holds. `lists` are its inventory lists, `book` the price book that it sells by."""

    simulator: Simulator
    name: str = "WaybillShop"
    lists: tuple[str, ...] = ("main",)
    book: str = "site-prices"
    quantity: int = 1000
    skew: float = 0.0
    import_seconds: float = 0.0

    @property
    def memory(self) -> Any:
        return self.simulator.memory

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.skew)

    def open(self) -> None:
        """Shelves and catalogue of a new site."""
        for sku, price in PRICES.items():
            if sku not in self.memory.table("products"):
                self.article({"sku": sku, "price": price})

    # ---- orders

    def order(self, number: str) -> Json:
        found: Json | None = self.memory.table("orders").get(number)
        if found is None:
            raise Refused(404, f"No order with number '{number}' was found.", "order-not-found")
        return found

    def orders(self) -> list[Json]:
        with self.memory.lock:
            return list(self.memory.table("orders").values())

    def place(self, spec: Json) -> Json:
        with self.memory.lock:
            number = spec.get("orderNo") or f"{self.memory.next_id('orders', 1):08}"
            at = stamp(self.now())
            made = {**document(spec, number, at, self.name), "kind": spec.get("kind", "plain"), "events": []}
            self.memory.put("orders", number, made)
            self.simulator.created("orders", number)
            if made["status"] != "failed":
                self._on_order(made, 1)
            return made

    def changed(self, order: Json, **told: Any) -> None:
        """An order after a change: its lastModified moves, always forward."""
        moved = max(self.now(), moment(order["lastModified"]) + timedelta(milliseconds=1))
        self.memory.put("orders", order["orderNo"], {**order, **told, "lastModified": stamp(moved)})
        self.simulator.created("orders", order["orderNo"])

    def set_status(self, order: Json, status: str) -> None:
        """The order's own status; cancelling sets its goods free."""
        was = order["status"]
        if status != was and status not in MOVES[was]:
            raise Refused(400, f"An order in status '{was}' can't be changed to '{status}'.", "bad-request")
        if "cancelled" in (status, was) and status != was:
            self._on_order(order, -1 if status == "cancelled" else 1)
        self.changed(order, status={"failed_with_reopen": "failed"}.get(status, status))

    def set_export(self, order: Json, status: str) -> None:
        """exported settles the order's inventory transactions: what was on order is turned over."""
        if status == "exported" and order["exportStatus"] != "exported":
            self._on_order(order, -1, turned=True)
        self.changed(order, exportStatus=status)

    def _on_order(self, order: Json, sign: int, turned: bool = False) -> None:
        for item in order.get("productItems", ()):
            record = self.memory.table("stock").get(f"{item['productId']}@{self.lists[0]}")
            if record is None:
                continue
            pieces = Decimal(item["quantity"])
            changed = {**record, "on_order": str(Decimal(record["on_order"]) + sign * pieces)}
            if turned:
                changed["turnover"] = str(Decimal(record["turnover"]) + pieces)
            self.memory.put("stock", f"{item['productId']}@{self.lists[0]}", changed)

    # ---- goods

    def article(self, row: Json) -> Json:
        """A new article {sku, price, type, lastModified}, with a record in every inventory list."""
        sku = row["sku"]
        at = stamp(self.now())
        made = {
            "kind": "item",
            "lastModified": at,
            "creationDate": at,
            "name": f"Article {sku}",
            "price": "10.00",
            **row,
        }
        self.memory.put("products", sku, made)
        for inventory in self.lists if made["kind"] != "master" else ():
            self.memory.put("stock", f"{sku}@{inventory}", shelf(sku, inventory, str(self.quantity), stamp(self.now())))
        return made

    def record(self, inventory: str, sku: str) -> Json:
        if inventory not in self.lists:
            raise Refused(404, f"No inventory list '{inventory}'.", "InventoryListNotFoundException")
        found: Json | None = self.memory.table("stock").get(f"{sku}@{inventory}")
        if found is None:
            raise Refused(404, f"No record of '{sku}'.", "ProductInventoryRecordNotFoundException")
        return found

    def allocate(self, inventory: str, sku: str, amount: Decimal) -> Json:
        """A new allocation begins its turnover anew; what is on order stays."""
        at = stamp(self.now())
        before = self.memory.table("stock").get(f"{sku}@{inventory}") or shelf(sku, inventory, "0", at)
        changed: Json = {**before, "allocation": str(amount), "turnover": "0", "reset": at, "modified": at}
        self.memory.put("stock", f"{sku}@{inventory}", changed)
        return changed

    def price_of(self, sku: str) -> tuple[str, str] | None:
        """What the site sells it for now: amount and currency, by the price book where it has an entry in force."""
        now = self.now()
        for row in reversed(self.memory.table("prices").get(f"{self.book}/{sku}", [])):
            since, until = row["since"], row["until"]
            if row["quantity"] == "1" and not (since and moment(since) > now) and not (until and moment(until) <= now):
                return row["amount"], row["currency"]
        product = self.memory.table("products").get(sku)
        return (product["price"], "EUR") if product else None

    def import_prices(self, rows: Iterable[Json]) -> None:
        """A merge: tables of the same validity are replaced, others stay."""
        fresh: dict[str, list[Json]] = {}
        for row in rows:
            fresh.setdefault(f"{row['book']}/{row['sku']}", []).append(row)
        for key, found in fresh.items():
            spans = {(one["since"], one["until"]) for one in found}
            kept = [
                one for one in self.memory.table("prices").get(key, []) if (one["since"], one["until"]) not in spans
            ]
            self.memory.put("prices", key, [*kept, *found])

    def wait(self) -> float:
        return time.monotonic() + self.import_seconds


def shelf(sku: str, inventory: str, pieces: str, at: str) -> Json:
    return {
        "sku": sku,
        "inventory": inventory,
        "allocation": pieces,
        "turnover": "0",
        "on_order": "0",
        "reset": at,
        "modified": at,
    }


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
