"""Who may come into the simulated site: Account Manager's tokens, the load it sheds, the rate it allows."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from flask import Response, request

from connectors.salesforce_commerce.simulator_http import said
from connectors.salesforce_commerce.simulator_refusal import Refused

LIFE = 1799.0


@dataclass
class Access:
    """`quota` calls in any `window` seconds (0: no limit); `load` is how much of the capacity is in use, in percent."""

    client_id: str
    client_secret: str
    tenant: str
    quota: int = 0
    window: float = 1.0
    load: float = 20.0
    life: float = LIFE
    tokens: dict[str, tuple[float, str]] = field(default_factory=dict)
    taken: deque[float] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)

    # ---- Account Manager

    def token(self) -> Response:
        if not self._known():
            raise Refused(401, "Client authentication failed.", "invalid_client")
        if request.form.get("grant_type") != "client_credentials":
            raise Refused(400, "Only client credentials are taken.", "unsupported_grant_type")
        scope = request.form.get("scope", "")
        if scope and f"SALESFORCE_COMMERCE_API:{self.tenant}" not in scope.split():
            raise Refused(400, "The scope names another tenant.", "invalid_scope")
        made = secrets.token_urlsafe(40)
        with self.lock:
            self.tokens[made] = (time.monotonic() + self.life, scope)
        told = {"access_token": made, "expires_in": int(self.life), "token_type": "Bearer"}
        return said({**told, "scope": scope} if scope else told)

    def _known(self) -> bool:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return False
        name, _, secret = base64.b64decode(given).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (self.client_id, self.client_secret)

    def expire(self) -> None:
        with self.lock:
            self.tokens.clear()

    # ---- the doors

    def admit(self, scope: str) -> None:
        """Who has a good token for the door comes in; `scope` is what SCAPI wants ("" at the instance)."""
        _, _, given = request.headers.get("Authorization", "").partition("Bearer ")
        with self.lock:
            until, scopes = self.tokens.get(given, (0.0, ""))
        if until <= time.monotonic():
            raise Refused(401, "The access token is invalid or has expired.", "unauthorized")
        allowed = scopes.replace(".rw", "").split()
        if scope and scope.replace(".rw", "") not in allowed:
            raise Refused(403, f"The scope {scope} is missing.", "forbidden")
        if scope and scope.endswith(".rw") and request.method != "GET" and scope not in scopes.split():
            raise Refused(403, f"The scope {scope} is missing.", "forbidden")
        self._weigh()

    def _weigh(self) -> None:
        if self.load >= 100:
            raise Refused(503, "The system is over its capacity.", headers=self.headers())
        if not self.quota:
            return
        now = time.monotonic()
        with self.lock:
            while self.taken and self.taken[0] <= now - self.window:
                self.taken.popleft()
            if len(self.taken) >= self.quota:
                raise Refused(429, "The rate limit is reached.")
            self.taken.append(now)

    def headers(self) -> dict[str, str]:
        state = "THROTTLE" if self.load >= 90 else "WARN" if self.load >= 80 else ""
        return {"sfdc_load": f"{self.load:g}", **({"sfdc_load_status": state} if state else {})}
