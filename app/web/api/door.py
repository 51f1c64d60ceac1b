"""The API's door: whose key it is, whether it may do this, and whether it has asked too often."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

import redis
from flask import Response, current_app, g, request

from app.web import keys
from app.web.api.problems import Problem
from app.web.keys import Key

View = TypeVar("View", bound=Callable[..., Any])
MINUTE = 60
# One minute's window by Redis' own clock: how often it was asked in it, and the seconds until the next.
COUNT = """
local now = redis.call('TIME')[1]
local left = 60 - now % 60
local key = KEYS[1] .. math.floor(now / 60)
local asked = redis.call('INCRBY', key, ARGV[1])
if asked == tonumber(ARGV[1]) then redis.call('EXPIRE', key, 120) end
return {asked, left}
"""
# A wide limit is taken by thousandths: a process asks Redis once for so many requests. The limit is never passed; what a process has taken
# and does not use in its minute is lost to the others.
THOUSANDTHS = 1000
_here: dict[str, tuple[int, int]] = {}
_taken: dict[str, _Some] = {}
_lock = threading.Lock()


@dataclass(slots=True)
class _Some:
    """Requests that this process may count by itself: the number of the next, of the last, and when their minute ends (monotonic)."""

    next: int
    last: int
    until: float


def needs(scope: str) -> Callable[[View], View]:
    """Names the scope of a resource; what names none is for no key."""

    def named(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return named


def me() -> Key:
    """Whose key it is; behind the door there is always one."""
    return cast(Key, g.api_key)


def enter() -> None:
    """Asked before each resource. Raises Problem 401, 403 or 429."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    key = keys.who(token.strip()) if scheme.lower() == "bearer" and token.isascii() else None
    if key is None:
        raise Problem(401, "unknown_key", "Send Authorization: Bearer and a key that is valid.", CHALLENGE)
    scope = getattr(current_app.view_functions.get(request.endpoint or ""), "scope", None)
    if scope is None or not key.may(scope):
        raise Problem(403, "scope", f"This key lacks the scope {scope}.", scope=scope)
    asked, left = _asked(key)
    g.api_key, g.api_left = key, max(0, key.per_minute - asked)
    g.api_reset = left
    if asked > key.per_minute:
        raise Problem(
            429,
            "too_often",
            f"At most {key.per_minute} requests a minute.",
            {**_headers(key), "Retry-After": str(left)},
        )


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="waybill"'}


def leave(response: Response) -> Response:
    """How much of its limit is left, on every answer."""
    if (key := g.get("api_key")) is not None:
        response.headers.extend(_headers(key))
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _headers(key: Key) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(key.per_minute),
        "RateLimit-Remaining": str(g.get("api_left", 0)),
        "RateLimit-Reset": str(g.get("api_reset", MINUTE)),
    }


def _asked(key: Key) -> tuple[int, int]:
    """How often this partner asked in this minute, over all processes; in this process alone while Redis is away."""
    now = time.monotonic()
    with _lock:
        some = _taken.get(key.name)
        if some is not None and some.next <= some.last and now < some.until:
            some.next += 1
            return some.next - 1, max(1, int(some.until - now))
    many = max(1, key.per_minute // THOUSANDTHS)
    try:
        asked, left = map(int, _script()(keys=[f"waybill:api:{key.name}:"], args=[many]))
    except redis.RedisError:
        return _counted_here(key.name)
    if many > 1:
        with _lock:
            _taken[key.name] = _Some(asked - many + 2, asked, now + left)
    return asked - many + 1, left


def _counted_here(name: str) -> tuple[int, int]:
    minute, second = divmod(int(time.time()), MINUTE)
    before = _here.get(name, (minute, 0))
    _here[name] = (minute, before[1] + 1 if before[0] == minute else 1)
    return _here[name][1], MINUTE - second


@cache
def _script() -> Any:
    client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=0.2, socket_timeout=0.2)
    return client.register_script(COUNT)
