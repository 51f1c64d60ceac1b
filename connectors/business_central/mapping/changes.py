"""What must be asked of a booked sales order so that it becomes what it should be, or so that a shipment can be posted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.business_central.client import Ask
from connectors.business_central.mapping.rows import Booked, Row, booked
from connectors.business_central.mapping.sales_order import Document
from connectors.kit.errors import Rejected

FIXED = frozenset(
    ("externalDocumentNumber", "currencyCode", "orderDate", "postingDate", "pricesIncludeTax", "customerId")
)
ROUNDING = "rounding"  # lines that settle what Business Central rounded otherwise: they are no part of a document
SETTLED = "rounding/settled"


def towards(record: Mapping[str, Any], wanted: Document) -> list[Ask]:
    """The requests of one transaction that bring a record to a document: header first, under its ETag; empty when it
    stands so already. Raises Rejected(code="shipped") for what has left.
    """
    order = f"salesOrders({record['id']})"
    there = {line.ref: line for line in booked(record) if line.ref}
    lines = [
        *(ask for one in wanted.rows for ask in _line(order, there.get(one.ref), one)),
        *_removals(there, wanted.rows),
    ]
    header = _header(record, wanted.header)
    if not header and not lines:
        return []
    return [Ask("PATCH", order, header or {"email": record.get("email", "")}, str(record["@odata.etag"])), *lines]


def _header(record: Mapping[str, Any], header: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in header.items() if name not in FIXED}
    if "discountAmount" not in header and record.get("discountAmount"):
        known["discountAmount"] = Decimal(0)
    return {name: value for name, value in known.items() if not same(record.get(name), value)}


def same(told: Any, wanted: Any) -> bool:
    if isinstance(wanted, Decimal):
        return Decimal(str(told or 0)) == wanted
    return (told or "") == (wanted or "")


def _line(order: str, there: Booked | None, wanted: Row) -> Iterator[Ask]:
    if there is not None and (there.kind, there.number) != (wanted.kind, wanted.number):
        yield _removal(there)
        there = None
    body = wanted.body()
    if there is None:
        yield Ask("POST", f"{order}/salesOrderLines", body)
        return
    told = _told(there)
    patch = {name: value for name, value in body.items() if name in told and not same(told[name], value)}
    if there.invoiced and patch and (set(patch) != {"quantity"} or abs(wanted.quantity) < abs(there.shipped)):
        raise _too_late(there)
    if "quantity" in patch:  # a changed quantity makes Business Central look up a price and discount of its own
        patch = {name: body[name] for name in body if name in {*patch, "unitPrice", "discountAmount"}}
    if patch:
        yield Ask("PATCH", f"salesOrderLines({there.id})", patch)


def _told(line: Booked) -> dict[str, Any]:
    """What the record says of the fields that may change once a line is made."""
    return {
        "description": line.words,
        "taxCode": line.tax_code,
        "quantity": line.quantity,
        "unitPrice": line.price,
        "discountAmount": line.discount,
    }


def _removals(there: Mapping[str, Booked], rows: Sequence[Row]) -> Iterator[Ask]:
    kept = {one.ref for one in rows}
    for ref, line in there.items():
        if ref not in kept and ref != SETTLED:
            yield _removal(line)


def _removal(line: Booked) -> Ask:
    if line.shipped:
        raise _too_late(line)
    return Ask("DELETE", f"salesOrderLines({line.id})")


def _too_late(line: Booked) -> Rejected:
    return Rejected(
        f"The line {line.number} ({line.words}) of the sales order cannot be changed so: {line.shipped} of it have left "
        "and are invoiced.",
        code="shipped",
        field="salesOrderLines",
        remedy="Book a credit memo for what was shipped instead of changing the order.",
        owner="customer service",
    )
