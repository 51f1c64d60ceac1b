"""A sales order transformed into an invoice or cash sale: what was fulfilled, never more, never twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

from connectors.netsuite.simulator_books import Books
from connectors.netsuite.simulator_errors import Refused, value
from connectors.netsuite.simulator_fields import examine
from connectors.netsuite.simulator_lines import SHIPS, status
from connectors.netsuite.simulator_money import settle_by_itself
from connectors.netsuite.simulator_sums import CENT, line_amount, number, told

Body = Mapping[str, Any]
Record = dict[str, Any]
HEADER = "entity currency location subsidiary shipMethod discountItem email otherRefNum shippingAddress billingAddress".split()
APPROVED = ("D", "E", "F")  # something of it was fulfilled and is not billed


def bill(kind: str, books: Books, ref: str, body: Any, replace: Sequence[str], strict: bool) -> Record:
    """!transform/invoice, !transform/cashSale: every fulfilled line whole, but for what the body says of it."""
    examine(kind, body, strict)
    with books.simulator.memory.lock:
        order = books.get("salesOrder", ref)
        books.unused(kind, body)
        if order["status"] not in APPROVED:
            raise Refused("This transaction is not open for billing.", "INVALID_TRANS_STATUS")
        rows = _billed(order, body.get("item", {}).get("items", []))
        if not any(number(row.get("quantity")) for row in rows):
            raise Refused(
                "Error while accessing a resource. You must have at least one valid line item for this transaction.",
                path="item",
            )
        made = books.save(kind, None, _draft(order, rows, body, replace, books.bill_drift), (), False)
        _mark(books, order, rows)
        if kind == "invoice" and books.applies_deposits:
            settle_by_itself(books, made)
        return made


def _draft(order: Record, rows: Sequence[Record], body: Body, replace: Sequence[str], drift: str) -> Body:
    """The order's header and taxes, over them what the body says."""
    header = {name: order[name] for name in HEADER if order.get(name)}
    first = not any(number(line.get("quantityBilled")) for line in order["lines"])
    for name in ("shippingCost", "discountRate"):
        if order.get(name) is not None:
            header[name] = number(order[name]) if first else Decimal(0)
    said = {name: given for name, given in body.items() if name not in ("item", "taxDetails")}
    kept = {row.get("taxDetailsReference") for row in rows} | {"SHIPPING"}
    taxes = [row for row in order.get("taxDetails", ()) if row["taxDetailsReference"]["id"] in kept]
    if "taxDetails" in body:
        taxes = ([] if "taxDetails" in replace else taxes) + list(body["taxDetails"]["items"])
    if taxes and drift:
        taxes = [{**taxes[0], "taxAmount": number(taxes[0]["taxAmount"]) + number(drift)}, *taxes[1:]]
    details = {"taxDetailsOverride": order.get("taxDetailsOverride", False), "taxDetails": {"items": _numbers(taxes)}}
    link = {"createdFrom": {"id": order["id"]}}
    return {**header, **(details if taxes else {}), **said, **link, "item": {"items": _numbers(rows)}}


def _numbers(rows: Sequence[Record]) -> list[Record]:
    """Rows of the memory as a request would say them: amounts as numbers."""
    names = ("quantity", "amount", "rate", "taxBasis", "taxAmount", "taxRate")
    return [{key: number(one) if key in names and one is not None else one for key, one in row.items()} for row in rows]


def _billed(order: Record, asked: Sequence[Body]) -> list[Record]:
    said = {int(row["orderLine"]): (index, row) for index, row in enumerate(asked) if row.get("orderLine")}
    lines = {int(line["line"]): line for line in order["lines"]}
    for key, (index, row) in said.items():
        if key not in lines:
            raise value(f"item.items[{index}].orderLine", row.get("orderLine"))
    rows = [_row(line, *said.get(key, (0, {}))) for key, line in lines.items()]
    added = [dict(row) for row in asked if not row.get("orderLine")]
    return [row for row in rows if row is not None] + added


def _row(line: Record, index: int, row: Body) -> Record | None:
    discount = line["itemType"] == "Discount"
    most = Decimal(1) if discount else billable(line)
    quantity = most if discount else number(row.get("quantity", most))
    if quantity > most:
        raise Refused(
            f"Error while accessing a resource. The quantity {quantity} exceeds the {most} to be billed.",
            path=f"item.items[{index}].quantity",
        )
    whole = number(line.get("quantity")) or Decimal(1)
    share = (line_amount(line) * quantity / whole).quantize(CENT, ROUND_HALF_UP)
    amount = number(row["amount"]) if row.get("amount") is not None else share
    if not quantity or (discount and not amount):
        return None
    kept = {name: line[name] for name in ("item", "description", "location", "taxDetailsReference") if line.get(name)}
    own = {"orderLine": line["line"], "amount": told(amount), **({} if discount else {"quantity": told(quantity)})}
    return {**kept, **told(dict(row)), **own}


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
