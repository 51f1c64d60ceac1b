"""The simulated shop itself: its orders, products and stock, kept in its memory, and what it tells of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

from connectors.kit.simulator import Memory
from connectors.shopify.simulator_changes import Refused, cancel, edit, fulfil, pay, refund
from connectors.shopify.simulator_kinds import CATALOGUE
from connectors.shopify.simulator_money import capture
from connectors.shopify.simulator_orders import build, currencies, public
from connectors.shopify.simulator_returns import MOVES, ask, move, process
from connectors.shopify.simulator_shown import prices_shown
from connectors.shopify.simulator_sums import read, total, written
from connectors.shopify.simulator_webhooks import MailRoom

Json = dict[str, Any]
FIRST = {
    "order": 5_500_000_000_001,
    "number": 1001,
    "line_item": 14_000_000_000_001,
    "fulfillment": 4_400_000_000_001,
    "fulfillment_order": 6_600_000_000_001,
    "transaction": 7_700_000_000_001,
    "refund": 8_800_000_000_001,
}
SHOP_TIME = timezone(timedelta(hours=-5))


@dataclass
class Shop:
    """`locations`: ids; orders ship from the first. `strict_clock`: an order's every change has its own second. `partial`: prices that are
    valid are set beside refused ones where a call allows it.
    """

    memory: Memory
    mail: MailRoom
    locations: tuple[int, ...]
    quantity: int = 1000
    skew: float = 0.0
    strict_clock: bool = False
    tell_stock: bool = True
    promise_stock: bool = True
    partial: bool = True
    catalogue: tuple[Mapping[str, Any], ...] = CATALOGUE

    def __post_init__(self) -> None:
        if not self.memory.table("products"):
            for article in self.catalogue:
                self.stock_article(article)

    # ---- clock, numbers and memory

    def ids(self, name: str) -> int:
        return self.memory.next_id(name, FIRST.get(name, 1_000_001))

    def now(self, after: str | None = None) -> str:
        """The shop's time, in its own offset and whole seconds as Shopify writes it."""
        at = datetime.now(UTC) + timedelta(seconds=self.skew)
        if after and self.strict_clock:
            at = max(at, datetime.fromisoformat(after) + timedelta(seconds=1))
        return at.astimezone(SHOP_TIME).isoformat(timespec="seconds")

    def keep(self, order: Json) -> Json:
        kept: Json = self.memory.put("orders", str(order["id"]), order)
        return kept

    def orders(self) -> list[Json]:
        with self.memory.lock:
            return list(self.memory.table("orders").values())

    def find(self, name: str) -> Json:
        """An order by its id, global id or name (with or without #). Raises Refused."""
        wanted = str(name).rpartition("/")[2].lstrip("#")
        found = self.memory.table("orders").get(wanted)
        found = found or next((one for one in self.orders() if one["name"].lstrip("#") == wanted), None)
        if found is None:
            raise Refused(f"Order {name} does not exist", "id", code="NOT_FOUND")
        order: Json = found
        return order

    # ---- products and stock

    def stock_article(self, article: Mapping[str, Any]) -> Json:
        """An article of one variant, and of more where it names them, stocked at every location."""
        now = article.get("updated_at") or self.now()
        number = self.ids("product")
        of = 9_000_000_000_000 + number
        numbers = [number, *(self.ids("product") for _ in article.get("variants", ()))]
        given = zip(numbers, (article, *article.get("variants", ())), strict=True)
        variants = [self._variant(one, of, n, place, now) for place, (n, one) in enumerate(given, 1)]
        product = {
            "id": of,
            "admin_graphql_api_id": f"gid://shopify/Product/{of}",
            "title": article.get("title", article["sku"]),
            "vendor": "Waybill Demo",
            "product_type": "Gift Card" if article.get("gift_card") else "",
            "status": article.get("status", "active"),
            "tags": "",
            "created_at": now,
            "updated_at": now,
            "published_at": now,
            "variants": variants,
            "options": [],
            "_gift_card": bool(article.get("gift_card")),
            "_requires_shipping": article.get("requires_shipping", True),
        }
        self.memory.put("products", str(product["id"]), product)
        for variant in variants:
            for location in self.locations:
                name = f"{variant['inventory_item_id']}@{location}"
                self.memory.put("levels", name, self._level(variant, location, now))
        return product

    def _variant(self, article: Mapping[str, Any], product: int, number: int, place: int, now: str) -> Json:
        return {
            "id": 4_000_000_000_000 + number,
            "product_id": product,
            "title": "Default Title",
            "price": article.get("price", "10.00"),
            "sku": article["sku"],
            "position": place,
            "compare_at_price": article.get("compare_at_price"),
            "barcode": article.get("barcode"),
            "taxable": True,
            "created_at": now,
            "updated_at": now,
            "inventory_item_id": 3_000_000_000_000 + number,
            "inventory_quantity": self.quantity,
        }

    def _level(self, variant: Json, location: int, now: str) -> Json:
        held = self.quantity
        return {
            "inventory_item_id": variant["inventory_item_id"],
            "sku": variant["sku"],
            "location_id": location,
            "updated_at": now,
            "quantities": {"available": held, "on_hand": held, "committed": 0, "incoming": 0},
        }

    def articles(self) -> dict[str, Json]:
        """What an order line needs to know of each SKU."""
        return {
            variant["sku"]: {
                "title": product["title"],
                "price": variant["price"],
                "gift_card": product["_gift_card"],
                "requires_shipping": product["_requires_shipping"],
                "product_id": product["id"],
                "variant_id": variant["id"],
                "inventory_item_id": variant["inventory_item_id"],
            }
            for product in self.memory.table("products").values()
            if product["status"] != "deleted"
            for variant in product["variants"]
        }

    def level(self, item: Any, location: Any) -> Json | None:
        found: Json | None = self.memory.table("levels").get(f"{item}@{location}")
        return found

    def levels_of(self, item: int) -> list[Json]:
        return [one for one in self.memory.table("levels").values() if one["inventory_item_id"] == item]

    def move(self, level: Json, available: int = 0, committed: int = 0, tell: bool = True) -> None:
        """Changes what can be sold and what is promised; what is on hand is their sum."""
        held = level["quantities"]
        held["available"] += available
        held["committed"] += committed
        held["on_hand"] = held["available"] + held["committed"]
        level["updated_at"] = self.now()
        self.memory.put("levels", f"{level['inventory_item_id']}@{level['location_id']}", level)
        if tell and self.tell_stock and available:
            self.tell_level(level)

    def tell_level(self, level: Json) -> None:
        told = {
            "inventory_item_id": level["inventory_item_id"],
            "location_id": level["location_id"],
            "available": level["quantities"]["available"],
            "updated_at": level["updated_at"],
            "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{level['location_id']}?inventory_item_id={level['inventory_item_id']}",
        }
        self.mail.post(
            "inventory_levels/update", f"{level['inventory_item_id']}@{level['location_id']}", told, self._utc()
        )

    # ---- orders

    def place(self, spec: Json) -> Json:
        """A customer places an order: it is kept, its stock is promised, and it is told."""
        with self.memory.lock:
            spec = {**spec, "location": spec.get("location")}
            order = build(spec, self.ids("number"), self.ids, self.articles(), self.locations[0], self.now())
            self.keep(order)
            self._promise(order)
        told = [("orders/create", order)]
        self.tell(order, [*told, ("orders/paid", order)] if order["financial_status"] == "paid" else told)
        self._afterwards(spec, order)
        return order

    def _promise(self, order: Json) -> None:
        self._promised([(line, line["quantity"]) for line in order["line_items"]])

    def restock(self, lines: list[tuple[Json, int]]) -> None:
        """What was promised of these lines may be sold again."""
        self._promised([(line, -quantity) for line, quantity in lines])

    def _promised(self, lines: list[tuple[Json, int]]) -> None:
        articles = self.articles() if self.promise_stock else {}
        for line, quantity in lines:
            level = self.level(articles.get(line["sku"] or "", {}).get("inventory_item_id"), self.locations[0])
            if level and line["requires_shipping"]:
                self.move(level, -quantity, quantity)

    def _afterwards(self, spec: Json, order: Json) -> None:
        """Kinds whose story goes on at once."""
        first = order["line_items"][0]
        follow: Json = {
            "edit": {"add": [{"sku": "WB-SOAP", "quantity": 1}]},
            "cancel": {"reason": "customer"},
            "refund": {"lines": [{"line_item_id": first["id"], "quantity": 1}]},
        }
        if spec.get("then"):
            self.change(order, spec["then"], follow[spec["then"]])
        if spec.get("then") == "edit":
            self.change(order, "pay", {})

    def change(self, order: Json, what: str, asked: Json) -> Json:
        """One of CHANGES happens to an order. Raises Refused."""
        with self.memory.lock:
            now = order["updated_at"] = self.now(order["updated_at"])
            if what not in CHANGES:
                raise Refused(f"There is no change {what!r}; there are {', '.join(CHANGES)}")
            told = CHANGES[what](self, order, asked, now)
            self.keep(order)
        self.tell(order, told)
        return order

    def touch(self, order: Json) -> None:
        """Anything else changed of an order."""
        order["updated_at"] = self.now(order["updated_at"])
        self.keep(order)
        self.tell(order, [("orders/updated", order)])

    def tell(self, order: Json, told: list[tuple[str, Json]]) -> None:
        for topic, payload in told:
            self.mail.post(topic, str(order["id"]), public(payload), self._utc())

    def _utc(self) -> str:
        return datetime.now(UTC).isoformat().replace("+00:00", "Z")

    # ---- what became of it all

    def effects(self) -> dict[str, dict[str, Any]]:
        """Counts and values by business identity: order name, tracking, tender, SKU and location, SKU and price list."""
        seen: dict[str, dict[str, Any]] = {
            name: {} for name in ("order", "acknowledgement", "fulfilment", "capture", "void", "refund", "cancelled")
        }
        for order in self.orders():
            name = order["name"]
            seen["order"][name] = seen["order"].get(name, 0) + 1
            for key, metafield in order["_metafields"].items():
                seen["acknowledgement"][f"{name} {key}"] = metafield["value"]
            for one in order["fulfillments"]:
                if one["status"] == "success":
                    identity = _shipped(name, one)
                    seen["fulfilment"][identity] = seen["fulfilment"].get(identity, 0) + 1
            seen["capture"] |= {f"{name} #{one['id']}": one["amount"] for one in captures(order)}
            seen["void"] |= {f"{name} #{one['id']}": one["amount"] for one in captures(order, "void")}
            for gateway, amount in given_back(order).items():
                seen["refund"][f"{name} {gateway}"] = amount
            if order["cancelled_at"]:
                seen["cancelled"][name] = 1
        levels = self.memory.table("levels").values()
        seen["stock"] = {f"{one['sku']}@{one['location_id']}": str(one["quantities"]["available"]) for one in levels}
        seen["price"] = prices_shown(self.memory)
        subscribed = self.memory.table("subscriptions").values()
        seen["subscription"] = {f"{one['topic']} {one['uri']}": 1 for one in subscribed if one}
        return seen

    def summary(self, order: Json) -> Json:
        """An order as one asks for it in tests and reports."""
        return {
            "id": str(order["id"]),
            "name": order["name"],
            "kind": order["_kind"],
            "total": order["total_price"],
            "currency": order["currency"],
            "financial_status": order["financial_status"],
            "fulfillment_status": order["fulfillment_status"],
            "cancelled": bool(order["cancelled_at"]),
            "lines": [
                {"id": str(i["id"]), "sku": i["sku"], "quantity": i["quantity"], "current": i["current_quantity"]}
                for i in order["line_items"]
            ],
            "fulfilments": [
                {
                    "id": str(one["id"]),
                    "status": one["status"],
                    "tracking": one["tracking_numbers"],
                    "company": one["tracking_company"],
                    "lines": {str(i["sku"]): i["quantity"] for i in one["line_items"]},
                }
                for one in order["fulfillments"]
            ],
            "metafields": {key: one["value"] for key, one in order["_metafields"].items()},
            "refunds": given_back(order),
            "updated_at": order["updated_at"],
        }


def _shipped(name: str, one: Json) -> str:
    lines = ",".join(sorted(f"{item['sku']}x{item['quantity']}" for item in one["line_items"]))
    return f"{name} {'+'.join(one['tracking_numbers']) or 'untracked'} {lines}"


def captures(order: Json, kind: str = "capture") -> list[Json]:
    return [one for one in order["_transactions"] if one["kind"] == kind and one["status"] == "success"]


def given_back(order: Json) -> dict[str, str]:
    """What each tender gave back, in the shop's currency."""
    money = currencies(order)
    moved = [t for one in order["refunds"] for t in one["transactions"] if t["status"] == "success"]
    return {
        gateway: written(total(read(t["_set"]) for t in moved if t["gateway"] == gateway).shop, money.shop)
        for gateway in sorted({t["gateway"] for t in moved})
    }


def _fulfil(shop: Shop, order: Json, asked: Json, now: str) -> list[tuple[str, Json]]:
    """{lines: [{sku or line_item_id, quantity}] (all that is left when absent), numbers, company, urls}."""
    open_lines = [item for one in order["_fulfillment_orders"] for item in one["line_items"] if item["left"]]
    wanted = [(item, item["left"]) for item in open_lines]
    if asked.get("lines"):
        by_id = {line["id"]: line["sku"] for line in order["line_items"]}
        wanted = []
        for line in asked["lines"]:
            named = next(
                (
                    item
                    for item in open_lines
                    if line.get("line_item_id") == item["line_item_id"]
                    or line.get("sku") == by_id[item["line_item_id"]]
                ),
                None,
            )
            if named is None:
                raise Refused(f"Nothing of {line} is left to ship", "lines")
            wanted.append((named, line["quantity"]))
    return shop_ships(shop, order, wanted, asked, now)[1]


def shop_ships(
    shop: Shop, order: Json, items: list[tuple[Json, int]], tracking: Json, now: str
) -> tuple[Json, list[tuple[str, Json]]]:
    """A fulfilment is made and what it took is no longer promised."""
    made, told = fulfil(order, items, tracking, shop.ids, now)
    articles = shop.articles()
    for line in made["line_items"]:
        level = shop.level(articles.get(line["sku"] or "", {}).get("inventory_item_id"), made["location_id"])
        if level:
            shop.move(level, 0, -line["quantity"])
    return made, told


def _move(shop: Shop, order: Json, asked: Json, now: str) -> list[tuple[str, Json]]:
    """Staff assign {sku}'s lines to another {location}: a fulfilment order of their own."""
    skus = {line["id"]: line["sku"] for line in order["line_items"]}
    for one in list(order["_fulfillment_orders"]):
        moved = [item for item in one["line_items"] if skus[item["line_item_id"]] == asked["sku"] and item["left"]]
        if moved:
            one["line_items"] = [item for item in one["line_items"] if item not in moved]
            place = {"id": shop.ids("fulfillment_order"), "status": "OPEN", "location_id": asked["location"]}
            order["_fulfillment_orders"].append({**place, "line_items": moved})
    return []


def _taken(shop: Shop, order: Json, asked: Json, now: str) -> list[tuple[str, Json]]:
    """Staff take {amount} of what was authorised."""
    held = next(one for one in order["_transactions"] if one["kind"] == "authorization")
    return capture(order, {"parentTransactionId": held["id"], "amount": asked["amount"]}, shop.ids, now)[1]


def _many(shop: Shop, order: Json, asked: Json, now: str) -> list[tuple[str, Json]]:
    """Another {change} so many {times}; only the last is told."""
    told: list[tuple[str, Json]] = []
    for _ in range(asked["times"]):
        told = CHANGES[asked["change"]](shop, order, asked, now)
    return told


def _return_moved(what: str, shop: Shop, order: Json, asked: Json, now: str) -> list[tuple[str, Json]]:
    return move(order, what, asked, now)


def _noted(order: Json, asked: Json) -> list[tuple[str, Json]]:
    order["note"] = asked.get("note", "")
    return [("orders/updated", order)]


CHANGES: dict[str, Callable[[Shop, Json, Json, str], list[tuple[str, Json]]]] = {
    "fulfil": _fulfil,
    "pay": lambda shop, order, asked, now: pay(order, shop.ids, now, asked.get("gateway", "")),
    "edit": lambda shop, order, asked, now: edit(order, asked, shop.ids, shop.articles(), now),
    "refund": lambda shop, order, asked, now: refund(order, asked, shop.ids, now)[1],
    "cancel": lambda shop, order, asked, now: cancel(order, asked, shop.ids, now),
    "move": _move,
    "take": _taken,
    "many": _many,
    "return": lambda shop, order, asked, now: ask(order, asked, shop.ids, now),
    "process": lambda shop, order, asked, now: process(order, asked, shop.ids, shop.articles(), now),
    **{f"return_{what}": partial(_return_moved, what) for what in MOVES},
    "note": lambda shop, order, asked, now: _noted(order, asked),
}


def fingerprint(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
