"""Retention: next month's partitions are made ahead, old ones are dropped whole, never deleted row by row."""

from __future__ import annotations

import os

from sqlalchemy import text

from app.database import engine, gently, plain, transaction
from config.reader import config

PARENTS = ("events", "payloads", "attempts")
MAKE = text("SELECT make_partitions(:parent, now()::date, 3)")
OLD = text("""
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
WHERE p.relname = :parent AND c.relname < :parent || to_char(now() - make_interval(months => :months), '_YYYY_MM') ORDER BY 1
""")
# A sender repeats for days at the most; a delivery older than every event that could tell of it is recognised by nobody any more.
FORGET_DELIVERIES = text("""
DELETE FROM deliveries WHERE (account, delivery_id) IN (
    SELECT account, delivery_id FROM deliveries WHERE last_at < now() - make_interval(months => :months) LIMIT 10000)
""")
FORGET_USAGE = text("DELETE FROM usage WHERE hour < now() - interval '3 days'")
FORGET_WINDOWS = text("DELETE FROM windows WHERE ended_at < now() - interval '2 days'")

# Narrow rows that a partner or a page asks for for some days only.
FORGET_ANSWERS = text("DELETE FROM api_answers WHERE at < now() - interval '7 days'")
FORGET_PRICES = text("DELETE FROM price_runs WHERE ended_at < now() - interval '90 days' AND state <> 'active'")
# A sale told again after that is refused by its number: it lies before the last that was posted.
FORGET_SALES = text("DELETE FROM till_sales WHERE posted_at < now() - make_interval(months => :months)")
FORGET_TELLINGS = text("""
DELETE FROM tellings t USING (SELECT id, row_number() OVER (PARTITION BY account, sku, location ORDER BY id DESC) AS n FROM tellings
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
            old = tx.execute(OLD, {"parent": parent, "months": months}).scalars().all()
        dropped += [_drop(name) for name in old]
    with transaction() as tx:
        tx.execute(FORGET_WINDOWS)
        tx.execute(FORGET_USAGE)
        tx.execute(FORGET_DELIVERIES, {"months": months})
        tx.execute(FORGET_ANSWERS)
        tx.execute(FORGET_PRICES)
        tx.execute(FORGET_SALES, {"months": months})
        tx.execute(FORGET_TELLINGS, {"keep": config().availability.get("publication", {}).get("keep", 20)})
    return f"dropped {', '.join(dropped) or 'nothing'}"


def _drop(partition: str) -> str:
    """A partition's parent is locked for the moment of the drop: deliveries must not queue behind our waiting for it."""
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        gently(plain(tx), f'DROP TABLE "{partition}"')
    return partition
