"""Indexes on tables that are never still: built while everybody goes on writing.

`CREATE INDEX` keeps all writers of its table out until it is done: minutes, where a table holds millions of rows. Beside them it takes two looks at
the table and waits for transactions that were open before, and can be in no transaction itself
(https://www.postgresql.org/docs/18/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY). A partitioned table has its index `ON ONLY` itself first
(nothing is read for it, so it waits a moment at a time until no writer is in the way), then one for each partition, beside its writers.
"""

from __future__ import annotations

from alembic import op

from app.database import gently, plain

PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(%(table)s) ORDER BY 1"


def index(name: str, table: str, what: str, *, unique: bool = False) -> None:
    """`CREATE INDEX name ON table what`, where `what` is what stands after the table's name. A migration does nothing beside it: what came before
    is committed, and one that was broken off half-way may be run again."""
    kind = "UNIQUE INDEX" if unique else "INDEX"
    with op.get_context().autocommit_block():
        bind = op.get_bind()
        bind.exec_driver_sql("SET lock_timeout = 0")  # it waits for transactions, and keeps nobody out meanwhile
        parts = list(bind.exec_driver_sql(PARTITIONS, {"table": table}).scalars())
        if parts:
            gently(plain(bind), f"CREATE {kind} IF NOT EXISTS {name} ON ONLY {table} {what}")
        for part in parts or [table]:
            mine = f"{name}_{part}"[:63] if parts else name
            bind.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {mine}" if not _attached(mine) else "SELECT 1")
            bind.exec_driver_sql(f"CREATE {kind} CONCURRENTLY IF NOT EXISTS {mine} ON {part} {what}")
            if parts:
                gently(plain(bind), f"ALTER INDEX {name} ATTACH PARTITION {mine}")
        bind.exec_driver_sql("SET lock_timeout = '10s'")


def _attached(name: str) -> bool:
    """Whether it is part of a partitioned table's index already (a second run after a break)."""
    asked = "SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%(name)s)"
    return op.get_bind().exec_driver_sql(asked, {"name": name}).scalar() is not None
