"""Fulfilments: one request to one location for some of an order's pieces, as it is kept and moved."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.bell import HUB, Ring
from app.journal.actions import audit
from app.orders import allotting, deadlines, states
from app.orders.machines import FULFILMENT
from app.orders.refused import Refused
from app.orders.sourcing import Leg
from app.orders.sourcing_rules import Location
from app.orders.wants import PICKUP, Want
from app.stock import reservations
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking

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
DONE = text("UPDATE fulfilments SET pending = false WHERE id = :id")
PENDING = text("SELECT id FROM fulfilments WHERE pending ORDER BY id LIMIT :most")
OPEN = frozenset(("proposed", "requested", "accepted", "picked", "packed", "ready", "no_show"))
NEWS = frozenset(
    ("rejected", "timed_out", "ready", "collected", "refused", "shipped", "no_show")
)  # a worker has to do something about these
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


def pending(tx: Connection, most: int = 200) -> Sequence[int]:
    return list(tx.execute(PENDING, {"most": most}).scalars())


def to_follow(tx: Connection, numbers: Sequence[str]) -> list[Ring]:
    """Requests that a worker has to carry to their locations; ring the answer after the commit."""
    return [Ring(FOLLOW, HUB, int(one)) for one in tx.execute(FOLLOWING, {"numbers": list(numbers)}).scalars()]


def followed(tx: Connection, fulfilment: int) -> None:
    tx.execute(DONE, {"id": fulfilment})


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
    set_(tx, found, after, pending=after in NEWS, trackings=trackings)
    deadlines.met(tx, found.subject_id, "answer", found.number)
    if after == "accepted":
        states.advance(tx, found.subject_id, "order", "", "release", found.location)
    allotting.follow(tx, found.subject_id, found.location)
    waybill = found.number.partition("-")[0]
    was, now = {"state": found.state}, {"state": after, "fulfilment": found.number}
    audit(tx, who, f"{event.replace('_', ' ')} fulfilment", f"order:{waybill}", why, was, now)
    return [Ring(FOLLOW, HUB, found.id)] if after in NEWS else []


def impossible(found: Fulfilment, event: str) -> Refused:
    state = found.state.replace("_", " ")
    return Refused(f"is_{found.state}", f"{found.number} is {state}: {event.replace('_', ' ')} is not possible.")


def set_(tx: Connection, found: Fulfilment, state: str, *, pending: bool, trackings: Sequence[Any] = ()) -> None:
    for line in found.lines if state in ("rejected", "timed_out", "refused", "cancelled") else ():
        if "instead_of" in line:  # what goes out in its place does not go out: what was sold is wanted again
            reservations.restore(tx, found.subject_id, line["line_id"], line["instead_of"])
    kept = Jsonb([dict(one) for one in trackings or found.trackings])
    tx.execute(MOVE, {"id": found.id, "state": state, "pending": pending, "trackings": kept})
