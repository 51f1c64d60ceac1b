"""Arriving: goods that a warehouse says it received back are the count of the return that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from app.journal import links
from app.orders import counting, disposing, inspecting, return_requests, returning
from app.orders.life import QUARANTINE, ZERO
from app.orders.refused import Refused
from app.orders.return_requests import ALIVE, CHANNELS, ReturnRow
from connectors.canonical.order import Order
from connectors.canonical.returns import Return, ReturnLine

KIND = "arrival"  # of the link from our return to the warehouse's
DISPOSITIONS: Mapping[str, str] = {condition: word for word, condition in disposing.CONDITIONS.items()}
Parts = Mapping[str, Mapping[str, Decimal]]  # line id -> disposition -> pieces


@dataclass(frozen=True, slots=True)
class Arrival:
    """`told` in our SKUs and place; a condition that is none of disposing.CONDITIONS is one to be looked at.

    `reference` is what the warehouse was told to call it.
    """

    account: str
    told: Return
    reference: str


@dataclass(frozen=True, slots=True)
class Match:
    """The return, how the pieces lie on its lines, and whether they were counted before (at the desk, or told by this warehouse)."""

    row: ReturnRow
    parts: Parts
    known: bool


def match(tx: Connection, subject: int, order: Order, arrival: Arrival) -> Match:
    """The return named by the reference, else the one that the pieces are of: exactly, or the only one that has them.

    Raises Refused with the reason where there is none, or more than one.
    """
    if not any(line.received_quantity for line in arrival.told.lines):
        raise Refused("empty", f"{arrival.account} received {arrival.told.id} with nothing in it.")
    rows = _candidates(tx, subject, order, arrival)
    fits = [Match(row, parts, known=False) for row in rows if (parts := _laid(row, order, arrival.told)) is not None]
    coming = [one for one in fits if one.row.state in ALIVE]
    exact = [one for one in coming if _announced(one)]
    if exact or len(coming) == 1:
        return (exact or coming)[0]
    counted = [Match(one.row, one.parts, known=True) for one in fits if standing(one.row) == one.parts]
    if counted:
        return counted[-1]
    raise Refused("no_return", _why(order, arrival, rows, coming))


def receive(tx: Connection, subject: int, order: Order, arrival: Arrival, found: Match) -> ReturnRow:
    """Counts the goods in as the desk does: what is of one condition goes there, what is mixed into quarantine (`sort` parts it once the return was
    followed). Raises Refused for a place that is none of ours and for more pieces than have left."""
    told, row = arrival.told, found.row
    counting.must(tx, told.location)
    counted = {line: (sum(one.values(), ZERO), _lies(one)) for line, one in found.parts.items()}
    who = {"who": arrival.account, "why": f"received there as {told.id}", "at": told.at}
    received = returning.receive(tx, row.number, order, counted, location=told.location, **who)  # type: ignore[arg-type]
    bind(tx, subject, arrival, row)
    return received


def bind(tx: Connection, subject: int, arrival: Arrival, row: ReturnRow) -> None:
    """From now on this return is what the warehouse calls so, and no other."""
    links.link(tx, arrival.account, KIND, row.number, arrival.told.id, subject)


def sort(tx: Connection, order: Order, arrival: Arrival, found: Match) -> None:
    """The pieces of a line in several conditions leave quarantine as the warehouse told."""
    for line, parts in found.parts.items():
        for disposition, pieces in parts.items() if len(parts) > 1 else ():
            if disposition != QUARANTINE:
                number, at = found.row.number, arrival.told.at
                inspecting.dispose(tx, number, order, line, disposition, arrival.account, pieces, at=at)


def standing(row: ReturnRow) -> Parts:
    """How the pieces of a return were counted."""
    found: dict[str, dict[str, Decimal]] = {}
    for line in row.lines:
        if line.received:
            there = found.setdefault(line.line_id, {})
            there[line.disposition] = there.get(line.disposition, ZERO) + line.received
    return found


def _candidates(tx: Connection, subject: int, order: Order, arrival: Arrival) -> Sequence[ReturnRow]:
    """The return that goes by the warehouse's id or by the reference, else all that no other arrival there was."""
    rows, name = return_requests.of(tx, subject), arrival.reference
    bound = {
        ours: theirs
        for who, kind, ours, theirs in links.of_subject(tx, subject)
        if (who, kind) == (arrival.account, KIND)
    }
    mine = [row for row in rows if bound.get(row.number) == arrival.told.id]
    keys = {f"{CHANNELS}{one.id}" for one in order.returns if name in (one.id, one.number)} if name else set()
    named = [row for row in rows if row.number == name.upper() or row.key in keys]
    return mine or named or [row for row in rows if row.number not in bound]


def _laid(row: ReturnRow, order: Order, told: Return) -> Parts | None:
    """The pieces on the return's lines, each as far as it was announced, what is more on the last of its article; None where one is on no line."""
    room: dict[str, Decimal] = {}
    for line in row.lines:
        here = line.quantity if row.state in ALIVE else line.received or ZERO
        room[line.line_id] = room.get(line.line_id, ZERO) + here
    skus = {line.id: line.sku for line in order.lines}
    found: dict[str, dict[str, Decimal]] = {}
    for one in told.lines:
        mine = [line for line in room if line == one.line_id or (not one.line_id and skus.get(line) == one.sku)]
        if one.received_quantity and not mine:
            return None
        _lay(one, mine, room, found)
    return found


def _lay(one: ReturnLine, mine: Sequence[str], room: dict[str, Decimal], found: dict[str, dict[str, Decimal]]) -> None:
    left, word = one.received_quantity or ZERO, DISPOSITIONS.get(one.condition, QUARANTINE)
    for line in mine:
        here = left if line == mine[-1] else min(left, max(ZERO, room[line]))
        left, room[line] = left - here, room[line] - here
        if here:
            there = found.setdefault(line, {})
            there[word] = there.get(word, ZERO) + here


def _announced(found: Match) -> bool:
    """Whether exactly these pieces were to come."""
    came = {line: sum(one.values(), ZERO) for line, one in found.parts.items()}
    return came == {line.line_id: line.quantity for line in found.row.lines}


def _lies(parts: Mapping[str, Decimal]) -> str:
    return next(iter(parts)) if len(parts) == 1 else QUARANTINE


def _why(order: Order, arrival: Arrival, rows: Sequence[ReturnRow], coming: Sequence[Match]) -> str:
    goods = ", ".join(f"{one.received_quantity or 0:f} {one.sku}" for one in arrival.told.lines)
    came = f"{arrival.account} received {goods} of order {order.number} back ({arrival.told.id})"
    if len(coming) > 1:
        return f"{came}, which may be of {' or '.join(one.row.number for one in coming)}."
    if any(row.state not in ALIVE and row.lines and standing(row) for row in rows):
        return f"{came}; no return is open for that, and what was counted before is not the same."
    return f"{came}, but no return of it was to bring that."
