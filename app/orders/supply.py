"""Supply: what each location may promise now: its shelves (the owner's word and what moved since) less what is asked or reserved of them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.orders.sourcing import Rules

# What orders claim is no matter here: they are what is being sourced. What others have reserved (by our API) is not to be had.
SHELVES = text("""
SELECT s.account, s.location, s.sku, s.told - s.held_back - coalesce(r.others, 0) AS available
FROM shelves s LEFT JOIN (
    SELECT sku, location, sum(quantity - shipped) AS others FROM reservations
    WHERE sku = ANY(:skus) AND state = 'open' AND subject_id IS NULL GROUP BY 1, 2) r USING (sku, location)
WHERE s.sku = ANY(:skus) AND (s.account <> '' OR s.location <> '')
""")
# A warehouse that has taken a request counts it out itself; a store, asked by us, does not before the goods are gone.
ASKED = text("""
SELECT f.location, l->>'sku' AS sku, sum((l->>'quantity')::numeric) AS quantity
FROM fulfilments f, jsonb_array_elements(f.lines) l
WHERE l->>'sku' = ANY(:skus)
    AND (f.state IN ('proposed', 'requested') OR (f.account = '' AND f.state IN ('accepted', 'picked', 'packed', 'ready')))
GROUP BY 1, 2
""")
TURN = text(
    "SELECT pg_advisory_xact_lock(7704, h) FROM (SELECT DISTINCT hashtext(s) AS h FROM unnest(CAST(:skus AS text[])) s ORDER BY 1) x"
)
LOAD = text("""
SELECT location, count(*) AS n FROM fulfilments
WHERE created_at >= date_trunc('day', now()) AND state NOT IN ('rejected', 'timed_out', 'cancelled') GROUP BY 1
""")


def turn(tx: Connection, skus: Iterable[str]) -> None:
    """Orders of the same articles are sourced one after the other: what one is given, the next does not see. Always in the same order."""
    tx.execute(TURN, {"skus": list(set(skus))})


def stock(tx: Connection, rules: Rules, skus: Iterable[str]) -> dict[tuple[str, str], Decimal]:
    """(location, SKU) -> pieces, never below nothing. A location whose stock names no place has all of its account's.

    A shelf that nobody has counted yet is the place's own: what moved there is all that is known of it.
    """
    wanted = sorted(set(skus))
    rows = tx.execute(SHELVES, {"skus": wanted}).all()
    found: dict[tuple[str, str], Decimal] = {}
    for name, location in rules.locations.items():
        for row in rows if location.stock is not None else ():
            if _stands(row, *location.stock):  # type: ignore[misc]
                found[name, row.sku] = found.get((name, row.sku), Decimal(0)) + max(Decimal(0), row.available)
    for row in tx.execute(ASKED, {"skus": wanted}):
        if (row.location, row.sku) in found:
            found[row.location, row.sku] = max(Decimal(0), found[row.location, row.sku] - row.quantity)
    return found


def _stands(row: Any, account: str, place: str) -> bool:
    return row.location == place if not row.account else row.account == account and place in ("", row.location)


def load(tx: Connection) -> dict[str, int]:
    """Requests of today (UTC) by location."""
    return {row.location: row.n for row in tx.execute(LOAD)}
