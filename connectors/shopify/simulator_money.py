"""Money that is moved in the simulated shop by an app's word: an authorisation captured, a refund made through named transactions."""

from __future__ import annotations

from decimal import Decimal

from connectors.shopify.simulator_changes import Refused, Told, refund_of, returned
from connectors.shopify.simulator_orders import OFTEN, Ids, Json, currencies, outstanding, settle, transaction
from connectors.shopify.simulator_sums import Sum, read, total

DECLINING = "declining_payments"  # a provider that says no to all that is asked of an authorisation


def capture(order: Json, asked: Json, ids: Ids, now: str) -> tuple[Json, Told]:
    """Takes a part of an authorisation. Raises Refused for more than is left, and for a second capture where one is all there is."""
    held = _transaction(order, asked["parentTransactionId"], ("authorization",), "parentTransactionId")
    money = currencies(order)
    if (asked.get("currency") or money.seen) != money.seen:
        raise Refused("Currency must be the presentment currency of the order", "currency")
    mine = (one for one in order["_transactions"] if one["kind"] == "capture" and one["parent_id"] == held["id"])
    before = [one for one in mine if one["status"] != "failure"]
    if before and held["gateway"] not in OFTEN:
        raise Refused("The authorization has already been captured", "parentTransactionId")
    left = read(held["_set"]) - total(read(one["_set"]) for one in before)
    amount = Decimal(asked["amount"])
    if amount <= 0 or amount > left.seen:
        raise Refused("Amount exceeds the amount that can be captured", "amount")
    taken = left if amount == left.seen else money.of(amount)
    made = {**transaction(ids, order, money, "capture", held["gateway"], taken, now), "parent_id": held["id"]}
    if held["gateway"] == DECLINING:
        return _declined(order, made)
    order["_transactions"].append(made)
    settle(order, money)
    paid = outstanding(order, read(order["current_total_price_set"])).seen <= 0
    order["financial_status"] = "paid" if paid else "partially_paid"
    return made, [*([("orders/paid", order)] if paid else []), ("orders/updated", order)]


def void(order: Json, asked: Json, ids: Ids, now: str) -> tuple[Json, Told]:
    """Lets go an authorisation that nothing was taken of. Raises Refused for any other."""
    number = _number(asked["parentTransactionId"])
    held = next(one for one in order["_transactions"] if one["id"] == number)
    if held["kind"] != "authorization" or held["status"] != "success":
        raise Refused(
            "Transaction must be a successful authorization", "parentTransactionId", code="AUTH_NOT_SUCCESSFUL"
        )
    if any(one["parent_id"] == held["id"] and one["status"] != "failure" for one in order["_transactions"]):
        raise Refused("Transaction must be voidable", "parentTransactionId", code="AUTH_NOT_VOIDABLE")
    money = currencies(order)
    whole = read(held["_set"])
    made = {**transaction(ids, order, money, "void", held["gateway"], whole, now), "parent_id": held["id"]}
    if held["gateway"] == DECLINING:
        return _declined(order, made)
    order["_transactions"].append(made)
    order["financial_status"] = "voided"
    return made, [("orders/updated", order)]


def _declined(order: Json, made: Json) -> tuple[Json, Told]:
    """A transaction that failed is listed, and changes nothing else: no error of the user's is told."""
    failed = {**made, "status": "failure"}
    order["_transactions"].append(failed)
    return failed, [("orders/updated", order)]


def refund(order: Json, asked: Json, ids: Ids, now: str) -> tuple[Json, Told]:
    """A refund of lines through these transactions, or as store credit. Raises Refused where one would give back more than it took."""
    money = currencies(order)
    parts: list[tuple[str, int | None, Sum]] = [_part(order, one) for one in asked.get("transactions") or ()]
    credit = [one["storeCreditRefund"]["amount"] for one in asked.get("refundMethods") or ()]
    parts += [("shopify_store_credit", None, money.of(Decimal(one["amount"]))) for one in credit]
    took = total(read(one["_set"]) for one in order["_transactions"] if one["kind"] in ("sale", "capture"))
    if (returned(order) + total(share for _, _, share in parts)).seen > took.seen:
        raise Refused("Refund amount exceeds the amount that was paid", "transactions")
    wanted = {
        "lines": [
            {"line_item_id": _number(one["lineItemId"]), "quantity": one["quantity"]}
            for one in asked["refundLineItems"]
        ],
        "note": asked.get("note"),
        "restock": "no_restock"
        if all(one["restockType"] == "NO_RESTOCK" for one in asked["refundLineItems"])
        else "return",
    }
    moved = [
        {**transaction(ids, order, money, "refund", gateway, share, now), "parent_id": parent}
        for gateway, parent, share in parts
    ]
    return refund_of(order, wanted, ids, now, moved)


def _part(order: Json, asked: Json) -> tuple[str, int, Sum]:
    paid = _transaction(order, asked["parentId"], ("sale", "capture"), "transactions")
    left = read(paid["_set"]) - returned(order, paid["id"])
    amount = Decimal(asked["amount"])
    if amount > left.seen:
        raise Refused("Refund amount exceeds the amount of the transaction", "transactions", "0", "amount")
    return paid["gateway"], paid["id"], left if amount == left.seen else currencies(order).of(amount)


def _transaction(order: Json, name: str, kinds: tuple[str, ...], field: str) -> Json:
    for one in order["_transactions"]:
        if one["id"] == _number(name) and one["kind"] in kinds and one["status"] == "success":
            found: Json = one
            return found
    raise Refused("Transaction does not exist", field)


def _number(name: str) -> int:
    return int(str(name).rpartition("/")[2])
