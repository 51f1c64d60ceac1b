"""What a NetSuite account holds, counted by business identity and summed by its own arithmetic."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.netsuite.simulator_books import Books
from connectors.netsuite.simulator_lines import SHIPS, openness
from connectors.netsuite.simulator_money import deposit_left, owed
from connectors.netsuite.simulator_sums import number, sums


def effects(books: Books) -> dict[str, dict[str, Any]]:
    """Kinds of effect -> business identity -> count, sum or state. A double shows as 2, a double refund as
    twice the sum.
    """
    orders = list(books.table("salesOrder").values())
    return {
        "customer": _count(books, "customer"),
        "sales_order": _count(books, "salesOrder"),
        "sales_order_total": {_name(one): str(sums(one)["total"]) for one in orders},
        "sales_order_state": {_name(one): _state(one) for one in orders},
        "fulfilment": _count(books, "itemFulfillment"),
        "shipped": {_name(one): _shipped(one) for one in orders if _shipped(one)},
        "credit_memo": _count(books, "creditMemo"),
        "credit_memo_total": {_name(one): str(sums(one)["total"]) for one in books.table("creditMemo").values()},
        "customer_refund": _count(books, "customerRefund"),
        "refunded": _refunded(books),
        "deposit": {_name(one): str(number(one["payment"])) for one in books.table("customerDeposit").values()},
        "invoice": _count(books, "invoice"),
        "invoice_total": {_name(one): str(sums(one)["total"]) for one in books.table("invoice").values()},
        "cash_sale": _count(books, "cashSale"),
        "cash_sale_total": {_name(one): str(sums(one)["total"]) for one in books.table("cashSale").values()},
        "return": _count(books, "returnAuthorization"),
        "received": {_name(one): _pieces(one) for one in books.table("itemReceipt").values()},
        "purchase": {
            _name(one): [
                [row["item"]["id"], str(number(row["quantity"])), bool(row.get("isClosed"))] for row in one["lines"]
            ]
            for one in books.table("purchaseOrder").values()
        },
        "transferred": {
            _name(one): {
                f"{row['item']['id']}@{one['transferLocation']['id']}": row["adjustQtyBy"] for row in one["inventory"]
            }
            for one in books.table("inventoryTransfer").values()
        },
        "owed": {_name(one): str(owed(books, one)) for one in books.table("invoice").values()},
        "deposit_left": {_name(one): str(deposit_left(books, one)) for one in books.table("customerDeposit").values()},
        "cancelled": {_name(one): 1 for one in orders if cancelled(one)},
    }


def _name(record: Mapping[str, Any]) -> str:
    """The external id; a record without one is known by the channel's number, so that a double is seen."""
    return str(record.get("externalId") or record.get("otherRefNum") or record.get("email") or record["id"])


def _count(books: Books, kind: str) -> dict[str, int]:
    return dict(sorted(Counter(_name(one) for one in books.table(kind).values()).items()))


def _shipped(order: Mapping[str, Any]) -> dict[str, str]:
    """Item -> how many left."""
    sent: Counter[str] = Counter()
    for line in order["lines"]:
        sent[str(line["item"]["id"])] += int(number(line.get("quantityFulfilled")))
    return {item: str(count) for item, count in sorted(sent.items()) if count}


def _pieces(receipt: Mapping[str, Any]) -> dict[str, str]:
    """Item@location -> how many came back."""
    return {f"{row['item']['id']}@{(row['location'] or {}).get('id')}": row["quantity"] for row in receipt["lines"]}


def _refunded(books: Books) -> dict[str, str]:
    """Refund / payment option -> what went back through it, out of a credit memo (which bears the refund's name) or of deposits."""
    moved: dict[str, Decimal] = {}
    for refund in books.table("customerRefund").values():
        rows = [(_name(_credited(books, row)), row) for row in refund.get("apply", ())]
        rows += [(_given_back(refund), row) for row in refund.get("deposit", ())]
        for name, row in rows:
            key = f"{name}/{refund['paymentOption']['id']}"
            moved[key] = moved.get(key, Decimal(0)) + number(row["amount"])
    return {key: str(amount) for key, amount in sorted(moved.items())}


def _credited(books: Books, row: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = books.table("creditMemo").get(str(row["doc"]["id"]), {"id": row["doc"]["id"]})
    return found


def _given_back(refund: Mapping[str, Any]) -> str:
    """A customer refund's name without the tender, which its memo says last."""
    return _name(refund).removesuffix(f"-{refund.get('memo', '').rpartition(' ')[2]}")


def cancelled(order: Mapping[str, Any]) -> bool:
    """Nothing of it can ship any more, and not because all of it has."""
    lines = order["lines"]
    goods = [line for line in lines if line["itemType"] in SHIPS]
    return any(line.get("isClosed") for line in lines) and not any(openness(line) > 0 for line in goods)


def _state(order: Mapping[str, Any]) -> str:
    """A mark of lines, addresses and note that changes when one of them does."""
    lines = [
        [line["item"]["id"], str(number(line.get("quantity"))), bool(line.get("isClosed"))] for line in order["lines"]
    ]
    seen = [lines, order.get("shippingAddress"), order.get("billingAddress"), order.get("memo")]
    return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()[:16]
