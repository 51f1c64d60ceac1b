"""A line of a document as Business Central keeps it: what, how many, at which price, less which discount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from connectors.kit.amounts import ZERO

ITEM, ACCOUNT, COMMENT = "Item", "Account", "Comment"
PRICE = Decimal("0.00001")  # "Unit-Amount Rounding Precision" of a currency unless somebody set another


@dataclass(frozen=True, slots=True)
class Row:
    """`ref` is our own name of the line (description2); `ref/...` travels and is invoiced with the line `ref`.

    `amount` is what Business Central makes of it: quantity x price, rounded half up, less the discount.
    """

    ref: str
    kind: str
    number: str
    quantity: Decimal
    price: Decimal
    discount: Decimal
    words: str
    unit: Decimal
    tax_code: str = ""
    location: str = ""
    measure: str = ""

    @property
    def amount(self) -> Decimal:
        if self.kind == COMMENT:
            return ZERO
        return (self.quantity * self.price).quantize(self.unit, ROUND_HALF_UP) - self.discount

    def body(self, marked: bool = True) -> dict[str, Any]:
        """As salesOrderLines or (without the mark, which they lack) salesCreditMemoLines take it."""
        whole = {"lineType": self.kind, "description": self.words[:100], "description2": self.ref if marked else ""}
        if self.kind == COMMENT:
            return {name: value for name, value in whole.items() if value}
        whole |= {
            "lineObjectNumber": self.number,
            "unitOfMeasureCode": self.measure,
            "taxCode": self.tax_code,
            "locationId": self.location if self.kind == ITEM else "",
        }
        amounts = {"quantity": self.quantity, "unitPrice": self.price, "discountAmount": self.discount}
        return {name: value for name, value in whole.items() if value} | {n: plain(v) for n, v in amounts.items()}


def row(
    ref: str, kind: str, number: str, quantity: Decimal, gross: Decimal, discount: Decimal, unit: Decimal, **more: Any
) -> Row:
    """A line whose amount is exactly gross - discount (both in whole units).

    The price is rounded up to what Business Central keeps, and what that makes too much is added to the discount. A
    negative sum is a negative quantity at a positive price.
    """
    if gross - discount < 0 or discount < 0:
        gross, discount = gross - discount, ZERO
    if gross < 0:
        quantity, gross = -quantity, -gross
    share = abs(quantity) or Decimal(1)
    price = (gross / share).quantize(PRICE, ROUND_CEILING)
    made = (share * price).quantize(unit, ROUND_HALF_UP)
    if quantity < 0:  # a discount of a negative line would be negative too: the price alone must do
        price = gross / share
        quantity, price = (quantity, price) if price == price.quantize(PRICE) else (Decimal(-1), gross)
        return Row(ref, kind, number, quantity, price, ZERO, unit=unit, **more)
    return Row(ref, kind, number, quantity, price, discount + made - gross, unit=unit, **more)


def total(rows: Sequence[Row]) -> Decimal:
    return sum((one.amount for one in rows), ZERO)


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros and exponents, as a number is written."""
    return Decimal(f"{value.normalize():f}")


def number(value: Any) -> Decimal:
    return Decimal(str(value)) if value not in (None, "") else ZERO


@dataclass(frozen=True, slots=True)
class Booked:
    """A line of a sales order as Business Central holds it."""

    id: str
    ref: str
    kind: str
    number: str
    quantity: Decimal
    price: Decimal
    discount: Decimal
    words: str
    tax_code: str
    shipped: Decimal
    invoiced: Decimal
    to_ship: Decimal
    to_invoice: Decimal
    location: str

    @property
    def open(self) -> Decimal:
        return self.quantity - self.shipped


NOWHERE = "00000000-0000-0000-0000-000000000000"


def booked(record: Mapping[str, Any]) -> tuple[Booked, ...]:
    """The lines of a sales order that was read with $expand=salesOrderLines."""
    return tuple(_booked(line) for line in record.get("salesOrderLines", ()))


def _booked(line: Mapping[str, Any]) -> Booked:
    location = str(line.get("locationId") or "")
    return Booked(
        id=str(line["id"]),
        ref=str(line.get("description2") or ""),
        kind=str(line.get("lineType", "")),
        number=str(line.get("lineObjectNumber") or ""),
        quantity=number(line.get("quantity")),
        price=number(line.get("unitPrice")),
        discount=number(line.get("discountAmount")),
        words=str(line.get("description") or ""),
        tax_code=str(line.get("taxCode") or ""),
        shipped=number(line.get("shippedQuantity")),
        invoiced=number(line.get("invoicedQuantity")),
        to_ship=number(line.get("shipQuantity")),
        to_invoice=number(line.get("invoiceQuantity")),
        location="" if location == NOWHERE else location,
    )
