"""A partner's own channel, and how what it tells is kept: in one commit with the answer, then rung for, as a delivery is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from flask import Response
from sqlalchemy import Connection, text

from app import acks
from app.accounts import entries
from app.bell import ring_event
from app.journal import accept as journal
from app.journal import subjects
from app.journal.accept import Accepted
from app.journal.subjects import Subject
from app.web.api import once
from app.web.api.door import me
from app.web.api.problems import Problem
from app.web.webhooks import log_ack
from config.reader import config
from connectors import registry
from connectors.canonical.snapshot import Reading
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable

DOOR = "api"


def channel() -> str:
    """The account whose orders this key tells and sees. Raises Problem 409 where its channel has none that takes them."""
    name = me().channel or me().name
    if name not in config().accounts or not entries.manifest(name).api:
        raise Problem(409, "no_channel", "This key belongs to no channel whose orders come by this API.")
    return name


def mine(tx: Connection, waybill: str) -> Subject:
    """The order, locked. Raises Problem 404 for what is not there or another's: the answer does not tell which."""
    subject = subjects.lock_waybill(tx, waybill.upper()) if waybill.isalnum() else None
    if subject is None or subject.kind != "order" or subject.account != channel():
        raise Problem(404, "no_order", "No order of yours has this waybill number.")
    return subject


@dataclass(frozen=True, slots=True)
class Looked:
    """An order that is only looked at: nobody waits for it meanwhile."""

    id: int
    waybill: str
    external_id: str


LOOK = text(
    "SELECT id, waybill, external_id FROM subjects WHERE kind = 'order' AND waybill = :waybill AND account = :account"
)


def look(tx: Connection, waybill: str) -> Looked:
    """The order, not locked. Raises Problem 404 as `mine` does."""
    row = tx.execute(LOOK, {"waybill": waybill.upper(), "account": channel()}).first() if waybill.isalnum() else None
    if row is None:
        raise Problem(404, "no_order", "No order of yours has this waybill number.")
    return Looked(*row)


@dataclass
class Taken:
    """What one request brought into the journal, to be acknowledged and rung for once it is committed."""

    account: str
    kept: list[Accepted] = field(default_factory=list)
    told: list[once.Told] = field(default_factory=list)

    def accept(self, tx: Connection, topic: str, delivery_id: str, body: bytes) -> Accepted:
        found = journal.accept_in(tx, self.account, delivery_id, topic, HEADERS, body, door=DOOR)
        self.kept.append(found)
        self.told.append((delivery_id, acks.content(body), found.fresh))
        return found


HEADERS = {"content-type": "application/json"}


def take(act: Callable[[Connection, Taken], Response]) -> Response:
    """Carries out a request once under its Idempotency-Key: all that it keeps is committed with its answer; the bell comes after.

    What is answered is noted each time: whoever was killed before it could note the first answer has answered nobody.
    """
    taken = Taken(channel())
    answer = once.once(lambda tx: act(tx, taken), taken.told)
    for delivery_id, content, fresh in taken.told:
        log_ack(taken.account, delivery_id, content, fresh)
    for found in taken.kept:
        if found.fresh:
            ring_event(found.event_id)
    return answer


def read(topic: str, body: bytes) -> Reading:
    """What the hub will read in it. Raises Problem 422 naming the field: nothing is kept that could not be read."""
    try:
        (reading,) = registry.read(entries.account(channel()), Message(topic, "", body))
    except Unreadable as defect:
        errors = {"json": {defect.field: [defect.sentence]}} if defect.field else {}
        raise Problem(422, "unreadable", defect.sentence, errors=errors) from None
    return reading


def named(key: str) -> str:
    """A request's Idempotency-Key as a name in the whole channel: partners choose theirs each for itself, and a channel may have several."""
    return sha256(f"{me().name}\n{key}".encode()).hexdigest()[:24]


def digest(body: bytes) -> str:
    """A name of the content of a JSON document, however it was laid out."""
    return sha256(orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def said(words: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(words), status, headers=dict(headers or {}), content_type="application/json")
