"""What an order's header says beyond its sums: paid or not, held, ended, and what is kept as attributes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus
from connectors.kit.account import Account
from connectors.kit.place import Place
from connectors.square.mapping.fulfilments import CANCELLED, given_up
from connectors.square.mapping.money_back import Money
from connectors.square.mapping.values import Sums


def payment_status(paid: Sequence[Payment]) -> str:
    good = [one for one in paid if one.status is PaymentStatus.SUCCESS]
    if any(one.kind in (PaymentKind.SALE, PaymentKind.CAPTURE) for one in good):
        return "paid"
    if good:
        return "authorized"
    return "pending" if any(one.status is PaymentStatus.PENDING for one in paid) else ""


def cancelled(node: Place) -> datetime | None:
    """An order is, or every line of it was to leave and may not any more."""
    lines = {one.at("uid").text() for one in node.at("line_items").items()}
    if node.at("state").text() != CANCELLED and not (lines and lines == given_up(node)):
        return None
    return node.at("closed_at").time() or node.at("updated_at").time() or node.at("created_at").time()


def cancel_reason(node: Place) -> str:
    rows = (
        one.at(name).at("cancel_reason").text()
        for one in node.at("fulfillments").items()
        for name in ("pickup_details", "shipment_details", "delivery_details")
    )
    return next((one for one in rows if one), "")


def hold(node: Place, sums: Sums, account: Account) -> str:
    """An open ticket that nobody paid is no sale yet, unless the account lets its way go unpaid; goods that came back without
    their order are for a person."""
    if any(not one.at("source_order_id").text() for one in node.at("returns").items()):
        return "goods of an order that Square does not know came back with this sale"
    ways_ = {one.at("type").text() for one in node.at("fulfillments").items()}
    unpaid = node.at("state").text() == "OPEN" and not node.at("tenders").items()
    trusted = bool(ways_) and ways_ <= set(account.settings.get("unpaid", ()))
    return "not paid yet" if unpaid and not trusted and sums.minor(node.at("total_money")) else ""


def attributes(node: Place, money: Money) -> tuple[tuple[str, str], ...]:
    """Where it was rung up, whether offline and when, and what other applications noted."""
    offline = [one for one in money.payments.values() if one.at("is_offline_payment").flag()]
    at = next((one.at("offline_payment_details").at("client_created_at").text() for one in offline), "")
    told = [
        ("source", node.at("source").at("name").text()),
        ("offline", "true" if offline else ""),
        ("offline_taken_at", at),
    ]
    kept = node.at("metadata").value
    told += (
        [(str(name), str(value)) for name, value in sorted(kept.items()) if not name.startswith("waybill")]
        if isinstance(kept, dict)
        else []
    )
    return tuple((name, value) for name, value in told if value)
