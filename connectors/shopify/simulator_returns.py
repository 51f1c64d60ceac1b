"""Returns in the simulated shop: asked for, allowed or not, processed (money goes back, an exchange goes out), closed, reopened.

As in Shopify only what has left may come back, and an exchanged article becomes a line of the same order when the return is processed.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.shopify.simulator_changes import Refused, Told, _find, _give_back, _refund, edit
from connectors.shopify.simulator_orders import Ids, Json, currencies, outstanding, settle, worth
from connectors.shopify.simulator_sums import NOTHING, Sum, read, total

MOVES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "approve": (("REQUESTED",), "OPEN"),
    "decline": (("REQUESTED",), "DECLINED"),
    "cancel": (("REQUESTED", "OPEN"), "CANCELED"),
    "close": (("OPEN",), "CLOSED"),
    "reopen": (("CLOSED",), "OPEN"),
}


def ask(order: Json, asked: Json, ids: Ids, now: str) -> Told:
    """{lines: [{sku, quantity, reason}], exchange: [{sku, quantity}]}: a customer's request, or with `open` staff's own return."""
    number = ids("return")
    made = {
        "id": number,
        "name": f"{order['name']}-R{len(order['_returns']) + 1}",
        "status": "OPEN" if asked.get("open") else "REQUESTED",
        "created_at": now,
        "closed_at": None,
        "decline": None,
        "lines": [_line(order, item, ids) for item in asked["lines"]],
        "exchange": [{"id": ids("exchange_line"), "line": None, **item} for item in asked.get("exchange", ())],
    }
    order["_returns"].append(made)
    return [("returns/approve" if asked.get("open") else "returns/request", _whole(order, made))]


def _line(order: Json, item: Json, ids: Ids) -> Json:
    line = next(one for one in order["line_items"] if one["sku"] == item["sku"])
    gone = sum(i["quantity"] for f in order["fulfillments"] for i in f["line_items"] if i["id"] == line["id"])
    back = sum(
        one["quantity"]
        for each in order["_returns"]
        if each["status"] not in ("DECLINED", "CANCELED")
        for one in each["lines"]
        if one["line_item_id"] == line["id"]
    )
    if item["quantity"] > gone - back:
        raise Refused("Return line item has an invalid quantity.", "returnLineItems", "0", "quantity")
    return {
        "id": ids("return_line"),
        "line_item_id": line["id"],
        "sku": line["sku"],
        "quantity": item["quantity"],
        "processed": 0,
        "reason": item.get("reason", "unknown"),
        "note": item.get("note", ""),
    }


def move(order: Json, what: str, asked: Json, now: str) -> Told:
    """approve, decline {reason, note}, cancel, close or reopen of the return {number} (the last one where none is named)."""
    one = _named(order, asked)
    before, after = MOVES[what]
    if one["status"] not in before:
        raise Refused(f"Return is not {' or '.join(before).lower()}.", "id", code="INVALID_STATE")
    one["status"], one["closed_at"] = after, now if what == "close" else None
    if what == "decline":
        one["decline"] = {"reason": asked.get("reason", "OTHER"), "note": asked.get("note", "")}
    told = {"approve": _whole, "decline": _declined}.get(what, _thin)
    return [(f"returns/{what}", told(order, one))]


def process(order: Json, asked: Json, ids: Ids, products: dict[str, Json], now: str) -> Told:
    """What came back is paid back, less what goes out for it; {lines} [{sku, quantity}], all where none are named."""
    one = _named(order, asked)
    wanted = asked.get("lines") or [{"sku": row["sku"], "quantity": row["quantity"]} for row in one["lines"]]
    for item in wanted:
        row = next(row for row in one["lines"] if row["sku"] == item["sku"])
        row["processed"] += item["quantity"]
    out = _exchanged(order, one, ids, products, now)
    money = currencies(order)
    made = _refund(order, [(_find(order, item), item["quantity"]) for item in wanted], ids, money, now, "return")
    made["return"] = {"id": one["id"], "admin_graphql_api_id": f"gid://shopify/Return/{one['id']}"}
    owed = read(made["_worth"]) - out
    if owed.seen > 0:
        made["transactions"] = _give_back(order, owed, ids, money, now)
    order["refunds"].append(made)
    settle(order, money)
    due = outstanding(order, read(order["current_total_price_set"])).seen > 0
    order["financial_status"] = "partially_paid" if due else "partially_refunded" if made["transactions"] else "paid"
    return [("refunds/create", made), ("returns/update", _named_only(one)), ("orders/updated", order)]


def _exchanged(order: Json, one: Json, ids: Ids, products: dict[str, Json], now: str) -> Sum:
    """The articles that go out become lines of the order; answers what they come to, their taxes with them."""
    wanted = [item for item in one["exchange"] if item["line"] is None]
    if not wanted:
        return NOTHING
    edit(order, {"add": [{"sku": item["sku"], "quantity": item["quantity"]} for item in wanted]}, ids, products, now)
    added = order["line_items"][-len(wanted) :]
    for item, line in zip(wanted, added, strict=True):
        item["line"] = line["id"]
    taxes = total(read(tax["price_set"]) for line in added for tax in line["tax_lines"])
    return total(worth(line) for line in added) + (NOTHING if order["taxes_included"] else taxes)


def _named(order: Json, asked: Json) -> Json:
    wanted = asked.get("number", len(order["_returns"]))
    found: Json = order["_returns"][int(wanted) - 1]
    return found


# ---- what the webhooks carry: each topic its own shape


def _named_only(one: Json) -> Json:
    return {"admin_graphql_api_id": f"gid://shopify/Return/{one['id']}", "return_line_items": {}}


def _thin(order: Json, one: Json) -> Json:
    return {**_name(one), "order_id": order["id"]}


def _name(one: Json) -> Json:
    number = one["id"]
    return {"id": number, "admin_graphql_api_id": f"gid://shopify/Return/{number}", "status": one["status"].lower()}


def _whole(order: Json, one: Json) -> Json:
    rows = [
        {
            "id": row["id"],
            "fulfillment_line_item": {"line_item": {"id": row["line_item_id"]}},
            "quantity": row["quantity"],
            "return_reason": row["reason"].replace("-", "_"),
            "return_reason_note": row["note"],
            "customer_note": None,
        }
        for row in one["lines"]
    ]
    named = {**_name(one), "name": one["name"], "order": _order(order), "return_line_items": rows}
    counted = {"total_return_line_items": len(rows), "total_exchange_line_items": len(one["exchange"])}
    out = [{"id": item["id"], "line_item": None} for item in one["exchange"]]
    return {**named, **counted, "exchange_line_items": out, "return_shipping_fees": []}


def _declined(order: Json, one: Json) -> Json:
    told = {"reason": one["decline"]["reason"].lower(), "note": one["decline"]["note"]}
    return {**_name(one), "order": _order(order), "decline": told}


def _order(order: Json) -> Json:
    return {"id": order["id"], "admin_graphql_api_id": f"gid://shopify/Order/{order['id']}"}
