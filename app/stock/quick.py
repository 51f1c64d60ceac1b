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

# migrations/sql/0028_raises.sql: no bundle, no claim under this key yet, nothing owed of this SKU or sold ahead, and one shelf that has it all.
CLAIM = """
SELECT place, until FROM claim_line(%(claim)s, %(line)s, %(sku)s, %(quantity)s, %(buffer)s, %(location)s, %(excluded)s, %(holder)s, %(content)s,
    %(seconds)s, %(accounts)s, %(told_at)s)
"""


def simple(lines: Sequence[Wanted], rule: Rule) -> bool:
    """Whether the quick way may decide: one line, and a rule that looks at no more than one shelf."""
    plain = rule.allocation == 1 and not (rule.threshold or rule.location_buffer)
    return len(lines) == 1 and plain and lines[0].sku not in rule.exclude_skus


def claim(name: str, line: Wanted, holder: str, seconds: Seconds, rule: Rule) -> tuple[str, datetime] | None:
    """Where it was claimed and until when; None when the ledger must decide (which may well grant it)."""
    told = dirty.places()
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
        "accounts": [account for account, _ in told],
        "told_at": [place for _, place in told],
    }
    try:
        with statement() as connection:
            found = connection.execute(CLAIM, row).fetchone()
    except (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation):
        return None
    return None if found is None else (str(found[0]), found[1])
