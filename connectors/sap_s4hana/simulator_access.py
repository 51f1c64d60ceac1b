"""Who is let in: a communication user by Basic or by a token that it bought, and for every write a CSRF token with the cookie
that it is bound to.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field

from flask import Response, request

from connectors.kit.simulator import Simulator

COOKIE = "SAP_SESSIONID_S4H_100"


@dataclass
class Access:
    """Sessions live in memory only: like a vendor's, they end with its restart."""

    user: str
    password: str
    seconds: float
    token_seconds: float = 3600.0
    oauth: bool = False  # services take tokens alone
    tokens: dict[str, float] = field(default_factory=dict)
    sessions: dict[str, tuple[str, float]] = field(default_factory=dict)

    def refused(self, simulator: Simulator, write: bool) -> Response | None:
        if not self._known():
            return simulator.refuse(401, "Logon failed", {"www-authenticate": 'Basic realm="SAP NetWeaver"'})
        if write and not self._token_is_good():
            return Response(
                "CSRF token validation failed", 403, {"x-csrf-token": "Required"}, content_type="text/plain"
            )
        return None

    def _known(self) -> bool:
        told = request.headers.get("authorization", "")
        if told.startswith("Bearer "):
            return time.monotonic() < self.tokens.get(told.removeprefix("Bearer "), 0.0)
        return told == self._basic() and not self.oauth

    def token(self) -> Response:
        """Client credentials: the client says who it is by Basic (RFC 6749, 2.3.1)."""
        if request.headers.get("authorization") != self._basic():
            return _told({"error": "invalid_client"}, 401)
        if request.form.get("grant_type") != "client_credentials":
            return _told({"error": "unsupported_grant_type"}, 400)
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.monotonic() + self.token_seconds
        return _told({"access_token": token, "token_type": "Bearer", "expires_in": int(self.token_seconds)})

    def end_tokens(self) -> int:
        ended = len(self.tokens)
        self.tokens.clear()
        return ended

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def _token_is_good(self) -> bool:
        token, until = self.sessions.get(request.cookies.get(COOKIE, ""), ("", 0.0))
        return bool(token) and token == request.headers.get("x-csrf-token") and time.monotonic() < until

    def opened(self) -> Response:
        """A new session: its token in a header, itself in a cookie."""
        session, token = secrets.token_urlsafe(18), secrets.token_urlsafe(16)
        self.sessions[session] = (token, time.monotonic() + self.seconds)
        answer = Response('{"d":{"EntitySets":["A_SalesOrder"]}}', content_type="application/json")
        answer.headers["x-csrf-token"] = token
        answer.headers.add("Set-Cookie", "sap-usercontext=sap-client=100; path=/")
        answer.headers.add("Set-Cookie", f"{COOKIE}={session}; path=/; secure; HttpOnly")
        return answer

    def end_all(self) -> int:
        ended = len(self.sessions)
        self.sessions.clear()
        return ended


def _told(body: dict[str, object], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json", headers={"cache-control": "no-store"})
