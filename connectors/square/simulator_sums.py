"""An order's sums as Square reckons them: whole minor units, half to even, discounts and spread charges shared out by value."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

Json = dict[str, Any]


def even(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_EVEN))


def shares(whole: int, weights: Sequence[int]) -> list[int]:
    """`whole` shared out by weight; the shares make it exactly."""
    total, given, found, reached = sum(weights), 0, [], 0
    for weight in weights:
        reached += weight
        upto = even(Decimal(whole) * reached / total) if total else 0
        found.append(upto - given)
        given = upto
    return found


def tax_of(net: int, rate: Decimal, inclusive: bool) -> int:
    return even(Decimal(net) * rate / (1 + rate)) if inclusive else even(Decimal(net) * rate)


def money(minor: int, currency: str) -> Json:
    return {"amount": minor, "currency": currency}


def add(rows: Sequence[Json], name: str) -> int:
    return sum(int(row.get(name, {}).get("amount") or 0) for row in rows)


def sums(order: Json, currency: str, tip: int, rounding: int) -> Json:
    """The order's totals from its lines and charges."""
    lines, charges = order["line_items"], order.get("service_charges", [])
    own = [one for one in charges if one.get("treatment_type") != "APPORTIONED_TREATMENT"]
    total = add(lines, "total_money") + add(own, "total_money") + tip + rounding
    told = {
        "total_money": total,
        "total_tax_money": add(lines, "total_tax_money") + add(own, "total_tax_money"),
        "total_discount_money": add(lines, "total_discount_money"),
        "total_tip_money": tip,
        "total_service_charge_money": add(charges, "applied_money"),
    }
    return {name: money(minor, currency) for name, minor in told.items()}


def amounts(order: Json) -> Json:
    """The same as OrderMoneyAmounts."""
    names = {"total_money": "total_money", "tax_money": "total_tax_money", "discount_money": "total_discount_money"}
    more = {"tip_money": "total_tip_money", "service_charge_money": "total_service_charge_money"}
    return {name: order[told] for name, told in {**names, **more}.items()}
