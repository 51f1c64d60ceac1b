"""Problems: what the API answers when it does not do what was asked (RFC 9457), as application/problem+json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import psycopg
import sqlalchemy.exc
import structlog
from flask import Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

log = structlog.get_logger("waybill.api")
KIND = "application/problem+json"
TITLES = {
    400: "The request cannot be read",
    401: "A valid API key is needed",
    403: "This key may not do that",
    404: "There is nothing here",
    405: "That is not done this way",
    409: "It conflicts with what is there",
    412: "It has changed meanwhile",
    413: "The request is too large",
    415: "The body is of another kind",
    422: "The request says something that cannot be",
    429: "This key has asked too often",
    500: "The hub met an error of its own",
    503: "The hub cannot answer now",
}


class Problem(HTTPException):
    """Raised by a resource: `code` names the problem for programs, `detail` tells people, `more` are members of its own."""

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.code = status
        self.name_ = code
        self.headers_ = dict(headers or {})
        self.more = more


def answer(error: HTTPException) -> Response:
    """A problem document for any error that a resource, the router or the reader of arguments raises."""
    status = error.code or 500
    said: dict[str, Any] = {"title": TITLES.get(status, "The request was not carried out"), "status": status}
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    if isinstance(error, Problem):
        said |= {"type": f"urn:waybill:problem:{error.name_}", "detail": error.description, **error.more}
        headers |= error.headers_
    else:
        said |= {"type": "about:blank", **_told(error)}
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return Response(
        orjson.dumps(said, default=str, option=orjson.OPT_NON_STR_KEYS),
        status=status,
        content_type=KIND,
        headers=headers,
    )


AWAY = (psycopg.OperationalError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.TimeoutError)


def away(error: Exception) -> Response:
    """The database does not answer, or was too busy: nothing was done, and the same request may be sent again under its key."""
    told = (
        getattr(error, "orig", None) or error
    )  # the driver's own, with the rule that PostgreSQL names (40P01: a deadlock; 55P03: a lock)
    log.error("the API could not answer", fault=type(told).__name__, sqlstate=getattr(told, "sqlstate", None) or "")
    return answer(Problem(503, "away", "Nothing was done. Send it again in some seconds.", {"Retry-After": "2"}))


def _told(error: HTTPException) -> dict[str, Any]:
    """What webargs found wrong, field by field; else the error's own sentence, which names nothing of ours."""
    found = getattr(error, "data", None) or {}
    if "messages" in found:
        return {"type": "urn:waybill:problem:invalid", "errors": found["messages"]}
    return {"detail": error.description} if error.code and error.code < 500 else {}
