"""A sales order transformed into an invoice or cash sale: what was fulfilled, never more, never twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.netsuite.simulator_books import Books
from connectors.netsuite.simulator_drafts import drafted, taken
from connectors.netsuite.simulator_errors import Refused
from connectors.netsuite.simulator_fields import examine
from connectors.netsuite.simulator_lines import SHIPS, status
from connectors.netsuite.simulator_money import settle_by_itself
from connectors.netsuite.simulator_sums import number

Body = Mapping[str, Any]
Record = dict[str, Any]
APPROVED = ("D", "E", "F")  # something of it was fulfilled and is not billed


def bill(kind: str, books: Books, ref: str, body: Any, replace: Sequence[str], strict: bool) -> Record:
    """!transform/invoice, !transform/cashSale: every fulfilled line whole, but for what the body says of it."""
    examine(kind, body, strict)
    with books.simulator.memory.lock:
        order = books.get("salesOrder", ref)
        books.unused(kind, body)
        if order["status"] not in APPROVED:
            raise Refused("This transaction is not open for billing.", "INVALID_TRANS_STATUS")
        rows = taken(order, body.get("item", {}).get("items", []), billable, "billed")
        if not any(number(row.get("quantity")) for row in rows):
            raise Refused(
                "Error while accessing a resource. You must have at least one valid line item for this transaction.",
                path="item",
            )
        made = books.save(kind, None, _bill(kind, order, rows, body, replace, books.bill_drift), (), False)
        _mark(books, order, rows)
        if kind == "invoice" and books.applies_deposits:
            settle_by_itself(books, made)
        return made


def _bill(kind: str, order: Record, rows: Sequence[Record], body: Body, replace: Sequence[str], drift: str) -> Body:
    """The order's header, costs and taxes, over them what the body says."""
    first = not any(number(line.get("quantityBilled")) for line in order["lines"])
    costs = {
        name: number(order[name]) if first else Decimal(0)
        for name in ("shippingCost", "discountRate")
        if order.get(name) is not None
    }
    made: dict[str, Any] = {**costs, **drafted(kind, order, rows, body, replace)}
    taxes = made.get("taxDetails", {}).get("items", [])
    if taxes and drift:
        taxes[0]["taxAmount"] += number(drift)
    return made


def billable(line: Record) -> Decimal:
    """How many of a line wait for their bill: of goods those that were fulfilled."""
    gone = number(line.get("quantityFulfilled"))
    if line["itemType"] not in SHIPS:
        gone = Decimal(0) if line.get("isClosed") else number(line.get("quantity"))
    return gone - number(line.get("quantityBilled"))


def _mark(books: Books, order: Record, rows: Sequence[Record]) -> None:
    by_number = {int(line["line"]): line for line in order["lines"]}
    for row in rows:
        line = by_number.get(int(row.get("orderLine") or 0))
        if line is not None and line["itemType"] != "Discount":
            line["quantityBilled"] = str(number(line.get("quantityBilled")) + number(row["quantity"]))
    order["status"] = status(order)
    books.keep("salesOrder", order)


invoice = partial(bill, "invoice")
cash_sale = partial(bill, "cashSale")
