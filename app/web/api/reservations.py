"""Reservations: a partner holds pieces for a while, then sells them or lets them go; each once under its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson
from flask import Response, url_for
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.database import transaction
from app.stock import claims, ledger, quick, rules, shelves
from app.stock import reservations as order_claims
from app.stock.claims import Piece, Wanted
from app.stock.quantities import plain
from app.web.api import once, schemas
from app.web.api.door import me
from app.web.api.problems import Problem
from app.web.api.resource import Resource
from config.reader import config
from connectors.canonical.order import Order

resource = Resource(
    "reservations", __name__, url_prefix="/api/v1/reservations", description="Pieces held for a partner."
)

SCOPE = "reservations:write"
SHOWN = {200: schemas.Reservation, 404: schemas.ProblemShape, 409: schemas.ProblemShape}


@resource.on(
    "POST",
    "",
    SCOPE,
    {200: schemas.Reservation, 201: schemas.Reservation, 409: schemas.ProblemShape},
    takes=schemas.Reserve,
    once=True,
)
def reserved(asked: Mapping[str, Any]) -> Response:
    """Claims all lines or none. Sent again under its Idempotency-Key it answers the same reservation."""
    name = _name(once.key())
    lines = [
        Wanted(line["sku"], line["quantity"], line["line"] or str(n), line["location"])
        for n, line in enumerate(asked["lines"], 1)
    ]
    seconds = _hold(asked["hold_seconds"])
    rule = rules.of(me().channel or me().name)
    if quick.simple(lines, rule):
        found = quick.claim(name, lines[0], me().name, seconds, rule)
        if found is not None:
            return _made(name, _said(name, "open", found[1], [_whole(lines[0], found[0])]), 201)
    return _by_ledger(name, lines, seconds, rule)


def _by_ledger(name: str, lines: Sequence[Wanted], seconds: float, rule: rules.Rule) -> Response:
    try:
        made = _claimed(name, lines, seconds, rule)
    except ledger.KeyReused:
        raise once.reused() from None
    if isinstance(made, ledger.Refused):
        lacking = [
            {"line": one.line, "sku": one.sku, "wanted": str(plain(one.wanted)), "available": str(plain(one.available))}
            for one in made.lacking
        ]
        raise Problem(409, "not_enough", "Not enough is there; nothing was reserved.", lacking=lacking)
    return _made(name, _shown(name, made.pieces), 200 if made.repeated else 201)


def _claimed(
    name: str, lines: Sequence[Wanted], seconds: float, rule: rules.Rule, again: bool = True
) -> ledger.Granted | ledger.Refused:
    """The same request that went the quick way at the same instant may have been first: then its claim is there at the second look."""
    try:
        with transaction() as tx:
            return ledger.reserve(tx, name, lines, holder=me().name, seconds=seconds, rule=rule)
    except IntegrityError:
        if not again:
            raise
        return _claimed(name, lines, seconds, rule, again=False)


def _name(key: str) -> str:
    """The claim's name: the partner's own key, told apart from everybody else's."""
    return "res_" + blake2b(f"{me().name}\n{key}".encode(), digest_size=15).hexdigest()


def _hold(asked: float | None) -> float:
    policy = config().availability.get("reservations", {})
    return min(asked or float(policy.get("hold", 900)), float(policy.get("hold_most", 86400)))


@resource.on("GET", "/<name>", SCOPE, SHOWN)
def one(name: str) -> Response:
    with transaction() as tx:
        return _made(name, _shown(name, _mine(claims.of(tx, name))), 200)


@resource.on("POST", "/<name>/extensions", SCOPE, SHOWN, takes=schemas.Extension)
def extended(asked: Mapping[str, float], name: str) -> Response:
    """Holds it for so many seconds from now."""
    with transaction() as tx:
        _mine(claims.of(tx, name))
        if ledger.extend(tx, name, _hold(asked["hold_seconds"])) is None:
            raise Problem(409, "closed", "It is closed, or its time has run out.")
        return _made(name, _shown(name, claims.of(tx, name)), 200)


@resource.on("POST", "/<name>/commits", SCOPE, SHOWN, takes=schemas.Commit)
def committed(asked: Mapping[str, str], name: str) -> Response:
    """What was held has been sold and has left. 409 when it was let go before that."""
    with transaction() as tx:
        _mine(claims.of(tx, name))
        if any(piece.state == "open" and piece.location == shelves.AHEAD for piece in claims.of(tx, name)):
            raise Problem(409, "preorder", "It is sold before it is there: it cannot leave before its release date.")
        ledger.commit(tx, name, asked["number"], kind="sale")
        pieces = claims.of(tx, name)
        if not any(piece.shipped for piece in pieces):
            raise Problem(409, "closed", "It was let go, or its time ran out, before it was sold.")
        return _made(name, _shown(name, pieces), 200)


@resource.on("DELETE", "/<name>", SCOPE, SHOWN)
def released(name: str) -> Response:
    """Lets go of what is still held. Asked again it changes nothing."""
    with transaction() as tx:
        _mine(claims.of(tx, name))
        ledger.release(tx, name)
        return _made(name, _shown(name, claims.of(tx, name)), 200)


HELD = {
    "in": "header",
    "name": "Waybill-Reservation",
    "required": False,
    "description": "A reservation of yours whose pieces this order is for: it is let go as the order claims them, so that nobody comes between.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 80, "pattern": r"^[\x21-\x7e]+$"},
}


def hand_over(tx: Connection, name: str, subject: int, order: Order) -> None:
    """The order gets what its reservation holds. Raises Problem: 404 for one that is not there, 409 for one that is closed or ran out."""
    _mine(claims.of(tx, name))
    if not order_claims.take_over(tx, subject, order, name):
        raise Problem(409, "closed", "The reservation is closed, or its time has run out: nothing was ordered.")


def _mine(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Raises Problem 404 for what is not there or another's: the answer does not tell which."""
    if not pieces or pieces[0].holder != me().name:
        raise Problem(404, "no_reservation", "No reservation of yours has this name.")
    return pieces


def _shown(name: str, pieces: Sequence[Piece]) -> dict[str, Any]:
    states = {piece.state for piece in pieces}
    state = "open" if "open" in states else "committed" if "committed" in states else pieces[0].state
    shown = [
        {
            "line": piece.line_id,
            "sku": piece.sku,
            "location": piece.location,
            "quantity": str(plain(piece.quantity)),
            "shipped": str(plain(piece.shipped)),
            "state": piece.state,
            "bundle": piece.bundle,
        }
        for piece in pieces
    ]
    return _said(name, state, pieces[0].expires_at, shown)


def _whole(line: Wanted, location: str) -> dict[str, Any]:
    told = {"line": line.line, "sku": line.sku, "location": location, "quantity": str(plain(line.quantity))}
    return {**told, "shipped": "0", "state": "open", "bundle": ""}


def _said(name: str, state: str, expires_at: datetime | None, pieces: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "state": state, "expires_at": expires_at, "pieces": pieces}


def _made(name: str, said: Mapping[str, Any], status: int) -> Response:
    where = {"Location": url_for("reservations.one", name=name)} if status == 201 else {}
    return Response(orjson.dumps(said), status, headers=where, content_type="application/json")
