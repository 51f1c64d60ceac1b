"""What the judge is shown: asked of the systems over HTTP, read from senders' logs, and from the journal only what stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from app.database import transaction
from labs.judge import acme
from labs.judge.evidence import Evidence
from local.story import journal

if TYPE_CHECKING:
    from labs.failure.stage import Stage

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


def acme_evidence(stage: Stage) -> Evidence:
    """All that outsiders say now, and what the journal says that stands."""
    records, calls = stage.systems.records(), stage.systems.calls()
    inside = journal.inside()
    with transaction() as tx:
        reserved = {row.external_id: row.pieces for row in tx.execute(RESERVED)}
        sleeping: dict[str, set[str]] = {}
        for row in tx.execute(SLEEPING):
            sleeping.setdefault(row.external_id, set()).add(row.fact)
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
        unowned=unowned(),
        unheard=stage.unheard,
    )


OUTCOMES = text("SELECT outcome, count(*) AS n FROM attempts GROUP BY outcome")


def unowned() -> int:
    """Dead steps that no case asks anybody to look at."""
    with transaction() as tx:
        return int(tx.execute(UNOWNED).scalar_one())


def outcomes() -> dict[str, int]:
    """What the hub's own attempts brought: shown beside the verdict, never believed by it."""
    with transaction() as tx:
        return {row.outcome: row.n for row in tx.execute(OUTCOMES)}
