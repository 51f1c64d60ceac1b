"""After a standby was promoted: numbers that the lost primary may have given out are never given out again."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.journal import actions

# What was written after the standby last heard is gone from here, but its numbers may stand at other systems: a waybill on a parcel, an
# event's number at a sender. Given to another order they would name two things.
SKIP = text("""
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, start_value) + :skip)
FROM pg_sequences WHERE schemaname = current_schema()
""")


def skip_numbers(tx: Connection, skip: int, who: str) -> int:
    """Moves every sequence on by `skip`; answers how many there are. Before anybody writes to the promoted server."""
    moved = len(tx.execute(SKIP, {"skip": skip}).all())
    actions.audit(
        tx, who, "skip numbers", "journal", "a standby was promoted", after={"skip": skip, "sequences": moved}
    )
    return moved
