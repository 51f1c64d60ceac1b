"""A cancellation overtakes: what has not begun is cancelled, what is under way must end first, what is done will be undone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.cases import leave
from app.journal.steps import close_run, open_what_waited

OVERTAKE = text("""
WITH chosen AS (
    SELECT s.id, s.state IN ('waiting', 'ready', 'parked', 'dead') AND NOT s.doubtful AND s.job IS NULL
        AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.step_id = s.id AND c.job IS NOT NULL AND c.result IS NULL) AS struck
    FROM steps s JOIN runs r ON r.id = s.run_id
    WHERE r.subject_id = :subject AND r.flow = ANY(:flows) AND s.state NOT IN ('done', 'skipped', 'cancelled')
    ORDER BY s.id FOR UPDATE OF s)
UPDATE steps SET preempted = true, updated_at = now(),
    state = CASE WHEN chosen.struck THEN 'cancelled' ELSE state END,
    armed = armed AND NOT chosen.struck,
    ended_at = CASE WHEN chosen.struck THEN now() ELSE ended_at END
FROM chosen WHERE steps.id = chosen.id
RETURNING steps.id, steps.run_id, steps.state
""")
BEGUN = text("""
SELECT s.id, s.name, s.flow, s.role, s.account, s.state FROM steps s JOIN runs r ON r.id = s.run_id
WHERE r.subject_id = :subject AND r.flow = ANY(:flows) AND s.state <> 'skipped'
    AND (s.state <> 'cancelled' OR EXISTS (SELECT 1 FROM calls c WHERE c.step_id = s.id AND c.result IS NOT NULL))
ORDER BY s.id
""")


@dataclass(frozen=True, slots=True)
class Begun:
    """A step that a cancellation cannot simply strike out."""

    id: int
    name: str
    flow: str
    role: str
    account: str
    state: str


@dataclass(frozen=True, slots=True)
class Overtaken:
    cancelled: tuple[int, ...]
    begun: tuple[Begun, ...]


def overtake(tx: Connection, subject: int, flows: tuple[str, ...]) -> Overtaken:
    """Strikes out what these flows of the subject have not begun; answers what is done or still under way."""
    rows = tx.execute(OVERTAKE, {"subject": subject, "flows": list(flows)}).all()
    struck = [(row.id, row.run_id) for row in rows if row.state == "cancelled"]
    open_what_waited(tx, [step for step, _ in struck])
    for run in {run for _, run in struck}:
        close_run(tx, run, sum(1 for _, r in struck if r == run), "overtaken by a cancellation")
    for step, _ in struck:
        leave(tx, f"step:{step}")
    begun = tx.execute(BEGUN, {"subject": subject, "flows": list(flows)}).all()
    return Overtaken(tuple(step for step, _ in struck), tuple(Begun(*row) for row in begun))
