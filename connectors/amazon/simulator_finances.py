"""The simulated Amazon's financial events: what went back to buyers, of one order and of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import request

from connectors.amazon.simulator_access import Refused
from connectors.amazon.simulator_orders import BEFORE, moment, numbered, page_of, size_of
from connectors.amazon.simulator_store import Json, Store
from connectors.canonical.money import minor_unit

LISTS = {"refund": "RefundEventList", "claim": "GuaranteeClaimEventList", "chargeback": "ChargebackEventList"}
# what an adjustment feed calls it -> charge type
CHARGES = {"Shipping": "ShippingCharge", "GiftWrap": "Giftwrap", "GiftWrapTax": "GiftwrapTax"}
TAX_OF = {
    "Principal": ("tax", "price"),
    "Shipping": ("shipping_tax", "shipping"),
    "GiftWrap": ("gift_wrap_tax", "gift_wrap"),
}
TAXES = {"Principal": "Tax", "Shipping": "ShippingTax", "GiftWrap": "GiftwrapTax"}
LONGEST = timedelta(days=180)


class Finances:
    """Handlers; each is given the token's row."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def rules(self) -> list[tuple[str, str, str, bool, Any, bool]]:
        """(rule, operation, method, write, handle, grantless)"""
        at = "/finances/v0"
        return [
            (f"{at}/orders/<name>/financialEvents", "finances.order", "GET", False, self.of_order, False),
            (f"{at}/financialEvents", "finances.list", "GET", False, self.listed, False),
        ]

    def of_order(self, token: Json, name: str) -> Any:
        numbered(name)
        return {"payload": {"FinancialEvents": _listed(self._events(self.store.find(name)))}}

    def listed(self, token: Json) -> Any:
        """By the time they were posted. The first page is empty, as pages may be."""
        since, until = self._window()
        rows = (
            []
            if until - since > LONGEST
            else [
                row
                for order in self.store.orders()
                for row in self._events(order)
                if since <= moment(row[1]["PostedDate"]) < until
            ]
        )
        rows.sort(key=lambda row: (row[1]["PostedDate"], row[1]["AmazonOrderId"]))
        asked = request.args.get("NextToken")
        if rows and asked is None:
            return {"payload": {"FinancialEvents": {}, "NextToken": "page-0"}}
        found, following = page_of(self.store, rows, size_of("MaxResultsPerPage"), asked)
        return {"payload": {"FinancialEvents": _listed(found), **({"NextToken": following} if following else {})}}

    def _window(self) -> tuple[datetime, datetime]:
        latest = datetime.now(UTC) - BEFORE
        if "PostedAfter" not in request.args:
            raise Refused(400, "InvalidInput", "PostedAfter is required with PostedBefore.")
        since = moment(request.args["PostedAfter"])
        until = moment(request.args["PostedBefore"]) if "PostedBefore" in request.args else latest
        if not since < until <= latest:
            raise Refused(400, "InvalidInput", "Date range is invalid.")
        return since, until

    def _events(self, order: Json) -> Iterator[tuple[str, Json]]:
        for refund in order["refunds"]:
            if self.store.simulator.indexed("refund", f"{order['id']}/{refund['number']}"):
                yield LISTS[refund["kind"]], _event(order, refund)


def _listed(rows: Any) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for name, event in rows:
        found.setdefault(name, []).append(event)
    return found


def _event(order: Json, refund: Json) -> Json:
    """Items by their SKU, without the order's item id; what the seller pays is negative."""
    items = {item["id"]: item for item in order["items"]}
    names = dict.fromkeys(row["item"] for row in refund["rows"])
    told = [_item(order, items[name], [row for row in refund["rows"] if row["item"] == name], refund) for name in names]
    return {
        "AmazonOrderId": order["id"],
        "MarketplaceName": "Amazon.example",
        "PostedDate": refund["at"],
        "ShipmentItemAdjustmentList": told,
    }


def _item(order: Json, item: Json, rows: list[Json], refund: Json) -> Json:
    charges = [part for row in rows if row["kind"] != "Promotion" for part in _charges(order, item, row)]
    told: Json = {
        "SellerSKU": item["sku"],
        "OrderAdjustmentItemId": f"{item['id']}{refund['number']}",
        "QuantityShipped": refund["quantities"].get(item["id"], 1),
        "ItemChargeAdjustmentList": [_charge(order, kind, -amount) for kind, amount in charges],
        "ItemFeeAdjustmentList": [
            {"FeeType": "Commission", "FeeAmount": _money(order, Decimal("1.50"))},
            {"FeeType": "RefundCommission", "FeeAmount": _money(order, Decimal("-0.30"))},
        ],
    }
    if order["remitted"]:
        held = [_charge(order, "MarketplaceFacilitatorTax-Principal", one) for kind, one in charges if kind == "Tax"]
        told["ItemTaxWithheldList"] = [{"TaxCollectionModel": "MarketplaceFacilitator", "TaxesWithheld": held}]
    off = [Decimal(row["amount"]) for row in rows if row["kind"] == "Promotion"]
    if off:
        told["PromotionAdjustmentList"] = [
            {
                "PromotionType": "PromotionMetaDataDefinitionValue",
                "PromotionId": item["promotion"],
                "PromotionAmount": _money(order, one),
            }
            for one in off
        ]
    return told


def _charges(order: Json, item: Json, row: Json) -> Iterator[tuple[str, Decimal]]:
    """A charge without its tax, and the tax: Amazon tells them apart, though a price may hold it."""
    amount, kind = Decimal(row["amount"]), str(row["kind"])
    tax, price = (Decimal(item[name]) for name in TAX_OF.get(kind, ("tax", "price")))
    within = Decimal(0)
    if order["included"] and kind in TAX_OF and price:
        within = (amount * tax / price).quantize(minor_unit(order["currency"]))
    yield CHARGES.get(kind, kind), amount - within
    if within:
        yield TAXES[kind], within


def _charge(order: Json, kind: str, amount: Decimal) -> Json:
    return {"ChargeType": kind, "ChargeAmount": _money(order, amount)}


def _money(order: Json, amount: Decimal) -> Json:
    return {"CurrencyCode": order["currency"], "CurrencyAmount": amount}


# ---- what a seller, or Amazon itself, gives back without us


def given_back(store: Store, name: str, asked: Mapping[str, Any]) -> Json:
    """`quantities` by item id (all that left where it is absent), or `goodwill` (an amount of the first item); `at`; `kind`:
    refund, claim or chargeback; `back`: the claim was decided anew, and the buyer pays again."""
    order = store.find(name)
    if "goodwill" in asked:
        rows = [_row(order["items"][0], "Goodwill", Decimal(str(asked["goodwill"])))]
        quantities: Mapping[str, int] = {}
    else:
        quantities = asked.get("quantities") or {item["id"]: item["shipped"] for item in order["items"]}
        rows = [row for item in order["items"] for row in _whole(order, item, int(quantities.get(item["id"], 0)))]
    if asked.get("back"):
        rows = [{**row, "amount": str(-Decimal(row["amount"]))} for row in rows]
    return store.refund(name, rows, kind=asked.get("kind", "refund"), at=asked.get("at", ""), quantities=quantities)


def _whole(order: Json, item: Json, pieces: int) -> Iterator[Json]:
    """A share of all that the item brought."""
    names = {"price": "Principal", "shipping": "Shipping", "gift_wrap": "GiftWrap"}
    names |= {"discount": "Promotion", "shipping_discount": "Promotion"}
    names |= {} if order["included"] else {"tax": "Tax", "shipping_tax": "ShippingTax"}
    for name, kind in names.items():
        share = (Decimal(item[name]) * pieces / item["quantity"]).quantize(minor_unit(order["currency"]))
        if share:
            yield _row(item, kind, share)


def _row(item: Json, kind: str, amount: Decimal) -> Json:
    return {"item": item["id"], "id": "", "kind": kind, "amount": str(amount)}
