"""What open work is called: a code that does not know a step by its name must not touch the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

OPEN = text("""
SELECT DISTINCT flow, name FROM steps
WHERE state = ANY('{waiting,ready,running,submitted,unknown,parked,dead}') AND kind <> 'undo'
ORDER BY flow, name LIMIT 500
""")


def unknown(tx: Connection, known: Mapping[str, Collection[str]]) -> list[str]:
    """Open steps (flow.name) that this code does not know."""
    return [f"{row.flow}.{row.name}" for row in tx.execute(OPEN) if row.name not in known.get(row.flow, ())]
