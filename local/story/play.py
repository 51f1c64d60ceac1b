"""The story is played, then waited for until every outsider's books agree, or until patience ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from rich.console import Console

from local.story import journal
from local.story.acts import SCENES
from local.story.addresses import Addresses
from local.story.channels import CHANNELS, Channel, marketplace
from local.story.desk import Desk
from local.story.erps import Erp
from local.story.facts import Books, Inside, Outside, together
from local.story.judge import Finding, findings
from local.story.life import judge as life
from local.story.progress import Progress
from local.story.report import Judged, Outcome
from local.story.shares import outsides
from local.story.stage import Stage

LOOK_EVERY = 1.0
LONGEST = 1500.0
NEWS = 60.0  # the longest poll of a thing that is judged is 40 s (config/accounts.toml, local/story/config)


def play(
    where: Addresses, erp: Erp, console: Console, began: float, addresses: Mapping[str, str], alive: Callable[[], None]
) -> Outcome:
    """`began`: when the run did, by the monotonic clock; patience is the ERP's, from the last movement on. `alive` raises where somebody who
    plays has ended: nobody waits for him."""
    desks = {name: Desk(url) for name, url in where.played.items()}
    channels = tuple(one for one in CHANNELS if one.system in where.channels)
    with Progress(console) as progress:
        stage = Stage(desks, erp, progress, where.web, channels=channels, addresses=where.played)
        for scene in SCENES:
            alive()
            scene(stage)
        stage.say("the day is over; waiting until everything is accounted for")
        seen, inside, held = _settled(desks, erp, channels, alive)
    return Outcome(seen, inside, time.monotonic() - began, addresses, held)


def _settled(
    desks: Mapping[str, Desk], erp: Erp, channels: tuple[Channel, ...], alive: Callable[[], None]
) -> tuple[tuple[Judged, ...], Inside, Mapping[str, Books]]:
    """Two looks in a row at which nothing moves and nothing is missing; else the last look."""
    quiet, patience = 0, Patience(max(one.patience for one in erp.everyone))
    while True:
        alive()
        seen = journal.glance()
        events, _, busy = seen
        under_way = bool(busy or events["in_flight"])
        ended = patience.ended(_moved(seen), under_way)
        if busy and not ended:
            quiet = 0
            time.sleep(LOOK_EVERY)
            continue
        held = erp.held()
        judged = tuple(
            Judged(one, (*findings(one, journal.inside(one.channel)), *_more(one, desks)))
            for one in outsides(desks, together(held.values()), channels)
        )
        inside = journal.inside()
        waiting = any(one.waiting for each in judged for one in each.outside.deliveries)
        found = any(each.findings for each in judged)
        still = inside.busy or found or inside.states["in_flight"] or waiting
        quiet = 0 if still else quiet + 1
        if quiet >= 2 or ended:
            return judged, inside, held
        time.sleep(LOOK_EVERY)


def _moved(seen: journal.Glance) -> object:
    """What tells one look from another. A poll looks at the same again and again: what says nothing new moves nothing."""
    events, *work = seen
    return {state: n for state, n in events.items() if state != "superseded"}, work


def _more(outside: Outside, desks: Mapping[str, Desk]) -> list[Finding]:
    return life.findings(outside, desks) if outside.channel == marketplace.CHANNEL.account else []


class Patience:
    """Ends when nothing has moved for so long: a slow machine that still moves is waited for, within LONGEST. Where nothing is under way
    either, only a poll or a webhook that is sent again can still bring something, within NEWS."""

    def __init__(self, seconds: float, news: float = NEWS) -> None:
        self._seconds, self._news = seconds, min(seconds, news)
        self._began, self._moved, self._seen = time.monotonic(), time.monotonic(), ""

    def ended(self, seen: object, under_way: bool = True) -> bool:
        now = time.monotonic()
        if str(seen) != self._seen:
            self._seen, self._moved = str(seen), now
        patience = self._seconds if under_way else self._news
        return now - self._moved > patience or now - self._began > LONGEST
