"""The simulated store: its orders, articles, stock, prices and hooks, and everything that may become of an order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from connectors.bigcommerce.simulator_sums import RATE, Purse, four, totals
from connectors.kit.simulator import Memory, Simulator

Json = dict[str, Any]
ARTICLES = {
    "WB-TEE": "19.90",
    "WB-MUG": "8.50",
    "WB-CAP": "14.00",
    "WB-BAG": "32.00",
    "WB-SOAP": "3.95",
    "WB-EBOOK": "9.99",
}
STATUSES = (
    "Incomplete|Pending|Shipped|Partially Shipped|Refunded|Cancelled|Declined|Awaiting Payment|Awaiting Pickup|"
    "Awaiting Shipment|Completed|Awaiting Fulfillment|Manual Verification Required|Disputed|Partially Refunded"
).split("|")
SHIPPED, PARTLY_SHIPPED, REFUNDED, CANCELLED, AWAITING_FULFILMENT, PARTLY_REFUNDED = 2, 3, 4, 5, 11, 14
PAID = ("captured", "paid")


class Refused(Exception):
    """BigCommerce's refusal: `status`, a sentence, and what it names ({field: sentence})."""

    def __init__(self, status: int, title: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.errors = status, title, dict(errors or {})


@dataclass
class Store:
    simulator: Simulator
    tell: Callable[[str, Json], None]
    locations: tuple[int, ...] = (1, 2)
    quantity: int = 1000
    skew: float = 0.0

    @property
    def memory(self) -> Memory:
        return self.simulator.memory

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.skew)

    def open(self) -> None:
        """An empty store gets its articles and full shelves."""
        if not self.memory.table("products"):
            for sku, price in ARTICLES.items():
                self.stock_article({"sku": sku, "price": price, "type": "digital" if sku == "WB-EBOOK" else "physical"})

    # ---- articles and shelves

    def stock_article(self, wanted: Json) -> Json:
        """{sku, title, price, sale_price, type, date_modified}: a product with one variant, on every shelf."""
        number = self.memory.next_id("products", 77)
        product = {
            "id": number,
            "variant": number + 1000,
            "sku": wanted["sku"],
            "name": wanted.get("title", wanted["sku"].removeprefix("WB-").title()),
            "price": str(wanted.get("price", "10.00")),
            "sale_price": wanted.get("sale_price"),
            "type": wanted.get("type", "physical"),
            "is_visible": True,
            "date_modified": _iso(wanted.get("date_modified") or self.now()),
        }
        self.memory.put("products", str(number), product)
        for location in self.locations:
            level = {"sku": wanted["sku"], "location": location, "onhand": self.quantity, "safety": 0}
            self.memory.put("stock", f"{wanted['sku']}@{location}", level)
        return product

    def article(self, sku: str) -> Json | None:
        rows = self.memory.table("products").values()
        return next((one for one in rows if one and one["sku"] == sku), None)

    def change_article(self, sku: str, wanted: Json) -> Json:
        product = self.article(sku)
        if product is None:
            raise Refused(404, f"no product {sku}")
        changed = {**product, **wanted, "date_modified": _iso(self.now())}
        self.memory.put("products", str(product["id"]), changed)
        self.tell("store/product/updated", {"type": "product", "id": product["id"]})
        return changed

    # ---- orders

    def orders(self) -> list[Json]:
        return [one for one in self.memory.table("orders").values() if one]

    def find(self, name: str | int) -> Json:
        order: Json | None = self.memory.table("orders").get(str(name))
        if order is None:
            raise Refused(404, "The requested resource was not found.")
        return order

    def place(self, spec: Json) -> Json:
        """A customer orders. `spec`: lines [{sku, quantity, price, wrapping}], currency, inclusive, rate, discount, coupon,
        code, spread, shipping, handling, fees, gift_certificate, store_credit, pickup, addresses, payment, status_id ..."""
        number = self.memory.next_id("orders", 101)
        now = spec.get("created_at") or self.now()
        order: Json = {
            "id": number,
            "kind": spec.get("kind", "plain"),
            "currency": spec.get("currency", "EUR"),
            "inclusive": bool(spec.get("inclusive", False)),
            "rate": str(spec.get("rate", RATE)),
            "discount": str(spec.get("discount", "0")),
            "coupon": str(spec.get("coupon", "0")),
            "code": spec.get("code", ""),
            "coupon_type": spec.get("coupon_type", 2),
            "shipping": str(spec.get("shipping", "4.90")),
            "handling": str(spec.get("handling", "0")),
            "fees": spec.get("fees", []),
            "gift_certificate": str(spec.get("gift_certificate", "0")),
            "store_credit": str(spec.get("store_credit", "0")),
            "credits_off": bool(spec.get("credits_off", False)),
            "status_id": spec.get("status_id", AWAITING_FULFILMENT),
            "payment": spec.get("payment", "captured"),
            "payment_method": spec.get("payment_method", "Credit Card"),
            "gateway": spec.get("gateway", "braintree"),
            "order_source": spec.get("order_source", "www"),
            "customer_id": spec.get("customer_id", 11),
            "buyer": spec.get("buyer", 1),
            "email": spec.get("email", f"buyer{spec.get('buyer', 1)}@example.com"),
            "note": spec.get("note", ""),
            "pickup": bool(spec.get("pickup", False)),
            "addresses": [number * 10 + n for n in range(int(spec.get("addresses", 1)))],
            "date_created": _iso(now),
            "date_modified": _iso(spec.get("updated_at") or now),
            "is_deleted": False,
            "shipments": [],
            "refunds": [],
            "transactions": [],
            "metafields": [],
        }
        order["lines"] = [self._line(order, n, one) for n, one in enumerate(spec.get("lines") or _usual())]
        self._discount(order, bool(spec.get("spread", True)))
        self._tax(order)
        if spec.get("transactions", True):
            self._pay(order)
        self.memory.put("orders", str(number), order)
        self.simulator.created("orders", str(number))
        self.tell("store/order/created", {"type": "order", "id": number})
        return order

    def _line(self, order: Json, n: int, wanted: Json) -> Json:
        article = self.article(wanted["sku"]) or {"id": 0, "variant": 0, "name": wanted["sku"], "price": "10.00"}
        price, quantity = Decimal(str(wanted.get("price", article["price"]))), int(wanted.get("quantity", 1))
        address = order["addresses"][n % len(order["addresses"])]
        digital = article.get("type") == "digital"
        return {
            "id": order["id"] * 100 + n,
            "sku": wanted["sku"],
            "name": article["name"],
            "product_id": article["id"],
            "variant_id": article["variant"],
            "type": "digital" if digital else "physical",
            "price": str(price),
            "quantity": quantity,
            "sum": str(price * quantity),
            "wrapping": str(wanted.get("wrapping", "0")),
            "message": wanted.get("message", ""),
            "address": 0 if digital or order["pickup"] else address,
            "off": "0",
        }

    def _discount(self, order: Json, spread: bool) -> None:
        """A discount of goods lies on the lines; one of the shipping, or told at the order only, on none."""
        off = Decimal(order["discount"]) + Decimal(order["coupon"])
        if off and spread:
            purse = _purse(order)
            parts = purse.spread(off, [Decimal(one["sum"]) for one in order["lines"]])
            for one, part in zip(order["lines"], parts, strict=True):
                one["off"] = str(part)
        order["spread"] = spread

    def _tax(self, order: Json) -> None:
        """A row for each taxed thing, on what is left of it after discounts."""
        purse, rows = _purse(order), []
        whole = sum((Decimal(one["sum"]) for one in order["lines"]), Decimal(0))
        off = Decimal(order["discount"]) + Decimal(order["coupon"])
        on_goods = off if not order["spread"] and int(order["coupon_type"]) != 4 else Decimal(0)
        shares = purse.spread(on_goods, [Decimal(one["sum"]) for one in order["lines"]])
        for one, share in zip(order["lines"], shares, strict=True):
            left = Decimal(one["sum"]) - Decimal(one["off"]) - (share if whole else Decimal(0))
            rows.append(_tax_row(order, one["id"], one["address"], "item", purse.tax(left)))
            if Decimal(one["wrapping"]):
                wrapped = purse.tax(Decimal(one["wrapping"]))
                rows.append(_tax_row(order, one["id"], one["address"], "gift-wrapping", wrapped))
        free = off if not order["spread"] and int(order["coupon_type"]) == 4 else Decimal(0)
        address = 0 if order["pickup"] else order["addresses"][0]
        rows.append(_tax_row(order, None, address, "shipping", purse.tax(Decimal(order["shipping"]) - free)))
        if Decimal(order["handling"]):
            rows.append(_tax_row(order, None, address, "handling", purse.tax(Decimal(order["handling"]))))
        order["taxes"] = [{**row, "id": order["id"] * 100 + n} for n, row in enumerate(rows)]

    def _pay(self, order: Json) -> None:
        """Gift certificate and store credit first, the rest through the gateway."""
        total = Decimal(self.totals(order)["total_inc_tax"])
        parts = (
            ("gift_certificate", "giftcertificate", Decimal(order["gift_certificate"])),
            ("store_credit", "storecredit", Decimal(order["store_credit"])),
        )
        left = total
        for method, gateway, amount in parts:
            if amount:
                self.transact(order, "purchase", method, gateway, amount)
                left -= amount
        event = {"authorized": "authorization", "pending": "pending"}.get(order["payment"], "purchase")
        if left > 0:
            method = "offline" if order["gateway"] in ("bankdeposit", "cod") else "credit_card"
            self.transact(order, event, method, order["gateway"], _purse(order).round(left))

    def transact(
        self, order: Json, event: str, method: str, gateway: str, amount: Decimal | str, of: int | None = None
    ) -> Json:
        row = {
            "id": self.memory.next_id("transactions", 9000),
            "event": event,
            "method": method,
            "gateway": gateway,
            "amount": str(amount),
            "at": _iso(self.now()),
            "of": of,
        }
        order["transactions"].append(row)
        return row

    def totals(self, order: Json) -> Json:
        found = totals(order)
        used = Decimal(order["gift_certificate"]) + Decimal(order["store_credit"])
        if order["credits_off"] and used:
            found["total_inc_tax"] = four(Decimal(found["total_inc_tax"]) - used)
        return found

    # ---- what becomes of an order

    def changed(self, order: Json, topic: str = "store/order/updated", data: Json | None = None) -> Json:
        order["date_modified"] = _iso(max(self.now(), datetime.fromisoformat(order["date_modified"])))
        self.memory.put("orders", str(order["id"]), order)
        self.tell(topic, data or {"type": "order", "id": order["id"]})
        if topic != "store/order/updated":
            self.tell("store/order/updated", {"type": "order", "id": order["id"]})
        return order

    def set_status(self, order: Json, status: int) -> Json:
        if not 0 <= status < len(STATUSES):
            raise Refused(400, "The field 'status_id' is invalid.", {"status_id": "invalid"})
        before, order["status_id"] = order["status_id"], status
        if before == status:
            return self.changed(order)
        told = {"previous_status_id": before, "new_status_id": status}
        return self.changed(order, "store/order/statusUpdated", {"type": "order", "id": order["id"], "status": told})

    def ship(self, order: Json, wanted: Json) -> Json:
        """A shipment of what is left of the order. Raises Refused for more than that, or of another address."""
        if not wanted.get("items"):
            raise Refused(400, "The field 'items' is required.")
        if wanted.get("order_address_id") not in order["addresses"]:
            raise Refused(400, "The field 'order_address_id' is invalid.")
        if len(str(wanted.get("tracking_number", ""))) > 50:
            raise Refused(400, "The field 'tracking_number' is too long.")
        for item in wanted["items"]:
            self._may_ship(order, wanted["order_address_id"], item)
        shipment = {
            "id": self.memory.next_id("shipments", 11),
            "date_created": _iso(self.now()),
            "order_address_id": wanted["order_address_id"],
            "items": [
                {"order_product_id": one["order_product_id"], "quantity": one["quantity"]} for one in wanted["items"]
            ],
            **{
                name: str(wanted.get(name, ""))
                for name in (
                    "tracking_number",
                    "tracking_link",
                    "tracking_carrier",
                    "shipping_provider",
                    "shipping_method",
                    "comments",
                )
            },
        }
        order["shipments"].append(shipment)
        left = any(shipped(order, one["id"]) < one["quantity"] for one in order["lines"] if one["type"] == "physical")
        self.set_status(order, PARTLY_SHIPPED if left else SHIPPED)
        self.tell("store/shipment/created", {"type": "shipment", "id": shipment["id"], "orderId": order["id"]})
        return shipment

    def _may_ship(self, order: Json, address: int, item: Json) -> None:
        line = next((one for one in order["lines"] if one["id"] == item.get("order_product_id")), None)
        if line is None or line["address"] != address:
            raise Refused(400, "The field 'order_product_id' is invalid.")
        if not 0 < int(item.get("quantity", 0)) <= line["quantity"] - shipped(order, line["id"]):
            raise Refused(400, "The field 'quantity' is invalid: more than is left to ship.")

    def edit(self, order: Json, wanted: Json) -> Json:
        """Staff change an order: {lines: {sku: quantity}, note, street}; its sums are made anew."""
        for line in order["lines"]:
            if line["sku"] in wanted.get("lines", {}):
                line["quantity"] = int(wanted["lines"][line["sku"]])
                line["sum"] = str(Decimal(line["price"]) * line["quantity"])
        order["lines"] = [one for one in order["lines"] if one["quantity"]]
        for name in ("note", "street"):
            if name in wanted:
                order[name] = wanted[name]
        self._discount(order, order["spread"])
        self._tax(order)
        return self.changed(order)


def shipped(order: Json, line: int) -> int:
    items = (item for one in order["shipments"] for item in one["items"])
    return sum(int(item["quantity"]) for item in items if item["order_product_id"] == line)


def refunded(order: Json, line: int) -> int:
    items = (item for one in order["refunds"] for item in one["items"])
    return sum(int(i.get("quantity") or 0) for i in items if i["item_type"] == "PRODUCT" and i["item_id"] == line)


def _purse(order: Json) -> Purse:
    return Purse(order["currency"], order["inclusive"], Decimal(order["rate"]))


def _tax_row(order: Json, product: int | None, address: int, kind: str, amount: Decimal) -> Json:
    return {
        "order_address_id": address,
        "order_product_id": None if product is None else str(product),
        "line_item_type": kind,
        "line_amount": str(amount),
    }


def _usual() -> list[Json]:
    return [{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 1}]


def _iso(at: datetime | str) -> str:
    """Whole seconds, as BigCommerce keeps them."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found.astimezone(UTC).replace(microsecond=0).isoformat()


def rfc(at: str) -> str:
    return format_datetime(datetime.fromisoformat(at))
