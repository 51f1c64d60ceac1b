"""Orders of a channel without a connector: told, looked at, cancelled in whole or by the piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import orjson
from flask import Response, request, url_for
from sqlalchemy import Connection, text

from app.database import transaction
from app.journal import events, subjects
from app.journal.subjects import Subject
from app.orders import return_requests
from app.orders.shipping import to_ship
from app.orders.whereabouts import whereabouts
from app.stock.counter import at_the_counter, carried
from app.web.api import once, partner, reservations, schemas
from app.web.api import schemas_orders as shapes
from app.web.api.partner import Looked, Taken
from app.web.api.problems import Problem
from app.web.api.resource import Resource
from connectors.canonical.gate import equation
from connectors.canonical.money import CurrencyMismatch
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Snapshot

resource = Resource(
    "api_orders", __name__, url_prefix="/api/v1/orders", description="Orders, from placing to the last parcel."
)
READ, WRITE, CANCEL = "orders:read", "orders:write", "cancellations:write"
NOT_HERE = frozenset(("declined", "cancelled"))  # returns of which nothing came back, nor will
CONFLICT = {404: schemas.ProblemShape, 409: schemas.ProblemShape}
STATES = text(
    "SELECT machine, part, state, since FROM order_states WHERE subject_id = :subject ORDER BY machine, part LIMIT 2000"
)
LAST = text("SELECT told FROM subjects WHERE id = :subject")
TOLD = text("UPDATE subjects SET told = :told WHERE id = :subject")
FIND = text("SELECT waybill FROM subjects WHERE kind = 'order' AND account = :account AND external_id = :id")


@resource.on("POST", "", WRITE, {202: shapes.Kept, **CONFLICT}, takes=shapes.Told, once=True, also=[reservations.HELD])
def placed(asked: Mapping[str, Any]) -> Response:
    """The order as it stands now. It is kept before this is answered, and carried on from there. Told otherwise it is an edit, unless its
    `updated_at` (`placed_at` where that is left out) is older than what is known; of equal ones what is told last holds."""
    once.key()
    body = request.get_data()
    told = partner.read("order", body)
    assert isinstance(told, Snapshot)
    order = cast(Order, told.document)
    adds_up(order)
    return partner.take(lambda tx, taken: _kept(tx, taken, order, body))


def _kept(tx: Connection, taken: Taken, order: Order, body: bytes) -> Response:
    subject = subjects.lock(tx, "order", taken.account, order.id)
    held = request.headers.get("Waybill-Reservation")
    if held:
        reservations.hand_over(tx, held, subject.id, order)
    found = taken.accept(tx, "order", _delivery(tx, subject.id, f"order:{order.id[:200]}:{partner.digest(body)}"), body)
    words = {"waybill": subject.waybill, "id": order.id, "duplicate": not found.fresh}
    return partner.said(words, 202, {"Location": url_for("api_orders.one", waybill=subject.waybill)})


def _delivery(tx: Connection, subject: int, content: str) -> str:
    """The delivery's own id: that of the last one when it says the same; what is told again after something else is new."""
    last = str(tx.execute(LAST, {"subject": subject}).scalar_one())
    if last.startswith(content):
        return last
    told = f"{content}:{partner.named(once.key())}" if last else content
    tx.execute(TOLD, {"subject": subject, "told": told})
    return told


def adds_up(order: Order) -> None:
    """Raises Problem 422: nothing is taken that is a cent off."""
    try:
        sums = equation(order)
    except CurrencyMismatch as mixed:
        raise Problem(422, "currencies_mixed", f"{mixed}.") from None
    if not sums.holds:
        words = f"The parts of the order make {sums.sum}, its total is {sums.total}."
        raise Problem(422, "money_gate", words, difference=str(sums.difference.amount), currency=sums.total.currency)


@resource.on("GET", "", READ, {200: shapes.Standings, 409: schemas.ProblemShape}, takes=shapes.ById, place="query")
def found(asked: Mapping[str, str]) -> Response:
    """The order that you know by this id; none where there is none."""
    account = partner.channel()
    with transaction() as tx:
        waybill = tx.execute(FIND, {"account": account, "id": asked["id"]}).scalar()
        rows = [_standing(tx, partner.look(tx, str(waybill)))] if waybill else []
    return partner.said({"orders": rows}, 200)


@resource.on("GET", "/<waybill>", READ, {200: shapes.Standing, **CONFLICT})
def one(waybill: str) -> Response:
    """Where it is, what has left, and what happens next."""
    with transaction() as tx:
        return partner.said(_standing(tx, partner.look(tx, waybill)), 200)


def _standing(tx: Connection, subject: Looked) -> dict[str, Any]:
    name = {"waybill": subject.waybill, "id": subject.external_id}
    where = whereabouts(tx, subject.waybill)
    if where is None:
        sentence = {"sentence": "We have it, and read it next.", "next": "It is received within moments."}
        return {**name, "state": "accepted", **sentence, "parcels": [], "back": [], "parts": []}
    told = asdict(where)
    for parcel in told["parcels"]:
        parcel["pieces"] = [{**piece, "quantity": f"{piece['quantity']:f}"} for piece in parcel["pieces"]]
    parts = [dict(row) for row in tx.execute(STATES, {"subject": subject.id}).mappings()]
    return {**name, **told, "parts": parts}


@resource.on(
    "POST", "/<waybill>/cancellations", CANCEL, {202: shapes.Kept, **CONFLICT}, takes=shapes.Cancellation, once=True
)
def cancelled(asked: Mapping[str, Any], waybill: str) -> Response:
    """Takes pieces, or all of it, off an order, as far as they have not left. What has left can only come back (returns); so can what was carried
    home from a till, whose sale may be voided as a whole as long as nothing of it came back."""
    name = partner.named(once.key())
    return partner.take(lambda tx, taken: _cancel(tx, taken, waybill, asked, name))


def _cancel(tx: Connection, taken: Taken, waybill: str, asked: Mapping[str, Any], name: str) -> Response:
    subject = partner.mine(tx, waybill)
    order = known(subject)
    before = [orjson.loads(body) for body in events.unread_of(tx, subject.id, "cancellation")]
    _may_cancel(order, asked["lines"], before)
    if (
        not asked["lines"]
        and carried(order)
        and any(row.state not in NOT_HERE for row in return_requests.of(tx, subject.id))
    ):
        raise Problem(
            409, "returned", "Pieces of it came back or are to come: what is left of it is returned as they are."
        )
    told = {
        "id": f"cancel-{name}",
        "order_id": order.id,
        "currency": order.totals.total.shop.currency,
        "at": datetime.now(UTC).isoformat(),
        **asked,
    }
    kept = taken.accept(tx, "cancellation", f"cancellation:{subject.id}:{name}", orjson.dumps(told))
    events.concerns(tx, kept.event_id, subject.id)
    return partner.said({"waybill": subject.waybill, "id": order.id, "duplicate": False}, 202)


def known(subject: Subject) -> Order:
    """The order as it was read. Raises Problem 409 for one that is kept and not read yet."""
    if not isinstance(subject.document, Order):
        raise Problem(
            409, "not_read_yet", "The order is kept and not read yet: ask again in a second.", {"Retry-After": "1"}
        )
    return subject.document


def _may_cancel(order: Order, lines: list[Mapping[str, str]], before: list[Mapping[str, Any]]) -> None:
    """Raises Problem 409. `before` are the cancellations that are kept and not read yet: they are taken off first."""
    if order.cancelled_at is not None or any(not one["lines"] for one in before):
        raise Problem(409, "cancelled", "The order is cancelled already.")
    left = to_ship(order)
    if not lines and (order.shipments and sum(left.values()) < _open(order)):
        raise Problem(
            409, "shipped", "Pieces of it have left: name the lines that are still here, or ask for a return."
        )
    wanted: dict[str, Decimal] = {}
    for line in (*lines, *(line for one in before for line in one["lines"])):
        wanted[line["line_id"]] = wanted.get(line["line_id"], Decimal(0)) + Decimal(line["quantity"])
    named = {line["line_id"] for line in lines}
    over = [name for name, many in wanted.items() if name in named and many > _cancellable(order, left, name)]
    if over:
        raise Problem(409, "not_that_many", "Not so many of these lines are still to be sent.", lines=sorted(over))


def _open(order: Order) -> Decimal:
    return sum((line.current_quantity for line in order.lines if line.requires_shipping), Decimal(0))


def _cancellable(order: Order, left: Mapping[str, Decimal], name: str) -> Decimal:
    """Pieces of a line that may still be taken off; what is never shipped (a service) until it is all gone, what was carried home never."""
    line = next((one for one in order.lines if one.id == name), None)
    if line is None:
        return Decimal(0)
    if at_the_counter(order, line):
        return Decimal(0)
    return left.get(name, Decimal(0)) if line.requires_shipping else line.current_quantity
