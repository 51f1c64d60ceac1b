"""Which line of a booked sales order is which line of the channel's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.netsuite.mapping.draft import item_id
from connectors.netsuite.mapping.policy import Policy

NEVER_SHIPPED = frozenset(
    "Discount Markup Subtotal Payment OthCharge Description GiftCert Group EndGroup ShipItem TaxItem TaxGroup".split()
)


@dataclass(frozen=True, slots=True)
class Booked:
    """A line as NetSuite holds it: `number` is what transforms and changes name it by."""

    number: int
    item: str
    quantity: Decimal
    fulfilled: Decimal
    closed: bool
    ships: bool
    own_id: str
    kind: str = ""
    billed: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    reference: str = ""  # what its tax details name it by

    @property
    def open(self) -> Decimal:
        return Decimal(0) if self.closed else self.quantity - self.fulfilled

    @property
    def gone(self) -> Decimal:
        """How many have left or are billed: what goes back of these is a credit."""
        return max(self.fulfilled, self.billed)


def booked(record: Mapping[str, Any], policy: Policy) -> tuple[Booked, ...]:
    """The lines of a sales order that was read with its sublists."""
    return tuple(_booked(row, policy) for row in record.get("item", {}).get("items", ()))


def _booked(row: Mapping[str, Any], policy: Policy) -> Booked:
    told = row.get("itemType") or {}
    kind = str(told.get("id", "") if isinstance(told, Mapping) else told)
    return Booked(
        number=int(row["line"]),
        item=str(row["item"]["id"]),
        quantity=Decimal(str(row.get("quantity", 0))),
        fulfilled=Decimal(str(row.get("quantityFulfilled", 0))),
        closed=bool(row.get("isClosed", False)),
        ships=kind not in NEVER_SHIPPED,
        own_id=str(row.get(policy.line_field, "")) if policy.line_field else "",
        kind=kind,
        billed=Decimal(str(row.get("quantityBilled") or 0)),
        amount=Decimal(str(row.get("amount") or 0)),
        reference=str(row.get("taxDetailsReference") or ""),
    )


def owners(rows: Sequence[Booked]) -> dict[int, Booked]:
    """A discount's line -> the line it belongs to: by our id where a custom column keeps it, else the one above."""
    named = {row.own_id: row for row in rows if row.own_id and row.kind != "Discount"}
    found: dict[int, Booked] = {}
    above: Booked | None = None
    for row in rows:
        if row.kind != "Discount":
            above = row
        elif owner := named.get(row.own_id, above):
            found[row.number] = owner
    return found


def match(order: Order, rows: Sequence[Booked], policy: Policy) -> dict[str, Booked]:
    """Our line id -> its booked line: by our id where a custom column keeps it, else the nth line of an item
    is the nth here.
    """
    if policy.line_field:
        return {row.own_id: row for row in rows if row.own_id and row.kind != "Discount"}
    left = list(rows)
    found: dict[str, Booked] = {}
    for line in order.lines:
        item = item_id(line, policy)
        row = next((row for row in left if row.item == item), None)
        if row is not None:
            found[line.id] = row
            left.remove(row)
    return found
