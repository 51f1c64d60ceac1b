"""Counting: where goods may be counted in, as the stock, the sourcing rules and the owners of stock know them."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.orders import rules
from app.orders.refused import Refused
from app.stock.shelves import AHEAD
from config.reader import config

# One look into the index for each place, however many SKUs lie there.
SHELVED = text("""
WITH RECURSIVE places AS (
    SELECT min(location) AS place FROM shelves
    UNION ALL SELECT (SELECT min(location) FROM shelves WHERE location > places.place) FROM places WHERE places.place IS NOT NULL
) SELECT place FROM places WHERE place IS NOT NULL LIMIT 1000
""")


def known(tx: Connection) -> list[str]:
    """Every place that has a shelf, that the rules in force name, or whose stock has an owner of its own (authority.toml)."""
    active = rules.in_force(tx)
    named = set(active.rules.locations) if active is not None else set()
    owned = set(config().authority.get("stock", {}).get("locations", {}))
    return sorted(({str(row.place) for row in tx.execute(SHELVED)} | named | owned) - {"", AHEAD})


def must(tx: Connection, place: str) -> None:
    """Raises Refused `no_location` for a place that nobody knows: whoever types may mistype. Where none is known yet, any may be the first."""
    found = known(tx)
    if not place or (found and place not in found):
        told = f" Known are: {', '.join(found[:20])}." if found else ""
        raise Refused("no_location", f"There is no location {place or 'without a name'}.{told}")
