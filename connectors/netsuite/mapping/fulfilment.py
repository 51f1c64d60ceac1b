"""A shipment as the transform of its sales order into an item fulfilment: what left, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, ShipmentLine, Tracking
from connectors.kit.errors import Rejected
from connectors.netsuite.mapping import lines, names
from connectors.netsuite.mapping.policy import Policy

SHIPPED = {"id": "C"}
GRAMS = Decimal("453.59237")  # in a pound


def fulfilment(order: Order, shipment: Shipment, record: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """The transform's body. Lines that it does not name would ship too, so every other open line is named as
    not shipped.
    """
    rows = lines.booked(record, policy)
    left = _quantities(order, shipment, lines.match(order, rows, policy), policy)
    place = policy.codes.theirs("location", shipment.location) if shipment.location else policy.location
    sent = [
        _line(row, left.get(row.number, Decimal(0)), place)
        for row in rows
        if row.number in left or (row.ships and row.open > 0)
    ]
    parcels = [_parcel(one, policy) for one in shipment.trackings]
    body = {
        "externalId": names.of_shipment(order, shipment),
        "tranDate": policy.day(shipment.shipped_at) if shipment.shipped_at else "",
        "shipStatus": SHIPPED,
        "memo": f"{order.number} {shipment.id}".strip(),
        "item": {"items": sent},
        "package": {"items": parcels} if parcels else "",
    }
    return {name: value for name, value in body.items() if value != ""}


def _line(row: lines.Booked, quantity: Decimal, place: str) -> dict[str, Any]:
    if not quantity:
        return {"orderLine": row.number, "itemReceive": False}
    where = {"location": {"id": place}} if place else {}
    return {"orderLine": row.number, "itemReceive": True, "quantity": quantity, **where}


def _parcel(one: Tracking, policy: Policy) -> dict[str, Any]:
    """A parcel: its weight in pounds, the account's usual one where nobody weighed it."""
    weighed = one.weight_grams / GRAMS if one.weight_grams else Decimal(policy.package_weight)
    return {
        "packageTrackingNumber": one.number,
        "packageDescr": one.carrier or "parcel",
        "packageWeight": weighed.quantize(Decimal("0.01")),
    }


def _quantities(
    order: Order, shipment: Shipment, matched: Mapping[str, lines.Booked], policy: Policy
) -> dict[int, Decimal]:
    """Booked line number -> how many of it left."""
    left: dict[int, Decimal] = {}
    for index, line in enumerate(shipment.lines):
        for number, quantity in _share(order, line, matched, left, index):
            left[number] = left.get(number, Decimal(0)) + quantity
    return left


def _share(
    order: Order, line: ShipmentLine, matched: Mapping[str, lines.Booked], left: Mapping[int, Decimal], index: int
) -> list[tuple[int, Decimal]]:
    """A shipped line on its booked line; where only the SKU is known, on the open lines of that SKU in their order."""
    if line.line_id:
        if line.line_id not in matched:
            raise _unknown(line, index)
        return [(matched[line.line_id].number, line.quantity)]
    rest, shares = line.quantity, []
    ours = [matched[one.id] for one in order.lines if one.sku == line.sku and one.id in matched]
    for row in ours:
        some = min(rest, max(Decimal(0), row.open - left.get(row.number, Decimal(0))))
        if some:
            shares.append((row.number, some))
            rest -= some
    if not ours:
        raise _unknown(line, index)
    return [*shares, (ours[-1].number, rest)] if rest else shares


def _unknown(line: ShipmentLine, index: int) -> Rejected:
    return Rejected(
        f"{line.sku or line.line_id} was shipped, but the sales order in NetSuite has no such line.",
        code="line_unknown",
        field=f"lines[{index}].{'line_id' if line.line_id else 'sku'}",
        remedy="Add the line to the sales order in NetSuite, or correct the shipment, then retry.",
        owner="logistics",
    )
