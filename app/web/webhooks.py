"""A delivery comes in: its sender is proved, it is kept in one commit, the bell is rung, and it is answered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import psycopg
import structlog
from werkzeug.wrappers import Request, Response

from app import acks
from app.bell import ring_event
from app.journal import accept as journal
from app.web import pressure
from app.web.intake import Unacceptable, read
from config.reader import AccountEntry, config
from connectors import registry
from connectors.kit.errors import Trouble
from connectors.kit.receiver import Identity, Incoming, Receiver, Secret

PREFIX = "/hooks/"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
# What a receiver's code may meet in a body of a wrong shape: a list where an object should be, a missing key, no UTF-8.
SHAPES = (Trouble, ValueError, TypeError, LookupError, AttributeError, RecursionError)
# Not kept: who connected and how is nobody's business later, and a cookie is somebody's.
HOP = frozenset("cookie connection accept-encoding forwarded x-forwarded-for x-real-ip content-length".split())
RETRY_AFTER = {"Retry-After": "5"}
LATER = {"Retry-After": pressure.RETRY_AFTER}

log = structlog.get_logger("waybill.webhooks")


class Hooks:
    """Answers /hooks/<account> before Flask is asked: no session, CSRF or template is on a delivery's way."""

    def __init__(self, rest: Wsgi, public_url: str = "") -> None:
        self._rest = rest
        self._public_url = public_url.rstrip("/")

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX):
            return self._rest(environ, start)
        if pressure.crowded():
            return _say({"error": "More deliveries come than the hub can keep: come again."}, 503, LATER)(
                environ, start
            )
        request = Request(environ, populate_request=False)
        return self._answer(request, path.removeprefix(PREFIX))(environ, start)

    def _answer(self, request: Request, name: str) -> Response:
        try:
            return self._take(request, *_account(name))
        except Unacceptable as refusal:
            return _refuse(name, refusal)
        except psycopg.Error as error:
            # Nothing was kept, so the sender must come again: it is told so, and the fault is ours to look at.
            log.error("a delivery could not be kept", account=name, fault=type(error).__name__)
            return _say({"error": "The hub cannot keep deliveries right now."}, 503, RETRY_AFTER)

    def _take(self, request: Request, entry: AccountEntry, receiver: Receiver) -> Response:
        if request.method not in ("GET", "POST"):
            raise Unacceptable(405, "method", "Deliveries are posted.")
        if request.method == "POST" and request.mimetype not in receiver.content_types:
            raise Unacceptable(415, "content type", f"Expected {' or '.join(receiver.content_types)}.")
        body = read(request.environ, _most(entry, receiver))
        incoming = Incoming(request.method, self._address(request), request.args.to_dict(), _headers(request), body)
        secrets = _secrets(entry)
        reply = _handshake(receiver, incoming, secrets)
        if reply is not None:
            return reply
        if request.method == "GET":
            raise Unacceptable(405, "method", "Deliveries are posted.")
        return _keep(entry.name, receiver, incoming, secrets)

    def _address(self, request: Request) -> str:
        """The address that the vendor was given: some sign it. Behind a proxy only PUBLIC_URL can say it."""
        if not self._public_url:
            return request.url
        query = request.query_string.decode("latin-1")
        return f"{self._public_url}{request.path}{'?' if query else ''}{query}"


def _account(name: str) -> tuple[AccountEntry, Receiver]:
    entry = config().accounts.get(name)
    receiver = registry.receiver(entry.connector) if entry is not None else None
    if entry is None or receiver is None:
        raise Unacceptable(404, "unknown account", "No account here takes deliveries under this name.")
    return entry, receiver


def _most(entry: AccountEntry, receiver: Receiver) -> int:
    """Bytes: the account's own word, else what its vendor may send, and never less than the house takes."""
    house = int(config().settings.get("intake", {}).get("max_body", 0))
    return entry.max_body or max(receiver.max_body, house)


def _headers(request: Request) -> dict[str, str]:
    return {key.lower(): value.replace("\x00", "") for key, value in request.headers.items() if key.lower() not in HOP}


def _secrets(entry: AccountEntry) -> list[Secret]:
    found = ((name, os.environ.get(name.env, "")) for name in entry.webhook_secrets)
    return [Secret(name.env, value, name.expires_at) for name, value in found if value]


def _handshake(receiver: Receiver, incoming: Incoming, secrets: list[Secret]) -> Response | None:
    try:
        reply = receiver.handshake(incoming, secrets)
    except SHAPES:
        raise Unacceptable(401, "forged", "The handshake proves nothing.") from None
    if reply is None:
        return None
    return Response(reply.body, status=reply.status, content_type=reply.content_type, headers=SAFE)


def _keep(account: str, receiver: Receiver, incoming: Incoming, secrets: list[Secret]) -> Response:
    try:
        proof = receiver.prove(incoming, secrets, datetime.now(UTC))
    except SHAPES:  # a header of a wrong shape proves nothing either
        raise Unacceptable(401, "forged", "The signature does not prove the sender.") from None
    identity = _identity(receiver, incoming)
    topic = identity.topic if identity else "unreadable"
    delivery_id = identity.delivery_id if identity else "sha256:" + hashlib.sha256(incoming.body).hexdigest()
    kept = journal.accept(account, delivery_id, topic, incoming.headers, incoming.body, proof=proof)
    log_ack(account, delivery_id, acks.content(incoming.body), kept.fresh)
    if kept.fresh:
        ring_event(kept.event_id)
    return _say({"event": kept.event_id, "duplicate": not kept.fresh}, 200 if identity else 202)


@cache
def _acks() -> acks.Log | None:
    where = acks.folder()
    return None if where is None else acks.Log(where, journal.name)


def log_ack(account: str, delivery_id: str, content: str, fresh: bool) -> None:
    """Noted outside the database before it is answered. A log that cannot be written refuses no delivery: it is kept."""
    try:
        if (written := _acks()) is not None:
            written.note(account, delivery_id, content, fresh)
    except (OSError, psycopg.Error) as error:
        log.error("an acknowledgement could not be logged", account=account, fault=type(error).__name__)


def _identity(receiver: Receiver, incoming: Incoming) -> Identity | None:
    """What the delivery is; None when its body cannot be read: it is kept all the same, for a person to look at."""
    try:
        if "json" in incoming.headers.get("content-type", ""):
            orjson.loads(incoming.body)
        identity = receiver.identify(incoming)
    except SHAPES:
        return None
    return identity if _storable(identity.delivery_id) and _storable(identity.topic) else None


def _storable(word: object) -> bool:
    """A name that the journal can hold and index: of sensible length, no control characters, no lone surrogates."""
    return isinstance(word, str) and 0 < len(word) <= 300 and word.isprintable()


def _refuse(name: str, refusal: Unacceptable) -> Response:
    # Names that nobody configured are counted together, or anyone could fill the table.
    account = name if name in config().accounts else ""
    log.warning("a delivery was refused", account=account, status=refusal.status, reason=refusal.reason)
    try:
        journal.refused(account, refusal.reason)
    except psycopg.Error as error:
        log.error("a refusal could not be counted", account=account, fault=type(error).__name__)
    return _say({"error": refusal.sentence}, refusal.status)


SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def _say(words: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    said = {**SAFE, **(headers or {})}
    return Response(orjson.dumps(words), status=status, content_type="application/json", headers=said)
