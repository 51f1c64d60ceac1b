"""A cancellation overtakes: what has not begun is cancelled, what is under way must end first, what is done will be undone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.cases import leave
from app.journal.steps import close_run, open_what_waited

OVERTAKE = text("""
UPDATE steps s SET preempted = true,
    state = CASE WHEN state IN ('waiting', 'ready', 'parked', 'dead') AND NOT doubtful AND job IS NULL THEN 'cancelled' ELSE state END,
    armed = armed AND NOT (state IN ('waiting', 'ready', 'parked', 'dead') AND NOT doubtful AND job IS NULL),
    ended_at = CASE WHEN state IN ('waiting', 'ready', 'parked', 'dead') AND NOT doubtful AND job IS NULL THEN now() ELSE ended_at END,
    updated_at = now()
FROM runs r
WHERE r.id = s.run_id AND r.subject_id = :subject AND r.flow = ANY(:flows)
    AND s.state NOT IN ('done', 'skipped', 'cancelled')
RETURNING s.id, s.run_id, s.state
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
