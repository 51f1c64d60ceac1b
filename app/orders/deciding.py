"""Deciding: what a connected location cannot send and did not let go of by itself is, by a person who asked there, asked of others or waited for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app import cases
from app.bell import HUB, Ring
from app.journal import actions, subjects
from app.journal.actions import audit
from app.orders import covering, falling_short, fulfilments
from app.orders.fulfilments import FOLLOW, Fulfilment
from app.orders.refused import Refused
from connectors.canonical.order import Order

STUCK = text("""
SELECT s.id FROM steps s JOIN runs r ON r.id = s.run_id
WHERE s.subject_id = :subject AND r.flow = 'order_fell_short' AND r.difference = :number AND s.state IN ('dead', 'parked')
""")
UNDER_WAY = text("""
SELECT EXISTS (SELECT 1 FROM steps s JOIN runs r ON r.id = s.run_id WHERE s.subject_id = :subject AND r.flow = 'order_fell_short'
    AND r.difference = :number AND s.name = 'withdraw_rest' AND s.state NOT IN ('done', 'skipped', 'cancelled', 'dead', 'parked'))
""")
AGAIN = text("UPDATE fulfilments SET pending = true WHERE id = :id")
WAITS = text("""
UPDATE cases SET sentence = split_part(sentence, ' Waited for', 1) || :words, last_at = now() WHERE status <> 'resolved'
    AND id IN (SELECT case_id FROM case_members WHERE member = :member AND closed_at IS NULL)
""")


def undecided(tx: Connection, rest: Fulfilment, order: Order | None) -> bool:
    """Whether pieces of a request that its location fell short of are nobody's yet, and no withdrawal of them is under way."""
    if order is None or rest.state != "rejected" or rest.pending or not falling_short.fell_short_of(rest):
        return False
    if tx.execute(UNDER_WAY, {"subject": rest.subject_id, "number": rest.number}).scalar():
        return False
    free = covering.unasked(order, fulfilments.of(tx, rest.subject_id))
    return order.cancelled_at is None and any(free.get(want.line_id, Decimal(0)) > 0 for want in rest.wants)


def elsewhere(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """The location has confirmed that it will not send these pieces: they are asked of others by the rules. Ring after the commit. Raises Refused."""
    rest, asked = _rest(tx, number)
    stuck = list(tx.execute(STUCK, {"subject": rest.subject_id, "number": rest.number}).scalars())
    rings = actions.cancel_steps(tx, stuck, who, why) if stuck else []
    cases.leave(tx, f"short:{asked}")
    tx.execute(AGAIN, {"id": rest.id})
    _note(tx, rest, who, why, "source short pieces elsewhere")
    return [*rings, Ring(FOLLOW, HUB, rest.id)]


def wait(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """The location will send them after all: nobody else is asked, and whoever looks at the case sees who waits and why. Raises Refused."""
    rest, asked = _rest(tx, number)
    tx.execute(WAITS, {"member": f"short:{asked}", "words": f" Waited for by {who}: {why}"})
    _note(tx, rest, who, why, "wait for short pieces")
    return []


def _rest(tx: Connection, number: str) -> tuple[Fulfilment, str]:
    subject = subjects.lock_waybill(tx, number.partition("-")[0])
    order: Any = subject.document if subject is not None else None
    rest = next((one for one in fulfilments.of(tx, subject.id) if one.number == number), None) if subject else None
    if rest is None or not isinstance(order, Order) or not undecided(tx, rest, order):
        raise Refused("nothing_to_decide", f"Nothing of {number} is to be decided (any more).")
    return rest, falling_short.fell_short_of(rest)


def _note(tx: Connection, rest: Fulfilment, who: str, why: str, action: str) -> None:
    told = {"fulfilment": rest.number, "pieces": {want.line_id: str(want.quantity) for want in rest.wants}}
    audit(tx, who, action, f"order:{rest.number.partition('-')[0]}", why, after=told)
