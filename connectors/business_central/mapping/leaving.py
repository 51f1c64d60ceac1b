"""What must be asked of a booked sales order so that the next posting takes a shipment, no more and no less."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.business_central.client import Ask
from connectors.business_central.mapping.changes import same
from connectors.business_central.mapping.rows import COMMENT, ITEM, PRICE, Booked, Row, booked, number
from connectors.canonical.order import Line, Order
from connectors.canonical.shipment import Shipment, ShipmentLine
from connectors.kit import names
from connectors.kit.errors import Rejected

PARTS = "rounding/parts"  # the line that evens out what parts were rounded to


@dataclass(frozen=True, slots=True)
class Leaving:
    """A posting to come: what left under which name, on which day, from where; `invoiced` is what earlier postings of the
    order billed (None: Business Central reckons the taxes, so its next invoice cannot be foreseen).
    """

    order: Order
    shipment: Shipment
    name: str
    day: str
    place: str
    invoiced: Decimal | None
    unit: Decimal
    rounding: Callable[[Decimal], Row]


def leaving(record: Mapping[str, Any], to: Leaving) -> list[Ask]:
    """The requests that set what the next posting takes: these pieces and what travels with them, under the shipment's
    name; empty when all is set already.
    """
    rows = booked(record)
    wanted = _quantities(to.order, to.shipment, rows)
    patches = [ask for line in rows for ask in _leave(line, wanted.get(line.id, Decimal(0)), to.place)]
    patches += _evened(record, rows, wanted, to)
    header = {"externalDocumentNumber": to.name, **({"postingDate": to.day} if to.day else {})}
    header = {field: value for field, value in header.items() if not same(record.get(field), value)}
    if not header and not patches:
        return []
    etag = str(record["@odata.etag"])
    return [Ask("PATCH", f"salesOrders({record['id']})", header or {"externalDocumentNumber": to.name}, etag), *patches]


def _evened(record: Mapping[str, Any], rows: Sequence[Booked], wanted: Mapping[str, Decimal], to: Leaving) -> list[Ask]:
    """With the last that leaves, what the rounding of parts would make the invoices differ from the order by: each part of
    a line is rounded by itself, and its discount taken by percentage.
    """
    last = all(line.open == wanted[line.id] for line in rows if line.kind != COMMENT and line.ref != PARTS)
    if to.invoiced is None or not to.invoiced or not last:
        return []
    old = next((line for line in rows if line.ref == PARTS), None)
    was = old.quantity * old.price if old else Decimal(0)
    due = number(record.get("totalAmountIncludingTax")) - was - to.invoiced
    off = number(record.get("discountAmount"))
    coming = sum((_billed(line, wanted[line.id], to.unit) for line in rows if line.ref != PARTS), -off)
    rest = due - coming
    if rest == was:
        return []
    asked = [Ask("DELETE", f"salesOrderLines({old.id})")] if old else []
    if rest:
        made = to.rounding(rest)
        own = {"shipQuantity": made.quantity, "invoiceQuantity": made.quantity}
        asked.append(Ask("POST", f"salesOrders({record['id']})/salesOrderLines", {**made.body(), **own}))
    return asked


def _billed(line: Booked, quantity: Decimal, unit: Decimal) -> Decimal:
    if line.kind == COMMENT or not quantity:
        return Decimal(0)
    gross = (quantity * line.price).quantize(unit, ROUND_HALF_UP)
    if quantity == line.quantity:
        return gross - line.discount
    whole = (line.quantity * line.price).quantize(unit, ROUND_HALF_UP)
    percent = (line.discount * 100 / whole).quantize(PRICE, ROUND_HALF_UP) if whole else Decimal(0)
    return gross - (gross * percent / 100).quantize(unit, ROUND_HALF_UP)


def left(record: Mapping[str, Any]) -> Decimal:
    """How many pieces of an order have been posted, all lines together."""
    return sum((abs(line.shipped) for line in booked(record)), Decimal(0))


def _leave(line: Booked, quantity: Decimal, place: str) -> Iterator[Ask]:
    if line.kind == COMMENT or line.ref == PARTS:
        return
    patch: dict[str, Any] = {}
    if place and line.kind == ITEM and quantity and not line.shipped and line.location.lower() != place.lower():
        patch["locationId"] = place
    if (line.to_ship, line.to_invoice) != (quantity, quantity):
        patch |= {"shipQuantity": quantity, "invoiceQuantity": quantity}
    if patch:
        yield Ask("PATCH", f"salesOrderLines({line.id})", patch)


def _quantities(order: Order, shipment: Shipment, rows: Sequence[Booked]) -> dict[str, Decimal]:
    """Line id -> how much the posting takes: products as they left, what travels with a product in the same share, and
    what belongs to the whole order, or never ships, with the first that leaves. What is not ours stays.
    """
    ours, pieces = _ours(order), _pieces(order, shipment, rows)
    found: dict[str, Decimal] = {}
    for line in rows:
        known = ours.get(line.ref)
        stays = line.kind == ITEM and (known is None or known.requires_shipping)
        found[line.ref or line.id] = pieces.get(line.ref, Decimal(0) if stays or not line.ref else line.open)
    by_ref = {line.ref: line for line in rows}
    for line in rows:
        master = by_ref.get(line.ref.rpartition("/")[0])
        if master is not None and master.ref in ours and abs(line.quantity) == abs(master.quantity):
            found[line.ref] = found[master.ref].copy_sign(line.quantity)
    return {line.id: found[line.ref or line.id] for line in rows}


def _ours(order: Order) -> dict[str, Line]:
    """The lines of our order by their marks."""
    return {names.of_line(line.id): line for line in order.lines}


def _pieces(order: Order, shipment: Shipment, rows: Sequence[Booked]) -> dict[str, Decimal]:
    """The mark of a line -> how many of it left."""
    left: dict[str, Decimal] = {}
    by_ref = {line.ref: line for line in rows}
    for index, line in enumerate(shipment.lines):
        for ref, quantity in _share(order, line, by_ref, left, index):
            left[ref] = left.get(ref, Decimal(0)) + quantity
    for bundle in (one for one in order.lines if any(part.bundle_id == one.id for part in order.lines)):
        _with_parts(order, names.of_line(bundle.id), bundle.id, by_ref, left)
    return left


def _with_parts(order: Order, ref: str, bundle: str, rows: Mapping[str, Booked], left: dict[str, Decimal]) -> None:
    """A bundle's own line goes out with the first of its parts."""
    parts = [names.of_line(one.id) for one in order.lines if one.bundle_id == bundle]
    if ref not in left and ref in rows and any(left.get(part) for part in parts):
        left[ref] = rows[ref].open


def _share(
    order: Order, line: ShipmentLine, rows: Mapping[str, Booked], left: Mapping[str, Decimal], index: int
) -> list[tuple[str, Decimal]]:
    """A shipped line on its booked line; where only the SKU is known, on the open lines of that SKU in their order."""
    if line.line_id:
        ref = names.of_line(line.line_id)
        if ref not in rows:
            raise _unknown(line, index)
        return [(ref, line.quantity)]
    rest, shares = line.quantity, []
    ours = [ref for ref, one in _ours(order).items() if one.sku == line.sku and ref in rows]
    for ref in ours:
        some = min(rest, max(Decimal(0), rows[ref].open - left.get(ref, Decimal(0))))
        if some:
            shares.append((ref, some))
            rest -= some
    if not ours:
        raise _unknown(line, index)
    return [*shares, (ours[-1], rest)] if rest else shares


def _unknown(line: ShipmentLine, index: int) -> Rejected:
    return Rejected(
        f"{line.sku or line.line_id} was shipped, but the sales order in Business Central has no such line.",
        code="line_unknown",
        field=f"lines[{index}].{'line_id' if line.line_id else 'sku'}",
        remedy="Add the line to the sales order in Business Central (our line's name in Description 2), or correct the "
        "shipment, then retry.",
        owner="logistics",
    )
