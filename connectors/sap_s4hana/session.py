"""A session with SAP Gateway: a CSRF token and the cookies that it is bound to, fetched together and sent together.

The token is worth nothing without its cookies: they hold the security session, and behind a load balancer the server that
knows it. All workers share one pair, so an expired one is fetched once. Source of the protocol: the pages that
manifest.toml names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.kit.account import Connection
from connectors.kit.errors import Transient
from connectors.kit.http import Answer
from connectors.kit.verdicts import checked

NAME = "csrf"
LIVES = 1500.0  # seconds; Gateway ends a session after 1,800 unless somebody set another time
COOKIE = re.compile(r"(?:^|,\s*)([\w!#$%&'*+.^`|~-]+)=([^;,]*)")
SEPARATOR = "\n"


def headers(session: str) -> dict[str, str]:
    """What a write sends of a session."""
    token, _, cookies = session.partition(SEPARATOR)
    return {"x-csrf-token": token, **({"cookie": cookies} if cookies else {})}


def fetch(connection: Connection, path: str, login: Mapping[str, str]) -> tuple[str, float]:
    """A new token with its cookies, and the seconds that both may be used. Raises the kit's errors."""
    asking = {**login, "x-csrf-token": "fetch"}
    answer = connection.http.call("GET", path, operation="session.fetch", headers=asking, secret=True)
    token = checked(answer).headers.get("x-csrf-token", "")
    if not token or token.casefold() == "required":
        raise Transient("SAP Gateway answered a request for a CSRF token without one.", code="unreadable_answer")
    lives = float(connection.account.settings.get("session_seconds", LIVES))
    return token + SEPARATOR + _cookies(answer.headers), lives


def _cookies(told: Mapping[str, str]) -> str:
    """Set-Cookie headers arrive joined by commas; of each only its name and value are sent back."""
    pairs = COOKIE.findall(told.get("set-cookie", ""))
    return "; ".join(f"{name}={value}" for name, value in pairs)


def expired(answer: Answer) -> bool:
    """Whether the token was refused: 403 that says `x-csrf-token: Required`. Nothing was done then."""
    return answer.status == 403 and answer.headers.get("x-csrf-token", "").casefold() == "required"
