"""The story is played, then waited for until every outsider's books agree, or until patience ends."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console

from local.story import journal, outsiders
from local.story.acts import SCENES
from local.story.addresses import Addresses
from local.story.erps import Erp
from local.story.facts import Inside, Outside
from local.story.judge import Finding, findings
from local.story.outsiders import Desk
from local.story.progress import Progress
from local.story.report import Outcome
from local.story.stage import Stage

LOOK_EVERY = 1.0
LONGEST = 1500.0


def play(where: Addresses, erp: Erp, console: Console, began: float, addresses: Mapping[str, str]) -> Outcome:
    """`began`: when the run did, by the monotonic clock; patience is the ERP's, from the last movement on."""
    desks = {name: Desk(url) for name, url in where.systems.items()}
    with Progress(console) as progress:
        stage = Stage(desks, erp, progress, where.web)
        for scene in SCENES:
            scene(stage)
        stage.say("the day is over; waiting until everything is accounted for")
        outside, inside, found = _settled(desks, erp)
    return Outcome(outside, inside, tuple(found), time.monotonic() - began, addresses, erp.account)


def _settled(desks: Mapping[str, Desk], erp: Erp) -> tuple[Outside, Inside, list[Finding]]:
    """Two looks in a row at which nothing moves and nothing is missing; else the last look."""
    quiet, patience = 0, Patience(erp.patience)
    while True:
        seen = journal.glance()
        events, *work = seen
        # A poll looks at the same again and again: what says nothing new moves nothing.
        ended = patience.ended(({state: n for state, n in events.items() if state != "superseded"}, work))
        if seen[2] and not ended:
            quiet = 0
            time.sleep(LOOK_EVERY)
            continue
        outside, inside = outsiders.outside(desks, erp.books()), journal.inside()
        found = findings(outside, inside)
        still = inside.busy or found or inside.states["in_flight"] or any(one.waiting for one in outside.deliveries)
        quiet = 0 if still else quiet + 1
        if quiet >= 2 or ended:
            return outside, inside, found
        time.sleep(LOOK_EVERY)


class Patience:
    """Ends when nothing has moved for so long: a slow machine that still moves is waited for, within LONGEST."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._began, self._moved, self._seen = seconds, time.monotonic(), time.monotonic(), ""

    def ended(self, seen: object) -> bool:
        now = time.monotonic()
        if str(seen) != self._seen:
            self._seen, self._moved = str(seen), now
        return now - self._moved > self._seconds or now - self._began > LONGEST
