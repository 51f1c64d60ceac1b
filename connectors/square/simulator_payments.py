"""Payments and refunds of the simulated seller: cards, cash with change, gift cards, vouchers, split, authorised, taken offline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connectors.square.simulator_refused import Refused
from connectors.square.simulator_sums import money

if TYPE_CHECKING:
    from connectors.square.simulator_store import Store

Json = dict[str, Any]
CARD = {"card_brand": "VISA", "last_4": "1111", "exp_month": 11, "exp_year": 2029}
GIFT = {"card_brand": "SQUARE_GIFT_CARD", "last_4": "6325"}


def paid(store: Store, order: Json, spec: Json) -> Iterator[tuple[Json, Json]]:
    """Payment and tender for each part of the total."""
    total, tip = order["total_money"]["amount"], order["total_tip_money"]["amount"]
    how = spec.get("payment", "card")
    if how == "none" or not total:
        return
    if how == "two_cards":
        yield _part(store, order, spec, "authorized", total // 3, 0)
        yield _part(store, order, spec, "authorized", total - total // 3, tip)
        return
    parts = (
        [("gift_card", total // 3, 0), ("cash", total // 4, 0), ("card", total - total // 3 - total // 4, tip)]
        if how == "split"
        else [(how, total, tip)]
    )
    for kind, amount, own_tip in parts:
        yield _part(store, order, spec, kind, amount, own_tip)


def _part(store: Store, order: Json, spec: Json, kind: str, amount: int, tip: int) -> tuple[Json, Json]:
    name, currency = store.name("payment"), order["total_money"]["currency"]
    source, status, details, tender = _kind(kind, amount, currency)
    payment: Json = {
        "id": name,
        "created_at": order["created_at"],
        "updated_at": order["updated_at"],
        "amount_money": money(amount - tip, currency),
        "total_money": money(amount, currency),
        "approved_money": money(amount, currency),
        "status": status,
        "source_type": source,
        "location_id": order["location_id"],
        "order_id": order["id"],
        "receipt_number": name[-4:],
        "version_token": f"v{name}",
        **details,
    }
    if tip:
        payment["tip_money"] = money(tip, currency)
    if status == "APPROVED":
        payment.update(
            {"delay_duration": "PT168H", "delay_action": "CANCEL", "delayed_until": "2099-01-01T00:00:00.000Z"}
        )
    if order.get("fulfillments") or spec.get("email"):
        payment["buyer_email_address"] = spec.get("email", f"ana.{spec.get('buyer', 1)}@example.com")
    if spec.get("offline"):
        payment.update(
            {
                "is_offline_payment": True,
                "offline_payment_details": {"client_created_at": order["created_at"]},
                "created_at": store.now(),
            }
        )
    row = {
        "id": name,
        "payment_id": name,
        "location_id": order["location_id"],
        "transaction_id": order["id"],
        "created_at": order["created_at"],
    }
    return payment, {
        **row,
        "amount_money": money(amount, currency),
        **({"tip_money": money(tip, currency)} if tip else {}),
        **tender,
    }


def _kind(kind: str, amount: int, currency: str) -> tuple[str, str, Json, Json]:
    """source_type, status, the payment's details, the tender's type and details."""
    told: Json
    own: Json
    if kind == "cash":
        given = -(-amount // 1000) * 1000
        told = {"buyer_supplied_money": money(given, currency), "change_back_money": money(given - amount, currency)}
        own = {"buyer_tendered_money": money(given, currency), "change_back_money": money(given - amount, currency)}
        return "CASH", "COMPLETED", {"cash_details": told}, {"type": "CASH", "cash_details": own}
    if kind == "voucher":
        told = {"type": "OTHER_GIFT_CARD", "source": "Town voucher"}
        return "EXTERNAL", "COMPLETED", {"external_details": told}, {"type": "OTHER"}
    if kind == "gift_card":
        own = {"status": "CAPTURED", "card": GIFT, "entry_method": "KEYED"}
        return "CARD", "COMPLETED", {"card_details": own}, {"type": "SQUARE_GIFT_CARD"}
    word, status = ("AUTHORIZED", "APPROVED") if kind == "authorized" else ("CAPTURED", "COMPLETED")
    own = {"status": word, "card": CARD, "entry_method": "CONTACTLESS"}
    return (
        "CARD",
        status,
        {"card_details": {**own, "auth_result_code": "68aLBM"}},
        {"type": "CARD", "card_details": own},
    )


def back(store: Store, payment: Json, minor: int, reason: str, order_id: str) -> Json:
    """A PaymentRefund; the payment counts it at once. Raises Refused above what is left."""
    currency = payment["total_money"]["currency"]
    before = payment.get("refunded_money", money(0, currency))["amount"]
    if payment["status"] != "COMPLETED":
        raise Refused(
            400, "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION", "The payment is not completed", "payment_id", "REFUND_ERROR"
        )
    if minor <= 0 or before + minor > payment["total_money"]["amount"]:
        raise Refused(
            400,
            "REFUND_AMOUNT_INVALID",
            "The amount is more than is left of the payment",
            "amount_money",
            "REFUND_ERROR",
        )
    at = store.now()
    made: Json = {
        "id": f"{payment['id']}_{store.name('refund')}",
        "status": "PENDING",
        "amount_money": money(minor, currency),
        "payment_id": payment["id"],
        "order_id": order_id,
        "location_id": payment["location_id"],
        "destination_type": payment["source_type"],
        "reason": reason,
        "created_at": at,
        "updated_at": at,
    }
    store.memory.put("refunds", made["id"], made)
    store.simulator.created("refunds", made["id"])
    ids = [*payment.get("refund_ids", ()), made["id"]]
    store.memory.put(
        "payments",
        payment["id"],
        {**payment, "refunded_money": money(before + minor, currency), "refund_ids": ids, "updated_at": at},
    )
    store.tell("refund.created", "refund", made["id"], {"refund": made})
    return made
