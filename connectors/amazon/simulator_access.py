"""Who may ask the simulated Amazon, and how often: tokens of Login with Amazon, restricted data, a bucket an operation."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.kit.simulator import Memory

LIVES = 3600
SELLER, GRANTLESS, RESTRICTED = "seller", "grantless", "restricted"
# The published default plans (rate a second, burst): the usage plan of each operation in the models.
PLANS: dict[str, tuple[float, float]] = {
    "orders.search": (0.0056, 20),
    "orders.get": (0.5, 30),
    "orders_v0.list": (0.0167, 20),
    "orders_v0.get": (0.5, 30),
    "orders_v0.items": (0.5, 30),
    "orders.confirm": (2, 10),
    "tokens.restricted": (1, 10),
    "feeds.documents.create": (0.5, 15),
    "feeds.create": (0.0083, 15),
    "feeds.get": (2, 15),
    "feeds.documents.get": (0.0222, 10),
    "listings.search": (5, 5),
    "listings.get": (5, 10),
    "listings.patch": (5, 5),
    "finances.order": (0.5, 30),
    "finances.list": (0.5, 30),
    "subscriptions.get": (1, 5),
    "subscriptions.create": (1, 5),
    "destinations.list": (1, 5),
    "destinations.create": (1, 5),
}


class Refused(Exception):
    """An answer of Amazon's that is an error."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error = {"code": code, "message": message, "details": details}


@dataclass
class Buckets:
    """A token bucket for each operation. `generous` multiplies every plan, for plays that are in a hurry."""

    plans: Mapping[str, tuple[float, float]]
    generous: float = 1.0
    levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def rate(self, operation: str) -> float:
        return self.plans[operation][0] * self.generous

    def take(self, operation: str) -> None:
        rate, burst = self.rate(operation), self.plans[operation][1] * self.generous
        with self.lock:
            now = time.monotonic()
            level, at = self.levels.get(operation, (burst, now))
            level = min(burst, level + (now - at) * rate)
            if level < 1:
                self.levels[operation] = (level, now)
                raise Refused(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
            self.levels[operation] = (level - 1, now)

    def spend(self, operation: str) -> None:
        """Other software of the same application has emptied it."""
        with self.lock:
            self.levels[operation] = (0.0, time.monotonic())


@dataclass
class Tokens:
    """Tokens by their value; `client` and `refresh` are what opens the door."""

    memory: Memory
    client: tuple[str, str]
    refresh: str

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """RFC 6749's errors, which Login with Amazon answers with 400 and 401."""
        if (form.get("client_id"), form.get("client_secret")) != self.client:
            raise Refused(401, "invalid_client", "Client authentication failed")
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") != self.refresh:
                raise Refused(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
            made = self._make(SELLER)
            return {"access_token": made, "token_type": "bearer", "expires_in": LIVES, "refresh_token": self.refresh}
        if form.get("grant_type") == "client_credentials" and form.get("scope") == "sellingpartnerapi::notifications":
            return {"access_token": self._make(GRANTLESS), "token_type": "bearer", "expires_in": LIVES}
        raise Refused(400, "unsupported_grant_type", "The authorization grant type is not supported")

    def restrict(self, resources: list[Mapping[str, Any]]) -> dict[str, Any]:
        paths = [f"{one['method']} {one['path']} {','.join(one.get('dataElements', ()))}" for one in resources]
        return {"restrictedDataToken": self._make(RESTRICTED, paths), "expiresIn": LIVES}

    def _make(self, kind: str, paths: list[str] | None = None) -> str:
        name = {SELLER: "Atza|", GRANTLESS: "Atc|", RESTRICTED: "Atz.sprdt|"}[kind] + secrets.token_hex(12)
        self.memory.put("tokens", name, {"kind": kind, "ends": time.time() + LIVES, "paths": paths or []})
        return name

    def end(self) -> None:
        with self.memory.lock:
            for row in self.memory.table("tokens").values():
                row["ends"] = 0

    def check(self, value: str, grantless: bool) -> Mapping[str, Any]:
        """What the token is. Raises Refused(403) as Amazon does, whatever is wrong with it."""
        row: Mapping[str, Any] | None = self.memory.table("tokens").get(value)
        if row is None or row["ends"] <= time.time():
            details = (
                "The access token you provided has expired." if row else "The access token you provided is malformed."
            )
            raise Refused(403, "Unauthorized", "Access to requested resource is denied.", details)
        if (row["kind"] == GRANTLESS) != grantless:
            raise Refused(403, "Unauthorized", "Access to requested resource is denied.")
        return row


def opens(token: Mapping[str, Any], method: str, path: str, element: str) -> bool:
    """Whether a restricted data token tells this element of this resource."""
    for told in token["paths"]:
        verb, pattern, elements = told.split(" ")
        shape = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(pattern))
        if verb == method and element in elements.split(",") and re.fullmatch(shape, path):
            return True
    return False
