"""After the play: wait until the judge has nothing to say, or until nothing moves any more; then its last word."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.database import transaction
from labs.failure.scenario import Scenario
from labs.failure.stage import Stage
from labs.judge import acme
from labs.judge.evidence import Evidence
from labs.judge.verdict import Verdict, judge
from local.story import journal
from local.story.play import Patience

LOOK_EVERY = 0.5
SLEEPING = text("""
SELECT b.external_id, s.fact FROM steps s JOIN subjects b ON b.id = s.subject_id
WHERE b.kind = 'order' AND s.state = 'parked' AND s.fact <> '' AND s.updated_at < now() - interval '2 seconds'
""")
RESERVED = text("""
SELECT b.external_id, sum(r.quantity - r.shipped) AS pieces FROM reservations r JOIN subjects b ON b.id = r.subject_id
WHERE r.state = 'open' GROUP BY b.external_id
""")
UNOWNED = text("""
SELECT count(*) FROM steps s WHERE s.state = 'dead'
    AND NOT EXISTS (SELECT 1 FROM case_members m WHERE m.member = 'step:' || s.id AND m.closed_at IS NULL)
""")
OUTCOMES = text("SELECT outcome, count(*) AS n FROM attempts GROUP BY outcome")


def evidence(stage: Stage) -> Evidence:
    """All that outsiders say now, and what the journal says that stands."""
    records, calls = stage.systems.records(), stage.systems.calls()
    inside = journal.inside()
    with transaction() as tx:
        reserved = {row.external_id: row.pieces for row in tx.execute(RESERVED)}
        sleeping: dict[str, set[str]] = {}
        for row in tx.execute(SLEEPING):
            sleeping.setdefault(row.external_id, set()).add(row.fact)
        unowned = int(tx.execute(UNOWNED).scalar_one())
    return Evidence(
        log=stage.sender.tries,
        outside=acme.outside(records, stage.sender.tries, stage.sender.waiting),
        inside=inside,
        calls=calls,
        limits=stage.systems.published(),
        done=tuple(acme.done(calls, records)),
        edits={order: tuple(told) for order, told in stage.edits.items()},
        now_at=acme.now_at(records),
        pieces=acme.delivered_pieces(records),
        reserved=reserved,
        sleeping={order: frozenset(facts) for order, facts in sleeping.items()},
        given=frozenset(stage.given),
        unowned=unowned,
    )


def settled(stage: Stage, scenario: Scenario) -> Verdict:
    """Two looks in a row at which nothing moves and nothing is missing; else the last look when patience ends."""
    quiet, patience = 0, Patience(scenario.patience)
    while True:
        seen = _glance(stage)
        ended = patience.ended(seen)
        if (seen is None or seen[0][2] or not stage.sender.idle) and not ended:
            quiet = 0
            time.sleep(LOOK_EVERY)
            continue
        found = evidence(stage)
        verdict = judge(found, scenario.least, scenario.beyond)
        still = found.inside.busy or verdict.findings or found.inside.states["in_flight"]
        quiet = 0 if still else quiet + 1
        if quiet >= 2 or ended:
            return verdict
        time.sleep(LOOK_EVERY)


def _glance(stage: Stage) -> Any:
    try:
        return journal.glance(), len(stage.sender.tries)
    except SQLAlchemyError:
        return None  # the database restarts


def outcomes() -> dict[str, int]:
    """What the hub's own attempts brought: shown beside the verdict, never believed by it."""
    with transaction() as tx:
        return {row.outcome: row.n for row in tx.execute(OUTCOMES)}
