"""Retention: next month's partitions are made ahead, old ones are dropped whole, never deleted row by row."""

from __future__ import annotations

import os

from sqlalchemy import text

from app.database import transaction

PARENTS = ("events", "payloads", "attempts")
MAKE = text("SELECT make_partitions(:parent, now()::date, 3)")
OLD = text("""
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
WHERE p.relname = :parent AND c.relname < :parent || to_char(now() - make_interval(months => :months), '_YYYY_MM') ORDER BY 1
""")
FORGET_WINDOWS = text("DELETE FROM windows WHERE ended_at < now() - interval '2 days'")


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
    return f"dropped {', '.join(dropped) or 'nothing'}"
