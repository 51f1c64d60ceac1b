"""Availability: what is free of a list of SKUs from our own records, by a channel's rule, with the age of the owner's word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.stock import rules
from app.stock.rules import Rule
from app.units import Seconds

# One row for each SKU asked for, or for each part of a bundle. What is owed anywhere is taken off what is there elsewhere. The owner's
# word is as old as its own time, or as the last time it was asked and had nothing new to say, whichever is later. Of what is sold ahead only
# the limit counts (app/stock/preorders.py), whatever lies on the other shelves.
SQL = """
SELECT a.sku AS asked, coalesce(p.quantity, 1) AS per, s.free, s.as_of, s.age, s.source, s.held, s.ahead, s.released_at
FROM unnest(CAST({skus} AS text[])) AS a (sku)
LEFT JOIN parts p ON p.bundle = a.sku
LEFT JOIN LATERAL (
    SELECT sum(CASE WHEN h.free < 0 THEN h.free WHEN h.location = ANY(CAST({excluded} AS text[])) THEN 0 {elsewhere}
            ELSE greatest(0, h.free - {location_buffer}) END) AS free,
        sum(h.reserved) AS held,
        sum(h.free) FILTER (WHERE h.location = '~ahead' AND h.version <> '') AS ahead,
        max(h.version) FILTER (WHERE h.location = '~ahead') AS released_at,
        min(greatest(h.as_of, c.reached)) FILTER (WHERE h.account <> '' {and_here}) AS as_of,
        extract(epoch FROM now() - min(greatest(h.as_of, c.reached)) FILTER (WHERE h.account <> '' {and_here})) AS age,
        min(h.account) FILTER (WHERE h.account <> '' {and_here}) AS source
    FROM shelves h LEFT JOIN cursors c ON c.account = h.account AND c.kind = 'stock'
    WHERE h.sku = coalesce(p.sku, a.sku)) s ON true
"""
NOTHING = Decimal(0)
PREORDER = "preorder"  # the source of a limit
EVERYWHERE = {"elsewhere": "", "and_here": ""}
NAMED = {"skus": ":skus", "excluded": ":excluded", "location_buffer": ":location_buffer"}
READ = text(SQL.format(**NAMED, **EVERYWHERE))
READ_HERE = text(
    SQL.format(
        **NAMED,
        elsewhere="WHEN h.location <> ALL(CAST(:here AS text[])) THEN 0",
        and_here="AND h.location = ANY(CAST(:here AS text[]))",
    )
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a SKU: `free` in truth (may be below zero), `visible` to the channel, `promised` at the word's age.

    `quality` is fresh, stale (only the floor is promised) or unknown (nothing is). `age` in seconds; None where nobody owns it.
    `released_at` (aware UTC) of what is sold ahead: the rest is then what its limit leaves.
    """

    sku: str
    free: Decimal
    visible: Decimal
    promised: Decimal
    quality: str
    age: Seconds | None
    as_of: datetime | None
    source: str
    lead_days: int
    released_at: datetime | None = None

    @property
    def known(self) -> bool:
        return self.as_of is not None


def read(tx: Connection, skus: Sequence[str], rule: Rule, here: Sequence[str] | None = None) -> dict[str, Seen]:
    """Each SKU that is asked for, known or not, read in one statement: all quantities are of one instant.

    `here`: of these locations alone, so that what several such lists promise together is never more than there is. What is sold ahead
    lies nowhere yet, and is of none of them.
    """
    if not skus:
        return {}
    asked = {"skus": list(skus), "excluded": list(rule.exclude_locations), "location_buffer": rule.location_buffer}
    if here is None:
        return seen(tx.execute(READ, asked).all(), rule)
    rows = tx.execute(READ_HERE, {**asked, "here": list(here)}).all()
    return seen([row if row.ahead is None else (*row[:2], NOTHING, *row[3:7], None, None) for row in rows], rule)


def seen(rows: Sequence[Any], rule: Rule) -> dict[str, Seen]:
    """The statement's rows as they are told; a bundle is there as often as its scarcest part, and as old as its oldest."""
    found: dict[str, Seen] = {}
    for asked, per, free, as_of, age, source, _, ahead, released_at in rows:
        if ahead is not None:  # our own word, of this very moment
            limit = _seen(asked, rule, rules.whole(ahead / per), datetime.now(UTC), Seconds(0), PREORDER)
            one = replace(limit, released_at=datetime.fromisoformat(released_at))
        else:
            one = _seen(asked, rule, rules.whole((free or Decimal(0)) / per), as_of, age, source)
        before = found.get(asked)
        found[asked] = one if before is None else _scarcer(before, one, rule)
    return found


def _seen(
    sku: str, rule: Rule, free: Decimal, as_of: datetime | None, age: Decimal | Seconds | None, source: str | None
) -> Seen:
    policy = rules.degraded()
    seconds = None if age is None else Seconds(age)
    quality = policy.quality(seconds)
    shown = rules.visible(rule, sku, free)
    promised = policy.bounded(shown, quality)
    return Seen(sku, free, shown, promised, quality, seconds, as_of, source or "", rule.lead_days)


def _scarcer(one: Seen, other: Seen, rule: Rule) -> Seen:
    """Both parts are needed: the fewer, and the older word. A part that nobody knows makes the whole unknown."""
    free = min(one.free, other.free)
    known = one.known and other.known
    older = one if not known or (one.age or 0) >= (other.age or 0) else other
    as_of, age = (older.as_of, older.age) if known else (None, None)
    last = max((part.released_at for part in (one, other) if part.released_at), default=None)
    return replace(_seen(one.sku, rule, free, as_of, age, older.source), released_at=last)
