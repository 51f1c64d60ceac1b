"""Stock movements: what a partner's tills and stockrooms sold, took back, received, moved and counted, each once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from flask import Response
from sqlalchemy import Connection

from app import cases
from app.stock import authority, movements, positions, shelves
from app.stock.movements import SIGNS, Contradicted, Movement
from app.web.api import once, schemas
from app.web.api.door import me
from app.web.api.resource import Resource
from connectors.canonical.stock import StockLevel

resource = Resource("movements", __name__, url_prefix="/api/v1/movements", description="What moved in a stockroom.")
Told = Mapping[str, Any]


class Refusal(Exception):
    """Why a movement is not counted."""


@resource.on("POST", "", "movements:write", {200: schemas.Verdicts}, takes=schemas.Moved, once=True)
def moved(asked: Mapping[str, Any]) -> Response:
    """Each movement is counted, known (told before) or refused by itself; late, repeated and reordered ones are harmless.

    All of one call are kept in one transaction; sent again under its Idempotency-Key it answers the same.
    """
    return once.once(lambda tx: _answer(tx, asked["movements"]))


def _answer(tx: Connection, told: list[Told]) -> Response:
    _lock(tx, told)
    results = [_verdict(tx, one) for one in told]
    return Response(orjson.dumps({"results": results}), content_type="application/json")


def _lock(tx: Connection, told: list[Told]) -> None:
    """Every shelf of the call at once, in the order for all, before any of it is counted."""
    places = {(one["sku"], one["location"]) for one in told if _mine(one["location"])}
    places |= {
        (one["sku"], one["to_location"]) for one in told if one["kind"] == "transfer" and _mine(one["to_location"])
    }
    shelves.make(tx, places)
    shelves.lock(tx, places | {(one["sku"], "") for one in told if one["kind"] == "count"})


def _verdict(tx: Connection, told: Told) -> dict[str, str]:
    try:
        fresh = _count(tx, told) if told["kind"] == "count" else any(movements.record(tx, _new(tx, _legs(told))))
    except (Refusal, Contradicted) as refused:
        _case(tx, told, str(refused))
        return {"number": told["number"], "verdict": "refused", "reason": str(refused)}
    return {"number": told["number"], "verdict": "counted" if fresh else "known", "reason": ""}


def _legs(told: Told) -> list[Movement]:
    """A transfer leaves one place and arrives at another: two movements of one number. Raises Refusal."""
    _owned(told["location"])
    if told["kind"] == "transfer":
        _owned(told["to_location"])
        return [_leg(told, "transfer_out", told["location"], 0), _leg(told, "transfer_in", told["to_location"], 1)]
    return [_leg(told, told["kind"], told["location"], 0)]


def _new(tx: Connection, legs: list[Movement]) -> list[Movement]:
    """Raises Refusal for what the hub counts there itself."""
    for one in legs:
        if movements.counted_here(tx, one):
            words = f"The hub itself counts each {one.kind} of {one.sku} at {one.location}: told as a movement, too, it would count twice."
            raise Refusal(words)
    return legs


def _leg(told: Told, kind: str, location: str, n: int) -> Movement:
    quantity: Decimal = told["quantity"]
    if kind != "adjustment" and quantity <= 0:
        raise Refusal("The quantity of a movement is more than nothing; its kind says in which way it goes.")
    lot = {"lot": told["lot"], "lot_expires": told["lot_expires"]}
    return Movement(
        me().name,
        told["number"],
        kind,
        told["sku"],
        location,
        quantity * SIGNS[kind],
        told["at"],
        told["sequence"],
        n,
        **lot,
    )


def _count(tx: Connection, told: Told) -> bool:
    """A stock-take: so many are there. Everything that its source told before in its own order is in it."""
    _owned(told["location"])
    if told["quantity"] < 0:
        raise Refusal("Nobody counts fewer than none.")
    if not authority.owns(me().name, "on_hand", told["location"]):
        raise Refusal(f"{told['location']} is counted by {', '.join(authority.declared('on_hand', told['location']))}.")
    order = told["sequence"]
    version = f"{told['at'].isoformat()}" if order is None else f"{order:020d}"
    level = StockLevel(told["sku"], told["location"], on_hand=told["quantity"], as_of=told["at"])
    return positions.set_level(tx, me().name, level, version, order)


def _mine(location: str) -> bool:
    return "*" in me().locations or location in me().locations


def _owned(location: str) -> None:
    """Raises Refusal where this key may not move stock, or where somebody else is declared to own it."""
    if not location or not _mine(location):
        raise Refusal(f"This key may not move stock at {location or 'no location'}.")
    if not authority.owns(me().name, "on_hand", location):
        owner = ", ".join(authority.declared("on_hand", location))
        raise Refusal(f"The stock at {location} is {owner}'s to tell (authority.toml).")


def _case(tx: Connection, told: Told, why: str) -> None:
    cases.open_case(
        tx,
        "drift",
        "",
        "not_the_owner",
        f"{me().name} told a movement of {told['sku']} that was refused: {why}",
        member=f"movement:{me().name}:{told['number']}"[:300],
        remedy="Name the owner of that place in authority.toml, or have the partner tell only its own.",
        cause=f"{me().name}:{why}",
    )
