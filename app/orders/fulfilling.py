"""Fulfilments: one request to one location for some of an order's pieces, from the plan to the customer's hands."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app import cases
from app.bell import HUB, Ring
from app.journal.actions import audit
from app.orders import deadlines, holds, rules, states
from app.orders.machines import FULFILMENT
from app.orders.refused import Refused
from app.orders.sourcing import PICKUP, Leg, Location, Want
from app.stock import reservations
from app.units import Seconds
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking

WRONG_CODE = "wrong pickup code"  # how the audit calls it
FOLLOW = "waybill.follow"  # the task that does what follows from a new state

COLUMNS = """id, subject_id, number, location, account, method, state, round, lines, rules, why, verify, trackings, pending,
    created_at, updated_at, purchase, promised_at"""
MAKE = text("""
INSERT INTO fulfilments (subject_id, number, location, account, method, state, round, lines, rules, why, verify, purchase)
SELECT :subject, :waybill || '-F' || (count(*) + 1), :location, :account, :method, 'requested', :round, :lines,
    :rules, :why, :verify, :purchase
FROM fulfilments WHERE subject_id = :subject
RETURNING number
""")
OF = text(f"SELECT {COLUMNS} FROM fulfilments WHERE subject_id = :subject ORDER BY id")  # noqa: S608 - constants only
ONE = text(f"SELECT {COLUMNS} FROM fulfilments WHERE number = :number FOR UPDATE")  # noqa: S608 - constants only
BY_ID = text(f"SELECT {COLUMNS} FROM fulfilments WHERE id = :id")  # noqa: S608 - constants only
LOCK = text("""
SELECT s.waybill FROM subjects s JOIN fulfilments f ON f.subject_id = s.id WHERE f.number = :number FOR UPDATE OF s
""")
MOVE = text("""
UPDATE fulfilments SET state = :state, pending = pending OR :pending, trackings = :trackings, updated_at = now() WHERE id = :id
""")
FOLLOWING = text("UPDATE fulfilments SET pending = true WHERE number = ANY(:numbers) AND account <> '' RETURNING id")
LINES = text("UPDATE fulfilments SET lines = :lines, updated_at = now() WHERE id = :id")
LET_GO = text("""
UPDATE fulfilments SET pending = true WHERE subject_id = :subject AND (state = 'timed_out' AND purchase
    OR id = (SELECT max(id) FROM fulfilments WHERE subject_id = :subject AND state = 'cancelled')) RETURNING id
""")
DONE = text("UPDATE fulfilments SET pending = false WHERE id = :id")
PENDING = text("SELECT id FROM fulfilments WHERE pending ORDER BY id LIMIT :most")

OPEN = frozenset(("proposed", "requested", "accepted", "picked", "packed", "ready", "no_show"))
NEWS = frozenset(
    ("rejected", "timed_out", "ready", "collected", "refused", "shipped", "no_show")
)  # a worker has to do something about these
TRIES, GUESSING = 5, 900  # wrong codes of a pickup in so many seconds, then none is heard
TRIED = text("""
SELECT count(*) FROM audit WHERE object = :order AND action = :action AND after->>'fulfilment' = :number
    AND at > now() - make_interval(secs => :seconds)
""")
GONE: Mapping[str, ShipmentStatus] = {"shipped": ShipmentStatus.SHIPPED, "collected": ShipmentStatus.DELIVERED}


@dataclass(frozen=True, slots=True)
class Fulfilment:
    id: int
    subject_id: int
    number: str
    location: str
    account: str
    method: str
    state: str
    round: int
    lines: Sequence[Mapping[str, str]]
    rules: str
    why: str
    verify: str
    trackings: Sequence[Mapping[str, str]]
    pending: bool
    created_at: datetime
    updated_at: datetime
    purchase: bool = False
    promised_at: datetime | None = None

    @property
    def wants(self) -> tuple[Want, ...]:
        return tuple(Want(one["line_id"], one["sku"], Decimal(one["quantity"])) for one in self.lines)

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def shipment(self) -> Shipment:
        """What left, as if its location had told it in canonical words; handed over in a store is shipped and delivered at once."""
        return Shipment(
            id=self.number,
            status=GONE[self.state],
            lines=tuple(ShipmentLine(want.quantity, want.sku, want.line_id) for want in self.wants),
            trackings=tuple(Tracking(one["number"], one.get("carrier", "")) for one in self.trackings),
            location=self.location,
            shipped_at=self.updated_at,
            updated_at=self.updated_at,
            delivered_at=self.updated_at if self.state == "collected" else None,
            origin=self.location,
        )


def of(tx: Connection, subject: int) -> Sequence[Fulfilment]:
    return [Fulfilment(*row) for row in tx.execute(OF, {"subject": subject})]


def by_id(tx: Connection, fulfilment: int) -> Fulfilment | None:
    row = tx.execute(BY_ID, {"id": fulfilment}).first()
    return Fulfilment(*row) if row is not None else None


def ask(tx: Connection, subject: int, waybill: str, leg: Leg, location: Location, *, round_: int, rules: str) -> str:
    """Makes the request of one leg and sets the hour by which it must be answered; answers its number. The subject is locked by the caller."""
    lines = [
        {"line_id": want.line_id, "sku": want.sku, "quantity": f"{want.quantity.normalize():f}"} for want in leg.wants
    ]
    row = {
        "subject": subject,
        "waybill": waybill,
        "location": location.name,
        "account": location.account,
        "method": leg.method,
        "round": round_,
        "lines": Jsonb(lines),
        "rules": rules,
        "why": leg.why,
        "purchase": location.purchases,
        "verify": f"{secrets.randbelow(10**6):06d}" if leg.method == PICKUP else "",
    }
    number = str(tx.execute(MAKE, row).scalar_one())
    if location.answers_within:
        deadlines.set_(tx, subject, "answer", number, location.answers_within)
    return number


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


# ---- what a location says; each may be said twice


def accept(tx: Connection, number: str, who: str, why: str = "") -> list[Ring]:
    return move(tx, spoken(tx, number), "accept", "accepted", who, why)


def pick(tx: Connection, number: str, who: str, why: str = "") -> list[Ring]:
    """Taken off the shelf."""
    return move(tx, spoken(tx, number), "pick", "picked", who, why)


def pack(tx: Connection, number: str, who: str, why: str = "") -> list[Ring]:
    return move(tx, spoken(tx, number), "pack", "packed", who, why)


def reject(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """Before it is accepted, or after: not found on the shelf. The pieces are offered elsewhere."""
    found = spoken(tx, number)
    return move(tx, found, "give_back" if found.state == "accepted" else "reject", "rejected", who, why)


def ready(tx: Connection, number: str, who: str, keeps_for: Seconds, why: str = "") -> list[Ring]:
    """Set out for the customer, who is told; kept for so many seconds."""
    found = pickup(tx, number)
    _may(tx, found)
    rings = move(tx, found, "ready", "ready", who, why)
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
    rings = move(tx, found, "collect", "collected", who, why)
    deadlines.met(tx, found.subject_id, "pickup", number)
    cases.leave(tx, f"fulfilment:{found.id}", by=who)
    return rings


def refuse(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """Its customer does not want it after all: it goes back on the shelf, and off the order."""
    found = pickup(tx, number)
    rings = move(tx, found, "refuse", "refused", who, why)
    deadlines.met(tx, found.subject_id, "pickup", number)
    return rings


def not_collected(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """Nobody fetched it, as its store says. Raises Refused while it is still kept: its customer was told until when."""
    found = pickup(tx, number)
    until = deadlines.to_come(tx, found.subject_id, "pickup", number)
    if found.state == "ready" and until is not None:
        raise Refused("still_kept", f"{number} is kept for its customer until {until:%Y-%m-%d %H:%M} UTC.")
    rings = move(tx, found, "no_show", "no_show", who, why)
    deadlines.passed(tx, found.subject_id, "pickup", number)
    return rings


def ship(tx: Connection, number: str, who: str, trackings: Sequence[Mapping[str, str]], why: str = "") -> list[Ring]:
    found = spoken(tx, number)
    if found.method == PICKUP:
        raise Refused("is_a_pickup", f"{number} is to be fetched, not sent.")
    return move(tx, found, "ship", "shipped", who, why, trackings)


def spoken(tx: Connection, number: str) -> Fulfilment:
    """A request, locked, whose location speaks by our API or through a person. Raises Refused where an account of its own tells us."""
    found = locked(tx, number)
    if found.account:
        raise Refused("answers_itself", f"{number} was asked of {found.account}, which answers by itself.")
    return found


def pickup(tx: Connection, number: str) -> Fulfilment:
    """A request that is to be fetched, locked. Raises Refused for any other."""
    found = spoken(tx, number)
    if found.method != PICKUP:
        raise Refused("not_a_pickup", f"{number} is to be sent, not fetched.")
    return found


def substitute(tx: Connection, number: str, who: str, line_id: str, sku: str, why: str) -> list[Ring]:
    """Another article goes out in place of a line's, as its customer has agreed (`why`); nothing of its price changes. Said twice it is once.

    Only where a store is told by our own API: whoever was sent the request already has it in his own words.
    """
    found = locked(tx, number)
    line = next((one for one in found.lines if one["line_id"] == line_id), None)
    if line is not None and line["sku"] == sku:
        return []
    if (
        found.account
        or found.purchase
        or found.state not in ("requested", "accepted", "picked")
        or line is None
        or not sku
        or not why
    ):
        raise Refused(
            "not_substituted", f"{number}: line {line_id} cannot be substituted (any more), or nobody said why."
        )
    sold = line.get("instead_of", line["sku"])
    lines = [{**one, "sku": sku, "instead_of": sold} if one is line else one for one in found.lines]
    tx.execute(LINES, {"id": found.id, "lines": Jsonb([dict(one) for one in lines])})
    reservations.substitute(
        tx, found.subject_id, line_id, line["sku"], sku, Decimal(line["quantity"]), _place(tx, found)
    )
    states.advance(tx, found.subject_id, "line", line_id, "substitute", found.location)
    waybill = found.number.partition("-")[0]
    audit(tx, who, "substitute", f"order:{waybill}", why, {"sku": line["sku"]}, {"sku": sku, "fulfilment": number})
    return []


def _place(tx: Connection, found: Fulfilment) -> str:
    """The shelf that the location stands for, by the rules in force."""
    active = rules.in_force(tx)
    known = active.rules.locations.get(found.location) if active is not None else None
    return known.stock[1] if known is not None and known.stock is not None else found.location


def keeps_for(tx: Connection, location: str) -> Seconds:
    """Seconds that a pickup waits for its customer there."""
    active = rules.in_force(tx)
    known = active.rules.locations.get(location) if active is not None else None
    return known.keeps_for if known is not None else Location(location, "store").keeps_for


def extend(tx: Connection, number: str, who: str, why: str, keeps_for: Seconds) -> list[Ring]:
    """Nobody came, or will in time, and somebody asked for more of it. Said again it is not longer; it is never shorter than was promised."""
    found = pickup(tx, number)
    move(tx, found, "extend", "ready", who, why)
    due = deadlines.set_(tx, found.subject_id, "pickup", number, keeps_for, never_sooner=True)
    if found.state == "ready":
        order = f"order:{number.partition('-')[0]}"
        audit(tx, who, "extend fulfilment", order, why, after={"fulfilment": number, "until": due.isoformat()})
    cases.leave(tx, f"fulfilment:{found.id}", by=who)
    return []


def put_back(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """Nobody came: the pieces lie on the shelf again. The channel's owner refunds; the claim goes with the channel's cancellation."""
    found = pickup(tx, number)
    move(tx, found, "put_back", "cancelled", who, why)
    cases.leave(tx, f"fulfilment:{found.id}", by=who)
    return []


# ---- what time and the hub say


def time_out(tx: Connection, number: str) -> list[Ring]:
    """No answer by the hour: the pieces are offered elsewhere. Answered at the last moment it is left alone."""
    found = locked(tx, number)
    return move(tx, found, "time_out", "timed_out", "hub") if found.state == "requested" else []


def no_show(tx: Connection, number: str) -> list[Ring]:
    found = locked(tx, number)
    return move(tx, found, "no_show", "no_show", "hub") if found.state == "ready" else []


def told_by_account(tx: Connection, reference: str, event: str) -> None:
    """A connected location's own word on a request of ours; what the machine does not know in this state is no news."""
    row = tx.execute(ONE, {"number": reference}).first()
    if row is not None and (row.state, event) in FULFILMENT.table:
        found = Fulfilment(*row)
        _set(tx, found, FULFILMENT.after(found.state, event), pending=False)
        deadlines.met(tx, found.subject_id, "answer", found.number)


def cancel_open(tx: Connection, subject: int) -> list[Fulfilment]:
    """What has not left is not to leave: the order was cancelled, or is sourced anew. Answers what was open."""
    cancelled = [one for one in of(tx, subject) if (one.state, "cancel") in FULFILMENT.table or one.state == "no_show"]
    for one in cancelled:
        _set(tx, one, "cancelled", pending=False)
        for kind in ("answer", "pickup"):
            deadlines.void(tx, subject, kind, one.number)
        cases.leave(tx, f"fulfilment:{one.id}")
    return cancelled


def let_go(tx: Connection, subject: int) -> bool:
    """All from whom something was taken back have let go of it: what is left may be asked of others. False where no request is left that says so
    (they have sent it after all)."""
    return bool(tx.execute(LET_GO, {"subject": subject}).all())


def pending(tx: Connection, most: int = 200) -> Sequence[int]:
    return list(tx.execute(PENDING, {"most": most}).scalars())


def to_follow(tx: Connection, numbers: Sequence[str]) -> list[Ring]:
    """Requests that a worker has to carry to their locations; ring the answer after the commit."""
    return [Ring(FOLLOW, HUB, int(one)) for one in tx.execute(FOLLOWING, {"numbers": list(numbers)}).scalars()]


def followed(tx: Connection, fulfilment: int) -> None:
    tx.execute(DONE, {"id": fulfilment})


# ---- moving


def locked(tx: Connection, number: str) -> Fulfilment:
    """The subject first, as everywhere. Raises Refused where there is no such request."""
    tx.execute(LOCK, {"number": number})
    row = tx.execute(ONE, {"number": number}).first()
    if row is None:
        raise Refused("unknown", f"There is no request {number}.")
    return Fulfilment(*row)


def move(
    tx: Connection,
    found: Fulfilment,
    event: str,
    after: str,
    who: str,
    why: str = "",
    trackings: Sequence[Mapping[str, str]] = (),
) -> list[Ring]:
    """One move of the machine. Said twice it changes nothing; what the machine does not know is refused with the state it is in."""
    if found.state == after:
        return []
    if FULFILMENT.table.get((found.state, event)) != after:
        raise impossible(found, event)
    _set(tx, found, after, pending=after in NEWS, trackings=trackings)
    deadlines.met(tx, found.subject_id, "answer", found.number)
    if after == "accepted":
        states.advance(tx, found.subject_id, "order", "", "release", found.location)
    waybill = found.number.partition("-")[0]
    was, now = {"state": found.state}, {"state": after, "fulfilment": found.number}
    audit(tx, who, f"{event.replace('_', ' ')} fulfilment", f"order:{waybill}", why, was, now)
    return [Ring(FOLLOW, HUB, found.id)] if after in NEWS else []


def impossible(found: Fulfilment, event: str) -> Refused:
    state = found.state.replace("_", " ")
    return Refused(f"is_{found.state}", f"{found.number} is {state}: {event.replace('_', ' ')} is not possible.")


def _set(tx: Connection, found: Fulfilment, state: str, *, pending: bool, trackings: Sequence[Any] = ()) -> None:
    for line in found.lines if state in ("rejected", "timed_out", "refused", "cancelled") else ():
        if "instead_of" in line:  # what goes out in its place does not go out: what was sold is wanted again
            reservations.restore(tx, found.subject_id, line["line_id"], line["instead_of"])
    kept = Jsonb([dict(one) for one in trackings or found.trackings])
    tx.execute(MOVE, {"id": found.id, "state": state, "pending": pending, "trackings": kept})
