"""The simulator's own arithmetic: what Business Central makes of a document, worked out apart from our mapping.

A line is quantity x price in whole units of the currency, less its discount. Tax is reckoned on the sum of each tax code
(a "VAT amount line") and spread over its lines, so that the lines of a document sum to its total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

HUNDRED = Decimal(100)
PRICE, PERCENT = Decimal("0.00001"), Decimal("0.00001")
ROUNDINGS = {"nearest": ROUND_HALF_UP, "down": ROUND_DOWN, "up": ROUND_UP}  # "VAT Rounding Type" of a currency


def number(value: Any) -> Decimal:
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)


def kept(value: Decimal) -> str:
    """A number for the memory: as text, so that a restart changes none."""
    return f"{value.normalize():f}"


def line_amount(line: Mapping[str, Any], unit: Decimal, quantity: Decimal | None = None) -> Decimal:
    """The amount of a line, or of a part of its quantity: a part's discount is by the percentage that the line keeps."""
    whole = number(line.get("quantity"))
    taken = whole if quantity is None else quantity
    gross = (taken * number(line.get("unitPrice"))).quantize(unit, ROUND_HALF_UP)
    if taken == whole:
        return gross - number(line.get("discountAmount"))
    return gross - (gross * percent(line, unit) / HUNDRED).quantize(unit, ROUND_HALF_UP)


def percent(line: Mapping[str, Any], unit: Decimal) -> Decimal:
    gross = (number(line.get("quantity")) * number(line.get("unitPrice"))).quantize(unit, ROUND_HALF_UP)
    if not gross:
        return Decimal(0)
    return (number(line.get("discountAmount")) * HUNDRED / gross).quantize(PERCENT, ROUND_HALF_UP)


def reckon(
    record: dict[str, Any],
    lines: Sequence[dict[str, Any]],
    rates: Mapping[str, Decimal],
    unit: Decimal,
    rounding: str = "nearest",
    quantities: Mapping[str, Decimal] | None = None,
) -> None:
    """Sets the amounts of the lines and the totals of the document; of parts of the lines where `quantities` are given."""
    taken = quantities or {}
    amounts = [line_amount(line, unit, taken.get(line["id"]) if quantities is not None else None) for line in lines]
    whole = sum(amounts, Decimal(0))
    discount = number(record.get("discountAmount"))
    shares = _spread(amounts, discount if whole else Decimal(0), whole, unit)
    nets = [amount - share for amount, share in zip(amounts, shares, strict=True)]
    included = bool(record.get("pricesIncludeTax"))
    tax, told = [Decimal(0)] * len(lines), Decimal(0)
    for code in dict.fromkeys(str(line.get("taxCode", "")) for line in lines):
        own = [n for n, line in enumerate(lines) if str(line.get("taxCode", "")) == code]
        base = sum((nets[n] for n in own), Decimal(0))
        rate = rates.get(code, Decimal(0))
        exact = base * rate / (HUNDRED + rate) if included else base * rate / HUNDRED
        sum_ = exact.quantize(unit, ROUNDINGS[rounding])
        told += sum_
        for n, share in zip(own, _spread([nets[n] for n in own], sum_, base, unit), strict=True):
            tax[n] = share
    for line, amount, share, net, own_tax in zip(lines, amounts, shares, nets, tax, strict=True):
        _tell(line, amount, share, net, own_tax, rates.get(str(line.get("taxCode", "")), Decimal(0)), included)
    total = sum(nets, Decimal(0)) + (Decimal(0) if included else told)
    record["totalAmountIncludingTax"], record["totalTaxAmount"] = kept(total), kept(told)
    record["totalAmountExcludingTax"] = kept(total - told)


def _tell(
    line: dict[str, Any], amount: Decimal, share: Decimal, net: Decimal, tax: Decimal, rate: Decimal, included: bool
) -> None:
    without = net - tax if included else net
    line |= {
        "amountExcludingTax": kept(without),
        "amountIncludingTax": kept(without + tax),
        "taxPercent": kept(rate),
        "totalTaxAmount": kept(tax),
        "invoiceDiscountAllocation": kept(share),
        "netAmount": kept(without),
        "netTaxAmount": kept(tax),
        "netAmountIncludingTax": kept(without + tax),
    }


def _spread(parts: Sequence[Decimal], sum_: Decimal, whole: Decimal, unit: Decimal) -> list[Decimal]:
    """A sum over parts in their proportion, in whole units, each taking what is due up to it."""
    shares, due, given = [], Decimal(0), Decimal(0)
    for part in parts:
        due += part
        upto = (sum_ * due / whole).quantize(unit, ROUND_HALF_UP) if whole else Decimal(0)
        shares.append(upto - given)
        given = upto
    return shares
