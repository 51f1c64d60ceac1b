"""The quick way to claim one line: one statement, one commit; whatever is not simple goes the ledger's own way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg

from app.database import statement
from app.stock import claims, dirty
from app.stock.claims import Wanted
from app.stock.rules import Rule
from app.units import Seconds

# No bundle, no claim under this key yet, nothing owed of this SKU or sold ahead, and one shelf that has it all: else no row, and nothing was done.
# The shelf is locked before it is read for good; its CHECK stands behind.
CLAIM = """
WITH chosen AS (
    SELECT h.sku, h.location FROM shelves h
    WHERE h.sku = %(sku)s AND h.free >= %(quantity)s + %(buffer)s AND (%(location)s::text IS NULL OR h.location = %(location)s)
    AND h.location <> ALL(%(excluded)s)
    AND NOT EXISTS (SELECT 1 FROM shelves o WHERE o.sku = %(sku)s AND (o.free < 0 OR o.location = '~ahead'))
    AND NOT EXISTS (SELECT 1 FROM parts WHERE bundle = %(sku)s)
    AND NOT EXISTS (SELECT 1 FROM reservations WHERE claim = %(claim)s)
    ORDER BY h.free DESC, h.location LIMIT 1 FOR UPDATE OF h),
granted AS (
    UPDATE shelves s SET reserved = reserved + %(quantity)s, changed_at = now() FROM chosen c
    WHERE s.sku = c.sku AND s.location = c.location RETURNING s.sku, s.location),
kept AS (
    INSERT INTO reservations (key, claim, line_id, sku, location, quantity, holder, content, expires_at)
    SELECT %(claim)s || '#0', %(claim)s, %(line)s, sku, location, %(quantity)s, %(holder)s, %(content)s,
        now() + make_interval(secs => %(seconds)s) FROM granted
    RETURNING location, expires_at),
marked AS (
    INSERT INTO dirty AS d (account, sku, location)
    SELECT a.account, t.sku, '' FROM granted g, unnest(%(accounts)s::text[]) AS a (account),
        LATERAL (SELECT g.sku UNION SELECT bundle FROM parts WHERE sku = g.sku) AS t ORDER BY 1, 2
    ON CONFLICT (account, sku, location) DO UPDATE SET mark = d.mark + 1, due_at = now(), refused = '')
SELECT location, expires_at FROM kept
"""


def simple(lines: Sequence[Wanted], rule: Rule) -> bool:
    """Whether the quick way may decide: one line, and a rule that looks at no more than one shelf."""
    plain = rule.allocation == 1 and not (rule.threshold or rule.location_buffer)
    return len(lines) == 1 and plain and lines[0].sku not in rule.exclude_skus


def claim(name: str, line: Wanted, holder: str, seconds: Seconds, rule: Rule) -> tuple[str, datetime] | None:
    """Where it was claimed and until when; None when the ledger must decide (which may well grant it)."""
    row = {
        "claim": name,
        "sku": line.sku,
        "quantity": line.quantity,
        "line": line.line,
        "location": line.location,
        "holder": holder,
        "seconds": seconds,
        "content": claims.content([line]),
        "buffer": rule.buffer,
        "excluded": list(rule.exclude_locations),
        "accounts": dirty.publishers(),
    }
    try:
        with statement() as connection:
            found = connection.execute(CLAIM, row).fetchone()
    except (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation):
        return None
    return None if found is None else (str(found[0]), found[1])
