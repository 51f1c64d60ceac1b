"""After the play: wait until the judge has nothing to say, or until nothing moves any more; then its last word."""

from __future__ import annotations

import time
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from labs.failure.scenario import Scenario
from labs.judge.evidence import Evidence
from labs.judge.verdict import Verdict, judge
from local.story import journal
from local.story.play import Patience

LOOK_EVERY = 1.0


class Watched(Protocol):
    """What a stage must let the judge do."""

    @property
    def idle(self) -> bool:
        """Whether nobody outside has anything left to send."""

    def evidence(self) -> Evidence: ...


def settled(stage: Watched, scenario: Scenario) -> Verdict:
    """Two looks in a row at which nothing moves and nothing is missing; else the last look when patience ends."""
    quiet, patience = 0, Patience(scenario.patience)
    while True:
        seen = _glance()
        ended = patience.ended((seen, stage.idle))
        if (seen is None or seen[2] or not stage.idle) and not ended:
            quiet = 0
            time.sleep(LOOK_EVERY)
            continue
        found = stage.evidence()
        verdict = judge(found, scenario.wanted, scenario.beyond, scenario.bound)
        still = found.inside.busy or verdict.findings or found.inside.states["in_flight"]
        quiet = 0 if still else quiet + 1
        if quiet >= 2 or ended:
            return verdict
        time.sleep(LOOK_EVERY)


def _glance() -> Any:
    try:
        return journal.glance()
    except SQLAlchemyError:
        return None  # the database restarts
