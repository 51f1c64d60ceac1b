"""What must be asked of a booked sales order so that it becomes what it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.kit.errors import Rejected
from connectors.netsuite.mapping import lines, sales_order
from connectors.netsuite.mapping.draft import total
from connectors.netsuite.mapping.policy import Policy

FIXED = frozenset(
    ("externalId", "currency", "tranDate", "orderStatus", "giftCertRedemption")
)  # settled when it was booked
# A field that a PATCH does not name keeps its value, so what the order no longer has is set back by name.
EMPTIED: dict[str, Any] = {"discountRate": Decimal(0), "shippingCost": Decimal(0), "memo": ""}
HEADERS = ("memo", "email", "otherRefNum")


def towards(
    order: Order, record: Mapping[str, Any], body: Mapping[str, Any], policy: Policy
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The PATCH that brings a record to a body, and the sublists it replaces.

    Nothing shipped yet: all lines are replaced. Else NetSuite keeps its lines, and they are changed one by one
    under their numbers.
    """
    patch = {name: value for name, value in body.items() if name not in FIXED}
    patch |= {name: empty for name, empty in EMPTIED.items() if record.get(name) and name not in body}
    rows = lines.booked(record, policy)
    if not any(row.fulfilled for row in rows):
        return patch, sales_order.SUBLISTS
    patch["item"] = {"items": _keyed(rows, body)}
    return patch, ("taxDetails",)


def _keyed(rows: tuple[lines.Booked, ...], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The wanted lines on the booked ones, item by item in their order; what is left over is emptied and closed."""
    left, made, owners = list(rows), [], lines.owners(rows)
    above: lines.Booked | None = None
    for wanted in body["item"]["items"]:
        row = _booked_as(wanted, left, owners, above)
        if row is None or row.kind != "Discount":
            above = row
        if row is None:
            made.append(dict(wanted))
            continue
        left.remove(row)
        if row.fulfilled > wanted.get("quantity", row.fulfilled):
            raise _too_late(row)
        made.append({"line": row.number, **wanted})
    for row in left:
        if row.fulfilled:
            raise _too_late(row)
    return [
        *made,
        *({"line": row.number, "quantity": Decimal(0), "amount": Decimal(0), "isClosed": True} for row in left),
    ]


def _booked_as(
    wanted: Mapping[str, Any],
    left: Sequence[lines.Booked],
    owners: Mapping[int, lines.Booked],
    above: lines.Booked | None,
) -> lines.Booked | None:
    """The booked line that a wanted one is: a discount's must belong to the line that the wanted one stands below."""
    for row in left:
        if row.item == wanted["item"]["id"] and (row.kind != "Discount" or owners.get(row.number) == above):
            return row
    return None


def _too_late(row: lines.Booked) -> Rejected:
    return Rejected(
        f"Line {row.number} of the sales order cannot be reduced: {row.fulfilled} of it have shipped.",
        code="shipped",
        field=f"item.items[line={row.number}].quantity",
        remedy="Book a return for what was shipped instead of changing the order.",
        owner="customer service",
    )


def stands(record: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether a record is already what a body says: its total, its pieces of each item, its note and its addresses."""
    return (
        Decimal(str(record.get("total", "0"))) == total(body) - _redeemed(record)
        and _pieces(record) == _pieces(body)
        and all(record.get(name, "") == body.get(name, "") for name in HEADERS)
        and all(_same(record.get(name), body.get(name)) for name in ("shippingAddress", "billingAddress"))
    )


def _redeemed(record: Mapping[str, Any]) -> Decimal:
    return Decimal(str(record.get("giftCertApplied", "0")))


def _pieces(record: Mapping[str, Any]) -> dict[str, Decimal]:
    pieces: dict[str, Decimal] = {}
    for row in record.get("item", {}).get("items", ()):
        item, quantity = str(row["item"]["id"]), Decimal(str(row.get("quantity", 0)))
        if quantity and not row.get("isClosed"):
            pieces[item] = pieces.get(item, Decimal(0)) + quantity
    return pieces


def _same(told: Any, wanted: Any) -> bool:
    """Every part of the wanted address stands in the record's."""
    if not wanted:
        return True
    return isinstance(told, Mapping) and all(_plain(told.get(name)) == _plain(value) for name, value in wanted.items())


def _plain(value: Any) -> str:
    return str(value.get("id", "")) if isinstance(value, Mapping) else str(value or "")


def closing(record: Mapping[str, Any], policy: Policy) -> list[dict[str, Any]]:
    """The lines that a cancellation closes: empty when none is open any more. Raises Rejected(code="shipped")
    where all has shipped.
    """
    rows = lines.booked(record, policy)
    goods = [row for row in rows if row.ships]
    if goods and all(row.fulfilled >= row.quantity > 0 for row in goods):
        raise Rejected(
            "The order has shipped completely: NetSuite cannot cancel it any more.",
            code="shipped",
            remedy="Let the customer return it and refund it then.",
            owner="customer service",
        )
    begun = any(row.fulfilled for row in goods)  # then its discounts and charges belong to what has shipped
    return [
        {"line": row.number, "isClosed": True}
        for row in rows
        if not row.closed and (row.open > 0 if row.ships else not begun)
    ]
