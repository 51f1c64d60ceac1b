"""A sales order transformed into an item fulfilment: never more of a line than is open, never of a closed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.netsuite.simulator_books import Books
from connectors.netsuite.simulator_errors import Refused, value, wanting
from connectors.netsuite.simulator_fields import examine
from connectors.netsuite.simulator_lines import SHIPS, openness, status
from connectors.netsuite.simulator_stock import move
from connectors.netsuite.simulator_sums import number

Body = Mapping[str, Any]
Record = dict[str, Any]


def fulfil(books: Books, ref: str, body: Any, replace: Sequence[str], strict: bool) -> Record:
    """!transform/itemFulfillment: every open line whole, but for what the body says of it."""
    examine("itemFulfillment", body, strict)
    with books.simulator.memory.lock:
        order = books.get("salesOrder", ref)
        books.unused("itemFulfillment", body)
        if order["status"] not in ("B", "D", "E"):
            raise Refused(
                "Error while accessing a resource. This transaction is not open for fulfillment.",
                "INVALID_TRANS_STATUS",
            )
        sent = _sent(books, order, body.get("item", {}).get("items", []))
        _leave(books, order, sent)
        header = books.merged({}, {name: given for name, given in body.items() if name != "item"}, ())
        record = {**header, "lines": sent, "createdFrom": {"id": order["id"]}, "entity": order["entity"]}
        return books.keep("itemFulfillment", record)


def _sent(books: Books, order: Record, asked: Sequence[Body]) -> list[Record]:
    lines = {int(line["line"]): line for line in order["lines"] if openness(line) > 0 and line["itemType"] in SHIPS}
    said = {int(row.get("orderLine", 0)): (index, row) for index, row in enumerate(asked)}
    for key, (index, row) in said.items():
        if key not in lines:
            raise value(f"item.items[{index}].orderLine", row.get("orderLine"))
    sent = [_shipped(books, line, *said.get(key, (0, {}))) for key, line in lines.items()]
    sent = [row for row in sent if number(row["quantity"])]
    if not sent:
        raise Refused(
            "Error while accessing a resource. You must have at least one valid line item for this transaction.",
            path="item",
        )
    return sent


def _shipped(books: Books, line: Record, index: int, row: Body) -> Record:
    quantity = number(row.get("quantity", openness(line))) if row.get("itemReceive", True) else Decimal(0)
    if quantity > openness(line):
        raise Refused(
            f"Error while accessing a resource. The quantity {quantity} exceeds the {openness(line)} that remain.",
            path=f"item.items[{index}].quantity",
        )
    place = (row.get("location") or line.get("location") or {}).get("id")
    if quantity and not place and books.locations:
        raise wanting("Location")
    return {"orderLine": line["line"], "item": line["item"], "quantity": str(quantity), "location": {"id": place}}


def _leave(books: Books, order: Record, sent: Sequence[Record]) -> None:
    by_number = {line["line"]: line for line in order["lines"]}
    for row in sent:
        line = by_number[row["orderLine"]]
        line["quantityFulfilled"] = str(number(line.get("quantityFulfilled")) + number(row["quantity"]))
        move(books, str(row["item"]["id"]), str(row["location"]["id"]), -number(row["quantity"]))
    order["status"] = status(order)
    books.keep("salesOrder", order)
