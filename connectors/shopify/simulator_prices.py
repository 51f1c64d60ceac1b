"""The simulated shop is told prices: of the variants of one product, or in a price list.

Source: ../shared/specs/shopify/admin-2026-07.schema.graphql, productVariantsBulkUpdate and priceListFixedPricesAdd.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.shopify import simulator_graph as graph
from connectors.shopify.simulator_changes import Refused
from connectors.shopify.simulator_graphql import Connection, Fault
from connectors.shopify.simulator_orders import public
from connectors.shopify.simulator_shop import Shop

Json = dict[str, Any]
CURRENCY = "EUR"  # the shop's own
MOST = 250
GIFT_CARD = 2000  # the most that one may cost; Shopify's own bound is each country's
CENT = Decimal("0.01")
VARIANT = re.compile(r"variant_id:(\d+)")


class Prices:
    """`roots`: the root fields that are about prices."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def roots(self) -> dict[str, Callable[[Json], Any]]:
        return {
            "shop": lambda given: {"__typename": "Shop", "currencyCode": CURRENCY},
            "productVariantsBulkUpdate": self.set,
            "priceList": self.price_list,
            "priceListFixedPricesAdd": self.fix,
        }

    # ---- of variants

    def set(self, given: Json) -> Json:
        """What is wrong refuses its own row where partial updates are allowed, and else all."""
        rows = _few(given["variants"], "productVariantsBulkUpdate", "variants")
        memory = self.shop.memory
        product = memory.table("products").get(given["productId"].rpartition("/")[2])
        if product is None or product["status"] == "deleted":
            message = "Product does not exist"
            return _answer("productVariants", [Refused(message, "productId", code="PRODUCT_DOES_NOT_EXIST")])
        with memory.lock:
            mine = {graph.gid("ProductVariant", one["id"]): one for one in product["variants"]}
            wrong = {n: refused for n, row in enumerate(rows) if (refused := _unfit(row, n, mine)) is not None}
            if wrong and not (given.get("allowPartialUpdates") and self.shop.partial):
                return _answer("productVariants", list(wrong.values()))
            kept = [row for n, row in enumerate(rows) if n not in wrong]
            for row in kept:
                self._priced(mine[row["id"]], row)
            if kept:
                product["updated_at"] = self.shop.now()
                memory.put("products", str(product["id"]), product)
        if kept:
            self.shop.mail.post("products/update", str(product["id"]), public(product), self.shop.now())
        return _answer("productVariants", list(wrong.values()), [graph.variant(mine[row["id"]]) for row in kept])

    def _priced(self, variant: Json, row: Json) -> None:
        """A field that is not named stays; one that is null is taken away."""
        for theirs, ours in (("price", "price"), ("compareAtPrice", "compare_at_price")):
            if theirs in row:
                variant[ours] = None if row[theirs] is None else str(Decimal(row[theirs]).quantize(CENT))
        variant["updated_at"] = self.shop.now()

    # ---- of a list

    def price_list(self, given: Json) -> Json | None:
        held = self._list(given["id"])
        return (
            None if held is None else {"__typename": "PriceList", "currency": held["currency"], "prices": _rows(held)}
        )

    def fix(self, given: Json) -> Json:
        """All or none: the schema does not say, and this is the harder case."""
        rows = _few(given["prices"], "priceListFixedPricesAdd", "prices")
        held = self._list(given["priceListId"])
        if held is None:
            message = "Price list does not exist."
            return _answer("prices", [Refused(message, "priceListId", code="PRICE_LIST_NOT_FOUND")])
        wrong = [one for n, row in enumerate(rows) if (one := self._unfixed(row, n, held["currency"])) is not None]
        if wrong:
            return _answer("prices", wrong)
        for row in rows:
            above = row.get("compareAtPrice")
            told = [row["price"]["amount"], above["amount"] if above else None]
            held["prices"][row["variantId"].rpartition("/")[2]] = told
        self.shop.memory.put("price_lists", given["priceListId"].rpartition("/")[2], held)
        told_of = {row["variantId"].rpartition("/")[2] for row in rows}
        return _answer("prices", [], [_row(name, held) for name in held["prices"] if name in told_of])

    def _unfixed(self, row: Json, n: int, currency: str) -> Refused | None:
        if row["price"]["currencyCode"] != currency:
            message = f"The specified currency does not match the price list's currency ({currency})."
            path = ("prices", str(n), "price", "currencyCode")
            return Refused(message, *path, code="PRICE_LIST_CURRENCY_MISMATCH")
        products = self.shop.memory.table("products").values()
        cards = {graph.gid("ProductVariant", v["id"]): one["_gift_card"] for one in products for v in one["variants"]}
        if row["variantId"] not in cards:
            return Refused("Variant does not exist.", "prices", str(n), "variantId", code="VARIANT_NOT_FOUND")
        if cards[row["variantId"]] and Decimal(row["price"]["amount"]) > GIFT_CARD:
            message = f"The price of a gift card cannot exceed {GIFT_CARD} {currency}."
            return Refused(message, "prices", str(n), "price", code="LOCAL_CURRENCY_GIFT_CARD_LIMIT_EXCEEDED")
        return None

    def _list(self, name: str) -> Json | None:
        found: Json | None = self.shop.memory.table("price_lists").get(name.rpartition("/")[2])
        return found


def _few(rows: list[Json], mutation: str, name: str) -> list[Json]:
    if len(rows) > MOST:
        message = f"The input array size of {len(rows)} is greater than the maximum allowed of {MOST}."
        raise Fault(message, "MAX_INPUT_SIZE_EXCEEDED", [mutation, name])
    return rows


def _unfit(row: Json, n: int, mine: Json) -> Refused | None:
    if row.get("id") not in mine:
        message = "Product variant does not exist"
        return Refused(message, "variants", str(n), "id", code="PRODUCT_VARIANT_DOES_NOT_EXIST")
    for name in ("price", "compareAtPrice"):
        if row.get(name) is not None and Decimal(row[name]) < 0:
            message = "Price must be greater than or equal to 0"
            return Refused(message, "variants", str(n), name, code="GREATER_THAN_OR_EQUAL_TO")
    return None


def _rows(held: Json) -> Callable[[Json], Connection]:
    """Fixed prices of the variants that the query names, or of all."""

    def found(given: Json) -> Connection:
        wanted = VARIANT.findall(given.get("query") or "")
        rows = [name for name in held["prices"] if not wanted or name in wanted]
        return Connection(rows, lambda name: name, lambda name: _row(name, held))

    return found


def _row(name: str, held: Json) -> Json:
    price, above = held["prices"][name]

    def money(amount: str | None) -> Json | None:
        return None if amount is None else {"amount": amount, "currencyCode": held["currency"]}

    return {
        "__typename": "PriceListPrice",
        "price": money(price),
        "compareAtPrice": money(above),
        "variant": graph.ref("ProductVariant", int(name)),
    }


def _answer(payload: str, wrong: list[Refused], made: list[Json] | None = None) -> Json:
    told = [{"field": one.field, "message": one.message, "code": one.code} for one in wrong]
    return {payload: made, "userErrors": told}
