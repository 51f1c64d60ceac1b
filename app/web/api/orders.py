"""Orders of a channel without a connector: told, looked at, cancelled in whole or by the piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, cast

from flask import Response, request, url_for
from sqlalchemy import Connection, text

from app.database import transaction
from app.journal import events, subjects
from app.journal.subjects import Subject
from app.orders import calling_off
from app.orders.calling_off import TooMany
from app.orders.refused import Refused
from app.orders.whereabouts import whereabouts
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
    lines = {one["line_id"]: Decimal(0) for one in asked["lines"]}
    for one in asked["lines"]:
        lines[one["line_id"]] += Decimal(one["quantity"])
    try:
        told = calling_off.asked(tx, subject.id, order, lines, asked["reason"], name)
    except TooMany as over:
        raise Problem(409, over.code, over.sentence, lines=over.lines) from None
    except Refused as refused:
        raise Problem(409, refused.code, refused.sentence) from None
    kept = taken.accept(tx, calling_off.TOPIC, told.delivery_id, told.body)
    events.concerns(tx, kept.event_id, subject.id)
    return partner.said({"waybill": subject.waybill, "id": order.id, "duplicate": False}, 202)


def known(subject: Subject) -> Order:
    """The order as it was read. Raises Problem 409 for one that is kept and not read yet."""
    if not isinstance(subject.document, Order):
        raise Problem(
            409, "not_read_yet", "The order is kept and not read yet: ask again in a second.", {"Retry-After": "1"}
        )
    return subject.document
