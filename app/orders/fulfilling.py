"""What a location says of a request that is to be sent, and what the hub and time say of any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app import cases
from app.bell import Ring
from app.journal.actions import audit
from app.orders import allotting, deadlines, fulfilments, rules, states
from app.orders.fulfilments import LINES, ONE, Fulfilment
from app.orders.machines import FULFILMENT
from app.orders.refused import Refused
from app.orders.wants import PICKUP
from app.stock import reservations

LET_GO = text("""
UPDATE fulfilments SET pending = true WHERE subject_id = :subject AND (state = 'timed_out' AND purchase
    OR id = (SELECT max(id) FROM fulfilments WHERE subject_id = :subject AND state = 'cancelled')) RETURNING id
""")


def accept(tx: Connection, number: str, who: str, why: str = "") -> list[Ring]:
    return fulfilments.move(tx, spoken(tx, number), "accept", "accepted", who, why)


def pick(tx: Connection, number: str, who: str, why: str = "") -> list[Ring]:
    """Taken off the shelf."""
    return fulfilments.move(tx, spoken(tx, number), "pick", "picked", who, why)


def pack(tx: Connection, number: str, who: str, why: str = "") -> list[Ring]:
    return fulfilments.move(tx, spoken(tx, number), "pack", "packed", who, why)


def reject(tx: Connection, number: str, who: str, why: str) -> list[Ring]:
    """Before it is accepted, or after: not found on the shelf. The pieces are offered elsewhere."""
    found = spoken(tx, number)
    return fulfilments.move(tx, found, "give_back" if found.state == "accepted" else "reject", "rejected", who, why)


def ship(tx: Connection, number: str, who: str, trackings: Sequence[Mapping[str, str]], why: str = "") -> list[Ring]:
    found = spoken(tx, number)
    if found.method == PICKUP:
        raise Refused("is_a_pickup", f"{number} is to be fetched, not sent.")
    return fulfilments.move(tx, found, "ship", "shipped", who, why, trackings)


def spoken(tx: Connection, number: str) -> Fulfilment:
    """A request, locked, whose location speaks by our API or through a person. Raises Refused where an account of its own tells us."""
    found = fulfilments.locked(tx, number)
    if found.account:
        raise Refused("answers_itself", f"{number} was asked of {found.account}, which answers by itself.")
    return found


def substitute(tx: Connection, number: str, who: str, line_id: str, sku: str, why: str) -> list[Ring]:
    """Another article goes out in place of a line's, as its customer has agreed (`why`); nothing of its price changes. Said twice it is once.

    Only where a store is told by our own API: whoever was sent the request already has it in his own words.
    """
    found = fulfilments.locked(tx, number)
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


def time_out(tx: Connection, number: str) -> list[Ring]:
    """No answer by the hour: the pieces are offered elsewhere. Answered at the last moment it is left alone."""
    found = fulfilments.locked(tx, number)
    return fulfilments.move(tx, found, "time_out", "timed_out", "hub") if found.state == "requested" else []


def told_by_account(tx: Connection, reference: str, event: str) -> None:
    """A connected location's own word on a request of ours; what the machine does not know in this state is no news."""
    row = tx.execute(ONE, {"number": reference}).first()
    if row is not None and (row.state, event) in FULFILMENT.table:
        found = Fulfilment(*row)
        fulfilments.set_(tx, found, FULFILMENT.after(found.state, event), pending=False)
        deadlines.met(tx, found.subject_id, "answer", found.number)
        if event != "ship":  # its parcel moves the lines
            allotting.follow(tx, found.subject_id, found.account)


def cancel_open(tx: Connection, subject: int) -> list[Fulfilment]:
    """What has not left is not to leave: the order was cancelled, or is sourced anew. Answers what was open."""
    cancelled = [
        one
        for one in fulfilments.of(tx, subject)
        if (one.state, "cancel") in FULFILMENT.table or one.state == "no_show"
    ]
    for one in cancelled:
        fulfilments.set_(tx, one, "cancelled", pending=False)
        for kind in ("answer", "pickup"):
            deadlines.void(tx, subject, kind, one.number)
        cases.leave(tx, f"fulfilment:{one.id}")
    return cancelled


def let_go(tx: Connection, subject: int) -> bool:
    """All from whom something was taken back have let go of it: what is left may be asked of others. False where no request is left that says so
    (they have sent it after all)."""
    return bool(tx.execute(LET_GO, {"subject": subject}).all())
