"""What lies where in a NetSuite account, and how it is moved."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.netsuite.simulator_errors import Refused, value, wanting
from connectors.netsuite.simulator_sums import number

if TYPE_CHECKING:
    from connectors.netsuite.simulator_books import Books

Record = dict[str, Any]


def transfer(books: Books, record: Record) -> None:
    """Stock from one location to another, no more than lies there."""
    if record.get("id"):
        raise Refused("An inventory transfer that was made is not changed.", path="inventory")
    for name, label in (("location", "From Location"), ("transferLocation", "To Location")):
        if not record.get(name):
            raise wanting(label)
    rows = record.get("inventory", [])
    if not rows:
        raise wanting("Item")
    for index, row in enumerate(rows):
        item, quantity = str(row["item"]["id"]), number(row.get("adjustQtyBy"))
        lies = books.simulator.memory.table("stock").get(f"{item}@{record['location']['id']}")
        if quantity <= 0 or (lies is not None and quantity > number(lies.get("onhand"))):
            raise value(f"inventory.items[{index}].adjustQtyBy", quantity)
    for row in rows:
        item, quantity = str(row["item"]["id"]), number(row["adjustQtyBy"])
        move(books, item, str(record["location"]["id"]), -quantity)
        move(books, item, str(record["transferLocation"]["id"]), quantity)


def move(books: Books, item: str, location: str, quantity: Decimal) -> None:
    """Changes the stock of an item at a location, where it is kept."""
    held = books.simulator.memory.table("stock").get(f"{item}@{location}")
    if held is not None:
        less = {name: str(number(held.get(name)) + quantity) for name in ("available", "onhand")}
        books.simulator.memory.put("stock", f"{item}@{location}", {**held, **less})
