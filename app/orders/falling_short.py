"""Falling short: a connected location or supplier cannot send what it was asked for, or the rest of it; that is asked of others by the rules.

Cancelled there is let go of. What it only cannot send now may leave after all: it is withdrawn first, and asked of others once that is confirmed.
Where no rules chose the location nobody else can be asked: a person is.
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
from app.orders.fulfilments import Fulfilment
from app.orders.shipping import to_ship
from connectors.canonical.order import Order
from connectors.canonical.shipment import GONE, Shipment, ShipmentStatus

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
    if found is None or found.account != account:
        return None
    pieces = _pieces(found, _still_there(order, found, fulfilments.of(tx, found.subject_id)), word)
    if not pieces:
        if word.status is NOT_EVER:
            let_go(tx, number)
        return None
    gone, rest = word.status is NOT_EVER, take_out(tx, found, pieces)
    if not gone:
        fulfilments.followed(tx, rest.id)  # for now: it is followed once the withdrawal is confirmed
    return Short(rest, replace(found, lines=rest.lines), gone)


def take_out(tx: Connection, found: Fulfilment, pieces: Mapping[str, Decimal]) -> Fulfilment:
    """Line id -> pieces that do not leave with the request: they are one of their own that was rejected, or all of it was; a worker follows."""
    given, kept = sharing.part(found, pieces)
    why = _why(found.account, found.number)
    if kept:
        tx.execute(fulfilments.LINES, {"id": found.id, "lines": Jsonb(kept)})
        return sharing.split(tx, found, given, "rejected", why)
    tx.execute(REJECTED, {"id": found.id, "why": why})
    deadlines.met(tx, found.subject_id, "answer", found.number)
    return replace(found, state="rejected", lines=given)


def fell_short_of(rest: Fulfilment) -> str:
    """The number of the request that these pieces were to leave with (its own where all of it was); empty where nobody fell short of them."""
    before = _why(rest.account, "")
    return rest.why.removeprefix(before) if rest.account and rest.why.startswith(before) else ""


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
        remedy="Have them stop these pieces there; once they tell that they are cancelled, the rest is asked of others by itself. "
        f"If they only confirm it by telephone, say so on the page of request {short.rest.number}; or keep waiting there.",
    )


def unruled(tx: Connection, setting: Unruled, word: Shipment) -> None:
    """The word of the warehouse of an order that no rules sourced: nobody else can be asked, so a person is."""
    if word.status not in (NOT_NOW, NOT_EVER) or word.shipped_at is not None:
        return
    order, left = setting.order, _unsent(setting.order, word)
    if not left:
        return
    pieces = ", ".join(f"{many.normalize():f} x {sku}" for sku, many in left.items())
    cases.open_case(
        tx,
        "unsourced",
        setting.account,
        "cannot_send",
        f"{setting.account} cannot send {pieces} of {setting.waybill} ({order.number}).",
        member=_member(setting.subject),
        subject=setting.subject,
        role="warehouse",
        cause=setting.waybill,
        remedy="No sourcing rules chose it, so nobody else is asked by itself: have it sent after all, or cancel the pieces in the channel. "
        "The case ends by itself once nothing of the order is left to be sent.",
    )


@dataclass(frozen=True, slots=True)
class Unruled:
    """An order that its route's warehouse sends as a whole."""

    subject: int
    waybill: str
    account: str
    order: Order


def look(tx: Connection, subject: int, order: Order) -> None:
    """Nothing is left to be sent any more: nobody has to see to it. Costs nothing where no parcel stayed behind."""
    stayed = any(one.status in (NOT_NOW, NOT_EVER) for one in order.shipments)
    if stayed and (order.cancelled_at is not None or not to_ship(order)):
        cases.leave(tx, _member(subject))


def _unsent(order: Order, word: Shipment) -> dict[str, Decimal]:
    """SKU -> pieces of the word that are still to be sent; all that are where it names none."""
    still: dict[str, Decimal] = {}
    skus = {line.id: line.sku for line in order.lines}
    for line, many in to_ship(order).items() if order.cancelled_at is None else ():
        still[skus[line]] = still.get(skus[line], ZERO) + many
    if not word.lines:
        return still
    named: dict[str, Decimal] = {}
    for piece in word.lines:
        sku = piece.sku or skus.get(piece.line_id, "")
        named[sku] = named.get(sku, ZERO) + piece.quantity
    return {sku: min(many, still[sku]) for sku, many in named.items() if still.get(sku, ZERO) > 0}


def _member(subject: int) -> str:
    return f"unsent:{subject}"


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
