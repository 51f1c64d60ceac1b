"""What a transform makes of a record before it is kept: lines taken from it, its header and taxes, over them what was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.netsuite.simulator_errors import Refused, value
from connectors.netsuite.simulator_fields import FIELDS
from connectors.netsuite.simulator_sums import CENT, line_amount, number, told

Body = Mapping[str, Any]
Record = dict[str, Any]
HEADER = "entity currency location subsidiary shipMethod discountItem email otherRefNum shippingAddress billingAddress".split()
NUMBERS = ("quantity", "amount", "rate", "taxBasis", "taxAmount", "taxRate")


def drafted(kind: str, source: Record, rows: Sequence[Record], body: Body, replace: Sequence[str]) -> dict[str, Any]:
    """A new record's body: of the source its header, where the kind has those fields, and the taxes of the rows that were taken;
    over them what the body says.
    """
    header = {name: source[name] for name in HEADER if source.get(name) and name in FIELDS[kind]}
    said = {name: given for name, given in body.items() if name not in ("item", "taxDetails")}
    kept = {row.get("taxDetailsReference") for row in rows} | {"SHIPPING"}
    taxes = [row for row in source.get("taxDetails", ()) if row["taxDetailsReference"]["id"] in kept]
    if "taxDetails" in body:
        taxes = ([] if "taxDetails" in replace else taxes) + list(body["taxDetails"]["items"])
    details = {"taxDetailsOverride": source.get("taxDetailsOverride", False), "taxDetails": {"items": _numbers(taxes)}}
    link = {"createdFrom": {"id": source["id"]}}
    return {**header, **said, **(details if taxes else {}), **link, "item": {"items": _numbers(rows)}}


def _numbers(rows: Sequence[Record]) -> list[Record]:
    """Rows of the memory as a request would say them: amounts as numbers."""
    return [
        {key: number(one) if key in NUMBERS and one is not None else one for key, one in row.items()} for row in rows
    ]


def taken(source: Record, asked: Sequence[Body], most: Callable[[Record], Decimal], done: str) -> list[Record]:
    """The source's lines, each as far as it can be `done`, but for what is said of it by `orderLine`; then lines that are new."""
    said = {int(row["orderLine"]): (index, row) for index, row in enumerate(asked) if row.get("orderLine")}
    lines = {int(line["line"]): line for line in source["lines"]}
    for key, (index, row) in said.items():
        if key not in lines:
            raise value(f"item.items[{index}].orderLine", row.get("orderLine"))
    rows = [_row(line, most(line), done, *said.get(key, (0, {}))) for key, line in lines.items()]
    added = [dict(row) for row in asked if not row.get("orderLine")]
    return [row for row in rows if row is not None] + added


def _row(line: Record, most: Decimal, done: str, index: int, row: Body) -> Record | None:
    discount = line["itemType"] == "Discount"
    quantity = Decimal(1) if discount else number(row.get("quantity", most))
    if not discount and quantity > most:
        raise Refused(
            f"Error while accessing a resource. The quantity {quantity} exceeds the {most} to be {done}.",
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
