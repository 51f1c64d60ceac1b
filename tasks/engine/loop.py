"""One task: claim a step, act, judge, conclude, ring."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog

from app.accounts import state
from app.bell import HUB, Ring, ring
from app.database import transaction
from app.journal import steps
from config.reader import config
from tasks.engine.act import Acted, act, act_inner
from tasks.engine.conclude import conclude
from tasks.engine.judge import SILENT, Verdict, judge
from tasks.engine.work import Work

log = structlog.get_logger("engine")


def perform(step_id: int) -> str:
    """One attempt at a step, whatever it brings. Answers its outcome; "not due" when there was nothing to claim."""
    lease = float(config().settings["engine"]["lease"])
    began = time.monotonic()
    work = _claimed(step_id, lease, began)
    if work is None:
        return "not due"
    verdict, rings = _attempt(work)
    ring(rings or ())
    outcome = verdict.outcome if rings is not None else "fenced"
    log.info(
        "step",
        waybill=work.waybill,
        step=f"{work.step.flow}.{work.step.name}",
        account=work.step.account,
        outcome=outcome,
        code=verdict.code,
        attempt=work.step.tries,
        seconds=round(time.monotonic() - began, 4),
    )
    return outcome


def _claimed(step_id: int, lease: float, began: float) -> Work | None:
    with transaction() as tx:
        step = steps.claim(tx, step_id, lease)
        if step is None and (account := steps.probing(tx, step_id)) is not None and state.may_probe(tx, account, lease):
            step = steps.claim(tx, step_id, lease, probe=True)
        if step is None:
            steps.unring(tx, step_id)
            return None
        return Work(step, steps.context(tx, step_id), lease, began)


def _attempt(work: Work) -> tuple[Verdict, list[Ring] | None]:
    """Act and conclude; whatever the step meets becomes a verdict, and that is concluded."""
    try:
        if work.step.account == HUB:
            done = Verdict("done", "done", health=SILENT)
            return done, _concluded(work, done, Acted(), act_inner(work))
        acted = act(work)
    except Exception as error:  # noqa: BLE001 - the one place in the whole code: everything a step meets is judged here
        verdict, acted = _judged(work, error), Acted()
    else:
        verdict = Verdict("done", "found" if work.found else "done", result=acted.result)
    return verdict, _concluded(work, verdict, acted)


def _concluded(
    work: Work, verdict: Verdict, acted: Acted, inner: Callable[[Any], None] | None = None
) -> list[Ring] | None:
    with transaction() as tx:
        return conclude(tx, work, verdict, acted, inner)


def _judged(work: Work, error: Exception) -> Verdict:
    spent = False
    if work.step.tries > 1:
        with transaction() as tx:
            spent = not state.spend_retry(tx, work.step.account)
    verdict = judge(
        error, work.step.tries, spent, work.broke_off(), (work.step.doubtful and not work.resent) or work.unsaved
    )
    if verdict.code == "unexpected":
        log.error("unexpected", waybill=work.waybill, step=f"{work.step.flow}.{work.step.name}", exc_info=error)
    return verdict
