"""The simulated store gives money back: a quote first, then the refund that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connectors.bigcommerce.simulator_store import PARTLY_REFUNDED, REFUNDED, Refused, Store, refunded
from connectors.bigcommerce.simulator_sums import Purse

Json = dict[str, Any]
QUANTITY, AMOUNT = ("PRODUCT", "GIFT_WRAPPING"), ("ORDER", "SHIPPING", "HANDLING", "TAX", "FEE")


def quote(store: Store, order: Json, items: Sequence[Json]) -> Json:
    """What the items come to with their tax, and the ways that it can go: to the tenders, or to store credit."""
    if not items:
        raise Refused(422, "JSON data is missing or invalid", {"items": "error.path.missing"})
    purse = Purse(order["currency"], order["inclusive"], Decimal(order["rate"]))
    worth = [_worth(order, item, purse) for item in items]
    net, tax = (sum((one[n] for one in worth), Decimal(0)) for n in (0, 1))
    total = purse.round(net if purse.inclusive else net + tax)
    left = paid(order) - given_back(order)
    if total > left:
        raise Refused(
            422, "The refund amount is more than what is left to be refunded.", {"amount": f"{total} > {left}"}
        )
    return {"total": total, "tax": tax, "methods": _methods(order, total)}


def _worth(order: Json, item: Json, purse: Purse) -> tuple[Decimal, Decimal]:
    kind = item.get("item_type")
    if kind == "PRODUCT":
        return _pieces(order, item, purse)
    if kind not in AMOUNT or "amount" not in item:
        raise Refused(422, "JSON data is missing or invalid", {"item_type": "error.unknown"})
    amount = Decimal(str(item["amount"]))
    if kind in ("SHIPPING", "HANDLING") and item.get("item_id") not in order["addresses"]:
        raise Refused(422, "The item is not found.", {"item_id": "unknown order address"})
    return amount, purse.tax(amount) if kind in ("SHIPPING", "HANDLING") else Decimal(0)


def _pieces(order: Json, item: Json, purse: Purse) -> tuple[Decimal, Decimal]:
    line = next((one for one in order["lines"] if one["id"] == item.get("item_id")), None)
    if line is None:
        raise Refused(422, "The item is not found.", {"item_id": "unknown order product"})
    quantity = int(item.get("quantity", 0))
    if not 0 < quantity <= line["quantity"] - refunded(order, line["id"]):
        raise Refused(422, "The quantity is more than is left to be refunded.", {"quantity": "too many"})
    row = next(one for one in order["taxes"] if one["order_product_id"] == str(line["id"]))
    share = Decimal(quantity) / line["quantity"]
    net = purse.round((Decimal(line["sum"]) - Decimal(line["off"])) * share)
    return net, purse.round(Decimal(row["line_amount"]) * share)


def _methods(order: Json, total: Decimal) -> list[list[Json]]:
    """The gateway pays back what it took, gift certificates and credit the rest; store credit takes all, if one is known."""
    taken = [row for row in order["transactions"] if row["event"] in ("purchase", "capture")]
    back, left = [], total
    for row in reversed(taken):
        part = min(left, Decimal(row["amount"]) - _given(order, row["gateway"]))
        if part > 0:
            back.append(_option(row["gateway"], part))
            left -= part
    ways = [back] if back and left <= 0 else []
    if not taken:
        ways.append([_option("custom", total, offline=True)])
    return [*ways, *([[_option("storecredit", total)]] if order["customer_id"] else [])]


def _option(provider: str, amount: Decimal, offline: bool = False) -> Json:
    offline = offline or provider in ("bankdeposit", "cod", "giftcertificate")
    return {
        "provider_id": provider,
        "provider_description": provider.title(),
        "amount": amount,
        "offline": offline,
        "offline_provider": offline,
        "offline_reason": "",
    }


def paid(order: Json) -> Decimal:
    rows = [row for row in order["transactions"] if row["event"] in ("purchase", "capture")]
    if not rows and order["payment"] in ("captured", "paid"):
        return Decimal("Infinity")
    return sum((Decimal(row["amount"]) for row in rows), Decimal(0))


def given_back(order: Json) -> Decimal:
    payments = (row for one in order["refunds"] for row in one["payments"] if not row["is_declined"])
    return sum((Decimal(row["amount"]) for row in payments), Decimal(0))


def _given(order: Json, gateway: str) -> Decimal:
    payments = (row for one in order["refunds"] for row in one["payments"] if not row["is_declined"])
    return sum((Decimal(row["amount"]) for row in payments if row["provider_id"] == gateway), Decimal(0))


def refund(store: Store, order: Json, wanted: Json) -> Json:
    """Raises Refused where the payments are not what the quote (or the merchant's override) comes to."""
    told = quote(store, order, wanted.get("items") or ())
    override = wanted.get("merchant_calculated_override")
    total = Decimal(str(override["total_amount"])) if override else told["total"]
    payments = wanted.get("payments") or []
    if sum((Decimal(str(one["amount"])) for one in payments), Decimal(0)) != total:
        raise Refused(422, "The payments do not add up to the refund amount.", {"payments": str(total)})
    for one in payments:
        if one["provider_id"] == "storecredit" and not order["customer_id"]:
            raise Refused(422, "Unable to provide store credit for a guest customer.")
    made = {
        "id": store.memory.next_id("refunds", 12),
        "created": store.now().replace(microsecond=0).isoformat(),
        "total": str(total),
        "tax": str(override["total_tax"] if override else told["tax"]),
        "override": bool(override),
        "reason": wanted.get("reason", ""),
        "items": [
            {**item, "amount": str(item["amount"])} if "amount" in item else dict(item) for item in wanted["items"]
        ],
        "payments": [_paid_back(store, order, one) for one in payments],
    }
    order["refunds"].append(made)
    store.simulator.created("refunds", str(made["id"]))
    whole = given_back(order) >= paid(order)
    order["payment"] = "refunded" if whole else "partially refunded"
    told_of = {"type": "order", "id": order["id"], "refund": {"refund_id": made["id"]}}
    store.tell("store/order/refund/created", told_of)
    store.set_status(order, REFUNDED if whole else PARTLY_REFUNDED)
    return made


def _paid_back(store: Store, order: Json, one: Json) -> Json:
    declined = one["provider_id"] in order.get("declines", ())
    number = store.memory.next_id("refund_payments", 13)
    return {
        "id": number,
        "provider_id": one["provider_id"],
        "amount": str(one["amount"]),
        "offline": bool(one.get("offline", False)),
        "is_declined": declined,
        "declined_message": "The card was closed" if declined else "",
    }
