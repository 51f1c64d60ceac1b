"""The GraphQL operations of the simulated shop: exactly those that this connector sends, as the schema has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from connectors.kit.simulator import Simulator
from connectors.shopify import simulator_graph as graph
from connectors.shopify import simulator_money as money
from connectors.shopify.simulator_cancelling import Cancellations
from connectors.shopify.simulator_changes import Refused
from connectors.shopify.simulator_graphql import Connection, Fault
from connectors.shopify.simulator_orders import currencies
from connectors.shopify.simulator_prices import Prices
from connectors.shopify.simulator_shop import Shop, fingerprint, shop_ships

Json = dict[str, Any]
WHEN = re.compile(r"updated_at:(>=|<=|>|<)'([^']+)'")
SKU = re.compile(r"sku:'((?:[^'\\]|\\.)*)'")
COMPARE: dict[str, Callable[[datetime, datetime], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}
REASONS = (
    "correction cycle_count_available damaged movement_created movement_updated movement_received movement_canceled "
    "other promotion quality_control received reservation_created reservation_deleted reservation_updated restock "
    "safety_stock shrinkage"
).split()
MOST = 1_000_000_000
ONCE = {
    "inventorySetQuantities": "inventoryAdjustmentGroup",
    "refundCreate": "refund",
}  # need @idempotent; what their payload is called


class Operations:
    """`call(name, arguments, key)` answers a root field; `key` is its @idempotent key."""

    def __init__(self, shop: Shop, simulator: Simulator) -> None:
        self.shop, self.simulator = shop, simulator
        self.cancellations = Cancellations(shop)
        self.roots: dict[str, Callable[[Json], Any]] = {
            "order": self.order,
            "orders": self.orders,
            "fulfillment": lambda given: self._child("fulfillments", given, lambda one, order: graph.fulfilment(one)),
            "refund": lambda given: self._child("refunds", given, _refund),
            "return": lambda given: self._child("_returns", given, graph.back),
            "fulfillmentOrder": self.fulfillment_order,
            "product": self.product,
            "products": self.products,
            "productVariants": self.variants,
            "inventoryItem": self.item,
            "inventoryItems": self.items,
            "webhookSubscriptions": self.subscriptions,
            "metafieldsSet": self.set_metafields,
            "fulfillmentCreate": self.create_fulfilment,
            "orderCapture": lambda given: self._money("transaction", given["input"]["id"], money.capture, given),
            "transactionVoid": self.void,
            "refundCreate": lambda given: self._money("refund", given["input"]["orderId"], money.refund, given),
            "orderCancel": self.cancellations.ask,
            "job": self.cancellations.job,
            "inventorySetQuantities": self.set_quantities,
            **Prices(shop).roots(),
            "webhookSubscriptionCreate": self.subscribe,
        }

    def call(self, name: str, given: Json, key: Json | None) -> Any:
        if name not in self.roots:
            raise Fault(f"Field '{name}' doesn't exist on type 'QueryRoot'", "undefinedField")
        if name in ONCE:
            return self._once(name, given, key)
        return self.roots[name](given)

    def _once(self, name: str, given: Json, key: Json | None) -> Any:
        """The same key and input answer as before; the same key with another input is refused."""
        if key is None:
            message = "The @idempotent directive is required for this mutation but was not provided."
            raise Fault(message, "BAD_REQUEST", [name])
        if not str(key.get("key") or "").strip():
            raise Fault("The idempotency key must not be blank.", "BAD_REQUEST", [name])
        with self.shop.memory.lock:
            known = self.shop.memory.table("idempotency").get(key["key"])
            if known is not None and known["input"] != fingerprint(given):
                return _errors(
                    ONCE[name],
                    Refused(
                        "The idempotency key was used with other parameters.", code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
                    ),
                )
            if known is None:
                answer = self.roots[name](given)
                known = {"input": fingerprint(given), "answer": answer}
                self.shop.memory.put("idempotency", key["key"], known)
        return known["answer"]

    # ---- reading

    def order(self, given: Json) -> Json | None:
        self.cancellations.run()
        try:
            return graph.order(self.shop.find(given["id"]))
        except Refused:
            return None

    def orders(self, given: Json) -> Connection:
        rows = [one for one in self.shop.orders() if self.simulator.indexed("orders", str(one["id"]))]
        return self._listed(rows, given, graph.order)

    def products(self, given: Json) -> Connection:
        rows = [one for one in self.shop.memory.table("products").values() if one["status"] != "deleted"]
        return self._listed(rows, given, graph.product)

    def _listed(self, rows: list[Json], given: Json, node: Callable[[Json], Json]) -> Connection:
        """Rows whose updated_at the query admits, oldest first, ties by id; the cursor remembers both."""
        bounds = [(COMPARE[op], _instant(at)) for op, at in WHEN.findall(given.get("query") or "")]
        kept = [row for row in rows if all(admits(_instant(row["updated_at"]), at) for admits, at in bounds)]
        kept.sort(key=_place)
        shifting = self.simulator.passive("page_shift")
        return Connection(kept, _place, node, overlap=1 if shifting else 0)

    def _child(self, table: str, given: Json, node: Callable[[Json, Json], Json]) -> Json | None:
        wanted = given["id"].rpartition("/")[2]
        for order in self.shop.orders():
            for one in order[table]:
                if str(one["id"]) == wanted:
                    return node(one, order)
        return None

    def fulfillment_order(self, given: Json) -> Json | None:
        return self._child("_fulfillment_orders", given, lambda one, order: graph.fulfillment_order(one))

    def product(self, given: Json) -> Json | None:
        found = self.shop.memory.table("products").get(given["id"].rpartition("/")[2])
        return graph.product(found) if found and found["status"] != "deleted" else None

    def _variants(self, given: Json) -> list[Json]:
        wanted = SKU.findall(given.get("query") or "")
        products = (one for one in self.shop.memory.table("products").values() if one["status"] != "deleted")
        every = [variant for product in products for variant in product["variants"]]
        return [variant for variant in every if not wanted or variant["sku"] in wanted]

    def variants(self, given: Json) -> Connection:
        return Connection(self._variants(given), lambda row: row["id"], graph.variant)

    def item(self, given: Json) -> Json | None:
        wanted = int(given["id"].rpartition("/")[2])
        found = next((one for one in self._variants({}) if one["inventory_item_id"] == wanted), None)
        return graph.item(found, self.shop.levels_of(wanted)) if found else None

    def items(self, given: Json) -> Connection:
        def node(row: Json) -> Json:
            return graph.item(row, self.shop.levels_of(row["inventory_item_id"]))

        return Connection(self._variants(given), lambda row: row["inventory_item_id"], node)

    def subscriptions(self, given: Json) -> Connection:
        return Connection([one for one in self.shop.memory.table("subscriptions").values() if one])

    # ---- writing

    def set_metafields(self, given: Json) -> Json:
        made = []
        for n, wanted in enumerate(given["metafields"]):
            try:
                order = self.shop.find(wanted["ownerId"])
            except Refused:
                message = "Owner does not exist."
                return _errors("metafields", Refused(message, "metafields", str(n), "ownerId", code="INVALID"))
            if not str(wanted.get("value", "")):
                message = "Value can't be blank."
                return _errors("metafields", Refused(message, "metafields", str(n), "value", code="BLANK"))
            made.append(self._metafield(order, wanted))
            self.shop.touch(order)
        return {"metafields": made, "userErrors": []}

    def _metafield(self, order: Json, wanted: Json) -> Json:
        name = f"{wanted['namespace']}.{wanted['key']}"
        known = order["_metafields"].get(name) or {"id": graph.gid("Metafield", self.shop.ids("metafield"))}
        order["_metafields"][name] = {**known, "__typename": "Metafield", "value": wanted["value"]}
        made: Json = order["_metafields"][name]
        return made

    def create_fulfilment(self, given: Json) -> Json:
        wanted = given["fulfillment"]
        try:
            asked = wanted.get("trackingInfo") or {}
            with self.shop.memory.lock:
                order, items = self._fulfillable(wanted["lineItemsByFulfillmentOrder"])
                now = order["updated_at"] = self.shop.now(order["updated_at"])
                made, told = shop_ships(self.shop, order, items, _tracking(asked), now)
                self.shop.keep(order)
        except Refused as refused:
            return _errors("fulfillment", refused)
        self.shop.tell(order, told)
        return {"fulfillment": graph.fulfilment(made), "userErrors": []}

    def void(self, given: Json) -> Json:
        """Names no order: it is the one whose transaction it is."""
        number = int(str(given["parentTransactionId"]).rpartition("/")[2])
        mine = (one["id"] for one in self.shop.orders() if any(row["id"] == number for row in one["_transactions"]))
        name = next(mine, None)
        if name is None:
            unknown = Refused("Transaction does not exist", "parentTransactionId", code="TRANSACTION_NOT_FOUND")
            return _errors("transaction", unknown)
        return self._money("transaction", str(name), money.void, {"input": given})

    def _money(self, payload: str, name: str, do: Callable[..., Any], given: Json) -> Json:
        """A capture, a release or a refund, kept and told."""
        try:
            with self.shop.memory.lock:
                order = self.shop.find(name)
                now = order["updated_at"] = self.shop.now(order["updated_at"])
                made, told = do(order, given["input"], self.shop.ids, now)
                self.shop.keep(order)
        except Refused as refused:
            return _errors(payload, refused)
        self.shop.tell(order, told)
        return {
            payload: graph.transaction(made) if payload == "transaction" else _refund(made, order),
            "userErrors": [],
        }

    def _fulfillable(self, groups: list[Json]) -> tuple[Json, list[tuple[Json, int]]]:
        """The order and the lines meant. Raises Refused unless all are open, of one order and at one location."""
        found: list[tuple[Json, Json]] = []
        items: list[tuple[Json, int]] = []
        for group in groups:
            order, one = self._open(group["fulfillmentOrderId"])
            found.append((order, one))
            asked = group.get("fulfillmentOrderLineItems")
            if not asked:
                items += [(item, item["left"]) for item in one["line_items"] if item["left"]]
            for line in asked or ():
                item = next(
                    (i for i in one["line_items"] if graph.gid("FulfillmentOrderLineItem", i["id"]) == line["id"]), None
                )
                if item is None:
                    raise Refused("Fulfillment order line item does not exist.", "fulfillment")
                items.append((item, int(line["quantity"])))
        if len({order["id"] for order, _ in found}) != 1:
            raise Refused("All fulfillment orders must belong to the same order.", "fulfillment")
        if len({one["location_id"] for _, one in found}) != 1:
            raise Refused("All fulfillment orders must be assigned to the same location.", "fulfillment")
        return found[0][0], items

    def _open(self, name: str) -> tuple[Json, Json]:
        for order in self.shop.orders():
            for one in order["_fulfillment_orders"]:
                if graph.gid("FulfillmentOrder", one["id"]) == name:
                    if one["status"] not in ("OPEN", "IN_PROGRESS"):
                        status = one["status"].lower()
                        raise Refused(
                            f"Fulfillment order {one['id']} has an unfulfillable status= {status}.", "fulfillment"
                        )
                    return order, one
        raise Refused("Fulfillment order does not exist.", "fulfillment")

    def set_quantities(self, given: Json) -> Json:
        wanted = given["input"]
        rows = wanted["quantities"]
        if len(rows) > 250:
            message = f"The input array size of {len(rows)} is greater than the maximum allowed of 250."
            raise Fault(message, "MAX_INPUT_SIZE_EXCEEDED", ["inventorySetQuantities", "input", "quantities"])
        if any("changeFromQuantity" not in row for row in rows):
            message = "InventoryQuantityInput must include the following argument: changeFromQuantity."
            raise Fault(message, "INVALID_FIELD_ARGUMENTS", ["inventorySetQuantities"])
        wrong = [refused for n, row in enumerate(rows) for refused in self._wrong(n, row)]
        if wanted["reason"] not in REASONS:
            wrong.insert(0, Refused("The specified reason is invalid.", "input", "reason", code="INVALID_REASON"))
        if wanted["name"] not in ("available", "on_hand"):
            wrong.insert(
                0,
                Refused(
                    "The quantity name must be either 'available' or 'on_hand'.", "input", "name", code="INVALID_NAME"
                ),
            )
        if wrong:
            return _errors("inventoryAdjustmentGroup", *wrong)
        for row in rows:
            level = self._level(row)
            if level is not None:
                delta = int(row["quantity"]) - level["quantities"][wanted["name"]]
                self.shop.move(level, delta)
        return {
            "inventoryAdjustmentGroup": {"id": graph.gid("InventoryAdjustmentGroup", self.shop.ids("adjustment"))},
            "userErrors": [],
        }

    def _level(self, row: Json) -> Json | None:
        item, location = (row[name].rpartition("/")[2] for name in ("inventoryItemId", "locationId"))
        return self.shop.level(item, location)

    def _wrong(self, n: int, row: Json) -> list[Refused]:
        """What Shopify has against one row; any of it refuses the whole call."""
        at = ("input", "quantities", str(n))
        item = int(row["inventoryItemId"].rpartition("/")[2])
        location = int(row["locationId"].rpartition("/")[2])
        if not any(one["inventory_item_id"] == item for one in self._variants({})):
            message = "The specified inventory item could not be found."
            return [Refused(message, *at, "inventoryItemId", code="INVALID_INVENTORY_ITEM")]
        if location not in self.shop.locations:
            return [Refused("The specified location could not be found.", *at, "locationId", code="INVALID_LOCATION")]
        if not -MOST <= int(row["quantity"]) <= MOST:
            message = "The quantity can't be higher than 1,000,000,000."
            return [Refused(message, *at, "quantity", code="INVALID_QUANTITY_TOO_HIGH")]
        level = self._level(row)
        if level is None:
            message = "The inventory item is not stocked at the location."
            return [Refused(message, *at, "locationId", code="ITEM_NOT_STOCKED_AT_LOCATION")]
        was = row["changeFromQuantity"]
        if was is not None and int(was) != level["quantities"]["available"]:
            message = "The changeFromQuantity argument no longer matches the persisted quantity."
            return [Refused(message, *at, "changeFromQuantity", code="CHANGE_FROM_QUANTITY_STALE")]
        return []

    def subscribe(self, given: Json) -> Json:
        uri = given["webhookSubscription"].get("uri")
        if not uri:
            return _errors("webhookSubscription", Refused("Address can't be blank", "webhookSubscription", "uri"))
        table = self.shop.memory.table("subscriptions")
        if any(one and (one["topic"], one["uri"]) == (given["topic"], uri) for one in table.values()):
            message = "Address for this topic has already been taken"
            return _errors("webhookSubscription", Refused(message, "webhookSubscription", "uri"))
        number = graph.gid("WebhookSubscription", self.shop.ids("subscription"))
        made = {"__typename": "WebhookSubscription", "id": number, "topic": given["topic"], "uri": uri}
        self.shop.memory.put("subscriptions", number, made)
        return {"webhookSubscription": made, "userErrors": []}


def _refund(one: Json, order: Json) -> Json:
    return graph.refund(one, {line["id"]: line for line in order["line_items"]}, currencies(order))


def _errors(payload: str, *refused: Refused) -> Json:
    return {
        payload: None,
        "userErrors": [{"field": one.field, "message": one.message, "code": one.code} for one in refused],
    }


def _tracking(asked: Json) -> Json:
    numbers = asked.get("numbers") or ([asked["number"]] if asked.get("number") else [])
    urls = asked.get("urls") or ([asked["url"]] if asked.get("url") else [])
    return {"company": asked.get("company"), "numbers": numbers, "urls": urls}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _place(row: Json) -> str:
    return f"{_instant(row['updated_at']):%Y-%m-%dT%H:%M:%S}|{row['id']:020}"
