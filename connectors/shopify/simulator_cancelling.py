"""Orders cancelled in the simulated shop by an app's word: by a job, which somebody comes to a moment later."""

from __future__ import annotations

import time
from typing import Any

from connectors.shopify.simulator_changes import Refused
from connectors.shopify.simulator_shop import Shop

Json = dict[str, Any]
TAKES = 0.3  # seconds until a job is run: by then the shop looks at it whenever it is asked for an order or a job


class Cancellations:
    """`ask` takes orderCancel's arguments; `job` answers one by its id."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def ask(self, given: Json) -> Json:
        self.run()
        try:
            self._cancellable(given["orderId"])
        except Refused as refused:
            wrong = {"field": refused.field, "message": refused.message, "code": refused.code}
            return {"job": None, "orderCancelUserErrors": [wrong]}
        number = f"gid://shopify/Job/{self.shop.ids('job'):032x}"
        job = {"__typename": "Job", "id": number, "done": False, "asked": given, "due": time.time() + TAKES}
        self.shop.memory.put("jobs", number, job)
        return {"job": job, "orderCancelUserErrors": []}

    def job(self, given: Json) -> Json | None:
        self.run()
        found: Json | None = self.shop.memory.table("jobs").get(given["id"])
        return found

    def run(self) -> None:
        """Each job whose time has come, once; what cannot be cancelled any more is left as it is."""
        with self.shop.memory.lock:
            late = [
                one for one in self.shop.memory.table("jobs").values() if not one["done"] and one["due"] <= time.time()
            ]
            for job in late:
                self.shop.memory.put("jobs", job["id"], {**job, "done": True})
        for job in late:
            try:
                self._cancel(job["asked"])
            except Refused:
                continue

    def _cancellable(self, name: str) -> Json:
        order = self.shop.find(name)
        if order["cancelled_at"]:
            raise Refused("Order has already been cancelled", "orderId")
        if any(one["status"] == "success" for one in order["fulfillments"]):
            raise Refused("Cannot cancel an order that has fulfillments", "orderId")
        if any(one["status"] in ("REQUESTED", "OPEN") for one in order["_returns"]):
            raise Refused("Cannot cancel an order that has returns in progress", "orderId")
        return order

    def _cancel(self, asked: Json) -> None:
        order = self._cancellable(asked["orderId"])
        order["_called_off"] = asked.get("staffNote") or "by an app"
        back = bool((asked.get("refundMethod") or {}).get("originalPaymentMethodsRefund"))
        lines = [(line, line["fulfillable_quantity"]) for line in order["line_items"]]
        self.shop.change(order, "cancel", {"reason": asked["reason"].lower(), "refund": back})
        if asked["restock"]:
            self.shop.restock(lines)
