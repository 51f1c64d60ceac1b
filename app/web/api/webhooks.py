"""Webhooks out: a partner says where it is told of which events, replaces its secret, sees what was told, and has it told again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate
from sqlalchemy import Connection

from app.accounts import listeners
from app.accounts.listeners import Listener
from app.bell import ring
from app.database import transaction
from app.journal.reading import told
from app.web import listening
from app.web.api import partner, schemas
from app.web.api.door import me
from app.web.api.problems import Problem
from app.web.api.resource import Resource

resource = Resource(
    "api_webhooks", __name__, url_prefix="/api/v1/webhooks", description="Events sent to you (Standard Webhooks)."
)
SCOPE = "webhooks:write"
ANSWERS = {404: schemas.ProblemShape, 409: schemas.ProblemShape}


class Wanted(Schema):
    """`url` is https at a public address. It is sent webhook-id, webhook-timestamp and webhook-signature."""

    url = fields.String(required=True, validate=validate.Length(10, 2000))
    events = fields.List(
        fields.String(validate=validate.OneOf(listeners.EVENTS)), required=True, validate=validate.Length(1, 20)
    )


class Subscription(Schema):
    """`url` is shown without the values of its query."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    active = fields.Boolean(required=True)
    made_at = fields.DateTime(required=True)


class WithSecret(Subscription):
    """`secret` is shown this once; `url` without the values of its query."""

    secret = fields.String(required=True)


class Subscriptions(Schema):
    webhooks = fields.List(fields.Nested(Subscription), required=True)


class Again(Schema):
    """What was told since then; `failed`: only what was given up."""

    since = fields.AwareDateTime(required=True)
    failed = fields.Boolean(load_default=True, truthy={True}, falsy={False})


class Counted(Schema):
    events = fields.Integer(required=True)


class TellingShape(Schema):
    """`id` is the event's webhook-id; `state` done, ready (waits to be sent), running, unknown (sent, no answer), dead (given up), skipped."""

    id = fields.String()
    event = fields.String()
    waybill = fields.String()
    state = fields.String()
    tries = fields.Integer()
    sentence = fields.String()
    created_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)


class Tellings(Schema):
    """The newest first; `next` continues (?before=)."""

    events = fields.List(fields.Nested(TellingShape))
    next = fields.String(allow_none=True)


class Before(Schema):
    before = fields.Integer(load_default=None, validate=validate.Range(min=1, max=2**62))


@resource.on("POST", "", SCOPE, {201: WithSecret, 409: schemas.ProblemShape}, takes=Wanted)
def subscribed(asked: Mapping[str, Any]) -> Response:
    """Answers the secret that events are signed with. One subscription for each address."""
    account = partner.channel()
    try:
        with transaction() as tx:
            made, secret = listening.subscribe(tx, account, asked["url"], asked["events"], f"key:{me().name}")
    except listeners.Wrong as wrong:
        status = 422 if wrong.code in ("address", "events") else 409
        raise Problem(status, wrong.code, str(wrong)) from None
    where = {"Location": url_for("api_webhooks.one", name=made.id)}
    return partner.said({**_shown(made), "secret": secret}, 201, where)


@resource.on("GET", "", SCOPE, {200: Subscriptions, 409: schemas.ProblemShape})
def listed() -> Response:
    account = partner.channel()
    with transaction() as tx:
        return partner.said({"webhooks": [_shown(row) for row in listeners.of(tx, account)]}, 200)


@resource.on("GET", "/<name>", SCOPE, {200: Subscription, **ANSWERS})
def one(name: str) -> Response:
    with transaction() as tx:
        return partner.said(_shown(_mine(tx, name)), 200)


@resource.on("DELETE", "/<name>", SCOPE, {200: Subscription, **ANSWERS})
def withdrawn(name: str) -> Response:
    """Nothing more is sent there; what waits is skipped."""
    with transaction() as tx:
        found = _mine(tx, name)
        listening.withdraw(tx, found, f"key:{me().name}", "asked by the API")
    return partner.said({**_shown(found), "active": False}, 200)


@resource.on("POST", "/<name>/secrets", SCOPE, {201: WithSecret, **ANSWERS})
def rotated(name: str) -> Response:
    """A new secret; for 24 hours events are signed under the old one too."""
    with transaction() as tx:
        found = _mine(tx, name)
        secret = listening.rotate(tx, name, f"key:{me().name}", "asked by the API")
    return partner.said({**_shown(found), "secret": secret}, 201)


@resource.on("GET", "/<name>/events", SCOPE, {200: Tellings, **ANSWERS}, takes=Before, place="query")
def events(asked: Mapping[str, int | None], name: str) -> Response:
    """What was told there, and what waits."""
    with transaction() as tx:
        found = _mine(tx, name)
        page = told.tellings(tx, account=found.account, listener=found.id, before=asked["before"])
    rows = [{**asdict(row), "id": row.message} for row in page.rows]
    shown = [{key: row[key] for key in SHOWN} for row in rows]
    return partner.said({"events": shown, "next": page.next}, 200)


SHOWN = ("id", "event", "waybill", "state", "tries", "sentence", "created_at", "ended_at")


@resource.on("POST", "/<name>/replays", SCOPE, {202: Counted, **ANSWERS}, takes=Again)
def replayed(asked: Mapping[str, Any], name: str) -> Response:
    """Sends again, under the same webhook-id, what was told since then (at most 1,000)."""
    with transaction() as tx:
        found = _mine(tx, name)
        why = f"replay since {asked['since'].isoformat()} asked by the API"
        n, rings = listening.replay(tx, found, asked["since"], f"key:{me().name}", why, only_failed=asked["failed"])
    ring(rings)
    return partner.said({"events": n}, 202)


def _mine(tx: Connection, name: str) -> Listener:
    """Raises Problem 404 for what is not there or another's: the answer does not tell which."""
    account = partner.channel()
    found = listeners.one(tx, name) if name.isprintable() else None
    if found is None or found.account != account:
        raise Problem(404, "no_webhook", "No subscription of yours has this name.")
    return found


def _shown(row: Listener) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": row.shown,
        "events": list(row.events),
        "active": row.active,
        "made_at": row.made_at,
    }
