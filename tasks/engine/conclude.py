"""Concluding: the outcome, the attempt, the cross references and what opens next, in one transaction; then the rings."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app import cases
from app.accounts import listeners, pace, state
from app.catalogue import codes, price_marks
from app.catalogue.price_marks import PriceMark
from app.journal import facts, holding, links, nourish, steps
from app.journal.steps import Ended
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


@dataclass(frozen=True, slots=True)
class Way:
    """How a task goes on after a step's end, for `lease` seconds (0: not at all): along its run, else at `home`, the account it was rung for."""

    lease: float = 0.0
    along: bool = False
    home: str = ""


ENDS = Way()


def conclude(
    tx: Connection,
    work: Work,
    verdict: Verdict,
    acted: Acted,
    inner: Callable[[Any], None] | None = None,
    way: Way = ENDS,
) -> Ended | None:
    """Concludes an attempt under its fence; None when the step is another's by now (a zombie's word changes nothing).

    What is `simple` is one statement, and may be told in autocommit. Whoever is hungry afterwards is to be fed.
    """
    if inner is None and simple(work, verdict, acted):
        return steps.conclude_done(tx, {**_row(work, verdict), **_good(work, verdict), **_going(tx, work, way)})
    verdict = _held(tx, work, _overtaken(tx, work, _parked_or_ready(tx, work, verdict)))
    opened = steps.conclude(tx, _row(work, verdict))
    if opened is None:
        return None
    if inner is not None:
        inner(tx)
    _note_made(tx, work, verdict)
    _tell(tx, work, acted)
    _health(tx, work, verdict)
    _mark(tx, work, verdict)  # after steps and runs: whoever receives locks in that order too
    _case(tx, work, verdict)  # after steps, runs and events, as in a cancellation
    _doubles(tx, work)
    fed = sorted(opened | {work.step.account})
    return steps.go_on(tx, {"fed": fed, **_going(tx, work, way)})


def simple(work: Work, verdict: Verdict, acted: Acted) -> bool:
    """An outer step done at its first try: no case to leave, nothing told in a batch, nothing found twice, no partner's house that was ill."""
    first = work.step.fence == 1 and work.step.kind != "inner" and not work.house
    return first and verdict.state == "done" and verdict.health == WELL and not acted.told and not work.doubles


def _good(work: Work, verdict: Verdict) -> dict[str, Any]:
    """What conclude_done is told beside the attempt: the account's health, and where the order's own state moves."""
    policy = config().settings
    return {
        "account": work.step.account,
        "subject": work.step.subject_id,
        "budget": policy["retry"]["budget"],
        "refill": policy["retry"]["refill"],
        "probes": policy["breaker"]["probes"],
        **(states.leads("order", MARKS[work.step.name]) if work.step.name in MARKS else NO_MOVE),
    }


NO_MOVE: Mapping[str, Any] = {"event": "", "start": "", "befores": [], "afters": []}


def _going(tx: Connection, work: Work, way: Way) -> dict[str, Any]:
    policy, rooms = config().settings["engine"], nourish.rooms(tx)
    return {
        "run": work.step.run_id,
        "along": way.along,
        "home": way.home,
        "channels": nourish.known_channels(tx),
        "floor": float(policy["bulk_floor"]),
        "rooms": orjson.dumps(rooms).decode(),
        "quick": [account for account in rooms if pace.quick(account)],
        "few": int(policy["rings"]),
        "heard": float(policy["rung_again"]),
        "lease": way.lease,
        "known": work.known,
    }


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
    if verdict.state not in ("ready", "parked", "dead") or verdict.doubtful:
        return verdict
    if tx.execute(PREEMPTED, {"id": work.step.id}).scalar():
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


def _note_made(tx: Connection, work: Work, verdict: Verdict) -> None:
    """What an attempt made before it stumbled is known to be there, though a cancellation may end the step: money back is credited to it.

    What is done notes all of its links by itself.
    """
    if verdict.state != "done":
        for kind, ours, theirs in work.made:
            links.link(tx, work.step.account, kind, ours, theirs, work.step.subject_id)


def _mark(tx: Connection, work: Work, verdict: Verdict) -> None:
    """What the hub itself has brought about moves the order's state; nothing where the machine knows no such move."""
    moved = MARKS.get(work.step.name)
    if moved is not None and verdict.state == "done":
        states.advance(tx, work.step.subject_id, "order", "", moved, work.step.account)


MARKS = {
    "book_order": "book",
    "request_fulfilment": "release",
    "request_from_location": "release",
    "place_purchase_order": "release",
}


def _row(work: Work, verdict: Verdict) -> dict[str, Any]:
    """What conclude_step is told: the verdict, the attempt with every exchange as it will be shown, the cross references."""
    return {
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
        "try": work.step.tries,
        "outcome": verdict.outcome,
        "seconds": round(time.monotonic() - work.began, 4),
        "worker": WORKER,
        "heads": Jsonb([_head(exchange) for exchange in work.exchanges]),
        "bodies": [exchange.request + exchange.answer[:200_000] for exchange in work.exchanges],
        "kinds": [kind for kind, _, _ in work.links],
        "ours": [ours for _, ours, _ in work.links],
        "theirs": [theirs for _, _, theirs in work.links],
    }


def _plain(words: str) -> str:
    """PostgreSQL keeps no NUL in a text, and a vendor's sentence must not keep a step from being concluded."""
    return words.replace("\x00", "")


def _head(exchange: Exchange) -> dict[str, Any]:
    """Headers and figures beside the two bodies, which alone may hold personal data."""
    return {
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


def _tell(tx: Connection, work: Work, acted: Acted) -> None:
    """What was told in a batch: each item's mark goes, a refused one becomes a case of its own."""
    # In the order in which marks are made, or they would wait for each other.
    for mark, why in sorted(acted.told, key=lambda told: _place(told[0])):
        if isinstance(mark, PriceMark):
            _tell_price(tx, work, mark, why)
        else:
            _tell_stock(tx, work, mark, why)


def _place(mark: dirty.Mark | PriceMark) -> tuple[Any, ...]:
    return mark.key if isinstance(mark, PriceMark) else (mark.sku, mark.location)


def _tell_stock(tx: Connection, work: Work, mark: dirty.Mark, why: str) -> None:
    if not why:
        dirty.told(tx, work.step.account, mark)
    else:
        dirty.refuse(tx, work.step.account, mark, why)
    _refused(tx, work, "stock", f"{mark.sku}@{mark.location}" if mark.location else mark.sku, mark.sku, why)


def _tell_price(tx: Connection, work: Work, mark: PriceMark, why: str) -> None:
    if not why:
        price_marks.told(tx, work.step.account, mark)
    else:
        price_marks.refuse(tx, work.step.account, mark, why)
    _refused(tx, work, "price", mark.sku, mark.key.sku, why)


def _refused(tx: Connection, work: Work, what: str, name: str, sku: str, why: str) -> None:
    """`name` is the mark's own: another price of the same SKU that is taken ends no case of this one."""
    account, member = work.step.account, f"{what}:{work.step.account}:{name}"
    if not why:
        cases.leave(tx, member)
        return
    told: dict[str, Any] = {"member": member, "step": work.step.name, "role": "channel", "cause": why}
    cases.open_case(tx, "dead", account, f"{what}_refused", f"{account} refuses the {what} of {sku}: {why}", **told)


def _health(tx: Connection, work: Work, verdict: Verdict) -> None:
    """What the attempt says of the account: the breaker counts, a refused login pauses."""
    if work.step.kind == "inner":
        return
    policy = config().settings
    if work.house:
        _house(tx, work, verdict)
    elif verdict.health == ILL:
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


def _house(tx: Connection, work: Work, verdict: Verdict) -> None:
    """One partner's listener that is ill says nothing of his others; one that stays so is somebody's to ask about."""
    policy = config().settings
    if verdict.health == ILL:
        failures = listeners.failed(tx, work.house, float(policy["breaker"]["pause"]), float(policy["retry"]["most"]))
        if failures == int(policy["breaker"]["failures"]):
            _silent(tx, work, failures, verdict)
    elif verdict.health == WELL and listeners.well(tx, work.house):
        cases.leave(tx, listeners.member(work.house))


def _silent(tx: Connection, work: Work, failures: int, verdict: Verdict) -> None:
    told: dict[str, Any] = {
        "member": listeners.member(work.house),
        "role": work.step.role,
        "remedy": "Ask the partner. What waits is sent by itself once it answers; switch it off or forget it if it is to hear no more.",
        "cause": work.house,
    }
    words = (
        f"Listener {work.house} of {work.step.account} has not answered {failures} times in a row: {verdict.sentence}"
    )
    cases.open_case(tx, "account", work.step.account, "listener_silent", words, **told)


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


def _doubles(tx: Connection, work: Work) -> None:
    """What a look-up found more than once is somebody's to withdraw: where nothing is unique, no program may choose."""
    for found in work.doubles:
        told: dict[str, Any] = {
            "member": f"double:{work.step.id}",
            "subject": work.step.subject_id,
            "step": f"{work.step.flow}.{work.step.name}",
            "role": work.step.role,
            "cause": f"{work.step.id}",
            "remedy": f"Withdraw {', '.join(found.others)} there: the hub goes on with {found}.",
        }
        sentence = f"{work.step.account} holds {len(found.others) + 1} of what should be one: {found}, {', '.join(found.others)}."
        cases.open_case(tx, "drift", work.step.account, "doubled", sentence, **told)
