"""Prices that are in force now, from the hub's own records, with how long they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from app.journal.reading.rows import listed

COLUMNS = """price_list, sku, currency, min_quantity, amount, compare_at, taxes_included, valid_from, valid_until, promotion, source,
    changed_at"""
IN_FORCE = text(f"""
SELECT {COLUMNS} FROM prices WHERE sku = ANY(:skus) AND price_list = :list AND (:currency = '' OR currency = :currency)
ORDER BY sku, currency, min_quantity
""")  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class InForce:
    """`amount` and `compare_at` in major units of `currency`, tax as `taxes_included` says; from `min_quantity` pieces on."""

    price_list: str
    sku: str
    currency: str
    min_quantity: Decimal
    amount: Decimal
    compare_at: Decimal | None
    taxes_included: bool | None
    valid_from: datetime
    valid_until: datetime | None
    promotion: str
    source: str
    changed_at: datetime


def in_force(tx: Connection, skus: Sequence[str], price_list: str = "", currency: str = "") -> tuple[InForce, ...]:
    """Every price of these SKUs in a list (in every currency, unless one is named) as it was last activated."""
    return listed(tx, InForce, IN_FORCE, skus=list(skus), list=price_list, currency=currency)
