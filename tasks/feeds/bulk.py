"""Bulk actions: what a person asked of many steps goes on, slice by slice, until it is done, paused or stopped."""

from __future__ import annotations

import time

from app.bell import ring
from app.database import transaction
from app.journal import bulk

PATIENCE = 20.0  # seconds in one window; the next one goes on


def run() -> str:
    """One slice of each action in turn, so that a great one does not hold up a small one."""
    until, slices = time.monotonic() + PATIENCE, 0
    with transaction() as tx:
        waiting = list(bulk.open_actions(tx))
    while waiting and time.monotonic() < until:
        for action in tuple(waiting):
            with transaction() as tx:
                rings = bulk.advance(tx, action)
            if rings is None:
                waiting.remove(action)
                continue
            ring(rings)
            slices += 1
    return f"{slices} slices"
