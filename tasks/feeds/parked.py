"""Parked work: the slow sweep tries it again, and what waits too long becomes a case."""

from __future__ import annotations

from sqlalchemy import text

from app import cases
from app.bell import ring
from app.database import transaction
from app.journal import facts
from config.reader import config

LONG = text("""
SELECT s.id, s.subject_id, s.account, s.flow, s.name, s.role, s.code, s.sentence, s.remedy, s.owner FROM steps s
WHERE s.state = 'parked' AND s.fact NOT LIKE '@hold:%' AND s.updated_at < now() - make_interval(secs => :seconds)
    AND NOT EXISTS (SELECT 1 FROM case_members m WHERE m.member = 'step:' || s.id AND m.closed_at IS NULL)
ORDER BY s.id LIMIT 500
""")


def run() -> str:
    """Opens a case for what has been parked for long, and tries again what nobody resumed."""
    policy = config().settings["parked"]
    with transaction() as tx:
        waiting = tx.execute(LONG, {"seconds": policy["case_after"]}).all()
        for step in waiting:
            cases.open_case(
                tx,
                "parked",
                step.account,
                step.code,
                step.sentence,
                member=f"step:{step.id}",
                subject=step.subject_id,
                step=f"{step.flow}.{step.name}",
                role=step.role,
                remedy=step.remedy,
                owner=step.owner,
                cause=step.sentence,
            )
    with transaction() as tx:
        rings = facts.try_again(tx, float(policy["try_again"]))
    ring(rings)
    return f"{len(waiting)} parked steps became cases, {len(rings)} tried again"
