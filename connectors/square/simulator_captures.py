"""The simulated seller takes what was approved, or lets it go: each payment whole, and only where an order's payments come to its total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connectors.square.simulator_refused import Refused

if TYPE_CHECKING:
    from connectors.square.simulator_store import Store

Json = dict[str, Any]


def together(store: Store, order_id: str, names: Sequence[str]) -> Json:
    """Completes these payments of an order. Approved ones that are not named end. Raises Refused where the sums differ."""
    order, table = store.find(order_id), store.memory.table("payments")
    mine = [table[tender["payment_id"]] for tender in order.get("tenders", ())]
    named = [one for one in mine if one["id"] in names]
    if len(named) != len(names):
        raise Refused(404, "NOT_FOUND", "Payment not found for this order", "payment_ids")
    if any(one["status"] != "APPROVED" for one in named):
        raise Refused(400, "BAD_REQUEST", "The payment is not approved", "payment_id")
    done = sum(one["total_money"]["amount"] for one in mine if one["status"] == "COMPLETED")
    if done + sum(one["total_money"]["amount"] for one in named) != order["total_money"]["amount"]:
        raise Refused(400, "BAD_REQUEST", "The payment total does not match the order total.", "payment_id")
    for one in mine:
        if one in named:
            _ends(store, one, "COMPLETED", "CAPTURED")
        elif one["status"] == "APPROVED":
            _ends(store, one, "CANCELED", "VOIDED")
    _shown(store, order)
    return {"order": order_id}


def let_go(store: Store, payment: Json) -> None:
    """CancelPayment. Raises Refused unless it is approved."""
    if payment["status"] != "APPROVED":
        raise Refused(400, "BAD_REQUEST", "The payment is not approved", "payment_id")
    _ends(store, payment, "CANCELED", "VOIDED")
    _shown(store, store.find(payment["order_id"]))


def _shown(store: Store, order: Json) -> None:
    """The order's tenders say what became of their payments."""
    table = store.memory.table("payments")
    tenders = [_tender(one, table[one["payment_id"]]["status"]) for one in order.get("tenders", ())]
    store.touch({**order, "tenders": tenders})


def _ends(store: Store, payment: Json, status: str, card: str) -> None:
    details = {**payment["card_details"], "status": card} if "card_details" in payment else None
    made = {**payment, "status": status, "updated_at": store.now(), "version_token": f"{payment['version_token']}+"}
    store.memory.put("payments", payment["id"], {**made, **({"card_details": details} if details else {})})
    store.tell("payment.updated", "payment", payment["id"], {"payment": made})


def _tender(tender: Json, status: str) -> Json:
    if "card_details" not in tender or status not in ("COMPLETED", "CANCELED"):
        return tender
    return {**tender, "card_details": {**tender["card_details"], "status": WORDS[status]}}


WORDS = {"COMPLETED": "CAPTURED", "CANCELED": "VOIDED"}
