"""What the hub's own journal says about the story: counts, and where something visibly stands. Read only."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection, text

from app.database import transaction
from local.story.facts import Inside

# An event whose flows are still open stands where its worst step stands, or the step of the same order that they wait for.
STATES = text("""
SELECT CASE WHEN e.state = 'accepted' THEN 'in_flight' WHEN e.state <> 'running' THEN e.state
    WHEN own.moving THEN 'in_flight' WHEN own.dead THEN 'dead' WHEN own.parked THEN 'parked'
    WHEN own.waiting AND whole.dead THEN 'dead' WHEN own.waiting AND whole.parked THEN 'parked' ELSE 'in_flight' END AS state, count(*) AS n
FROM events e LEFT JOIN LATERAL (
    SELECT bool_or(s.state IN ('ready', 'running', 'submitted', 'unknown')) AS moving, bool_or(s.state = 'waiting') AS waiting,
        bool_or(s.state = 'dead') AS dead, bool_or(s.state = 'parked') AS parked
    FROM runs r JOIN steps s ON s.run_id = r.id WHERE r.event_id = e.id) own ON e.state = 'running'
LEFT JOIN LATERAL (
    SELECT bool_or(s.state = 'dead') AS dead, bool_or(s.state = 'parked') AS parked
    FROM steps s WHERE s.subject_id = e.subject_id) whole ON e.state = 'running'
GROUP BY 1
""")
SEEN_AGAIN = text("""
SELECT coalesce(sum(d.seen - 1), 0)::int FROM deliveries d JOIN events e ON e.id = d.event_id WHERE e.door = 'webhook'
""")
REJECTED = text("SELECT coalesce(sum(count), 0)::int FROM refusals")
TROUBLE = text("""
SELECT b.account, b.external_id, s.flow, s.role, s.state FROM steps s JOIN subjects b ON b.id = s.subject_id
WHERE b.kind = 'order' AND s.state IN ('parked', 'dead')
UNION ALL
SELECT b.account, b.external_id, '', '', 'quarantined' FROM events e JOIN subjects b ON b.id = e.subject_id
WHERE b.kind = 'order' AND e.state = 'quarantined'
""")
DELIVERIES = text("SELECT account, delivery_id FROM deliveries")
BUSY = text("""
SELECT (SELECT count(*) FROM steps WHERE state IN ('ready', 'running', 'submitted', 'unknown'))
    + (SELECT count(*) FROM events WHERE state = 'accepted') + (SELECT count(*) FROM dirty WHERE refused = '')
""")
STANDING = text("""
SELECT c.kind, c.account, c.code, c.sentence, c.owner, count(m.member) AS members FROM cases c
LEFT JOIN case_members m ON m.case_id = c.id AND m.closed_at IS NULL WHERE c.status <> 'resolved'
GROUP BY c.id ORDER BY members DESC LIMIT 20
""")
KEEPERS = text("SELECT DISTINCT account FROM steps WHERE role = 'erp' ORDER BY account")
DONE = text(
    "SELECT account, count(*) AS n FROM steps WHERE state = 'done' AND kind <> 'inner' GROUP BY account ORDER BY account"
)


def states(tx: Connection) -> Counter[str]:
    """How many accepted events are in each state that one can end or stand in."""
    return Counter({row.state: row.n for row in tx.execute(STATES)})


def inside(channel: str = "") -> Inside:
    """All of it; with the troubles of that channel's orders only, where one is named."""
    with transaction() as tx:
        trouble: dict[str, set[tuple[str, str, str]]] = {}
        for row in tx.execute(TROUBLE):
            if channel in ("", row.account):
                trouble.setdefault(row.external_id, set()).add((row.flow, row.role, row.state))
        return Inside(
            states=states(tx),
            duplicates=tx.execute(SEEN_AGAIN).scalar_one(),
            rejected=tx.execute(REJECTED).scalar_one(),
            trouble={order: frozenset(standing) for order, standing in trouble.items()},
            deliveries=frozenset((row.account, row.delivery_id) for row in tx.execute(DELIVERIES)),
            busy=tx.execute(BUSY).scalar_one(),
        )


Glance = tuple[Counter[str], Mapping[str, int], int]


def glance() -> Glance:
    """(events by state, steps done by account, what is still under way): cheap enough to ask twice a second."""
    with transaction() as tx:
        return states(tx), {row.account: row.n for row in tx.execute(DONE)}, tx.execute(BUSY).scalar_one()


def keepers() -> tuple[str, ...]:
    """The accounts that keep orders of this journal: a route chooses one for an order's whole life."""
    with transaction() as tx:
        return tuple(row.account for row in tx.execute(KEEPERS))


def cases() -> list[tuple[str, str, str, int]]:
    """(owner, kind, sentence, members) of what waits for a person."""
    with transaction() as tx:
        return [(row.owner, row.kind, row.sentence, row.members) for row in tx.execute(STANDING)]
