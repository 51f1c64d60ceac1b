"""Tills that may have been offline for days: their sales are taken in any order, however often, and posted once and in theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import simplejson
from flask import Response, request
from sqlalchemy import Connection

from app.database import transaction
from app.journal import events, subjects
from app.orders import tills
from app.orders.tills import Sale, Wrong
from app.web.api import orders, partner, schemas
from app.web.api import schemas_orders as shapes
from app.web.api.partner import Taken
from app.web.api.problems import Problem
from app.web.api.resource import Resource
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Snapshot
from connectors.kit.http import dump_json

resource = Resource("tills", __name__, url_prefix="/api/v1/tills", description="Sales rung up at a till.")
SCOPE = "tills:write"
CONFLICT = {409: schemas.ProblemShape, 404: schemas.ProblemShape}
ANY_TIME = "2000-01-01T00:00:00+00:00"  # stands in for the sale's time where the order is only looked at


@resource.on("POST", "/<till>/sales", SCOPE, {200: shapes.SaleVerdicts, **CONFLICT}, takes=shapes.Sales, once=True)
def sold(asked: Mapping[str, Any], till: str) -> Response:
    """Each sale is posted, waits for a missing number, is known, or is refused by itself."""
    _named(till)
    told = simplejson.loads(request.get_data(), use_decimal=True)["sales"]
    return partner.take(lambda tx, taken: _taken(tx, taken, till, told, asked["first"]))


def _taken(tx: Connection, taken: Taken, till: str, told: list[dict[str, Any]], first: int | None) -> Response:
    if first is None and tills.standing(tx, taken.account, till) is None:
        words = "This till was never heard of: say `first`, the number of its first sale, or what comes later of an earlier number is refused."
        raise Problem(422, "first", words)
    tills.begin(tx, taken.account, till, first or 0)
    verdicts = [(one["sequence"], *_verdict(tx, taken, till, one)) for one in told]
    return _posted(tx, taken, till, verdicts)


def _verdict(tx: Connection, taken: Taken, till: str, one: Mapping[str, Any]) -> tuple[str, str]:
    name = f"{till}-{one['sequence']}"
    try:
        if "void" in one:
            order = _void(till, name, one)
        else:
            order = {"id": name, "number": name, "store": till, **one["order"]}
            _sound(order)
        return tills.tell(tx, taken.account, till, Sale(one["sequence"], one["at"], one.get("zone", ""), order)), ""
    except Wrong as wrong:
        return "refused", str(wrong)
    except Problem as problem:
        return "refused", str(problem.description)


def _void(till: str, name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """Pieces of an earlier sale. Raises Wrong for a sale that is none yet, and Problem for what could not be read."""
    told = {key: value for key, value in one["void"].items() if key not in ("sale", "id")}
    sale = one["void"].get("sale")
    if sale is not None and sale >= one["sequence"]:
        raise Wrong(f"Number {sale} is no sale before {one['sequence']}.")
    void = {**told, "id": name, "order_id": one["void"].get("id") or f"{till}-{sale}"}
    partner.read("till.void", dump_json({**void, "placed_at": ANY_TIME}))
    return void


def _sound(order: Mapping[str, Any]) -> None:
    """Raises Problem for a sale that could not be read or does not add up: it would block those after it for nothing."""
    dated = {**order, "placed_at": ANY_TIME, "updated_at": ANY_TIME}
    told = partner.read("till.sale", dump_json(dated))
    assert isinstance(told, Snapshot)
    orders.adds_up(cast(Order, told.document))


def _posted(tx: Connection, taken: Taken, till: str, verdicts: list[tuple[int, str, str]]) -> Response:
    def do(sequence: int, body: bytes) -> int:
        told = json.loads(body)
        subject = subjects.lock(tx, "order", taken.account, told.get("order_id") or told["id"])
        kept = taken.accept(tx, "till.void" if "order_id" in told else "till.sale", f"till:{till}:{sequence}", body)
        if "order_id" in told:
            events.concerns(tx, kept.event_id, subject.id)
        return kept.event_id

    while tills.post(tx, taken.account, till, do) == tills.MOST:
        pass
    at = tills.standing(tx, taken.account, till)
    assert at is not None
    told = [
        {"sequence": n, "verdict": _now(verdict, n, at.posted), "reason": reason} for n, verdict, reason in verdicts
    ]
    return partner.said({**_shown(at), "results": told}, 200)


def _now(verdict: str, sequence: int, posted: int) -> str:
    return verdict if verdict != "new" else "posted" if sequence <= posted else "waiting"


@resource.on("POST", "/<till>/voids", SCOPE, {200: shapes.SaleVerdicts, **CONFLICT}, takes=shapes.Voided, once=True)
def voided(asked: Mapping[str, Any], till: str) -> Response:
    """Numbers that the till never gave to a sale: those after them are posted."""
    _named(till)
    return partner.take(lambda tx, taken: _voided(tx, taken, till, asked["sequences"]))


def _voided(tx: Connection, taken: Taken, till: str, sequences: list[int]) -> Response:
    if tills.standing(tx, taken.account, till) is None:
        raise Problem(404, "no_till", "No till of yours has this name.")
    tills.begin(tx, taken.account, till, 0)
    verdicts = []
    for sequence in sequences:
        try:
            tills.void(tx, taken.account, till, sequence)
            verdicts.append((sequence, "void", ""))
        except Wrong as wrong:
            verdicts.append((sequence, "refused", str(wrong)))
    return _posted(tx, taken, till, verdicts)


@resource.on("GET", "/<till>", SCOPE, {200: shapes.Till, **CONFLICT})
def one(till: str) -> Response:
    """How far it is, and which numbers are missing."""
    _named(till)
    with transaction() as tx:
        at = tills.standing(tx, partner.channel(), till)
    if at is None:
        raise Problem(404, "no_till", "No till of yours has this name.")
    return partner.said(_shown(at), 200)


def _named(till: str) -> None:
    if not (till.isascii() and till.isprintable() and len(till) <= 80):
        raise Problem(404, "no_till", "A till's name has 1 to 80 printable ASCII characters.")


def _shown(at: tills.Standing) -> dict[str, Any]:
    missing = None
    if at.missing is not None:
        missing = {"first": at.missing[0], "last": at.missing[1], "since": at.gap_since}
    return {"till": at.till, "posted": at.posted, "waiting": at.waiting, "missing": missing}
