"""Parts of a request: pieces that are given back, sent, handed over or refused by themselves; what is left of it goes on by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.bell import HUB, Ring
from app.journal.actions import audit
from app.orders import deadlines, fulfilling, fulfilments, pickups
from app.orders.fulfilments import FOLLOW, Fulfilment
from app.orders.machines import FULFILMENT
from app.orders.refused import Refused
from app.orders.wants import PICKUP
from app.stock import reservations

ZERO = Decimal(0)
Pieces = Mapping[str, Decimal]  # line id -> pieces; empty: all of the request
Line = dict[str, Any]
SPLIT = text("""
INSERT INTO fulfilments (subject_id, number, location, account, method, state, round, lines, rules, why, purchase, promised_at, verify, pending)
SELECT subject_id, split_part(number, '-', 1) || '-F' || (SELECT count(*) + 1 FROM fulfilments o WHERE o.subject_id = f.subject_id),
    location, account, method, :state, round, :lines, rules, :why, purchase, promised_at,
    CASE WHEN :state = 'ready' THEN verify ELSE '' END, :pending
FROM fulfilments f WHERE id = :id RETURNING id, number
""")
REST = text("SELECT number FROM fulfilments WHERE subject_id = :subject AND why = :why ORDER BY id LIMIT 1")
ON_ITS_WAY = frozenset(("accepted", "picked", "packed"))


def reject(tx: Connection, number: str, who: str, why: str, pieces: Pieces) -> list[Ring]:
    """Only these pieces are not to be had: they are offered elsewhere. Raises Refused."""
    found = fulfilling.spoken(tx, number)
    given, kept = part(found, pieces)
    if not kept:
        return fulfilling.reject(tx, number, who, why)
    event = "give_back" if found.state == "accepted" else "reject"
    _possible(found, event, "rejected")
    row = _taken_out(tx, found, given, kept, "rejected", why)
    _note(tx, found, who, f"{event.replace('_', ' ')} part of fulfilment", why, given, row.number)
    return [Ring(FOLLOW, HUB, row.id)]


def refuse(tx: Connection, number: str, who: str, why: str, pieces: Pieces) -> list[Ring]:
    """A pickup's customer does not want these pieces: they go back on the shelf and off the order. Raises Refused."""
    found = pickups.pickup(tx, number)
    given, kept = part(found, pieces)
    if not kept:
        return pickups.refuse(tx, number, who, why)
    _possible(found, "refuse", "refused")
    row = _taken_out(tx, found, given, kept, "refused", why)
    _note(tx, found, who, "refuse part of fulfilment", why, given, row.number)
    return [Ring(FOLLOW, HUB, row.id)]


def collect(tx: Connection, number: str, who: str, code: str, pieces: Pieces, why: str = "") -> list[Ring]:
    """Only these pieces are handed over; the rest is kept for its customer under the same code and until the same hour. Raises Refused."""
    found = pickups.pickup(tx, number)
    given, kept = part(found, pieces)
    if kept:
        _possible(found, "collect", "collected")
        tx.execute(fulfilments.LINES, {"id": found.id, "lines": Jsonb(given)})
        row = split(tx, found, kept, "ready", _rest(number))
        deadlines.also(tx, found.subject_id, "pickup", number, row.number)
        _note(tx, found, who, "collect part of fulfilment", why, given, row.number)
    return pickups.collect(tx, number, who, code, why)


def ship(
    tx: Connection,
    number: str,
    who: str,
    trackings: Sequence[Mapping[str, str]],
    pieces: Pieces,
    why: str = "",
) -> list[Ring]:
    """Only these pieces have left; the rest is a request of its own that was accepted. Raises Refused."""
    found = fulfilling.spoken(tx, number)
    given, kept = part(found, pieces)
    if kept and found.method != PICKUP:
        _possible(found, "ship", "shipped")
        tx.execute(fulfilments.LINES, {"id": found.id, "lines": Jsonb(given)})
        row = split(tx, found, kept, found.state if found.state in ON_ITS_WAY else "accepted", _rest(number))
        _note(tx, found, who, "ship part of fulfilment", why, given, row.number)
    return fulfilling.ship(tx, number, who, trackings, why)


def rest_of(tx: Connection, found: Fulfilment) -> str:
    """The request that the rest of this one became; empty where all of it went together."""
    return str(tx.execute(REST, {"subject": found.subject_id, "why": _rest(found.number)}).scalar() or "")


def part(found: Fulfilment, pieces: Pieces) -> tuple[list[Line], list[Line]]:
    """(these pieces, the others) of a request's lines. Raises Refused for more than is on it."""
    asked = pieces or {want.line_id: want.quantity for want in found.wants}
    known = {want.line_id: want.quantity for want in found.wants}
    if any(many <= 0 or many > known.get(line, ZERO) for line, many in asked.items()):
        raise Refused("not_that_many", f"{found.number} has not so many of these lines.")
    given: list[Line] = []
    kept: list[Line] = []
    for line in found.lines:
        many, whole = asked.get(line["line_id"], ZERO), Decimal(line["quantity"])
        given += [_of(line, many)] if many else []
        kept += [_of(line, whole - many)] if many < whole else []
    return given, kept


def split(tx: Connection, found: Fulfilment, lines: list[Line], state: str, why: str) -> Fulfilment:
    """A further request of the same location, in a state of its own; what follows from a rejected one is a worker's to do."""
    row = {
        "id": found.id,
        "lines": Jsonb(lines),
        "state": state,
        "why": why,
        "pending": state in ("rejected", "refused"),
    }
    made = tx.execute(SPLIT, row).one()
    return replace(found, id=made.id, number=made.number, state=state, lines=lines)


def _taken_out(
    tx: Connection, found: Fulfilment, given: list[Line], kept: list[Line], state: str, why: str
) -> Fulfilment:
    """Pieces that do not go out with the rest become a request of their own in `state`."""
    if any("instead_of" in one and one["line_id"] in {line["line_id"] for line in kept} for one in given):
        raise Refused("not_in_parts", f"{found.number}: a substituted line is given back as a whole.")
    for line in given:
        if "instead_of" in line:
            reservations.restore(tx, found.subject_id, line["line_id"], line["instead_of"])
    tx.execute(fulfilments.LINES, {"id": found.id, "lines": Jsonb(kept)})
    return split(tx, found, given, state, why)


def _rest(number: str) -> str:
    return f"the rest of {number}"


def _possible(found: Fulfilment, event: str, after: str) -> None:
    if FULFILMENT.table.get((found.state, event)) != after:
        raise fulfilments.impossible(found, event)


def _note(tx: Connection, found: Fulfilment, who: str, action: str, why: str, given: list[Line], other: str) -> None:
    pieces = {line["line_id"]: line["quantity"] for line in given}
    told = {"fulfilment": found.number, "pieces": pieces, "other": other}
    audit(tx, who, action, f"order:{found.number.partition('-')[0]}", why, {"state": found.state}, told)


def _of(line: Mapping[str, Any], many: Decimal) -> Line:
    return {**line, "quantity": f"{many.normalize():f}"}
