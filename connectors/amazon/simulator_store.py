"""The simulated seller's orders: what buyers bought, what left, what was given up and given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.amazon.simulator_access import Refused
from connectors.canonical.money import MINOR_UNITS
from connectors.kit.simulator import Memory, Simulator

Json = dict[str, Any]
MONEY = ("price", "tax", "shipping", "shipping_tax", "discount", "shipping_discount", "gift_wrap", "gift_wrap_tax")
PENDING = "PENDING"
BUYER = {"buyerName": "Ana Example", "buyerEmail": "a1b2c3@marketplace.example.com"}
ADDRESS = {
    "name": "Ana Example",
    "addressLine1": "Musterweg 5",
    "city": "Köln",
    "postalCode": "50667",
    "countryCode": "DE",
    "phone": "+49 221 5550100",
    "addressType": "RESIDENTIAL",
}


class Store:
    """Orders by id. Amounts are text, those of an item for all its pieces; `tell(order, change)` hears of every change."""

    def __init__(
        self, simulator: Simulator, marketplace: str, currency: str, tell: Callable[[Json, str], None], skew: float = 0
    ) -> None:
        self.simulator, self.marketplace, self.currency, self._tell = simulator, marketplace, currency, tell
        self.memory: Memory = simulator.memory
        self._skew = timedelta(seconds=skew)

    def now(self) -> datetime:
        """By which orders are placed and changed."""
        return datetime.now(UTC) + self._skew

    def orders(self) -> Iterator[Json]:
        yield from self.memory.table("orders").values()

    def find(self, name: str) -> Json:
        found: Json | None = self.memory.table("orders").get(name)
        if found is None:
            raise Refused(404, "NotFound", f"Resource not found: order {name}")
        return found

    def place(self, spec: Mapping[str, Any]) -> Json:
        """`lines`: [{sku, quantity, price (of one), tax, shipping, shipping_tax, discount, ...}]; `included`: prices hold tax."""
        number = self.memory.next_id("orders")
        name, now = f"303-{number:07d}-{number % 9999991:07d}", _told(self.now())
        currency = str(spec.get("currency", self.currency))
        order: Json = {
            "id": name,
            "created": spec.get("created_at", spec.get("updated_at", now)),
            "updated": spec.get("updated_at", now),
            "status": spec.get("status", "UNSHIPPED"),
            "by": spec.get("by", "MERCHANT"),
            "channel": spec.get("channel", "AMAZON"),
            "kind": spec.get("kind", "plain"),
            "currency": currency,
            "included": bool(spec.get("included", True)),
            "tip": spec.get("tip"),
            "buyer": {**BUYER, **spec.get("buyer", {})},
            "address": {**ADDRESS, **spec.get("address", {})},
            "programs": list(spec.get("programs", ())),
            "replaces": spec.get("replaces"),
            "paid": list(spec.get("paid", ())),
            "remitted": bool(spec.get("remitted", False)),
            "alias": "",
            "packages": [],
            "refunds": [],
            "asked": False,
            "items": [self._item(number, n, one, currency) for n, one in enumerate(spec.get("lines") or [{}], 1)],
        }
        if order["by"] == "AMAZON" and order["status"] == "SHIPPED":
            for item in order["items"]:
                item["shipped"] = item["quantity"]
        return self.save(order, "OrderStatusChange", touch=False)

    def _item(self, number: int, n: int, spec: Mapping[str, Any], currency: str) -> Json:
        quantity = int(spec.get("quantity", 1))
        each = Decimal(str(spec.get("price", "19.90")))
        cents = Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2))
        amounts = {name: str(Decimal(str(spec.get(name, "0"))).quantize(cents)) for name in MONEY}
        return {
            **amounts,
            "id": f"{number:07d}{n:07d}",
            "sku": spec.get("sku", "WB-TEE"),
            "title": spec.get("title", spec.get("sku", "Tee, black, M")),
            "quantity": quantity,
            "each": str(each.quantize(cents)),
            "price": str((each * quantity).quantize(cents)),
            "shipped": 0,
            "cancelled": 0,
            "gift": spec.get("gift", ""),
            "promotion": spec.get("promotion", "SPRING" if Decimal(amounts["discount"]) else ""),
        }

    def save(self, order: Json, change: str, touch: bool = True) -> Json:
        """Keeps it, later than it was, and tells of it."""
        with self.memory.lock:
            if touch:
                last = datetime.fromisoformat(order["updated"])
                order["updated"] = _told(max(self.now(), last + timedelta(seconds=1)))
            self.memory.put("orders", order["id"], order)
        self._tell(order, change)
        return order

    # ---- what may become of an order

    def open_pieces(self, item: Json) -> int:
        return int(item["quantity"] - item["shipped"] - item["cancelled"])

    def ship(self, name: str, package: Json) -> Json:
        """A package of ours; one of the same reference takes the place of the one before. Raises Refused (400)."""
        order = self.find(name)
        with self.memory.lock:
            if order["by"] == "AMAZON" or order["status"] in (PENDING, "CANCELLED", "UNFULFILLABLE"):
                raise Refused(400, "InvalidInput", f"The order is {order['status'].lower()} and cannot be confirmed.")
            kept = [one for one in order["packages"] if one["packageReferenceId"] != package["packageReferenceId"]]
            self._counted(order, [*kept, package])
            self.simulator.created("package", f"{name}/{package['packageReferenceId']}")
            return self.save(order, "OrderStatusChange")

    def _counted(self, order: Json, packages: list[Json]) -> None:
        shipped: dict[str, int] = {}
        for package in packages:
            for one in package["packageItems"]:
                shipped[one["orderItemId"]] = shipped.get(one["orderItemId"], 0) + one["quantity"]
        items = {item["id"]: item for item in order["items"]}
        for item_id, count in shipped.items():
            if item_id not in items:
                raise Refused(400, "InvalidInput", f"The order has no item {item_id}.")
            if count > items[item_id]["quantity"] - items[item_id]["cancelled"]:
                raise Refused(400, "InvalidInput", f"The quantity of item {item_id} is more than is left to ship.")
        for item_id, item in items.items():
            item["shipped"] = shipped.get(item_id, 0)
        order["packages"] = packages
        left = sum(self.open_pieces(item) for item in order["items"])
        order["status"] = "PARTIALLY_SHIPPED" if left else "SHIPPED"

    def sent_by_amazon(self, name: str) -> Json:
        """An order that Amazon fulfils leaves its warehouse."""
        order = self.find(name)
        for item in order["items"]:
            item["shipped"] = item["quantity"] - item["cancelled"]
        order["status"] = "SHIPPED"
        return self.save(order, "OrderStatusChange")

    def acknowledge(self, name: str, number: str) -> None:
        order = self.find(name)
        order["alias"] = number
        self.simulator.created("alias", name)
        self.save(order, "OrderStatusChange")

    def cancel(self, name: str, by: str = "MERCHANT", reason: str = "") -> Json:
        order = self.find(name)
        if any(item["shipped"] for item in order["items"]):
            raise Refused(400, "InvalidInput", "The order has already shipped and cannot be cancelled.")
        if order["status"] != "CANCELLED":
            for item in order["items"]:
                item["cancelled"] = item["quantity"]
            order.update(status="CANCELLED", cancelled_by=by, reason=reason or "GeneralAdjustment")
            self.simulator.created("cancelled", name)
            self.save(order, "OrderStatusChange")
        return order

    def refund(
        self,
        name: str,
        rows: list[Json],
        kind: str = "refund",
        at: str = "",
        quantities: Mapping[str, int] | None = None,
    ) -> Json:
        """Rows {item, id, kind, amount (text)}; no item gives back more than it brought. `quantities` are told by whoever is not us."""
        order = self.find(name)
        items = {item["id"]: item for item in order["items"]}
        if order["status"] not in ("SHIPPED", "PARTIALLY_SHIPPED"):
            raise Refused(400, "InvalidInput", "Only what has shipped can be refunded: cancel the order instead.")
        for row in rows:
            if row["item"] not in items:
                raise Refused(400, "InvalidInput", f"The order has no item {row['item']}.")
        for item_id in {row["item"] for row in rows}:
            earlier = [one for refund in order["refunds"] for one in refund["rows"] if one["item"] == item_id]
            now = [one for one in rows if one["item"] == item_id]
            if sum(_back(one) for one in (*earlier, *now)) > brought(order, items[item_id]):
                raise Refused(400, "InvalidInput", f"The adjustment of item {item_id} is more than the buyer paid.")
        number = len(order["refunds"]) + 1
        told = {"kind": kind, "by": "us" if quantities is None else "others", "quantities": dict(quantities or {})}
        order["refunds"].append({"number": number, "rows": rows, "at": at or _told(self.now()), **told})
        self.simulator.created("refund", f"{name}/{number}")
        return self.save(order, "OrderStatusChange")


def brought(order: Json, item: Json) -> Decimal:
    """What the buyer paid for an item, delivery and taxes included."""
    amounts = {name: Decimal(item[name]) for name in MONEY}
    net = amounts["price"] + amounts["shipping"] + amounts["gift_wrap"]
    off = amounts["discount"] + amounts["shipping_discount"]
    taxes = amounts["tax"] + amounts["shipping_tax"] + amounts["gift_wrap_tax"]
    return net - off + (Decimal(0) if order["included"] else taxes)


def _back(row: Json) -> Decimal:
    return -Decimal(row["amount"]) if row["kind"] == "Promotion" else Decimal(row["amount"])


def total(order: Json) -> Decimal:
    return sum((brought(order, item) for item in order["items"]), Decimal(order["tip"] or 0))


def _told(moment: datetime) -> str:
    """Amazon tells whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
