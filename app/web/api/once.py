"""Idempotency keys: a request that is sent again is answered as the first time, and its effects happen once."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b

from flask import Response, request
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.database import transaction
from app.web.api.door import me
from app.web.api.problems import Problem

OWN = ("Location",)  # headers that belong to what was answered, and not to this request
FORM = re.compile(r"[\x21-\x7e]{1,200}")
# A second request waits here until the first has committed its answer.
BEGIN = text("""
INSERT INTO api_answers (key_name, idempotency_key, content) VALUES (:name, :key, :content) ON CONFLICT DO NOTHING RETURNING 1
""")
KNOWN = text(
    "SELECT content, status, body, headers, kept FROM api_answers WHERE key_name = :name AND idempotency_key = :key"
)
ANSWERED = text("""
UPDATE api_answers SET status = :status, body = :body, headers = :headers, kept = :kept WHERE key_name = :name AND idempotency_key = :key
""")
Told = tuple[
    str, str, bool
]  # a delivery that the answer acknowledges: its id, the hash of its body, whether it was the first


def key() -> str:
    """The request's own name (Idempotency-Key). Raises Problem 400 when it has none or one of another form."""
    given = request.headers.get("Idempotency-Key", "")
    if not FORM.fullmatch(given):
        raise Problem(400, "idempotency_key", "Send an Idempotency-Key of 1 to 200 printable characters.")
    return given


def reused() -> Problem:
    return Problem(422, "idempotency_key_reused", "This Idempotency-Key was used for another request before.")


def once(act: Callable[[Connection], Response], told: list[Told] | None = None) -> Response:
    """Carries out the request in one transaction with its answer; answers again what was answered. Raises Problem 422.

    `told` are the deliveries that `act` keeps: they are filled in where the answer is given again.
    """
    name = {"name": me().name, "key": f"{request.path} {key()}"}
    content = blake2b(request.get_data(), digest_size=16).hexdigest()
    with transaction() as tx:
        if tx.execute(BEGIN, {**name, "content": content}).scalar() is None:
            return _again(tx, name, content, told)
        answer = act(tx)
        headers = Jsonb({name: answer.headers[name] for name in OWN if name in answer.headers})
        said = {"status": answer.status_code, "body": answer.get_data(), "headers": headers}
        tx.execute(ANSWERED, {**name, **said, "kept": Jsonb([one[:2] for one in told or ()])})
    return answer


def _again(tx: Connection, name: dict[str, str], content: str, told: list[Told] | None) -> Response:
    known = tx.execute(KNOWN, name).one()
    if known.content != content:
        raise reused()
    if told is not None:
        told += [(delivery, digest, False) for delivery, digest in known.kept]
    headers = {**known.headers, "Idempotency-Replayed": "true"}
    return Response(bytes(known.body), known.status, content_type="application/json", headers=headers)
