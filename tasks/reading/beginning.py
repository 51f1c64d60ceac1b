"""Beginning: what a document's differences start, unless a hold makes them wait as rows; and what starts when the order is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Connection

from app.bell import Ring
from app.customers import identity
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.orders import (
    allotting,
    conflicts,
    covering,
    falling_short,
    fulfilments,
    holds,
    keeping,
    looping,
    money,
    paying_off,
    paying_returns,
    planning,
    preordering,
    putting_back,
    reconciling,
    standing,
    states,
    waiting,
)
from app.orders.difference import Difference, Kind, changed, differences
from app.orders.merge import pending
from app.stock import reservations
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from tasks.flows.book import BY_DIFFERENCE
from tasks.reading import collecting, giving, laying, releasing, sourced


def begin(tx: Connection, setting: laying.Setting, old: Order | None, facts: Mapping[str, Any]) -> Sequence[Difference]:
    """Holds or frees the order, starts what may start, and follows the document in the kept states. Answers what was started or kept.

    The states come last: steps are locked before them, here as where a step is concluded.
    """
    identity.identify(tx, setting.subject.id, setting.subject.account, setting.order)
    started = _started(tx, setting, old, facts)
    giving.decide(tx, setting, old)
    releasing.lay(tx, setting)
    _follow(tx, setting, old)
    return started


def _started(
    tx: Connection, setting: laying.Setting, old: Order | None, facts: Mapping[str, Any]
) -> Sequence[Difference]:
    subject, new = setting.subject.id, setting.order
    found = differences(old, new)
    if new.cancelled_at is not None:
        return _cancelled(tx, setting, found)
    held = holds.review(tx, subject, facts)
    if old is None or "lines" in changed(old, new):
        held = preordering.review(tx, subject, new) or held
    edit = next((one for one in found if one.kind is Kind.CHANGED), None)
    if edit is not None and old is not None:
        looping.look(tx, subject, setting.subject.account, BY_DIFFERENCE[edit.kind].name, edit)
        held = holds.held(tx, subject)
    kept = waiting.kinds(tx, subject)
    if edit is not None and not held and Kind.CHANGED in kept:
        _wait(tx, setting, edit)  # edits that waited, and this one, become one
    started: list[Difference] = start_waiting(tx, setting) if kept and not held else []
    kept = kept if held else frozenset()
    begun = any(one.kind in (Kind.PLACED, Kind.CHANGED) for one in started)  # with this very document: an edit is in it
    for difference in (one for one in found if not (begun and one.kind is Kind.CHANGED)):
        if waiting.must_wait(difference, held, kept):
            _wait(tx, setting, difference)
            kept |= {difference.kind.value}
            started.append(difference)
        elif start(tx, setting, difference):
            started.append(difference)
    return started


def start(tx: Connection, setting: laying.Setting, difference: Difference) -> bool:
    """Starts what follows from a difference; where rules are in force, with the locations that they choose."""
    subject, waybill = setting.subject.id, setting.subject.waybill
    if (
        difference.kind is Kind.CHANGED
    ):  # from a state to another one: whoever told it twice made no difference the second time
        flow = BY_DIFFERENCE[difference.kind].name
        difference = replace(difference, key=runs.anew(tx, subject, flow, difference.key))
    if difference.kind is Kind.PLACED:
        numbers = planning.first(tx, subject, waybill, setting.order)
        done = laying.start(tx, replace(setting, sourced="" if numbers is None else ASKED), difference)
        sourced.lay(tx, setting, numbers or ())
        return done
    if difference.kind is Kind.SHIPPED:
        done = laying.start(tx, setting, difference)
        collecting.lay(tx, setting, difference)
        return done
    if difference.kind is Kind.PAID and money.pays_elsewhere(
        tx, subject, cast(Payment, difference.child), setting.order
    ):
        return False  # the order that replaces it is paid by it
    if difference.kind in ENDS_WAITING:
        collecting.lay(tx, setting, difference)
    return _resourced(tx, setting, difference)


def _resourced(tx: Connection, setting: laying.Setting, difference: Difference) -> bool:
    """Where the order is sourced, what is not to leave any more is withdrawn, and what is left asked for anew."""
    subject, waybill = setting.subject.id, setting.subject.waybill
    asked = difference.kind in ENDS_WAITING and planning.begun(tx, subject)
    done = laying.start(tx, replace(setting, sourced=ASKED if asked else ""), difference)
    if not asked or (difference.kind is Kind.CHANGED and not difference.facets & WHAT_SHIPS):
        return done
    if difference.kind is Kind.CHANGED and _stays(tx, setting, difference):
        return done
    gone = sourced.withdraw(tx, setting, difference.key)
    covering.overhang(tx, subject, waybill, setting.order)
    if difference.kind is Kind.CANCELLED:
        planning.forget(tx, subject)
    elif not sourced.afterwards(tx, setting, difference.key):
        sourced.lay(tx, setting, planning.retry(tx, subject, waybill, setting.order))
    return done or bool(gone)


def _stays(tx: Connection, setting: laying.Setting, difference: Difference) -> bool:
    """Whether an edit leaves each location what it was asked for: a price, or pieces that nobody has any more (refused at the counter, paid back)."""
    asked = fulfilments.of(tx, setting.subject.id)
    if difference.facets & WHAT_SHIPS == {"pieces"}:
        return covering.within(setting.order, asked)
    return "address" not in difference.facets and covering.fits(setting.order, asked)


ENDS_WAITING = (Kind.CHANGED, Kind.CANCELLED)  # after it nothing more may be to leave
ASKED = "sourced: each location is asked by itself"
WHAT_SHIPS = frozenset(("lines", "pieces", "address"))


def _follow(tx: Connection, setting: laying.Setting, old: Order | None) -> None:
    subject, new = setting.subject.id, setting.order
    account, event = setting.cause.account, setting.cause.id
    keeping.hear(tx, subject, setting.subject.waybill, old, new)
    before = {refund.id for refund in old.refunds} if old is not None else set()
    for refund in new.refunds:
        if refund.id not in before and not pending(refund):
            paying_returns.refunded(tx, subject, refund)
            paying_off.look(tx, subject, new)
    if old is not None:
        putting_back.look(tx, subject, new)
        falling_short.look(tx, subject, new)
    moves = states.follow(tx, subject, standing.states(new), account, event)
    reconciling.follow(tx, subject, moves)
    reconciling.hear(tx, subject, old, new)
    edited = old is not None and not changed(old, new).isdisjoint(("lines", "pieces"))
    known = states.known(tx, subject) if edited else {}
    conflicts.open_cases(tx, subject, account, conflicts.found(old, new, moves, known))
    if edited and planning.begun(tx, subject):
        allotting.follow(tx, subject, account)


def _cancelled(tx: Connection, setting: laying.Setting, found: Sequence[Difference]) -> Sequence[Difference]:
    """A cancellation overtakes: what waited is struck out with its holds; what was begun is undone as ever."""
    subject = setting.subject.id
    struck = waiting.take(tx, subject)
    holds.end_all(tx, subject, "the order was cancelled")
    if any(one.difference.kind is Kind.PLACED for one in struck):
        reservations.release(tx, subject)
        late = [one.difference for one in struck if one.difference.kind in (Kind.SHIPPED, Kind.REFUNDED)]
        told = [*late, *(d for d in found if d.kind is not Kind.CANCELLED)]
        return [*(d for d in found if d.kind is Kind.CANCELLED), *(d for d in told if start(tx, setting, d))]
    return [difference for difference in found if start(tx, setting, difference)]


def _wait(tx: Connection, setting: laying.Setting, difference: Difference) -> None:
    """The stock is held for it meanwhile: a claim is the hub's own record, and not a step that moves the order on."""
    subject, cause = setting.subject.id, setting.cause
    if difference.kind is Kind.PLACED:
        reservations.reserve(tx, subject, setting.order)
    elif difference.kind is Kind.CHANGED:
        reservations.adjust(tx, subject, setting.order)
    waiting.keep(tx, subject, difference, cause.id, cause.at, cause.lane)


def start_waiting(tx: Connection, setting: laying.Setting) -> list[Difference]:
    """Starts all that waited, each under the event that told it, with the newest document."""
    started = []
    for one in waiting.take(tx, setting.subject.id):
        cause = laying.Cause(one.event_id, one.event_at, one.lane, setting.cause.account)
        if start(tx, replace(setting, cause=cause), one.difference):
            started.append(one.difference)
    return started


def free(tx: Connection, subject_id: int) -> list[Ring]:
    """What waited of a released order starts now; nothing when it is held (again), or somebody started it before."""
    subject = subjects.lock_id(tx, subject_id)
    order = subject.document
    if not isinstance(order, Order) or holds.held(tx, subject.id) or order.cancelled_at is not None:
        return []
    cause = laying.Cause(None, None, 0, subject.account)
    start_waiting(tx, laying.Setting(cause, subject, subject.roles, subject.document_id, order))
    return feed_accounts(tx, runs.ready_accounts(tx, subject.id))
