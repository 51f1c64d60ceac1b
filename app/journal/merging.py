"""An edit that arrives before anything was done is merged: the open run simply works on the newer document."""

from __future__ import annotations

from sqlalchemy import Connection, text

MERGE = text("""
WITH open AS (
    SELECT r.id FROM runs r WHERE r.subject_id = :subject AND r.flow = ANY(:flows) AND r.state = 'open'
        AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.run_id = r.id AND s.kind <> 'inner'
            AND (s.state IN ('running', 'unknown', 'submitted', 'done') OR s.doubtful
                OR EXISTS (SELECT 1 FROM calls c WHERE c.step_id = s.id)))
    ORDER BY r.id FOR UPDATE)
UPDATE runs SET document_id = :document FROM open WHERE runs.id = open.id RETURNING runs.id
""")
HOLD = text(
    "SELECT id FROM steps WHERE subject_id = :subject AND state NOT IN ('done', 'skipped', 'cancelled') ORDER BY id FOR UPDATE"
)
# An inner step that works on the older document just now is fenced off and done again.
AGAIN = text("""
UPDATE steps SET state = 'ready', armed = true, rung_at = NULL, lease_until = NULL, fence = fence + 1
WHERE run_id = ANY(:runs) AND kind = 'inner' AND state = 'running'
""")
# What was refused or parked may be well with the newer document: it is tried again.
RESUME = text("""
UPDATE steps SET state = 'ready', armed = true, due_at = now(), tries = 0, rung_at = NULL
WHERE run_id = ANY(:runs) AND state IN ('parked', 'dead') AND NOT doubtful AND fact NOT LIKE '@hold:%'
""")


def merge(tx: Connection, subject: int, flows: tuple[str, ...], document: int | None) -> bool:
    """True when an open run took the newer document; its steps are held meanwhile, so none begins on the older."""
    tx.execute(HOLD, {"subject": subject})
    merged = list(tx.execute(MERGE, {"subject": subject, "flows": list(flows), "document": document}).scalars())
    if merged:
        tx.execute(AGAIN, {"runs": merged})
        tx.execute(RESUME, {"runs": merged})
    return bool(merged)
