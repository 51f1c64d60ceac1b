"""The lines of a NetSuite sales order: how many are open, and what that makes of the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.netsuite.simulator_errors import value
from connectors.netsuite.simulator_sums import number

SHIPS = ("InvtPart", "NonInvtPart", "Kit", "Assembly")
Record = dict[str, Any]


def merged_rows(name: str, rows: list[Record], given: Sequence[Record]) -> list[Record]:
    for row in given:
        old = next(
            (
                one
                for one in rows
                if name == "item" and row.get("line") is not None and int(one["line"]) == int(row["line"])
            ),
            None,
        )
        if name == "item" and row.get("line") is not None and old is None:
            raise value("item.line", row["line"])
        if old is not None:
            old.update(row)
        else:
            taken = max((int(one.get("line", 0)) for one in rows), default=0)
            rows.append({**row, **({"line": taken + 1} if name == "item" else {})})
    return rows


def openness(line: Mapping[str, Any]) -> Decimal:
    """How many of a line can still ship."""
    if line.get("isClosed"):
        return Decimal(0)
    return number(line.get("quantity")) - number(line.get("quantityFulfilled"))


def status(order: Mapping[str, Any]) -> str:
    """A pending approval, B pending fulfilment, D partially fulfilled, F pending billing, H closed."""
    goods = [line for line in order["lines"] if line["itemType"] in SHIPS]
    if order["lines"] and all(line.get("isClosed") for line in order["lines"]):
        return "H"
    left = sum((openness(line) for line in goods), Decimal(0))
    moved = any(number(line.get("quantityFulfilled")) for line in goods)
    if goods and not left:
        waits = any(number(line.get("quantityFulfilled")) > number(line.get("quantityBilled")) for line in goods)
        return ("F" if waits else "G") if moved else "H"
    if moved:
        return "D"
    return str((order.get("orderStatus") or {}).get("id", "A"))


def unreceived(line: Record) -> Decimal:
    """How many of an authorized or bought line are still to come in."""
    waits = line["itemType"] in SHIPS and not line.get("isClosed")
    return number(line.get("quantity")) - number(line.get("quantityReceived")) if waits else Decimal(0)


def creditable(line: Record) -> Decimal:
    """How many of an authorized line can be credited: of goods those that came in."""
    came = number(line.get("quantityReceived")) if line["itemType"] in SHIPS else number(line.get("quantity"))
    return came - number(line.get("quantityBilled"))


def authorization_status(held: Record) -> str:
    """A pending approval, B pending receipt, D partially received, E pending refund too, F pending refund, G refunded,
    H closed.
    """
    lines = held["lines"]
    if all(line.get("isClosed") for line in lines):
        return "H"
    if (held.get("orderStatus") or {}).get("id", "A") == "A":
        return "A"
    waits = any(unreceived(line) > 0 for line in lines)
    came = any(number(line.get("quantityReceived")) for line in lines)
    owes = any(creditable(line) > 0 for line in lines if line["itemType"] != "Discount")
    if waits:
        return ("E" if owes else "D") if came else "B"
    return "F" if owes else "G"


def purchase_status(held: Record) -> str:
    """B pending receipt, D partially received, F pending bill, H closed."""
    if all(line.get("isClosed") for line in held["lines"]):
        return "H"
    came = any(number(line.get("quantityReceived")) for line in held["lines"])
    if any(unreceived(line) > 0 for line in held["lines"]):
        return "D" if came else "B"
    return "F"
