"""What happens to an order of the simulated shop after it was placed: shipped, paid, edited, refunded, cancelled.

Each change answers the topics that Shopify sends for it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connectors.shopify.simulator_orders import (
    Ids,
    Json,
    _line,
    currencies,
    fulfillment_order,
    off,
    outstanding,
    settle,
    taxed,
    transaction,
    worth,
)
from connectors.shopify.simulator_sums import NOTHING, Currencies, Sum, read, rounded, total


class Refused(Exception):
    """The shop does not do this; `field` is the input's path."""

    def __init__(self, message: str, *field: str, code: str = "INVALID") -> None:
        super().__init__(message)
        self.message, self.field, self.code = message, list(field), code


Told = list[tuple[str, Json]]


def fulfil(order: Json, items: list[tuple[Json, int]], tracking: Json, ids: Ids, now: str) -> tuple[Json, Told]:
    """Ships quantities of fulfilment order lines ([(line of a fulfilment order, quantity)]) as one fulfilment."""
    if any(quantity > item["left"] or quantity <= 0 for item, quantity in items):
        raise Refused("Invalid fulfillment order line item quantity requested.", "fulfillment")
    by_id = {line["id"]: line for line in order["line_items"]}
    number = ids("fulfillment")
    shipped = {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{number}",
        "created_at": now,
        "line_items": [{**by_id[item["line_item_id"]], "quantity": quantity} for item, quantity in items],
        "location_id": _from(order, items[0][0]),
        "name": f"{order['name']}.{len(order['fulfillments']) + 1}",
        "order_id": order["id"],
        "origin_address": {},
        "receipt": {},
        "service": "manual",
        "shipment_status": None,
        "status": "success",
        "tracking_company": tracking.get("company"),
        "tracking_number": next(iter(tracking.get("numbers", ())), None),
        "tracking_numbers": list(tracking.get("numbers", ())),
        "tracking_url": next(iter(tracking.get("urls", ())), None),
        "tracking_urls": list(tracking.get("urls", ())),
        "updated_at": now,
    }
    for item, quantity in items:
        item["left"] -= quantity
        line = by_id[item["line_item_id"]]
        line["fulfillable_quantity"] -= quantity
        line["fulfillment_status"] = "partial" if line["fulfillable_quantity"] else "fulfilled"
    order["fulfillments"].append(shipped)
    _close(order)
    done = order["fulfillment_status"] == "fulfilled"
    return shipped, [
        ("fulfillments/create", shipped),
        ("orders/fulfilled" if done else "orders/partially_fulfilled", order),
        ("orders/updated", order),
    ]


def _from(order: Json, item: Json) -> int:
    """Where a line of a fulfilment order is."""
    return next(int(one["location_id"]) for one in order["_fulfillment_orders"] if item in one["line_items"])


def _close(order: Json) -> None:
    for one in order["_fulfillment_orders"]:
        if one["status"] in ("OPEN", "IN_PROGRESS") and not any(item["left"] for item in one["line_items"]):
            one["status"] = "CLOSED"
        elif one["status"] == "OPEN" and any(item["left"] < item["total"] for item in one["line_items"]):
            one["status"] = "IN_PROGRESS"
    open_ = any(item["left"] for one in order["_fulfillment_orders"] for item in one["line_items"])
    order["fulfillment_status"] = ("partial" if open_ else "fulfilled") if order["fulfillments"] else None


def pay(order: Json, ids: Ids, now: str, gateway: str = "") -> Told:
    """Takes what is outstanding: a capture of the authorisation, or a further sale."""
    money = currencies(order)
    due = outstanding(order, read(order["current_total_price_set"]))
    held = next((one for one in order["_transactions"] if one["kind"] == "authorization"), None)
    for one in order["_transactions"]:
        if one["status"] == "pending":
            one["status"] = "success"
            due = due - read(one["_set"])
    named = gateway or (held or order["_transactions"][0])["gateway"]
    if due:
        taken = transaction(ids, order, money, "capture" if held else "sale", named, due, now)
        order["_transactions"].append({**taken, "parent_id": held["id"] if held else None})
    order["payment_gateway_names"] = list(dict.fromkeys(one["gateway"] for one in order["_transactions"]))
    order["financial_status"] = "paid"
    settle(order, money)
    return [("orders/paid", order), ("orders/updated", order)]


def edit(order: Json, asked: Json, ids: Ids, products: dict[str, Json], now: str) -> Told:
    """Adds lines and takes pieces away, as an order edit committed by a member of staff."""
    money = currencies(order)
    spec = {"taxes_included": order["taxes_included"], **asked}
    added = [_line(item, spec, money, ids, products) for item in asked.get("add", ())]
    rate = next((tax for line in order["line_items"] for tax in line["tax_lines"]), None)
    for line in added:
        if rate:
            share = Decimal(str(rate["rate"]))
            share = share / (1 + share) if order["taxes_included"] else share
            line["tax_lines"] = [{**rate, **money.both("price", money.share(worth(line), share))}]
        order["_fulfillment_orders"].append(fulfillment_order([line], ids, _place(order)))
    order["line_items"] += added
    removed = _removed(order, asked.get("remove", ()), ids, money, now)
    settle(order, money)
    due = outstanding(order, read(order["current_total_price_set"]))
    if order["financial_status"] == "paid" and due.shop > 0:
        order["financial_status"] = "partially_paid"
    number = ids("order_edit")
    told = {
        "order_edit": {
            "id": number,
            "app_id": 580111,
            "created_at": now,
            "notify_customer": False,
            "order_id": order["id"],
            "staff_note": asked.get("note", ""),
            "user_id": 1,
            "shipping_lines": {"additions": [], "removals": []},
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "line_items": {
                "additions": [{"id": line["id"], "delta": line["quantity"]} for line in added],
                "removals": [{"id": line, "delta": delta} for line, delta in removed],
            },
            "committed_at": now,
        }
    }
    return [("orders/edited", told), ("orders/updated", order)]


def _place(order: Json) -> int:
    held = order["_fulfillment_orders"]
    return int(held[0]["location_id"]) if held else 0


def _removed(order: Json, asked: Any, ids: Ids, money: Currencies, now: str) -> list[tuple[int, int]]:
    """A removal is a refund that moves no money."""
    wanted = [(_find(order, item), item["quantity"]) for item in asked]
    if wanted:
        order["refunds"].append(_refund(order, wanted, ids, money, now, restock="cancel"))
        _unship(order, wanted)
    return [(line["id"], quantity) for line, quantity in wanted]


def _find(order: Json, item: Json) -> Json:
    """The order line that an instruction names by id or SKU."""
    lines: list[Json] = order["line_items"]
    for line in lines:
        if item.get("line_item_id") == line["id"] or ("sku" in item and item["sku"] == line["sku"]):
            return line
    raise Refused(f"No line {item} in order {order['name']}.", "line_items")


def _unship(order: Json, wanted: list[tuple[Json, int]]) -> None:
    """What is taken away is no longer to be shipped, as far as it has not left."""
    for line, quantity in wanted:
        left = quantity
        for one in order["_fulfillment_orders"]:
            for item in one["line_items"]:
                if item["line_item_id"] == line["id"]:
                    gone = min(left, item["left"])
                    item["left"], item["total"], left = item["left"] - gone, item["total"] - gone, left - gone
        line["fulfillable_quantity"] = max(0, line["fulfillable_quantity"] - quantity)
    _close(order)


def refund(order: Json, asked: Json, ids: Ids, now: str) -> tuple[Json, Told]:
    """Gives back lines ({sku or line_item_id, quantity}), shipping (an amount or true), or a mere amount, through the tenders in turn.

    `repeated`: the webhook tells the shipping as an adjustment too, as many do.
    """
    return refund_of(order, asked, ids, now)


def refund_of(order: Json, asked: Json, ids: Ids, now: str, moved: list[Json] | None = None) -> tuple[Json, Told]:
    """The refund; `moved` are its transactions where they are given, and then it comes to what they move."""
    money = currencies(order)
    wanted = [(_find(order, item), item["quantity"]) for item in asked.get("lines", ())]
    made = _refund(order, wanted, ids, money, now, asked.get("restock", "return"), asked.get("note"))
    shipping = _shipping(order, asked.get("shipping"), money)
    if shipping:
        made["refund_shipping_lines"] = [
            {
                "id": ids("refund_shipping_line"),
                "shipping_line": {"id": order["shipping_lines"][0]["id"]},
                "subtotal_amount_set": money.money(shipping[0]),
                "tax_amount_set": money.money(shipping[1]),
            }
        ]
        made["_shipping"], made["_tax"] = money.money(shipping[0]), money.money(read(made["_tax"]) + shipping[1])
    back = read(made["_worth"]) + (_with_tax(order, *shipping) if shipping else NOTHING)
    extra = money.of(Decimal(str(asked.get("amount", 0))))
    extra = total(read(one["_set"]) for one in moved) - back if moved is not None else extra
    if shipping and asked.get("repeated"):
        made["order_adjustments"] = [_adjustment(order, made, shipping, "shipping_refund", ids, money)]
    if extra:
        made["order_adjustments"].append(_adjustment(order, made, (extra, NOTHING), "refund_discrepancy", ids, money))
    made["_worth"] = money.money(back + extra)
    made["transactions"] = _give_back(order, back + extra, ids, money, now) if moved is None else moved
    order["refunds"].append(made)
    _unship(order, [(line, quantity) for line, quantity in wanted if line["fulfillable_quantity"]])
    settle(order, money)
    everything = read(order["current_total_price_set"]).shop <= 0
    order["financial_status"] = "refunded" if everything else "partially_refunded"
    return made, [("refunds/create", made), ("orders/updated", order)]


def _adjustment(order: Json, made: Json, back: tuple[Sum, Sum], kind: str, ids: Ids, money: Currencies) -> Json:
    """Money (and its tax) that no line accounts for, or shipping that `refund_shipping_lines` tells too."""
    return {
        "id": ids("order_adjustment"),
        "order_id": order["id"],
        "refund_id": made["id"],
        **money.both("amount", NOTHING - back[0]),
        **money.both("tax_amount", NOTHING - back[1]),
        "kind": kind,
        "reason": kind.replace("_", " ").capitalize(),
    }


def returned(order: Json, parent: int | None = None) -> Sum:
    """What went back of an order, or through one of its transactions."""
    moved = [one for refund in order["refunds"] for one in refund["transactions"] if one["status"] == "success"]
    return total(read(one["_set"]) for one in moved if parent is None or one["parent_id"] == parent)


def _refund(
    order: Json,
    wanted: list[tuple[Json, int]],
    ids: Ids,
    money: Currencies,
    now: str,
    restock: str,
    note: str | None = None,
) -> Json:
    number = ids("refund")
    items = [_refund_line(order, line, quantity, ids, money, restock) for line, quantity in wanted]
    subtotal = total(read(item["subtotal_set"]) for item in items)
    tax = total(read(item["total_tax_set"]) for item in items)
    taken = total(read(item["_off"]) for item in items)
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Refund/{number}",
        "created_at": now,
        "note": note,
        "order_id": order["id"],
        "processed_at": now,
        "restock": restock != "no_restock",
        "return": None,
        "total_duties_set": money.money(NOTHING),
        "user_id": 1,
        "duties": [],
        "order_adjustments": [],
        "refund_shipping_lines": [],
        "refund_line_items": items,
        "transactions": [],
        "_worth": money.money(_with_tax(order, subtotal, tax)),
        "_subtotal": money.money(subtotal),
        "_tax": money.money(tax),
        "_off": money.money(taken),
        "_shipping": money.money(NOTHING),
    }


def _with_tax(order: Json, amount: Sum, tax: Sum) -> Sum:
    return amount if order["taxes_included"] else amount + tax


def _refund_line(order: Json, line: Json, quantity: int, ids: Ids, money: Currencies, restock: str) -> Json:
    """A share of the line; the last piece takes what rounding left, so that all refunds make the line."""
    if quantity > line["current_quantity"]:
        raise Refused("Quantity cannot refund more items than were purchased", "refundLineItems", "0", "quantity")
    first, last = line["quantity"] - line["current_quantity"], line["quantity"] - line["current_quantity"] + quantity
    line["current_quantity"] -= quantity

    def piece(whole: Sum) -> Sum:
        each = Decimal(1) / line["quantity"]
        return _upto(whole, each * last, money) - _upto(whole, each * first, money)

    subtotal, tax = piece(worth(line) - off(line)), piece(taxed(line))
    return {
        "id": ids("refund_line"),
        "line_item_id": line["id"],
        "location_id": _place(order) or None,
        "quantity": quantity,
        "restock_type": restock,
        "subtotal": float(subtotal.shop),
        "subtotal_set": money.money(subtotal),
        "total_tax": float(tax.shop),
        "total_tax_set": money.money(tax),
        "line_item": line,
        "_off": money.money(piece(off(line))),
    }


def _upto(whole: Sum, share: Decimal, money: Currencies) -> Sum:
    if share >= Decimal("0.999999999"):
        return whole
    return Sum(rounded(whole.shop * share, money.shop), rounded(whole.seen * share, money.seen))


def _shipping(order: Json, asked: Any, money: Currencies) -> tuple[Sum, Sum] | None:
    if not asked or not order["shipping_lines"]:
        return None
    line = order["shipping_lines"][0]
    if asked is True:
        return worth(line) - off(line), taxed(line)
    return money.of(Decimal(str(asked))), NOTHING


def _give_back(order: Json, amount: Sum, ids: Ids, money: Currencies, now: str) -> list[Json]:
    """From each tender what it still holds, in the order in which it was paid."""
    given: list[Json] = []
    for paid in order["_transactions"]:
        if paid["kind"] not in ("sale", "capture") or paid["status"] != "success" or not amount:
            continue
        before = [t for one in order["refunds"] for t in one["transactions"] if t["parent_id"] == paid["id"]]
        held = read(paid["_set"]) - total(read(t["_set"]) for t in before)
        share = amount if amount.seen <= held.seen else held
        if share:
            moved = transaction(ids, order, money, "refund", paid["gateway"], share, now)
            given.append({**moved, "parent_id": paid["id"]})
            amount = amount - share
    return given


def cancel(order: Json, asked: Json, ids: Ids, now: str) -> Told:
    """Cancels what has not left; gives the money back unless told otherwise."""
    if order["cancelled_at"]:
        raise Refused("Order has already been cancelled", "orderId")
    told: Told = []
    paid = order["financial_status"] in ("paid", "partially_refunded")
    if paid and asked.get("refund", True):
        lines = [{"line_item_id": line["id"], "quantity": line["current_quantity"]} for line in order["line_items"]]
        everything = {"lines": [line for line in lines if line["quantity"]], "shipping": True, "restock": "cancel"}
        _, told = refund(order, everything, ids, now)
    elif not paid:
        order["financial_status"] = "voided"
    order["cancelled_at"] = now
    order["cancel_reason"] = asked.get("reason", "customer")
    for one in order["_fulfillment_orders"]:
        if one["status"] != "CLOSED":
            one["status"] = "CANCELLED"
            for item in one["line_items"]:
                item["left"] = 0
    return [("orders/cancelled", order), *told]
