"""The simulated Acme's shop: customers order and send back, stock and articles change; all is told and listed."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from connectors.acme import simulator_goods as goods
from connectors.acme.simulator_checks import CONDITIONS
from connectors.acme.simulator_door import Door, document
from connectors.acme.simulator_hooks import Hooks
from connectors.acme.simulator_refusal import Refusal
from connectors.acme.simulator_till import Till


class Shop:
    """Orders, stock levels and products as documents, each with its updated_at."""

    def __init__(self, door: Door, hooks: Hooks, settings: Mapping[str, Any]) -> None:
        self._simulator, self._memory, self._hooks = door.simulator, door.simulator.memory, hooks
        self._skew = timedelta(seconds=float(settings.get("skew_seconds", 0)))
        self._withdrawn = frozenset(settings.get("withdrawn", ("WB-GONE",)))
        self._stock_shelves()
        door.on("/v1/<any(orders, products, stock, parcels, goods_back):listing>", "{listing}.list", "GET", self._list)
        door.on("/v1/prices", "prices.list", "GET", self._prices)
        door.on("/v1/orders/<name>", "orders.get", "GET", self._order)
        door.on("/v1/orders/<name>/acknowledgement", "orders.acknowledge", "PUT", self._acknowledge, write=True)
        door.on("/v1/orders/<name>/cancellation", "orders.cancel", "POST", self._revoke, write=True)
        Till(door, self._there, self._changed, self._given_back, self._now)
        door.on("/v1/prices", "prices.set", "POST", self._set_prices, write=True)
        door.on("/v1/stock", "stock.set", "POST", self._set_stock, write=True)
        door.control("/_sim/orders", self._place, "POST")
        door.control("/_sim/orders/<name>", self._change, "POST")
        door.control("/_sim/orders/<name>/cancellation", self._cancel, "POST")
        door.control("/_sim/orders/<name>/refunds", self._refund, "POST")
        door.control("/_sim/stock", self._count, "POST")
        door.control("/_sim/products", self._list_product, "POST")
        door.control("/_sim/parcels", self._list_parcel, "POST")
        door.control("/_sim/goods_back", self._goods_back, "POST")

    # ---- what Acme answers

    def _list(self, listing: str) -> Any:
        """Rows by (updated_at, id) after the cursor, both ends of the window included."""
        asked = request.args
        since, until = asked.get("updated_from", ""), asked.get("updated_to", "9999")
        skus = [sku for sku in asked.get("skus", "").split(",") if sku]
        after, size = _cursor(asked.get("after")), min(100, int(asked.get("limit", 50)))
        with self._memory.lock:
            rows = sorted(self._memory.table(listing).values(), key=_place)
            fits = [r for r in rows if since <= r["updated_at"] <= until and (not skus or r["sku"] in skus)]
            left = [row for row in fits if after is None or _place(row) > after]
            page = left[:size]
            more = len(left) > size
            if more and self._simulator.passive("page_shift"):
                self._memory.put(listing, page[0]["id"], {**page[0], "updated_at": self._now()})
        return {"rows": page, "next": _sealed(_place(page[-1])) if more else None}

    def _order(self, name: str) -> Any:
        return self._there(name)

    def _prices(self) -> Any:
        skus = request.args.get("skus", "").split(",")
        named = [row["sku"] for row in self._memory.table("products").values() if row["sku"] in skus]
        rows = [{**goods.price(sku), **self._memory.table("priced").get(sku, {})} for sku in named]
        return {"rows": rows}

    def _acknowledge(self, name: str) -> Any:
        """Putting the same number twice changes nothing and tells nothing."""
        number = document().get("number")
        if not isinstance(number, str) or not number:
            raise Refusal(422, "required", "number is required.", "number")
        order = self._there(name)
        if order["acknowledged_as"] != number:
            order = self._changed({**order, "acknowledged_as": number})
        return order

    def _revoke(self, name: str) -> Any:
        """Revoking twice is one state; what has left is not revoked."""
        order = self._there(name)
        if order["shipments"]:
            raise Refusal(409, "already_shipped", "It has left the house: it cannot be cancelled.")
        return order if order["cancelled_at"] else self._cancel(name)

    def _set_prices(self) -> Any:
        """207: each price is taken or refused by itself."""
        prices = document().get("prices")
        if not isinstance(prices, list) or not 1 <= len(prices) <= 250:
            raise Refusal(422, "prices", "prices must be a list of 1 to 250 rows.", "prices")
        return {"results": [self._tagged(price) for price in prices]}, 207

    def _tagged(self, price: Mapping[str, Any]) -> Mapping[str, str]:
        if not self._sold(str(price.get("sku", ""))):
            return {"status": "refused", "code": "unknown_sku", "message": f"There is no article {price.get('sku')}."}
        kept = {name: price[name] for name in ("currency", "amount", "compare_at") if price.get(name)}
        self._memory.put("priced", price["sku"], kept)
        return {"status": "ok"}

    def _set_stock(self) -> Any:
        """207: each level is taken or refused by itself."""
        levels = document().get("levels")
        if not isinstance(levels, list) or not 1 <= len(levels) <= 250:
            raise Refusal(422, "levels", "levels must be a list of 1 to 250 rows.", "levels")
        return {"results": [self._set(level) for level in levels]}, 207

    def _set(self, level: Mapping[str, Any]) -> Mapping[str, str]:
        sku, location = str(level.get("sku", "")), str(level.get("location", ""))
        if not self._sold(sku):
            return {"status": "refused", "code": "unknown_sku", "message": f"There is no article {sku}."}
        self._memory.put("published", f"{sku}@{location}", level["available"])
        self.set_level(sku, location, str(level["available"]))
        return {"status": "ok"}

    def _sold(self, sku: str) -> bool:
        known = any(row["sku"] == sku for row in self._memory.table("products").values())
        return known and sku not in self._withdrawn

    # ---- what the records bring about

    def heard(self, kind: str, body: Mapping[str, Any]) -> None:
        """A dispatch shows on the shop's own order."""
        if kind == "dispatches":
            order = self._there(body["order"])
            parcel = goods.parcel(
                f"par-{self._memory.next_id('parcels', 1)}", body["lines"], body["trackings"], self._now()
            )
            self._changed({**order, "shipments": [*order["shipments"], parcel], "fulfilment_status": "partial"})

    def parcel(self, record: Mapping[str, Any], lines: Any) -> Any:
        """A parcel of a request leaves the warehouse."""
        name = f"par-{self._memory.next_id('parcels', 1)}"
        trackings = [{"number": f"AC{name[4:]:0>8}", "carrier": "dhl"}]
        parcel = goods.parcel(name, lines or record["body"]["lines"], trackings, self._now())
        told = {**parcel, "request": record["reference"], "location": "main"}
        self._memory.put("parcels", name, told)
        self._hooks.tell("shipment.sent", told)
        return told

    def acknowledged(self, record: Mapping[str, Any], lines: Any, promised: Any) -> Any:
        """What of a purchase order will be sent."""
        sent = record["body"]["lines"] if lines is None else lines
        rows = [{"sku": row["sku"], "line_id": "", "quantity": row["quantity"]} for row in sent]
        name = f"ack-{self._memory.next_id('acknowledgements', 1)}"
        told = {"id": name, "request": record["reference"], "status": "pending", "lines": rows, "trackings": []}
        told = {**told, "promised_at": promised, "updated_at": self._now()}
        self._hooks.tell("purchase.acknowledged", told)
        return told

    def effects(self) -> Mapping[str, Any]:
        orders = self._memory.table("orders").values()
        acknowledged = {row["id"]: row["acknowledged_as"] for row in orders if row["acknowledged_as"]}
        given = Counter(f"{row['order_id']} {row['reference']}" for row in self._memory.table("reimbursed").values())
        return {
            "acknowledged": acknowledged,
            "stock": dict(self._memory.table("published")),
            "revoked": {row["id"]: "yes" for row in orders if row["cancelled_at"]},
            "reimbursed": given,
            "charged": {key: row["amount"] for key, row in self._memory.table("charged").items()},
            "released": {key: row["amount"] for key, row in self._memory.table("released").items()},
            "captured": {key: row["amount"] for key, row in self._memory.table("captured").items()},
            "price": {sku: row["amount"] for sku, row in self._memory.table("priced").items()},
        }

    # ---- switches

    def _place(self) -> Any:
        """A customer orders; what the body says replaces what the sample order has."""
        wanted = document()
        name = str(self._memory.next_id("orders", 1001))
        now = self._now()
        order = goods.order(name, now, wanted)
        order["updated_at"] = wanted.get("updated_at", now)
        self._memory.put("orders", order["id"], order)
        self._hooks.tell("order.placed", order)
        return order

    def _change(self, name: str) -> Any:
        return self._changed({**self._there(name), **document()})

    def _cancel(self, name: str) -> Any:
        order = {**self._there(name), "cancelled_at": self._now(), "cancel_reason": "customer"}
        return self._changed(order, "order.cancelled")

    def _refund(self, name: str) -> Any:
        """Given lines (all when none are) go back with their share of money."""
        order = self._there(name)
        refund = goods.refund(f"ref-{self._memory.next_id('refunds', 1)}", order, document().get("lines"), self._now())
        return self._given_back(order, refund)

    def _given_back(self, order: Mapping[str, Any], refund: dict[str, Any]) -> Any:
        lines = goods.less(order["lines"], refund)
        kept = {**order, "lines": lines, "refunds": [*order["refunds"], refund], "updated_at": self._now()}
        self._memory.put("orders", order["id"], kept)
        self._hooks.tell("refund.made", refund)
        return refund

    def _count(self) -> Any:
        """Someone counts a shelf: {"sku", "location", "available"}."""
        counted = document()
        return self.set_level(counted["sku"], counted["location"], counted["available"], counted.get("updated_at"))

    def _list_product(self) -> Any:
        wanted = {**goods.product(document()["sku"], self._now()), **document()}
        return self._memory.put("products", wanted["id"], wanted)

    def _list_parcel(self) -> Any:
        """A parcel of a channel's own order: {"order_id", "lines"}, listed and not told of."""
        asked = document()
        made = goods.parcel(f"par-{self._memory.next_id('parcels', 1)}", asked["lines"], (), self._now())
        return self._memory.put("parcels", made["id"], {**made, **asked})

    def _goods_back(self) -> Any:
        """A parcel came back and is counted, told of as return.arrived.

        {"lines": [{"sku", "quantity", "condition"}], "return_number"?, "request"?, "location"?}
        """
        asked, now = document(), self._now()
        for line in asked["lines"]:
            if line.get("condition") not in CONDITIONS:
                raise Refusal(422, "unknown_condition", f"{line.get('condition')!r} is no condition.", "lines")
        name = f"back-{self._memory.next_id('goods_back', 1)}"
        told = {"id": name, "location": "main", "received_at": now, "updated_at": now, **asked}
        self._memory.put("goods_back", name, told)
        self._hooks.tell("return.arrived", told)
        return told

    # ---- its own records

    def set_level(self, sku: str, location: str, available: str, at: str | None = None) -> Any:
        row = {"id": f"lev-{sku}-{location}", "sku": sku, "location": location, "available": available}
        row = {**row, "on_hand": available, "updated_at": at or self._now()}
        self._memory.put("stock", row["id"], row)
        self._hooks.tell("stock.changed", row)
        return row

    def _stock_shelves(self) -> None:
        if not self._memory.table("products"):
            for sku in goods.ARTICLES:
                self._memory.put("products", f"art-{sku}", goods.product(sku, goods.OPENED))
                level = {"id": f"lev-{sku}-main", "sku": sku, "location": "main", "available": "100", "on_hand": "100"}
                self._memory.put("stock", level["id"], {**level, "updated_at": goods.OPENED})

    def _changed(self, order: dict[str, Any], topic: str = "order.changed") -> Any:
        kept = self._memory.put("orders", order["id"], {**order, "updated_at": self._now()})
        self._hooks.tell(topic, kept)
        return kept

    def _there(self, name: str) -> Any:
        order = self._memory.table("orders").get(name)
        if order is None:
            raise Refusal(404, "not_found", f"There is no order {name}.")
        return order

    def _now(self) -> str:
        return (datetime.now(UTC) + self._skew).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["updated_at"], row["id"]


def _sealed(place: Sequence[str]) -> str:
    return base64.urlsafe_b64encode("|".join(place).encode()).decode()


def _cursor(text: str | None) -> tuple[str, str] | None:
    if not text:
        return None
    try:
        at, name = base64.urlsafe_b64decode(text).decode().split("|")
    except ValueError:
        raise Refusal(400, "cursor", "This cursor was not given by us.", "after") from None
    return at, name
