"""Returns of a NetSuite account: authorized out of a sales order, received into stock, credited as far as they were received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.netsuite.simulator_books import Books
from connectors.netsuite.simulator_drafts import drafted, taken
from connectors.netsuite.simulator_errors import Refused, value
from connectors.netsuite.simulator_fields import examine
from connectors.netsuite.simulator_lines import SHIPS, authorization_status, creditable, purchase_status, unreceived
from connectors.netsuite.simulator_stock import move
from connectors.netsuite.simulator_sums import number

Body = Mapping[str, Any]
Record = dict[str, Any]


def authorize(books: Books, ref: str, body: Any, replace: Sequence[str], strict: bool) -> Record:
    """salesOrder/!transform/returnAuthorization: no more of a line than was fulfilled and is not authorized yet."""
    examine("returnAuthorization", body, strict)
    with books.simulator.memory.lock:
        order = books.get("salesOrder", ref)
        books.unused("returnAuthorization", body)
        rows = taken(order, _items(body), lambda line: _returnable(books, order, line), "returned")
        if not any(number(row.get("quantity")) for row in rows):
            raise Refused("You must have at least one valid line item for this transaction.", path="item")
        made = drafted("returnAuthorization", order, rows, body, replace)
        if order.get("discountRate") is not None:
            made.setdefault("discountRate", number(order["discountRate"]))
        return books.save("returnAuthorization", None, made, (), False)


def _items(body: Body) -> Sequence[Body]:
    rows: Sequence[Body] = body.get("item", {}).get("items", [])
    return rows


def _returnable(books: Books, order: Record, line: Record) -> Decimal:
    if line["itemType"] not in SHIPS:
        return number(line.get("quantity"))
    authorized = (
        number(row["quantity"])
        for one in books.table("returnAuthorization").values()
        if one.get("createdFrom", {}).get("id") == order["id"]
        for row in one["lines"]
        if row.get("orderLine") == line["line"]
    )
    return number(line.get("quantityFulfilled")) - sum(authorized, Decimal(0))


def receive(kind: str, books: Books, ref: str, body: Any, replace: Sequence[str], strict: bool) -> Record:
    """returnAuthorization or purchaseOrder/!transform/itemReceipt: every line that waits whole, but for what is said of it."""
    examine("itemReceipt", body, strict)
    with books.simulator.memory.lock:
        held = books.get(kind, ref)
        books.unused("itemReceipt", body)
        if held["status"] not in ("B", "D", "E"):
            raise Refused("This transaction is not open for receipt.", "INVALID_TRANS_STATUS")
        rows = _received(held, _items(body))
        for row in rows:
            line = next(one for one in held["lines"] if one["line"] == row["orderLine"])
            line["quantityReceived"] = str(number(line.get("quantityReceived")) + number(row["quantity"]))
            move(books, str(line["item"]["id"]), str((row["location"] or {}).get("id")), number(row["quantity"]))
        status = purchase_status if kind == "purchaseOrder" else authorization_status
        books.keep(kind, {**held, "status": status(held)})
        header = books.merged({}, {name: given for name, given in body.items() if name != "item"}, ())
        link = {"createdFrom": {"id": held["id"]}, "entity": held["entity"]}
        return books.keep("itemReceipt", {**header, **link, "lines": rows})


receive_return = partial(receive, "returnAuthorization")
receive_purchase = partial(receive, "purchaseOrder")


def _received(held: Record, asked: Sequence[Body]) -> list[Record]:
    waiting = {int(line["line"]): line for line in held["lines"] if unreceived(line) > 0}
    said = {int(row.get("orderLine", 0)): (index, row) for index, row in enumerate(asked)}
    for key, (index, row) in said.items():
        if key not in waiting:
            raise value(f"item.items[{index}].orderLine", row.get("orderLine"))
    rows = []
    for key, line in waiting.items():
        index, row = said.get(key, (0, {}))
        quantity = number(row.get("quantity", unreceived(line))) if row.get("itemReceive", True) else Decimal(0)
        if quantity > unreceived(line):
            raise value(f"item.items[{index}].quantity", quantity)
        if quantity:
            place = row.get("location") or line.get("location")
            rows.append({"orderLine": line["line"], "item": line["item"], "quantity": str(quantity), "location": place})
    if not rows:
        raise Refused("You must receive at least one item.", path="item")
    return rows


def credit(books: Books, ref: str, body: Any, replace: Sequence[str], strict: bool) -> Record:
    """returnAuthorization/!transform/creditMemo: what was received and is not credited, and all that needs no receipt."""
    examine("creditMemo", body, strict)
    with books.simulator.memory.lock:
        held = books.get("returnAuthorization", ref)
        books.unused("creditMemo", body)
        if held["status"] not in ("E", "F"):
            raise Refused("This transaction is not open for a refund.", "INVALID_TRANS_STATUS")
        rows = taken(held, _items(body), creditable, "credited")
        made = books.save("creditMemo", None, drafted("creditMemo", held, rows, body, replace), (), False)
        for row in rows:
            line = next((one for one in held["lines"] if one["line"] == row.get("orderLine")), None)
            if line is not None:
                line["quantityBilled"] = str(number(line.get("quantityBilled")) + number(row.get("quantity", 1)))
        books.keep("returnAuthorization", {**held, "status": authorization_status(held)})
        return made
