"""Pieces that came back as NetSuite books them: a return authorization out of the sales order, its receipt, its credit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Refund
from connectors.kit.amounts import ZERO
from connectors.netsuite.mapping import lines, names
from connectors.netsuite.mapping.policy import Policy

PENDING_RECEIPT = {"id": "B"}  # a return that nobody needs to approve any more
KEPT = ("tranDate", "otherRefNum", "memo", "location", "taxDetailsOverride", "taxDetails")


def back(order: Order, refund: Refund, record: Mapping[str, Any], policy: Policy) -> dict[int, lines.Booked]:
    """Index of a refund's line -> the booked line whose pieces came back into stock.

    Empty where none did, or where more came back than had left by the sales order: then there is nothing to authorize.
    """
    rows = lines.booked(record, policy)
    matched = lines.match(order, rows, policy)
    found: dict[int, lines.Booked] = {}
    left = {row.number: row.fulfilled for row in rows}
    for index, line in enumerate(refund.lines):
        row = matched.get(line.line_id)
        if not line.restock:
            continue
        if row is None or left[row.number] < line.quantity:
            return {}
        left[row.number] -= line.quantity
        found[index] = row
    return found


def authorization(
    order: Order,
    refund: Refund,
    record: Mapping[str, Any],
    memo: Mapping[str, Any],
    returned: Mapping[int, lines.Booked],
    policy: Policy,
) -> dict[str, Any]:
    """The transform's body: what came back on the order's lines, all else of the credit (`memo`) beside them.

    Lines of the order that it does not name would be returned too, so every other one is named with none. Raises Rejected where
    pieces are refunded that stay with the customer and no item (`items.credit`) is named for them.
    """
    items = [
        _returned(row, returned.get(index)) if index in returned else _beside(row, index, refund, policy)
        for index, row in enumerate(memo["item"]["items"])
    ]
    kept = {name: memo[name] for name in KEPT if name in memo}
    rows = lines.booked(record, policy)
    body: dict[str, Any] = {
        "externalId": names.of_authorization(order, refund.id),
        "orderStatus": PENDING_RECEIPT,
        **kept,
        "item": {"items": [*items, *others(rows, [row.number for row in returned.values()])]},
    }
    return {**body, **({"discountRate": ZERO} if record.get("discountItem") else {})}


def _returned(row: Mapping[str, Any], booked: lines.Booked | None) -> dict[str, Any]:
    assert booked is not None
    kept = {name: row[name] for name in ("quantity", "amount", "description", "taxDetailsReference") if name in row}
    return {"orderLine": booked.number, **kept}


def _beside(row: Mapping[str, Any], index: int, refund: Refund, policy: Policy) -> dict[str, Any]:
    if index < len(refund.lines):
        policy.item("credit")  # what stays with the customer is no return of the article
    return dict(row)


def others(rows: Sequence[lines.Booked], named: Sequence[int]) -> list[dict[str, Any]]:
    """The order's other lines, of which none comes back."""
    return [
        {"orderLine": row.number, **({"amount": ZERO} if row.kind == "Discount" else {"quantity": ZERO})}
        for row in rows
        if row.number not in named
    ]


def receipt(authorized: Mapping[str, Any], places: Mapping[int, str], policy: Policy) -> dict[str, Any]:
    """The receipt of all that is authorized. `places`: line of the sales order -> NetSuite's location of what came back."""
    items = []
    for told in authorized.get("item", {}).get("items", ()):
        (row,) = lines.booked({"item": {"items": [told]}}, policy)
        if row.ships and row.quantity > Decimal(str(told.get("quantityReceived") or 0)):
            place = places.get(int(told.get("orderLine") or 0)) or policy.location
            where = {"location": {"id": place}} if place else {}
            items.append({"orderLine": row.number, "itemReceive": True, "quantity": row.quantity, **where})
    return {"item": {"items": items}}


def credit(memo: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the credit memo that an authorization is transformed into: its lines are the authorization's."""
    return {name: memo[name] for name in ("externalId", *KEPT) if name in memo}
