"""Supply: what each location may promise now: its positions less what is asked of it already and not yet known there."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import Connection, text

from app.orders.sourcing import Rules

POSITIONS = text("SELECT account, location, sku, available FROM positions WHERE sku = ANY(:skus)")
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
    """(location, SKU) -> pieces, never below nothing. A location whose position names no place has all of its account's."""
    wanted = sorted(set(skus))
    rows = tx.execute(POSITIONS, {"skus": wanted}).all()
    found: dict[tuple[str, str], Decimal] = {}
    for name, location in rules.locations.items():
        for row in rows if location.stock is not None else ():
            if row.account == location.stock[0] and location.stock[1] in ("", row.location):  # type: ignore[index]
                found[name, row.sku] = found.get((name, row.sku), Decimal(0)) + row.available
    for row in tx.execute(ASKED, {"skus": wanted}):
        if (row.location, row.sku) in found:
            found[row.location, row.sku] = max(Decimal(0), found[row.location, row.sku] - row.quantity)
    return found


def load(tx: Connection) -> dict[str, int]:
    """Requests of today (UTC) by location."""
    return {row.location: row.n for row in tx.execute(LOAD)}
