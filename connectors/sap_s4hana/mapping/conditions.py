"""Price conditions: what each type of a document comes to, and how SAP is told it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from connectors.kit.amounts import ZERO
from connectors.sap_s4hana.odata import Row, decimal, number

MOST_PIECES = 99_999  # a pricing unit (ConditionQuantity) has five digits and no decimals


@dataclass(frozen=True, slots=True)
class Condition:
    """One type with its rate. `per`: the price is for so many of `unit`; None: the rate is the whole sum."""

    type: str
    rate: Decimal
    currency: str
    per: Decimal | None = None
    unit: str = ""

    def body(self) -> dict[str, Any]:
        told = {
            "ConditionType": self.type,
            "ConditionRateValue": decimal(self.rate),
            "ConditionCurrency": self.currency,
        }
        if self.per is None:
            return told
        return {**told, "ConditionQuantity": decimal(self.per), "ConditionQuantityUnit": self.unit}

    def same(self, told: Mapping[str, Any]) -> bool:
        """Whether a pricing element says the same already."""
        per = self.per is None or number(told.get("ConditionQuantity")) == self.per
        return number(told.get("ConditionRateValue")) == self.rate and per


def price(kind: str, gross: Decimal, quantity: Decimal, unit: Decimal, currency: str, measure: str) -> Condition:
    """The price of a line, for exactly its quantity, so that no unit price is rounded: 10.00 for 3 pieces.

    A quantity that is no pricing unit (1.345 kg) has a price each, rounded up; `excess` says what that makes too much.
    """
    if quantity == quantity.to_integral_value() and 0 < quantity <= MOST_PIECES:
        return Condition(kind, gross, currency, quantity, measure)
    each = (gross / quantity).quantize(unit, ROUND_CEILING)
    return Condition(kind, each, currency, Decimal(1), measure)


def made(condition: Condition, quantity: Decimal, unit: Decimal) -> Decimal:
    """What SAP makes of a condition: quantity x rate / pricing unit, rounded half up; a fixed sum as it is."""
    if condition.per is None:
        return condition.rate
    return (quantity * condition.rate / condition.per).quantize(unit, ROUND_HALF_UP)


def by_type(sums: Iterable[tuple[str, Decimal]], currency: str) -> tuple[Condition, ...]:
    """Fixed sums, one for each type: SAP's document holds a type once."""
    found: dict[str, Decimal] = {}
    for kind, amount in sums:
        found[kind] = found.get(kind, ZERO) + amount
    return tuple(Condition(kind, amount, currency) for kind, amount in found.items() if amount)


def standing(elements: Iterable[Row], types: Iterable[str]) -> dict[str, Row]:
    """Of the pricing elements of a record those that are ours, by type: what SAP itself adds is left alone."""
    ours = set(types)
    return {str(one["ConditionType"]): one for one in elements if one.get("ConditionType") in ours}
