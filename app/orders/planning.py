"""Planning: an order's pieces are sourced by the rules in force and asked for, location by location; what nobody has is a case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from app import cases
from app.bell import Ring
from app.journal import subjects
from app.journal.actions import audit
from app.orders import covering, fulfilments, preordering, putting_back, rules, supply
from app.orders.demand import demand
from app.orders.fulfilments import Fulfilment
from app.orders.sourcing import Plan, source
from app.orders.wants import PICKUP
from connectors.canonical.order import Order

BEGUN = text("""
SELECT EXISTS (SELECT 1 FROM case_members WHERE member = 'unsourced:' || :subject)
    OR EXISTS (SELECT 1 FROM deadlines WHERE subject_id = CAST(:subject AS bigint) AND kind = 'preorder')
""")


def begun(tx: Connection, subject: int) -> bool:
    """Whether an order is sourced by rules; one that began before there were any stays with its route's warehouse."""
    return bool(fulfilments.of(tx, subject)) or bool(tx.execute(BEGUN, {"subject": subject}).scalar())


def first(tx: Connection, subject: int, waybill: str, order: Order) -> list[str] | None:
    """The requests of an order that begins; None where no rules are in force: then the route's warehouse gets all of it."""
    active = rules.in_force(tx)
    return None if active is None else _ask(tx, subject, waybill, order, active, None, frozenset(), 1)


def again(tx: Connection, waybill: str, order: Order, given_back: Fulfilment) -> list[str]:
    """The pieces that a location has given back are offered to those that were not asked for them yet; after the last round a person looks."""
    active = rules.in_force(tx)
    quantities: dict[str, Decimal] = {}
    for want in given_back.wants:
        quantities[want.line_id] = quantities.get(want.line_id, Decimal(0)) + want.quantity
    lines = {want.line_id for want in given_back.wants}
    tried = _declined(fulfilments.of(tx, given_back.subject_id), lines)
    free = covering.unasked(order, fulfilments.of(tx, given_back.subject_id))  # followed twice, nobody is asked twice
    quantities = {line: min(quantity, free[line]) for line, quantity in quantities.items() if line in free}
    if not quantities:
        return []
    if active is None or given_back.round >= active.rules.rounds:
        _unsourced(
            tx, given_back.subject_id, waybill, f"{given_back.location} was the last of {given_back.round} rounds"
        )
        return []
    told = (tx, given_back.subject_id, waybill, order, active, quantities, tried, given_back.round + 1)
    return _ask(*told)


def _ask(
    tx: Connection,
    subject: int,
    waybill: str,
    order: Order,
    active: rules.RuleSet,
    quantities: dict[str, Decimal] | None,
    tried: frozenset[str],
    round_: int,
    quiet: bool = False,
) -> list[str]:
    """`quiet`: where nobody has anything of it, nothing is said."""
    chosen = active.rules
    wanted = preordering.due(tx, subject, chosen, demand(order, chosen, _now(tx), quantities, tried))
    if not wanted.wants:
        return []
    skus = [want.sku for want in wanted.wants]
    supply.turn(tx, skus)
    plan = source(chosen, wanted, supply.stock(tx, chosen, skus), supply.load(tx))
    if quiet and not plan.legs:
        return []
    numbers = [
        fulfilments.ask(tx, subject, waybill, leg, chosen.locations[leg.location], round_=round_, rules=active.label)
        for leg in plan.legs
    ]
    if plan.missing:
        _unsourced(tx, subject, waybill, _words(plan, wanted.method))
    else:
        cases.leave(tx, f"unsourced:{subject}")
    return numbers


def _now(tx: Connection) -> datetime:
    now: datetime = tx.execute(text("SELECT now()")).scalar_one()
    return now


def _declined(asked: Sequence[Fulfilment], lines: set[str]) -> frozenset[str]:
    """Who said no to pieces of these lines, or nothing at all."""
    earlier = [one for one in asked if lines & {want.line_id for want in one.wants}]
    return frozenset(one.location for one in earlier if one.state in ("rejected", "timed_out"))


def _words(plan: Plan, method: str) -> str:
    lacking = ", ".join(f"{want.quantity.normalize():f} x {want.sku}" for want in plan.missing)
    barred = "; ".join(f"{name}: {why}" for name, why in plan.refused.items())
    asked = "the place it is to be fetched at does not have" if method == PICKUP else "no location has"
    return f"{asked} {lacking}" + (f" ({barred})" if barred else "")


def _unsourced(tx: Connection, subject: int, waybill: str, why: str) -> None:
    """A backorder: stock comes and it goes on (`resume`), or somebody agrees with the customer."""
    cases.open_case(
        tx,
        "unsourced",
        "hub",
        "unsourced",
        f"{waybill} cannot be sent as it is: {why}.",
        member=f"unsourced:{subject}",
        subject=subject,
        role="warehouse",
        cause=waybill,
        remedy="Once there is stock it goes on by itself; who declined it is asked again only by hand (the order's page). Or cancel it.",
    )


def retry(tx: Connection, subject: int, waybill: str, order: Order) -> list[str]:
    """Sources what nobody was asked for yet: stock has come, or the rules have changed. Who has declined it is asked again."""
    active = rules.in_force(tx)
    if active is None or not begun(tx, subject):
        return []
    left = covering.unasked(order, fulfilments.of(tx, subject))
    if not left:
        forget(tx, subject)
        return []
    return _ask(tx, subject, waybill, order, active, left, frozenset(), 1)


def resume(tx: Connection, subject: int, waybill: str, order: Order, quiet: bool = True) -> list[str]:
    """Sources what nobody was asked for yet among those who have not declined it; where none has it, nothing is said (`quiet`)."""
    active, asked = rules.in_force(tx), fulfilments.of(tx, subject)
    left = covering.unasked(order, asked)
    if not left:
        forget(tx, subject)
    if active is None or not left:
        return []
    return _ask(tx, subject, waybill, order, active, left, _declined(asked, set(left)), 1, quiet=quiet)


def forget(tx: Connection, subject: int) -> None:
    """What nobody had of an order is not wanted any more, or is asked for by now: it lacks nowhere."""
    cases.leave(tx, f"unsourced:{subject}")
    preordering.forget(tx, subject)


def lacking(tx: Connection, subject: int, waybill: str, order: Order) -> None:
    """Says what nobody is asked for; it goes on as every backorder does."""
    left = covering.unasked(order, fulfilments.of(tx, subject)) if order.cancelled_at is None else {}
    skus = {line.id: line.sku for line in order.lines}
    left = preordering.without(tx, subject, left, skus)
    if left:
        words = ", ".join(f"{quantity.normalize():f} x {skus[line]}" for line, quantity in left.items())
        _unsourced(tx, subject, waybill, f"nobody was asked for {words} yet")


def by_hand(tx: Connection, waybill: str, who: str, why: str) -> list[Ring] | None:
    """A person has pieces that nobody was asked for sourced again; None where there is no such order. Ring the answer after the commit."""
    subject = subjects.lock_waybill(tx, waybill)
    if subject is None or not isinstance(subject.document, Order):
        return None
    numbers = retry(tx, subject.id, subject.waybill, subject.document)
    putting_back.look(tx, subject.id, subject.document)
    audit(tx, who, "source order again", f"order:{subject.waybill}", why, after={"asked": numbers})
    return fulfilments.to_follow(tx, numbers)
