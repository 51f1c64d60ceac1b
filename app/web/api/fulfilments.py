"""Fulfilments: what stores and suppliers are asked for, and what they say of it: each word once, refused where it cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask import Response
from sqlalchemy import Connection

from app.bell import Ring, ring
from app.database import transaction
from app.orders import fulfilling, pickups, sharing, speaking, supplying, todo
from app.orders.todo import ToDo
from app.web import looked
from app.web.api import partner, schemas
from app.web.api import schemas_fulfilments as shapes
from app.web.api.door import me
from app.web.api.hearing import heard, speaker
from app.web.api.problems import Problem
from app.web.api.resource import Resource

resource = Resource(
    "fulfilments",
    __name__,
    url_prefix="/api/v1/fulfilments",
    description="What a store or a supplier is asked for: accepted, rejected, set out, handed over, sent.",
)
READ, WRITE = "fulfilments:read", "fulfilments:write"
CONFLICT = {404: schemas.ProblemShape, 409: schemas.ProblemShape}
ONE = {200: shapes.FulfilmentShape, **CONFLICT}
NUMBER = re.compile(shapes.NUMBER)
SHOWN = 50
Say = Callable[[Connection, str, str], list[Ring]]  # (transaction, number, who) -> what to ring after the commit
Told = Mapping[str, Any]


@resource.on("GET", "", READ, {200: shapes.Fulfilments, **CONFLICT}, takes=shapes.AskedOf, place="query")
def listed(asked: Told) -> Response:
    """What waits for the key's locations, the oldest first."""
    wanted = [asked["location"]] if asked["location"] else list(me().locations)
    if asked["location"] and not speaker().at(asked["location"]):
        raise Problem(409, "not_your_location", f"This key does not speak for {asked['location']}.")
    with transaction() as tx:
        rows = todo.waiting(tx, wanted, states=asked["state"], after=asked["after"], most=SHOWN + 1)
    return partner.said({"fulfilments": [_shown(one) for one in rows[:SHOWN]], "more": len(rows) > SHOWN}, 200)


@resource.on("GET", "/<number>", READ, {200: shapes.FulfilmentOne, **CONFLICT})
def one(number: str) -> Response:
    """A request with what tells of a person: who fetches it, or where it goes."""
    with transaction() as tx:
        found = _mine(tx, number)
        personal = {"person": found.person, "ship_to": _ship_to(found)}
        if personal["person"] or personal["ship_to"]:
            looked.note(tx, me().name, _waybill(found))
    return partner.said({**_shown(found), **personal}, 200)


@resource.on("POST", "/<number>/acceptances", WRITE, ONE, once=True)
def accepted(number: str) -> Response:
    """It will be done."""
    return _say(number, "accept", fulfilling.accept)


@resource.on("POST", "/<number>/acknowledgements", WRITE, ONE, takes=shapes.Acknowledgement, once=True)
def acknowledged(asked: Told, number: str) -> Response:
    """A supplier's answer to a purchase order: what he does not send is offered elsewhere."""
    lines = asked["lines"]
    promised = None if lines is None else _summed((one["sku"], one["quantity"]) for one in lines)
    at, note = asked["promised_at"], asked["note"]
    return _say(number, "acknowledge", lambda tx, name, who: supplying.acknowledge(tx, name, who, promised, at, note))


@resource.on("POST", "/<number>/rejections", WRITE, ONE, takes=shapes.Rejection, once=True)
def rejected(asked: Told, number: str) -> Response:
    """It cannot be done, or not all of it (not on the shelf, also after it was accepted): these pieces are offered elsewhere."""
    pieces, why = _pieces(asked), asked["reason"]
    return _say(number, "reject", lambda tx, name, who: sharing.reject(tx, name, who, why, pieces))


@resource.on("POST", "/<number>/picks", WRITE, ONE, once=True)
def picked(number: str) -> Response:
    """Taken off the shelf."""
    return _say(number, "pick", fulfilling.pick)


@resource.on("POST", "/<number>/packs", WRITE, ONE, once=True)
def packed(number: str) -> Response:
    return _say(number, "pack", fulfilling.pack)


@resource.on("POST", "/<number>/substitutions", WRITE, ONE, takes=shapes.Substitution, once=True)
def substituted(asked: Told, number: str) -> Response:
    """Another article goes out in place of a line's, as its customer has agreed."""
    told = (asked["line_id"], asked["sku"], asked["reason"])
    return _say(number, "substitute", lambda tx, name, who: fulfilling.substitute(tx, name, who, *told))


@resource.on("POST", "/<number>/preparations", WRITE, ONE, once=True)
def prepared(number: str) -> Response:
    """Set out for the customer, who is told, and kept for as long as the location's rules say. 409 while it may not be handed over."""
    return _say(number, "ready", _ready)


def _ready(tx: Connection, number: str, who: str) -> list[Ring]:
    found = fulfilling.spoken(tx, number)
    return pickups.ready(tx, number, who, pickups.keeps_for(tx, found.location))


@resource.on(
    "POST", "/<number>/collections", WRITE, {200: shapes.Shipped, **CONFLICT}, takes=shapes.HandOver, once=True
)
def collected(asked: Told, number: str) -> Response:
    """Handed over to who shows the code. After five wrong ones none is heard for a quarter of an hour."""
    pieces, code = _pieces(asked), asked["code"]
    return _say(number, "collect", lambda tx, name, who: sharing.collect(tx, name, who, code, pieces), rest=True)


@resource.on("POST", "/<number>/refusals", WRITE, ONE, takes=shapes.Rejection, once=True)
def refused(asked: Told, number: str) -> Response:
    """The customer does not want these pieces (or any): they lie on the shelf again, off the order, and what was paid goes back."""
    pieces, why = _pieces(asked), asked["reason"]
    return _say(number, "refuse", lambda tx, name, who: sharing.refuse(tx, name, who, why, pieces))


@resource.on("POST", "/<number>/no-shows", WRITE, ONE, takes=shapes.Reasoned, once=True)
def not_collected(asked: Told, number: str) -> Response:
    """Nobody fetched it. 409 while it is still kept for its customer, who was told until when."""
    return _say(number, "no_show", lambda tx, name, who: pickups.not_collected(tx, name, who, asked["reason"]))


@resource.on("POST", "/<number>/extensions", WRITE, ONE, takes=shapes.KeptLonger, once=True)
def extended(asked: Told, number: str) -> Response:
    """It is kept for so many hours from now, never shorter than was promised."""
    seconds, why = asked["hours"] * 3600.0, asked["reason"]
    return _say(number, "extend", lambda tx, name, who: pickups.extend(tx, name, who, why, seconds))


@resource.on("POST", "/<number>/put-backs", WRITE, ONE, takes=shapes.Reasoned, once=True)
def put_back(asked: Told, number: str) -> Response:
    """Nobody fetched it, and it lies on the shelf again; the channel gives the money back."""
    return _say(number, "put_back", lambda tx, name, who: pickups.put_back(tx, name, who, asked["reason"]))


@resource.on(
    "POST", "/<number>/shipments", WRITE, {200: shapes.Shipped, **CONFLICT}, takes=shapes.ShipNotice, once=True
)
def shipped(asked: Told, number: str) -> Response:
    """A ship notice: it has left, with its tracking numbers."""
    pieces, trackings = _pieces(asked), asked["trackings"]
    return _say(number, "ship", lambda tx, name, who: sharing.ship(tx, name, who, trackings, pieces), rest=True)


# ---- saying


def _say(number: str, event: str, say: Say, rest: bool = False) -> Response:
    """One word of a location's, once under its Idempotency-Key; what follows is rung for after the commit. Raises Problem 404 or 409."""
    who, rings = speaker(), list[Ring]()

    def act(tx: Connection) -> Response:
        found = _mine(tx, number).fulfilment
        speaking.must(tx, who, found.location, "fulfilment", event, found.number)
        rings.extend(say(tx, found.number, who.name))
        more = {"rest": sharing.rest_of(tx, found)} if rest else {}
        return partner.said({**_shown(_mine(tx, number)), **more}, 200)

    answer = heard(number, act)
    ring(rings)
    return answer


def _mine(tx: Connection, number: str) -> ToDo:
    """Raises Problem 404 for what is not there or another's: the answer does not tell which."""
    found = todo.numbered(tx, number.upper()) if NUMBER.fullmatch(number.upper()) else None
    if found is None or found.fulfilment.account or not speaker().at(found.fulfilment.location):
        raise Problem(404, "no_fulfilment", "No request to a location of yours has this number.")
    return found


def _pieces(asked: Told) -> dict[str, Decimal]:
    return _summed((one["line_id"], one["quantity"]) for one in asked["lines"])


def _summed(told: Any) -> dict[str, Decimal]:
    """Name -> pieces; named twice they are added."""
    sums: dict[str, Decimal] = {}
    for name, many in told:
        sums[name] = sums.get(name, Decimal(0)) + Decimal(many)
    return sums


# ---- showing


def _shown(told: ToDo) -> dict[str, Any]:
    one = told.fulfilment
    return {
        "number": one.number,
        "waybill": _waybill(told),
        "location": one.location,
        "method": one.method,
        "purchase": one.purchase,
        "state": one.state,
        "lines": _lines(told),
        "answer_by": told.answer_by,
        "kept_until": told.kept_until,
        "promised_at": one.promised_at,
        "eligible": one.open and not told.not_yet,
        "not_yet": told.not_yet,
        "verify": told.verify,
        "trackings": [{"number": each["number"], "carrier": each.get("carrier", "")} for each in one.trackings],
        "may": list(told.may),
        "asked_at": one.created_at,
        "changed_at": one.updated_at,
    }


def _lines(told: ToDo) -> Sequence[dict[str, str]]:
    return [
        {
            "line_id": line["line_id"],
            "sku": line["sku"],
            "title": told.title(line["line_id"]) if "instead_of" not in line else "",
            "quantity": line["quantity"],
            "instead_of": line.get("instead_of", ""),
        }
        for line in told.fulfilment.lines
    ]


def _ship_to(told: ToDo) -> dict[str, str] | None:
    """Where it goes: for who has taken it upon himself to send it."""
    to = told.order.shipping if told.order is not None else None
    if told.fulfilment.method != "ship" or told.fulfilment.state not in sharing.ON_ITS_WAY or to is None:
        return None
    return {name: getattr(to, name) or "" for name in shapes.ShipTo._declared_fields}


def _waybill(told: ToDo) -> str:
    return told.fulfilment.number.partition("-")[0]
