"""Who may call a NetSuite account, for how long, and how many calls at a time it takes."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt

from connectors.kit.simulator import Memory
from connectors.netsuite.simulator_errors import Refused

ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LONGEST = 3600  # seconds an assertion may live
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class NoToken(Exception):
    """A token request that is refused, as RFC 6749 names it."""

    error: str
    status: int = 400


@dataclass
class Access:
    """The integration's mapping: its client id, certificate id and public key, and the tokens given out."""

    memory: Memory
    client_id: str
    certificate_id: str
    public_key: str
    lifetime: float = 3600.0
    skew: float = 0.0

    def now(self) -> float:
        """The account's clock, which may be off from ours."""
        return time.time() + self.skew

    def token(self, form: Mapping[str, str], audience: str) -> dict[str, Any]:
        """Section_162790605110: the assertion is proved, then a bearer token is given for an hour; there is no
        refresh token.
        """
        if form.get("grant_type") != "client_credentials":
            raise NoToken("unsupported_grant_type")
        if form.get("client_assertion_type") != ASSERTION:
            raise NoToken("invalid_request")
        self._prove(form.get("client_assertion", ""), audience)
        token = secrets.token_urlsafe(32)
        self.memory.put("tokens", token, self.now() + self.lifetime)
        return {"access_token": token, "expires_in": str(int(self.lifetime)), "token_type": "bearer"}

    def _prove(self, assertion: str, audience: str) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims = self._claims(assertion, audience)
        except jwt.PyJWTError:
            raise NoToken("invalid_grant") from None
        if header.get("kid") != self.certificate_id or header.get("typ") != "JWT":
            raise NoToken("invalid_grant")
        if claims["iss"] != self.client_id:
            raise NoToken("invalid_client", 401)
        if "rest_webservices" not in claims["scope"]:
            raise NoToken("invalid_scope")
        if not claims["iat"] - 60 <= self.now() < claims["exp"] <= claims["iat"] + LONGEST:
            raise NoToken("invalid_grant")

    def _claims(self, assertion: str, audience: str) -> dict[str, Any]:
        """The assertion's claims once its signature and audience are proved; its times are judged by the
        account's clock.
        """
        return jwt.decode(
            assertion,
            self.public_key,
            algorithms=list(ALGORITHMS),
            audience=audience,
            options={"verify_exp": False, "verify_iat": False, "require": ["iss", "aud", "iat", "exp", "scope"]},
        )

    def admit(self, authorization: str) -> None:
        """Refuses a call whose bearer token was not given out, or has run out."""
        kind, _, token = authorization.partition(" ")
        ends = self.memory.table("tokens").get(token)
        if kind.lower() != "bearer" or ends is None or self.now() >= float(ends):
            raise Refused(
                "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI.",
                "INVALID_LOGIN",
                status=401,
            )

    def end_all(self) -> int:
        tokens = self.memory.table("tokens")
        for token in list(tokens):
            self.memory.put("tokens", token, 0)
        return len(tokens)


@dataclass
class Gauge:
    """How many calls are under way, and how many there were at most."""

    limit: int
    under_way: int = 0
    peak: int = 0
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def call(self) -> Iterator[bool]:
        """Gives whether there is room for this call; while it runs it takes a place."""
        with self.lock:
            room = self.under_way < self.limit
            self.under_way += room
            self.refused += not room
            self.peak = max(self.peak, self.under_way)
        try:
            yield room
        finally:
            with self.lock:
                self.under_way -= room
