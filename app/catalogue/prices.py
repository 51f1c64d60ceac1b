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

# When what is in force of these SKUs may change next by what the files in force say: a price begins, or one ends.
NEXT = text("""
SELECT min(at) FROM price_runs r JOIN price_lines l ON l.run_id = r.id AND l.sku = ANY(:skus) AND l.price_list = :list AND l.state <> 'refused',
    LATERAL (VALUES (l.valid_from), (l.valid_until)) v (at)
WHERE r.state = 'active' AND v.at > now()
""")


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


def changes_at(tx: Connection, skus: Sequence[str], price_list: str = "") -> datetime | None:
    """The next instant at which a price of these SKUs begins or ends, in any currency; None where none is known."""
    found: datetime | None = tx.execute(NEXT, {"skus": list(skus), "list": price_list}).scalar()
    return found
