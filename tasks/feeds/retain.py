"""Retention: next month's partitions are made ahead, old ones are dropped whole, never deleted row by row."""

from __future__ import annotations

import os

from sqlalchemy import text

from app.database import transaction
from config.reader import config

PARENTS = ("events", "payloads", "attempts")
MAKE = text("SELECT make_partitions(:parent, now()::date, 3)")
OLD = text("""
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
WHERE p.relname = :parent AND c.relname < :parent || to_char(now() - make_interval(months => :months), '_YYYY_MM') ORDER BY 1
""")
FORGET_WINDOWS = text("DELETE FROM windows WHERE ended_at < now() - interval '2 days'")

# Narrow rows that a partner or a page asks for for some days only.
FORGET_ANSWERS = text("DELETE FROM api_answers WHERE at < now() - interval '7 days'")
FORGET_TELLINGS = text("""
DELETE FROM tellings t USING (SELECT id, row_number() OVER (PARTITION BY account, sku ORDER BY id DESC) AS n FROM tellings
    WHERE (account, sku) IN (SELECT account, sku FROM tellings WHERE at > now() - interval '1 day' GROUP BY 1, 2 LIMIT 5000)) old
WHERE t.id = old.id AND old.n > :keep
""")


def run() -> str:
    """Partitions of three months ahead exist; those older than RETAIN_MONTHS (default 13) are dropped."""
    months = int(os.environ.get("RETAIN_MONTHS", "13"))
    dropped: list[str] = []
    for parent in PARENTS:
        with transaction() as tx:
            tx.execute(MAKE, {"parent": parent})
            for name in tx.execute(OLD, {"parent": parent, "months": months}).scalars().all():
                tx.execute(text(f'DROP TABLE "{name}"'))
                dropped.append(name)
    with transaction() as tx:
        tx.execute(FORGET_WINDOWS)
        tx.execute(FORGET_ANSWERS)
        tx.execute(FORGET_TELLINGS, {"keep": config().availability.get("publication", {}).get("keep", 20)})
    return f"dropped {', '.join(dropped) or 'nothing'}"
