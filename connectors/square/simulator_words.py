"""How the simulated Square reads and answers: exact JSON, fields that are needed, keys that make a call once, cursors."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import simplejson
from flask import Response, request

from connectors.kit.http import dump_json
from connectors.square.simulator_refused import Refused
from connectors.square.simulator_store import Store

Json = dict[str, Any]


def said(value: Any, status: int = 200) -> Response:
    return Response(dump_json(value), status, content_type="application/json")


def document() -> Json:
    """The request's body, decimals exact."""
    try:
        body = simplejson.loads(request.get_data(), use_decimal=True)
    except (ValueError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "EXPECTED_JSON_BODY", "A JSON object is expected")
    return body


def needed(body: Mapping[str, Any], name: str) -> Any:
    found: Any = body
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found in (None, "", []):
        raise Refused(400, "MISSING_REQUIRED_PARAMETER", f"Field must be set: {name}", name)
    return found


def once(store: Store, key: str, what: Any, do: Callable[[], Json]) -> Json:
    """The same key with the same content is answered as before; with another content it is refused, whatever came of the first."""
    content = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()
    with store.memory.lock:
        known = store.memory.table("keys").get(key)
        if known and known["content"] != content:
            raise Refused(
                400,
                "IDEMPOTENCY_KEY_REUSED",
                "Different request parameters used for the same idempotency_key",
                "idempotency_key",
            )
        if known and known["answer"] is not None:
            return dict(known["answer"])
        store.memory.put("keys", key, {"content": content, "answer": None})
        answer = do()
        store.memory.put("keys", key, {"content": content, "answer": answer})
        return answer


def paged(rows: Sequence[Json], body: Mapping[str, Any], name: str, most: int) -> Json:
    """Rows by a cursor, which belongs to its query."""
    query = hashlib.sha256(
        json.dumps({k: v for k, v in body.items() if k != "cursor"}, sort_keys=True, default=str).encode()
    ).hexdigest()[:12]
    start = 0
    if body.get("cursor"):
        try:
            told, _, at = base64.b64decode(body["cursor"]).decode().partition(":")
            start = int(at)
        except (ValueError, UnicodeDecodeError):
            told = ""
        if told != query:
            raise Refused(400, "INVALID_CURSOR", "The cursor belongs to another query", "cursor")
    size = max(1, min(most, int(body.get("limit") or most)))
    shown = list(rows[start : start + size])
    further = (
        {"cursor": base64.b64encode(f"{query}:{start + size}".encode()).decode()} if start + size < len(rows) else {}
    )
    return {**({name: shown} if shown else {}), **further}
