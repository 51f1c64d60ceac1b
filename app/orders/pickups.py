"""Pickups: set out for their customer, handed over to who shows the code, refused by him, or never fetched."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, text

from app import cases
from app.bell import Ring
from app.journal.actions import audit
from app.orders import deadlines, fulfilling, fulfilments, holds, putting_back, rules, states
from app.orders.fulfilments import Fulfilment
from app.orders.refused import Refused
from app.orders.sourcing_rules import Location
from app.orders.wants import PICKUP
from app.units import Seconds

WRONG_CODE = "wrong pickup code"  # how the audit calls it
TRIES, GUESSING = 5, 900  # wrong codes of a pickup in so many seconds, then none is heard
TRIED = text("""
SELECT count(*) FROM audit WHERE object = :order AND action = :action AND after->>'fulfilment' = :number
    AND at > now() - make_interval(secs => :seconds)
""")


def not_yet(tx: Connection, subject: int) -> str:
    """Why nothing of an order may be handed over; empty when it may."""
    if holds.held(tx, subject):
        return "The order is held."
    kept = states.known(tx, subject)
    if kept.get(("order", "")) in ("cancelled", "returned"):
        return "The order was cancelled."
    paid = [state for (machine, _), state in kept.items() if machine == "payment"]
    unpaid = bool(paid) and not set(paid) & {"authorised", "partly_captured", "captured", "partly_refunded"}
    return "It is not paid." if unpaid else ""


def _may(tx: Connection, found: Fulfilment) -> None:
    why = not_yet(tx, found.subject_id) if found.state != "collected" else ""
    if why:
        raise Refused("not_yet", f"{why} Nothing is set out or handed over.")


def ready(tx: Connection, number: str, who: str, keeps_for: Seconds, why: str = "") -> list[Ring]:
    """Set out for the customer, who is told; kept for so many seconds."""
    found = pickup(tx, number)
    _may(tx, found)
    rings = fulfilments.move(tx, found, "ready", "ready", who, why)
    if rings:
        deadlines.set_(tx, found.subject_id, "pickup", number, keeps_for)
    return rings


def collect(tx: Connection, number: str, who: str, code: str, why: str = "") -> list[Ring]:
    """Handed over to who shows the code. Raises Refused for another code (after TRIES of them in GUESSING for any), and while it is not ready."""
    found = pickup(tx, number)
    order, since = f"order:{number.partition('-')[0]}", GUESSING
    if (
        tx.execute(TRIED, {"order": order, "number": number, "seconds": since, "action": WRONG_CODE}).scalar_one()
        >= TRIES
    ):
        raise Refused("too_many_codes", f"Too many wrong codes for {number}: wait a quarter of an hour.")
    if not secrets.compare_digest(found.verify.encode(), code.strip().encode()):
        raise Refused("wrong_code", "That is not the code of this pickup: nothing is handed over.")
    _may(tx, found)
    rings = fulfilments.move(tx, found, "collect", "collected", who, why)
    deadlines.met(tx, found.subject_id, "pickup", number)
    cases.leave(tx, f"fulfilment:{found.id}", by=who)
    return rings


def refuse(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """Its customer does not want it after all: it goes back on the shelf, and off the order."""
    found = pickup(tx, number)
    rings = fulfilments.move(tx, found, "refuse", "refused", who, why)
    deadlines.met(tx, found.subject_id, "pickup", number)
    return rings


def not_collected(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """Nobody fetched it, as its store says. Raises Refused while it is still kept: its customer was told until when."""
    found = pickup(tx, number)
    until = deadlines.to_come(tx, found.subject_id, "pickup", number)
    if found.state == "ready" and until is not None:
        raise Refused("still_kept", f"{number} is kept for its customer until {until:%Y-%m-%d %H:%M} UTC.")
    rings = fulfilments.move(tx, found, "no_show", "no_show", who, why)
    deadlines.passed(tx, found.subject_id, "pickup", number)
    return rings


def pickup(tx: Connection, number: str) -> Fulfilment:
    """A request that is to be fetched, locked. Raises Refused for any other."""
    found = fulfilling.spoken(tx, number)
    if found.method != PICKUP:
        raise Refused("not_a_pickup", f"{number} is to be sent, not fetched.")
    return found


def keeps_for(tx: Connection, location: str) -> Seconds:
    """Seconds that a pickup waits for its customer there."""
    active = rules.in_force(tx)
    known = active.rules.locations.get(location) if active is not None else None
    return known.keeps_for if known is not None else Location(location, "store").keeps_for


def extend(tx: Connection, number: str, who: str, why: str, keeps_for: Seconds) -> list[Ring]:
    """Nobody came, or will in time, and somebody asked for more of it. Said again it is not longer; it is never shorter than was promised."""
    found = pickup(tx, number)
    fulfilments.move(tx, found, "extend", "ready", who, why)
    due = deadlines.set_(tx, found.subject_id, "pickup", number, keeps_for, never_sooner=True)
    if found.state == "ready":
        order = f"order:{number.partition('-')[0]}"
        audit(tx, who, "extend fulfilment", order, why, after={"fulfilment": number, "until": due.isoformat()})
    cases.leave(tx, f"fulfilment:{found.id}", by=who)
    return []


def put_back(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """Nobody came: the pieces lie on the shelf again, and somebody is asked to cancel or refund them; the claim goes with the cancellation."""
    found = pickup(tx, number)
    if found.state == "no_show":
        putting_back.ask(tx, found)
    fulfilments.move(tx, found, "put_back", "cancelled", who, why)
    cases.leave(tx, f"fulfilment:{found.id}", by=who)
    return []


def no_show(tx: Connection, number: str) -> list[Ring]:
    found = fulfilments.locked(tx, number)
    return fulfilments.move(tx, found, "no_show", "no_show", "hub") if found.state == "ready" else []
