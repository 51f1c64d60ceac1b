"""Who may call, and how much: Microsoft Entra's tokens, requests in five minutes, requests at a time and in the queue."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connectors.business_central.simulator_refusals import Refused
from connectors.kit.simulator import Memory

SCOPE = "https://api.businesscentral.dynamics.com/.default"


@dataclass
class NoToken(Exception):
    """A token request that is refused, as RFC 6749 names it."""

    error: str
    words: str
    status: int = 400


@dataclass
class Access:
    """One app registration: its tenant, client id and secret, and the tokens given out."""

    memory: Memory
    tenant: str
    client_id: str
    client_secret: str
    lifetime: float = 3599.0

    def token(self, tenant: str, form: Mapping[str, str]) -> dict[str, Any]:
        if tenant != self.tenant:
            raise NoToken("invalid_request", f"AADSTS90002: Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials":
            raise NoToken("unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")
        if form.get("client_id") != self.client_id:
            raise NoToken("unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        if not secrets.compare_digest(form.get("client_secret", "").encode(), self.client_secret.encode()):
            raise NoToken("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)
        if form.get("scope") != SCOPE:
            raise NoToken(
                "invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid."
            )
        token = secrets.token_urlsafe(32)
        self.memory.put("tokens", token, time.time() + self.lifetime)
        seconds = int(self.lifetime)
        return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}

    def admit(self, authorization: str) -> None:
        kind, _, token = authorization.partition(" ")
        ends = self.memory.table("tokens").get(token)
        if kind.lower() != "bearer" or ends is None or time.time() >= float(ends):
            words = "The server has rejected the client credentials."
            raise Refused(words, "Authentication_InvalidCredentials", 401)

    def end_all(self) -> int:
        tokens = self.memory.table("tokens")
        for token in list(tokens):
            self.memory.put("tokens", token, 0)
        return len(tokens)


@dataclass
class Gate:
    """`most` requests in `seconds`; `at_once` are worked on, `queue` more wait; all others are told 429."""

    most: int = 6000
    seconds: float = 300.0
    at_once: int = 5
    queue: int = 95
    waiting: int = 0
    peak: int = 0
    refused: int = 0
    under_way: int = 0
    times: deque[float] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    room: threading.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.room = threading.Semaphore(self.at_once)

    @contextmanager
    def call(self) -> Iterator[bool]:
        """Gives whether the request is taken; it then waits for its turn."""
        taken = self._taken()
        if not taken:
            yield False
            return
        with self.room:
            with self.lock:
                self.waiting -= 1
                self.under_way += 1
                self.peak = max(self.peak, self.under_way)
            try:
                yield True
            finally:
                with self.lock:
                    self.under_way -= 1

    def _taken(self) -> bool:
        now = time.monotonic()
        with self.lock:
            while self.times and self.times[0] <= now - self.seconds:
                self.times.popleft()
            taken = len(self.times) < self.most and self.waiting + self.under_way < self.at_once + self.queue
            self.refused += not taken
            if taken:
                self.times.append(now)
                self.waiting += 1
        return taken
