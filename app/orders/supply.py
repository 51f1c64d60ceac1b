"""Supply: what each location may promise now: its shelves (the owner's word and what moved since) less what is asked or reserved of them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.orders.sourcing_rules import Rules
from app.stock import parts

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
    wanted = set(skus)
    made_of = parts.of(tx, wanted)
    tx.execute(TURN, {"skus": sorted(wanted | {part for made in made_of.values() for part, _ in made})})


def stock(tx: Connection, rules: Rules, skus: Iterable[str]) -> dict[tuple[str, str], Decimal]:
    """(location, SKU) -> pieces, never below nothing. A location whose stock names no place has all of its account's.

    A shelf that nobody has counted yet is the place's own: what moved there is all that is known of it. Of a bundle there are as many as its parts
    make at one location; lines of one order that want the same part each see all of it.
    """
    wanted = set(skus)
    made_of = parts.of(tx, wanted)
    pieces = (wanted - made_of.keys()) | {part for made in made_of.values() for part, _ in made}
    found = _lying(tx, rules, pieces)
    asked = made_of.keys() | parts.above(tx, pieces)
    apart = parts.of(tx, asked)
    for row in tx.execute(ASKED, {"skus": sorted(pieces | asked)}):
        for part, each in apart.get(row.sku, ((row.sku, Decimal(1)),)):
            if (row.location, part) in found:
                found[row.location, part] = max(Decimal(0), found[row.location, part] - row.quantity * each)
    for bundle, made in made_of.items():
        for name in rules.locations:
            fewest = min(found.get((name, part), Decimal(0)) // each for part, each in made)
            if all((name, part) in found for part, _ in made):
                found[name, bundle] = fewest
    return found


def _lying(tx: Connection, rules: Rules, pieces: Iterable[str]) -> dict[tuple[str, str], Decimal]:
    rows = tx.execute(SHELVES, {"skus": sorted(pieces)}).all()
    found: dict[tuple[str, str], Decimal] = {}
    for name, location in rules.locations.items():
        for row in rows if location.stock is not None else ():
            if _stands(row, *location.stock):  # type: ignore[misc]
                found[name, row.sku] = found.get((name, row.sku), Decimal(0)) + max(Decimal(0), row.available)
    return found


def _stands(row: Any, account: str, place: str) -> bool:
    return row.location == place if not row.account else row.account == account and place in ("", row.location)


def load(tx: Connection) -> dict[str, int]:
    """Requests of today (UTC) by location."""
    return {row.location: row.n for row in tx.execute(LOAD)}
