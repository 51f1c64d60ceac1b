"""Who comes in at the simulated Square: tokens that expire, the application's own token, versions, and how often one may ask."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, request

from connectors.kit.simulator import Memory
from connectors.square.simulator_refused import Refused
from connectors.square.simulator_store import written
from connectors.square.simulator_words import document, said

APPLICATION = "sq-application"
LIFE = timedelta(days=30)


class Door:
    """`application`: id, secret, refresh token and own token; `rate` calls a second from at most `burst` (0: as many as one likes)."""

    serves: str = ""  # the version that answers, whatever was asked for

    def __init__(self, memory: Memory, application: dict[str, str], rate: float, burst: float) -> None:
        self._memory, self._own = memory, application
        self._rate, self._burst, self._left, self._at = rate, burst, burst, time.monotonic()
        self._lock = threading.Lock()

    def admit(self, name: str) -> None:
        """Raises Refused for who may not come in, or not so fast."""
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", request.headers.get("Square-Version", "")):
            raise Refused(400, "INVALID_SQUARE_VERSION_FORMAT", "The version must be a date")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if name.startswith("webhooks."):
            known = token == self._own["application_token"]
        else:
            known = self._memory.table("tokens").get(token, "") > written(datetime.now(UTC))
        if not known:
            code = "ACCESS_TOKEN_EXPIRED" if token in self._memory.table("tokens") else "UNAUTHORIZED"
            raise Refused(401, code, "This request could not be authorized.", category="AUTHENTICATION_ERROR")
        if not self._take():
            raise Refused(429, "RATE_LIMITED", "Too many requests", category="RATE_LIMIT_ERROR")

    def _take(self) -> bool:
        with self._lock:
            now = time.monotonic()
            self._left, self._at = min(self._burst, self._left + (now - self._at) * self._rate), now
            if self._rate and self._left < 1:
                return False
            self._left -= 1
            return True

    def token(self) -> Response:
        """ObtainToken with a refresh token: a new access token for 30 days; the refresh token stays."""
        body = document()
        wrong = [
            name
            for name, own in (("client_id", "application_id"), ("client_secret", "application_secret"))
            if body.get(name) != self._own[own]
        ]
        if wrong:
            raise Refused(401, "UNAUTHORIZED", "Not Authorized", category="AUTHENTICATION_ERROR")
        if body.get("grant_type") != "refresh_token" or body.get("refresh_token") != self._own["refresh_token"]:
            raise Refused(400, "BAD_REQUEST", "The refresh token is not valid", "refresh_token")
        ends = written(datetime.now(UTC) + LIFE)
        token = f"sq-access-{self._memory.next_id('tokens_given')}"
        self._memory.put("tokens", token, ends)
        told: dict[str, Any] = {"access_token": token, "token_type": "bearer", "expires_at": ends}
        return said(
            {**told, "merchant_id": "MERCHANT1", "refresh_token": self._own["refresh_token"], "short_lived": False}
        )

    def expire(self) -> None:
        """Every access token has ended."""
        for token in list(self._memory.table("tokens")):
            self._memory.put("tokens", token, written(datetime.now(UTC) - timedelta(seconds=1)))
