"""Payments that the hub made of an order's totals, since no transactions were listed then: found among those that Shopify lists.

An order's webhook carries sums and gateways only. Whether the account wants transactions listed or not, money is moved through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from connectors.canonical.payment import Payment
from connectors.kit.errors import Rejected
from connectors.shopify.client import Row
from connectors.shopify.ids import gid, short

TOOK = ("SALE", "CAPTURE")


def listed(name: str) -> bool:
    """Whether this is a transaction's own id, not one that was made of an order's id and a gateway's name."""
    return name.isdigit()


def held_by(payment: Payment, rows: Sequence[Row], amount: Decimal) -> str:
    """The authorisation's id that `payment` takes `amount` of, in the customer's currency. Raises Rejected where none covers it."""
    if listed(payment.parent_id):
        return payment.parent_id
    for one in rows:
        mine = one["kind"] in ("AUTHORIZATION", "EMV_AUTHORIZATION") and one["gateway"] == payment.gateway
        if mine and one["status"] == "SUCCESS" and amount <= _amount(one):
            return str(short(one["id"]))
    raise _unknown(payment)


def took(payment: Payment, rows: Sequence[Row], amount: Decimal) -> Iterator[tuple[str, Decimal]]:
    """(transaction, share) through which `amount` goes back: the newest first, none above what it still holds. Raises Rejected."""
    if listed(payment.parent_id):
        yield payment.parent_id, amount
        return
    for one in reversed(rows):
        if one["kind"] not in TOOK or one["gateway"] != payment.gateway or one["status"] != "SUCCESS":
            continue
        share = min(amount, _amount(one) - _back(one, rows))
        if share > 0:
            amount -= share
            yield str(short(one["id"])), share
    if amount > 0:
        raise _unknown(payment)


def _back(paid: Row, rows: Sequence[Row]) -> Decimal:
    """What went back through a transaction; refunds that are still on their way count."""
    of = (one for one in rows if one["kind"] == "REFUND" and one["status"] not in ("FAILURE", "ERROR"))
    mine = (
        one for one in of if (one["parentTransaction"] or {}).get("id") == gid("OrderTransaction", short(paid["id"]))
    )
    return sum((_amount(one) for one in mine), Decimal(0))


def _amount(row: Row) -> Decimal:
    return Decimal(row["amountSet"]["presentmentMoney"]["amount"])


def _unknown(payment: Payment) -> Rejected:
    words = f"Shopify lists no transaction of {payment.gateway} that {payment.amount.shop} could move through."
    return Rejected(words, code="no_transaction", remedy="Move it by hand in the shop.", owner="finance")
