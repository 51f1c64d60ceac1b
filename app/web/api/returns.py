"""Returns: a partner asks whether pieces may come back, and sees what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask import Response, url_for
from sqlalchemy import Connection

from app.database import transaction
from app.journal import subjects
from app.journal.subjects import Subject
from app.orders import inspecting, quarantine, return_requests, returning, speaking
from app.orders.return_requests import ReturnLine, ReturnRow
from app.web.api import once, orders, partner, schemas
from app.web.api import schemas_orders as shapes
from app.web.api.door import me
from app.web.api.hearing import heard, speaker
from app.web.api.partner import Looked
from app.web.api.problems import Problem
from app.web.api.resource import Resource

resource = Resource("returns", __name__, url_prefix="/api/v1/returns", description="Goods that come back.")
SCOPE, RECEIVE = "returns:write", "returns:receive"
ANSWERS = {404: schemas.ProblemShape, 409: schemas.ProblemShape}


@resource.on("POST", "/of/<waybill>", SCOPE, {201: shapes.ReturnShape, **ANSWERS}, takes=shapes.ReturnAsked, once=True)
def asked(wanted: Mapping[str, Any], waybill: str) -> Response:
    """Allowed (`authorised`: it may be sent) or `declined` with the reason, decided at once against what was sold, what has left and what came
    back. Asked again under its Idempotency-Key it is the same return."""
    partner.channel()
    return once.once(lambda tx: _request(tx, wanted, waybill, partner.named(once.key())))


def _request(tx: Connection, wanted: Mapping[str, Any], waybill: str, key: str) -> Response:
    subject = partner.mine(tx, waybill)
    order = orders.known(subject)
    exchange = _wanted(wanted["exchange"])
    if any(line.line_id not in {one.id for one in order.lines} for line in exchange):
        raise Problem(409, "unknown_line", "An exchange names a line that the order has not.")
    row = returning.request(
        tx,
        subject.id,
        subject.waybill,
        order,
        lines(wanted["lines"]),
        key=f"api:{key}",
        now=datetime.now(UTC),
        gift=wanted["gift"],
        exchange=exchange,
    )
    return partner.said(shown(row, subject), 201, {"Location": url_for("returns.one", number=row.number)})


def lines(told: Sequence[Mapping[str, str]]) -> list[ReturnLine]:
    return [ReturnLine(one["line_id"], Decimal(one["quantity"]), one["reason"]) for one in told]


def _wanted(told: Sequence[Mapping[str, Any]]) -> list[ReturnLine]:
    return [
        ReturnLine(one["line_id"], Decimal(one["quantity"]), one["reason"], sku=one["sku"], price=_price(one["price"]))
        for one in told
    ]


def _price(told: str | None) -> Decimal | None:
    return None if told is None else Decimal(told)


@resource.on("GET", "/of/<waybill>", SCOPE, {200: shapes.Returns, **ANSWERS})
def listed(waybill: str) -> Response:
    """All returns of an order."""
    with transaction() as tx:
        subject = partner.look(tx, waybill)
        rows = [shown(row, subject) for row in return_requests.of(tx, subject.id)]
    return partner.said({"returns": rows}, 200)


@resource.on("GET", "/<number>", SCOPE, {200: shapes.ReturnShape, **ANSWERS})
def one(number: str) -> Response:
    with transaction() as tx:
        subject = partner.look(tx, number.partition("-")[0])
        row = next((row for row in return_requests.of(tx, subject.id) if row.number == number.upper()), None)
        if row is None:
            raise Problem(404, "no_return", "No return of yours has this number.")
        return partner.said(shown(row, subject), 200)


@resource.on(
    "POST", "/<number>/receipt", RECEIVE, {200: shapes.ReturnShape, **ANSWERS}, takes=shapes.ReturnReceived, once=True
)
def received(asked: Mapping[str, Any], number: str) -> Response:
    """The goods are here, wherever they were bought: each line comes in at this location and goes on the shelf, into quarantine or to scrap, and what
    is given back is decided. Told again it is the same; counted otherwise it is refused."""
    here(asked["location"])
    return heard(number.upper(), lambda tx: _receive(tx, asked, number.upper()))


def _receive(tx: Connection, asked: Mapping[str, Any], number: str) -> Response:
    subject, _ = _known(tx, number)
    speaking.must(tx, speaker(), asked["location"], "return", "receive", number)
    counted = {one["line_id"]: (Decimal(one["quantity"]), one["disposition"]) for one in asked["lines"]}
    row = returning.receive(tx, number, orders.known(subject), counted, location=asked["location"], who=me().name)
    return partner.said(shown(row, subject), 200)


@resource.on(
    "GET", "/quarantine", RECEIVE, {200: shapes.Quarantine, **ANSWERS}, takes=shapes.QuarantineAsked, place="query"
)
def quarantined(asked: Mapping[str, Any]) -> Response:
    """What lies in quarantine at the key's locations and waits for a look."""
    if asked["location"]:
        here(asked["location"])
    with transaction() as tx:
        rows = quarantine.lying(tx, [asked["location"]] if asked["location"] else me().locations, asked["after"])
    told = [
        {
            "number": one.number,
            "location": one.location,
            "line_id": one.line_id,
            "sku": one.sku,
            "title": one.title,
            "quantity": f"{one.pieces.normalize():f}",
            "reason": one.reason,
            "since": one.since,
        }
        for one in rows
    ]
    return partner.said({"lines": told}, 200)


@resource.on(
    "POST", "/<number>/dispositions", RECEIVE, {200: shapes.ReturnShape, **ANSWERS}, takes=shapes.Disposed, once=True
)
def disposed(asked: Mapping[str, Any], number: str) -> Response:
    """Pieces in quarantine where this key may move stock were looked at: they are for sale again, or scrapped."""
    return heard(number.upper(), lambda tx: _dispose(tx, asked, number.upper()))


def _dispose(tx: Connection, asked: Mapping[str, Any], number: str) -> Response:
    subject, row = _known(tx, number)
    here(row.location)
    speaking.must(tx, speaker(), row.location, "return", asked["disposition"], number)
    many = None if asked["quantity"] is None else Decimal(asked["quantity"])
    told = (asked["line_id"], asked["disposition"], me().name, many, asked["reason"])
    return partner.said(shown(inspecting.dispose(tx, number, orders.known(subject), *told), subject), 200)


def _known(tx: Connection, number: str) -> tuple[Subject, ReturnRow]:
    """The order, locked, and its return, whoever sold it. Raises Problem 404."""
    waybill = number.partition("-")[0]
    subject = subjects.lock_waybill(tx, waybill) if waybill.isalnum() else None
    row = next((row for row in return_requests.of(tx, subject.id) if row.number == number), None) if subject else None
    if subject is None or row is None:
        raise Problem(404, "no_return", "There is no return of this number.")
    return subject, row


def here(location: str) -> None:
    if not speaker().at(location):
        raise Problem(409, "not_your_location", f"This key may not move stock at {location or 'no location'}.")


def shown(row: ReturnRow, subject: Subject | Looked) -> dict[str, Any]:
    rows = [
        {
            "line_id": line.line_id,
            "quantity": f"{line.quantity:f}",
            "reason": line.reason,
            "received": None if line.received is None else f"{line.received:f}",
            "disposition": line.disposition,
        }
        for line in row.lines
    ]
    refunds = [{"tender": tender, "amount": f"{amount:f}"} for tender, amount in row.refunds]
    name = {"number": row.number, "waybill": subject.waybill, "state": row.state}
    return {
        **name,
        "refused": row.refused,
        "gift": row.gift,
        "lines": rows,
        "refunds": refunds,
        "replaced_by": row.replaced_by,
    }
