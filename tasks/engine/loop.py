"""One task: claim a step, act, judge, conclude, ring; it goes on along its run, and under backlog at its account."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from app.accounts import pace, state
from app.bell import HUB, Ring, ring
from app.database import at_once, transaction
from app.journal import steps
from app.journal.nourish import feed_accounts, feed_hungry
from app.journal.steps import Ended
from config.reader import config
from tasks.engine.act import Acted, act, act_inner
from tasks.engine.conclude import ENDS, Way, conclude, simple
from tasks.engine.judge import SILENT, Verdict, judge
from tasks.engine.shown import Shown
from tasks.engine.work import Work

log = structlog.get_logger("engine")


@dataclass(slots=True)
class Turn:
    """How long a task may keep its slot: it goes on along its run, then with others of `home`, the account that it was rung for."""

    lease: float
    steps: int
    seconds: float
    along: bool
    began: float
    home: str = ""
    done: int = 0

    def way(self, verdict: Verdict) -> Way:
        """Nowhere when others should have the slot, or when the account's others wait for the world."""
        over = self.done >= self.steps or time.monotonic() - self.began >= self.seconds
        if over or verdict.state not in WENT_WELL:
            return ENDS
        return Way(self.lease, self.along, self.home)


WENT_WELL = frozenset(("done", "skipped"))


def perform(step_id: int) -> str:
    """One attempt at a step, whatever it brings, and at those after it, each concluded in a commit of its own.

    Answers the last outcome; "not due" when there was nothing to claim.
    """
    policy, began = config().settings["engine"], time.monotonic()
    turn = Turn(
        float(policy["lease"]),
        int(policy["go_on_steps"]),
        float(policy["go_on_seconds"]),
        bool(policy["go_along"]),
        began,
    )
    work = _claimed(step_id, turn.lease, turn.began)
    outcome = "not due"
    if work is not None:
        turn.home = work.step.account
    while work is not None:
        turn.done += 1
        with Shown(work.step.task, work.step.id, first=turn.done == 1) as shown:
            outcome, work = _one(work, turn)
            shown.outcome = outcome
    return outcome


def _one(work: Work, turn: Turn) -> tuple[str, Work | None]:
    """One step to its conclusion; its outcome, and the step to go on with."""
    began = time.monotonic()
    verdict, concluded = _attempt(work, turn)
    ring(concluded.rings if concluded is not None else ())
    outcome = verdict.outcome if concluded is not None else "fenced"
    log.info(
        "step",
        waybill=work.waybill,
        step=work.step.task,
        account=work.step.account,
        outcome=outcome,
        code=verdict.code,
        attempt=work.step.tries,
        seconds=round(time.monotonic() - began, 4),
    )
    return outcome, concluded.next if concluded is not None else None


def _claimed(step_id: int, lease: float, began: float) -> Work | None:
    """Whoever takes a ring rings the next: so an account's slots fill up one after the other, and only while there is work for them."""
    with transaction() as tx:
        taken = steps.claim(tx, step_id, lease)
        if (
            taken is None
            and (account := steps.probing(tx, step_id)) is not None
            and state.may_probe(tx, account, lease)
        ):
            taken = steps.claim(tx, step_id, lease, probe=True)
        if taken is None:
            steps.unring(tx, step_id)
            return None
        step, context = taken
        rings = feed_hungry(tx, {step.account})
    ring(rings)
    return Work(step, context, lease, began)


@dataclass(frozen=True, slots=True)
class Concluded:
    """What to ring now that it is committed, and the step that was claimed in the same commit to go on with."""

    rings: list[Ring]
    next: Work | None = None


def _attempt(work: Work, turn: Turn) -> tuple[Verdict, Concluded | None]:
    """Act and conclude; whatever the step meets becomes a verdict, and that is concluded."""
    try:
        if work.step.account == HUB:
            verdict = Verdict("done", "done", health=SILENT)
            return verdict, _concluded(work, verdict, Acted(), act_inner(work), turn)
        began = time.monotonic()
        acted = act(work)
        pace.note(work.step.account, time.monotonic() - began)
    except Exception as error:  # noqa: BLE001 - the one place in the whole code: everything a step meets is judged here
        verdict, acted = _judged(work, error), Acted()
    else:
        verdict = Verdict("done", "found" if work.found else "done", result=acted.result)
    return verdict, _concluded(work, verdict, acted, None, turn)


def _concluded(
    work: Work,
    verdict: Verdict,
    acted: Acted,
    inner: Callable[[Any], None] | None = None,
    turn: Turn | None = None,
) -> Concluded | None:
    """Concludes, and takes the step to go on with in the same commit."""
    way, began = turn.way(verdict) if turn is not None else ENDS, time.monotonic()
    with at_once() if inner is None and simple(work, verdict, acted) else transaction() as tx:
        ended = conclude(tx, work, verdict, acted, inner, way)
    if ended is None:
        return None
    following = work.following(ended.next, began) if ended.next is not None else None
    return Concluded(_fed(ended) if ended.hungry else [], following)


def _fed(ended: Ended) -> list[Ring]:
    """In a commit of its own: what is not fed for a crash in between is found by the sweep."""
    with transaction() as tx:
        return feed_accounts(tx, ended.hungry)


def _judged(work: Work, error: Exception) -> Verdict:
    spent = False
    if work.step.tries > 1 and not work.house:
        with transaction() as tx:
            spent = not state.spend_retry(tx, work.step.account)
    verdict = judge(
        error, work.step.tries, spent, work.broke_off(), (work.step.doubtful and not work.resent) or work.unsaved
    )
    if verdict.code == "unexpected":
        log.error("unexpected", waybill=work.waybill, step=work.step.task, exc_info=error)
    return verdict
