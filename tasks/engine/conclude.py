"""Concluding: the outcome, the attempt, the cross references and what opens next, in one transaction; then the rings."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app import cases
from app.accounts import state
from app.bell import Ring
from app.catalogue import codes
from app.journal import facts, holding, links, steps
from app.journal.nourish import feed_accounts
from app.orders import holds, states
from app.stock import dirty
from config.reader import config
from connectors.kit.http import Exchange
from tasks.engine.act import Acted
from tasks.engine.judge import ILL, WELL, Verdict, backoff
from tasks.engine.work import Work

WORKER = f"{socket.gethostname()}:{os.getpid()}"
FEW = 3
ENDED = frozenset(("done", "skipped", "cancelled"))
PREEMPTED = text("SELECT preempted FROM steps WHERE id = :id FOR UPDATE")


def conclude(
    tx: Connection, work: Work, verdict: Verdict, acted: Acted, inner: Callable[[Any], None] | None = None
) -> list[Ring] | None:
    """Concludes an attempt under its fence; None when the step is another's by now (a zombie's word changes nothing)."""
    verdict = _parked_or_ready(tx, work, verdict)
    verdict = _held(tx, work, _overtaken(tx, work, verdict))
    if not _settle(tx, work, verdict):
        _attempt(tx, work, verdict, "fenced")
        return None
    if inner is not None:
        inner(tx)
    _attempt(tx, work, verdict, verdict.outcome)
    _link(tx, work, verdict)
    _tell(tx, work, acted)
    _health(tx, work, verdict)
    opened = _open(tx, work, verdict)
    _mark(tx, work, verdict)  # after steps and runs: whoever receives locks in that order too
    _case(tx, work, verdict)  # after steps, runs and events, as in a cancellation
    return feed_accounts(tx, opened | {work.step.account})


def _parked_or_ready(tx: Connection, work: Work, verdict: Verdict) -> Verdict:
    """Parking reads the fact once more, under the lock that its arrival takes: no step sleeps on a fact that is there.

    A fact that is there and is missed all the same (mapped to what their system does not have) is for a person: a few tries, then parked.
    """
    if verdict.fact is None:
        return verdict
    facts.lock(tx, codes.fact(*verdict.fact))
    if not codes.exists(tx, *verdict.fact) or work.step.tries > FEW:
        return verdict
    return Verdict("ready", "retry", later=backoff(work.step.tries), health=verdict.health)


def _overtaken(tx: Connection, work: Work, verdict: Verdict) -> Verdict:
    """A step that a cancellation has overtaken is not tried again; what it sent must still be known."""
    preempted = bool(tx.execute(PREEMPTED, {"id": work.step.id}).scalar())
    if preempted and verdict.state in ("ready", "parked", "dead") and not verdict.doubtful:
        return Verdict(
            "cancelled",
            "overtaken",
            health=verdict.health,
            code=verdict.code,
            sentence=verdict.sentence or "Overtaken by a cancellation.",
        )
    return verdict


def _held(tx: Connection, work: Work, verdict: Verdict) -> Verdict:
    """A step of a held order that would be tried again waits for the release; what it may have sent is looked up first."""
    moving = work.step.flow in holds.MOVING and work.step.kind != "undo"
    if verdict.state != "ready" or verdict.doubtful or not moving or not holds.held(tx, work.step.subject_id):
        return verdict
    return replace(verdict, state="parked", hold=holding.fact(work.step.subject_id), sentence="The order is held.")


def _mark(tx: Connection, work: Work, verdict: Verdict) -> None:
    """What the hub itself has brought about moves the order's state; nothing where the machine knows no such move."""
    moved = MARKS.get(work.step.name)
    if moved is not None and verdict.state == "done":
        states.advance(tx, work.step.subject_id, "order", "", moved, work.step.account)


MARKS = {
    "book_order": "book",
    "request_fulfilment": "release",
    "request_from_locations": "release",
}


def _settle(tx: Connection, work: Work, verdict: Verdict) -> bool:
    row = {
        "id": work.step.id,
        "fence": work.step.fence,
        "state": verdict.state,
        "later": verdict.later,
        "again": verdict.again,
        "untried": 1 if verdict.untried else 0,
        "doubtful": verdict.doubtful,
        "sent": verdict.doubtful and (work.sending or work.resent or work.unsaved or not work.step.doubtful),
        "job": verdict.job,
        "result": _plain(verdict.result),
        "code": _plain(verdict.code),
        "sentence": _plain(verdict.sentence)[:2000],
        "remedy": verdict.remedy,
        "owner": verdict.owner,
        "fact": codes.fact(*verdict.fact) if verdict.fact else verdict.hold,
    }
    return tx.execute(steps.CONCLUDE, row).rowcount == 1


def _plain(words: str) -> str:
    """PostgreSQL keeps no NUL in a text, and a vendor's sentence must not keep a step from being concluded."""
    return words.replace("\x00", "")


def _attempt(tx: Connection, work: Work, verdict: Verdict, outcome: str) -> None:
    """The attempt, and every exchange it had, as they will be shown."""
    row = {
        "step": work.step.id,
        "run": work.step.run_id,
        "subject": work.step.subject_id,
        "account": work.step.account,
        "n": work.step.tries,
        "fence": work.step.fence,
        "outcome": outcome,
        "code": _plain(verdict.code),
        "sentence": _plain(verdict.sentence)[:2000],
        "seconds": round(time.monotonic() - work.began, 4),
        "calls": len(work.exchanges),
        "worker": WORKER,
        "later": verdict.later if verdict.again else None,
    }
    made = tx.execute(steps.ATTEMPT, row).one()
    if work.exchanges:
        kept = [_exchange(work, made.id, made.at, n, exchange) for n, exchange in enumerate(work.exchanges)]
        tx.execute(steps.EXCHANGE, kept)


def _exchange(work: Work, attempt: int, at: Any, n: int, exchange: Exchange) -> dict[str, Any]:
    """Headers and figures beside the two bodies, which alone may hold personal data."""
    head = {
        "operation": exchange.operation,
        "method": exchange.method,
        "url": exchange.url,
        "request_headers": dict(exchange.request_headers),
        "status": exchange.status,
        "answer_headers": dict(exchange.answer_headers),
        "seconds": round(exchange.seconds, 4),
        "error": exchange.error,
        "split": len(exchange.request),
    }
    return {
        "attempt": attempt,
        "n": n,
        "at": at,
        "subject": work.step.subject_id,
        "head": Jsonb(head),
        "body": exchange.request + exchange.answer[:200_000],
    }


def _link(tx: Connection, work: Work, verdict: Verdict) -> None:
    if verdict.state != "done":
        return
    for kind, ours, theirs in work.links:
        links.link(tx, work.step.account, kind, ours, theirs, work.step.subject_id)


def _tell(tx: Connection, work: Work, acted: Acted) -> None:
    """Stock that was told: each SKU's mark goes, a refused one becomes a case of its own."""
    # In the order of dirty.mark, or they would wait for each other.
    for mark, why in sorted(acted.told, key=lambda told: told[0].sku):
        if not why:
            dirty.told(tx, work.step.account, mark.sku, mark.mark, mark.available)
            cases.leave(tx, f"stock:{work.step.account}:{mark.sku}")
        else:
            dirty.refuse(tx, work.step.account, mark.sku, mark.mark, why)
            told: dict[str, Any] = {
                "member": f"stock:{work.step.account}:{mark.sku}",
                "step": "publish_stock",
                "role": "channel",
                "cause": why,
            }
            cases.open_case(
                tx,
                "dead",
                work.step.account,
                "stock_refused",
                f"{work.step.account} refuses the stock of {mark.sku}: {why}",
                **told,
            )


def _health(tx: Connection, work: Work, verdict: Verdict) -> None:
    """What the attempt says of the account: the breaker counts, a refused login pauses."""
    if work.step.kind == "inner":
        return
    policy = config().settings
    if verdict.health == ILL:
        state.failed(tx, work.step.account, verdict.sentence, policy["breaker"])
    elif verdict.health == WELL:
        state.well(tx, work.step.account, policy["breaker"], policy["retry"])
    if verdict.pause and state.pause(tx, work.step.account, verdict.sentence, "hub"):
        told: dict[str, Any] = {
            "member": f"account:{work.step.account}",
            "owner": cases.owner_of("unauthorized", work.step.role),
            "remedy": verdict.remedy or "Renew the credentials, then resume the account.",
        }
        cases.open_case(tx, "account", work.step.account, verdict.code, verdict.sentence, **told)


def _case(tx: Connection, work: Work, verdict: Verdict) -> None:
    """Dead always has an owner; a trouble that is over leaves its case."""
    member = f"step:{work.step.id}"
    if verdict.state == "dead":
        cases.open_case(
            tx,
            "dead",
            work.step.account,
            verdict.code,
            verdict.sentence,
            member=member,
            subject=work.step.subject_id,
            step=f"{work.step.flow}.{work.step.name}",
            role=work.step.role,
            remedy=verdict.remedy,
            owner=verdict.owner,
            cause=verdict.sentence,
        )
    elif verdict.state in ENDED and work.step.fence > 1:  # what ends at its first claim was never in trouble
        cases.leave(tx, member)


def _open(tx: Connection, work: Work, verdict: Verdict) -> set[str]:
    """What waited for this step, in whatever run; and the end of its run when it was the last."""
    if verdict.state not in ENDED:
        return set()
    opened = steps.open_what_waited(tx, [work.step.id])
    steps.close_run(tx, work.step.run_id, 1, "overtaken by a cancellation" if verdict.state == "cancelled" else "")
    return opened
