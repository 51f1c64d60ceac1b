"""The sweep finds what a lost ring, a dead worker or an emptied broker left behind, and rings again."""

from __future__ import annotations

from app.bell import ENOUGH, INTAKE, RECEIVE, Ring, known, ring
from app.bell import waiting as queued
from app.database import transaction
from app.journal import events, feeding
from app.journal.nourish import feed_accounts
from config.reader import config
from tasks.feeds import heartbeat

LOSSES = 6  # workers that a step may lose before a person looks at it
LATE = 5.0  # seconds after which an accepted event should have been received
LOST = 3.0  # seconds after which a ring that is in no queue, and that nobody took up, is lost


def run() -> str:
    """One pass, in a short transaction for each kind of thing."""
    heard = float(config().settings["engine"]["rung_again"])
    with transaction() as tx:
        late = events.unheard(tx, LATE) if queued(INTAKE) < ENOUGH else []
    with transaction() as tx:
        silent = [account for account in feeding.late(tx, LOST) if known(account) == 0]
    with transaction() as tx:
        accounts = feeding.unheard(tx, LOST, silent) if silent else set()
        accounts |= feeding.recover(tx, LOSSES) | feeding.arm(tx) | feeding.unheard(tx, heard) | feeding.waiting(tx)
    rings = [Ring(RECEIVE, INTAKE, event) for event in late]
    for account in sorted(accounts):
        with transaction() as tx:
            rings += feed_accounts(tx, {account})
    heartbeat.send()
    ring(rings)
    return f"{len(late)} events and {len(rings) - len(late)} steps rung again"
