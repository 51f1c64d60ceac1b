"""What is bought of a supplier who sends it to our customer, as a purchase order and its receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Line, Order
from connectors.canonical.shipment import Shipment
from connectors.kit.amounts import ZERO
from connectors.kit.errors import Rejected
from connectors.netsuite.mapping import names
from connectors.netsuite.mapping.draft import item_id
from connectors.netsuite.mapping.policy import Policy


@dataclass(frozen=True, slots=True)
class Bought:
    """A line of a purchase order as NetSuite holds it."""

    number: int
    item: str
    quantity: Decimal
    received: Decimal
    closed: bool

    @property
    def open(self) -> Decimal:
        return ZERO if self.closed else self.quantity - self.received


def purchase_order(order: Order, supplier: str, reference: str, policy: Policy) -> dict[str, Any]:
    """The body, in the currency of what the pieces cost us. Raises Rejected where they cost in several."""
    lines = [line for line in order.lines if line.current_quantity > 0]
    costs = {line.unit_cost.currency for line in lines if line.unit_cost is not None}
    if len(costs) > 1:
        raise Rejected(
            f"The pieces of {reference} cost in {', '.join(sorted(costs))}: a purchase order has one currency.",
            code="currencies_mixed",
            field="lines",
            remedy="Correct the costs of the articles, or book the purchase orders by hand.",
            owner="finance",
        )
    body = {
        "externalId": names.of_purchase(reference),
        "entity": {"id": policy.codes.theirs("supplier", supplier)},
        "currency": policy.currency(costs.pop()) if costs else None,
        "otherRefNum": reference,
        "memo": f"{reference} for {order.number}",
        "location": {"id": _place(policy)} if _place(policy) else None,
        "item": {"items": [_row(line, policy) for line in lines]},
    }
    return {name: value for name, value in body.items() if value is not None}


def _place(policy: Policy) -> str:
    return policy.dropship_location or policy.location


def _row(line: Line, policy: Policy) -> dict[str, Any]:
    """A line at what it costs; where nobody knows that, NetSuite's own purchase price of the item."""
    cost = {"rate": line.unit_cost.amount} if line.unit_cost is not None else {}
    return {
        "item": {"id": item_id(line, policy)},
        "quantity": line.current_quantity,
        "description": line.title[:999],
        **cost,
    }


def booked(record: Mapping[str, Any]) -> tuple[Bought, ...]:
    """The lines of a purchase order that was read with its sublists."""
    return tuple(
        Bought(
            int(row["line"]),
            str(row["item"]["id"]),
            Decimal(str(row.get("quantity") or 0)),
            Decimal(str(row.get("quantityReceived") or 0)),
            bool(row.get("isClosed")),
        )
        for row in record.get("item", {}).get("items", ())
    )


def towards(order: Order, record: Mapping[str, Any], policy: Policy) -> list[dict[str, Any]]:
    """The changes that bring a purchase order down to these lines; empty where it is there. Raises Rejected("received")."""
    wanted = [(item_id(line, policy), line.current_quantity) for line in order.lines]
    changes: list[dict[str, Any]] = []
    for row in booked(record):
        match = next((one for one in wanted if one[0] == row.item), (row.item, ZERO))
        if match in wanted:
            wanted.remove(match)
        if match[1] < row.received:
            raise received(record, row)
        if not match[1] and not row.closed:
            changes.append({"line": row.number, "isClosed": True})
        elif match[1] and match[1] != row.quantity:
            changes.append({"line": row.number, "quantity": match[1]})
    added = [(item, quantity) for item, quantity in wanted if quantity]
    return [*changes, *({"item": {"id": item}, "quantity": quantity} for item, quantity in added)]


def closing(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines that giving it up closes; empty where all are. Raises Rejected("received")."""
    for row in booked(record):
        if row.received:
            raise received(record, row)
    return [{"line": row.number, "isClosed": True} for row in booked(record) if not row.closed]


def received(record: Mapping[str, Any], row: Bought) -> Rejected:
    return Rejected(
        f"{row.received} of line {row.number} of purchase order {record.get('tranId') or record['id']} were received already.",
        code="received",
        field=f"item.items[line={row.number}].quantity",
        remedy="Book a vendor return in NetSuite for what is not wanted.",
        owner="finance",
    )


def receipt(order: Order, shipment: Shipment, record: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """The receipt of what the supplier sent; every other open line is named as not received. Raises Rejected("line_unknown")."""
    rows = booked(record)
    came: dict[int, Decimal] = {}
    lines = {line.id: line for line in order.lines}
    for index, sent in enumerate(shipment.lines):
        line = lines.get(sent.line_id)
        item = item_id(line, policy) if line is not None else policy.codes.theirs("sku", sent.sku)
        rest = sent.quantity
        ours = [row for row in rows if row.item == item]
        for row in ours:
            some = rest if row is ours[-1] else min(rest, max(ZERO, row.open - came.get(row.number, ZERO)))
            if some:
                came[row.number] = came.get(row.number, ZERO) + some
                rest -= some
        if not ours:
            raise Rejected(
                f"{sent.sku or sent.line_id} was sent, but the purchase order in NetSuite has no such line.",
                code="line_unknown",
                field=f"lines[{index}].sku",
                remedy="Add the line to the purchase order in NetSuite, then retry.",
                owner="finance",
            )
    where = {"location": {"id": _place(policy)}} if _place(policy) else {}
    items = [
        {"orderLine": row.number, "itemReceive": True, "quantity": came[row.number], **where}
        if row.number in came
        else {"orderLine": row.number, "itemReceive": False}
        for row in rows
        if row.number in came or row.open > 0
    ]
    day = {"tranDate": policy.day(shipment.shipped_at)} if shipment.shipped_at else {}
    return {**day, "item": {"items": items}}
