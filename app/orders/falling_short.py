"""Falling short: a connected location says that it cannot send what it was asked for, or the rest of it; that is asked of others by the rules.

Cancelled there is let go of. What it only cannot send now may leave after all: it is withdrawn first, and asked of others once that is confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app import cases
from app.orders import covering, deadlines, fulfilments, sharing
from app.orders.difference import GONE
from app.orders.fulfilments import Fulfilment
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, ShipmentStatus

LET_GO = text("""
UPDATE fulfilments f SET pending = true FROM fulfilments asked
WHERE asked.number = :number AND f.subject_id = asked.subject_id AND f.state = 'rejected'
    AND f.why = asked.account || ' cannot send all of ' || :number
""")
REJECTED = text(
    "UPDATE fulfilments SET state = 'rejected', why = :why, pending = true, updated_at = now() WHERE id = :id"
)
ZERO = Decimal(0)
NOT_NOW, NOT_EVER = ShipmentStatus.FAILED, ShipmentStatus.CANCELLED
WAITS = frozenset(("requested", "accepted", "picked", "packed"))


@dataclass(frozen=True, slots=True)
class Short:
    """`rest` is the request that the pieces became; `asked` is what its location knows them by, to be withdrawn there unless it `let_go` of them."""

    rest: Fulfilment
    asked: Fulfilment
    let_go: bool


def told(tx: Connection, account: str, number: str, order: Order, word: Shipment) -> Short | None:
    """A location's word on a parcel that will not leave; None where it says nothing new of a request of ours. The subject is locked by the caller.

    A parcel that had left before and was not delivered is none of these.
    """
    if word.status not in (NOT_NOW, NOT_EVER) or any(
        (one.origin, one.id) == (word.origin, word.id) and one.status in GONE for one in order.shipments
    ):
        return None
    row = tx.execute(fulfilments.ONE, {"number": number}).first()
    found = Fulfilment(*row) if row is not None else None
    if found is None or found.account != account or found.purchase:
        return None
    pieces = _pieces(found, _still_there(order, found, fulfilments.of(tx, found.subject_id)), word)
    if not pieces:
        if word.status is NOT_EVER:
            let_go(tx, number)
        return None
    given, kept = sharing.part(found, pieces)
    gone, why = word.status is NOT_EVER, _why(account, number)
    if kept:
        tx.execute(fulfilments.LINES, {"id": found.id, "lines": Jsonb(kept)})
        rest = sharing.split(tx, found, given, "rejected", why)
    else:
        rest = replace(found, state="rejected")
        tx.execute(REJECTED, {"id": found.id, "why": why})
        deadlines.met(tx, found.subject_id, "answer", number)
    if not gone:
        fulfilments.followed(tx, rest.id)  # for now: it is followed once the withdrawal is confirmed
    return Short(rest, replace(found, lines=given), gone)


def let_go(tx: Connection, number: str) -> None:
    """A location has let go of what it could not send of a request: a worker asks others for it."""
    cases.leave(tx, f"short:{number}")
    tx.execute(LET_GO, {"number": number})


def ask_a_person(tx: Connection, short: Short, waybill: str) -> None:
    """Where the location cannot be told to stop a part."""
    pieces = ", ".join(f"{want.quantity.normalize():f} x {want.sku}" for want in short.rest.wants)
    cases.open_case(
        tx,
        "unsourced",
        short.asked.account,
        "cannot_send",
        f"{short.asked.account} cannot send {pieces} of {short.asked.number} ({waybill}) and cannot be told by us to stop.",
        member=f"short:{short.asked.number}",
        subject=short.asked.subject_id,
        role="warehouse",
        cause=short.asked.number,
        remedy="Have them stop these pieces there; once they tell that they are cancelled, the rest is asked of others by itself.",
    )


def _why(account: str, number: str) -> str:
    return f"{account} cannot send all of {number}"


def _still_there(order: Order, found: Fulfilment, asked: Any) -> Mapping[str, Decimal]:
    """Line id -> pieces of the request that have not left."""
    if found.state in WAITS:
        return {want.line_id: want.quantity for want in found.wants}
    if found.state not in covering.LEAVING:
        return {}
    mine = [one for one in asked if one.account == found.account]
    coming = covering.coming(order, mine)
    return {
        want.line_id: min(want.quantity, coming[want.line_id])
        for want in found.wants
        if coming.get(want.line_id, ZERO) > 0
    }


def _pieces(found: Fulfilment, there: Mapping[str, Decimal], word: Shipment) -> dict[str, Decimal]:
    """Line id -> pieces that the word is about: those it names by SKU, all that are still there where it names none."""
    if not word.lines:
        return dict(there)
    named: dict[str, Decimal] = {}
    for line in word.lines:
        named[line.sku] = named.get(line.sku, ZERO) + line.quantity
    pieces: dict[str, Decimal] = {}
    for want in found.wants:
        many = min(there.get(want.line_id, ZERO), named.get(want.sku, ZERO))
        if many > 0:
            pieces[want.line_id] = pieces.get(want.line_id, ZERO) + many
            named[want.sku] -= many
    return pieces
