"""The simulated seller's webhooks: signed over address and body with the subscription's own key, retried, then disabled."""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import itertools
import json
import random
import threading
import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from connectors.kit.simulator import Memory

Json = dict[str, Any]
SCHEDULE = (60, 180, 600, 1800, 3600, 7200, 14400, 28800, 28800)  # seconds: 24 hours in all, each longer than the last
PATIENCE = 10.0


@dataclass
class Delivery:
    """One event to one address. `state`: waiting, delivered, failed, never_sent; a `forged` one must be refused."""

    id: str
    topic: str
    subject: str
    url: str
    body: str
    subscription: str = ""
    state: str = "waiting"
    forged: bool = False
    copy_of: str = ""
    attempts: list[Json] = field(default_factory=list)


@dataclass
class Habits:
    """Switches; shares are between 0 and 1. `duplicates`: sent twice; `reordered`: held back up to `hold` seconds; `forged`: followed by one signed
    with a key that nobody has; `never_sent`: lost at the source; `old_share`: signed with the key before the rotation; `retry_factor` squeezes
    the schedule. `url` is told every topic, as by a subscription with `secret` for its key."""

    secret: str = "square-signature-key"
    old_secret: str = ""
    old_share: float = 0.0
    duplicates: float = 0.0
    reordered: float = 0.0
    hold: float = 1.5
    forged: float = 0.0
    never_sent: float = 0.0
    retry_factor: float = 1.0
    paused: bool = False
    url: str = ""


class Hooks:
    def __init__(self, memory: Memory, habits: Habits, merchant: str, seed: int = 7) -> None:
        self.memory, self.habits, self.merchant = memory, habits, merchant
        self.deliveries: list[Delivery] = []
        self._rng = random.Random(seed)
        self._due: list[tuple[float, int, Delivery]] = []
        self._count, self._stir = itertools.count(), threading.Condition()
        threading.Thread(target=self._work, daemon=True).start()

    def tell(self, topic: str, kind: str, subject: str, told: Json) -> None:
        """One event to everyone who subscribed to its topic."""
        name = str(uuid.uuid4())
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {
            "merchant_id": self.merchant,
            "type": topic,
            "event_id": name,
            "created_at": at,
            "data": {"type": kind, "id": subject, "object": told},
        }
        for subscription, url in self._addresses(topic):
            self._post(Delivery(name, topic, subject, url, json.dumps(body), subscription))

    def _addresses(self, topic: str) -> list[tuple[str, str]]:
        rows = [
            one for one in self.memory.table("subscriptions").values() if one["enabled"] and topic in one["event_types"]
        ]
        found = [
            (str(one["id"]), one["notification_url"]) for one in rows if one["notification_url"] != self.habits.url
        ]
        return ([("", self.habits.url)] if self.habits.url else []) + found

    def _post(self, delivery: Delivery) -> None:
        habits = self.habits
        with self._stir:
            lost, twice = self._rng.random() < habits.never_sent, self._rng.random() < habits.duplicates
            late = habits.hold * self._rng.random() if self._rng.random() < habits.reordered else 0.0
            forged = self._rng.random() < habits.forged
            self.deliveries.append(delivery)
        if lost:
            delivery.state = "never_sent"
            return
        self._enqueue(delivery, late)
        if twice:
            self._also(Delivery(**{**asdict(delivery), "copy_of": delivery.id, "attempts": []}), late + 0.05)
        if forged:
            self._also(Delivery(**{**asdict(delivery), "forged": True, "attempts": []}), late)

    def _also(self, delivery: Delivery, delay: float) -> None:
        self.deliveries.append(delivery)
        self._enqueue(delivery, delay)

    def _enqueue(self, delivery: Delivery, delay: float) -> None:
        with self._stir:
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._count), delivery))
            self._stir.notify()

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                self._try(session, self._next())

    def _next(self) -> Delivery:
        with self._stir:
            while not self._due or self._due[0][0] > time.monotonic() or self.habits.paused:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                self._stir.wait(max(0.02, wait) if wait is not None else None)
            return heapq.heappop(self._due)[2]

    def _try(self, session: requests.Session, delivery: Delivery) -> None:
        status, answer = 0, ""
        try:
            said = session.post(delivery.url, delivery.body.encode(), headers=self.headers(delivery), timeout=PATIENCE)
            status, answer = said.status_code, said.text[:200]
        except requests.RequestException as broken:
            answer = type(broken).__name__
        delivery.attempts.append({"at": time.time(), "status": status, "answer": answer})
        self._judge(delivery, 200 <= status < 300)

    def _judge(self, delivery: Delivery, taken: bool) -> None:
        if taken:
            delivery.state = "delivered"
        elif delivery.forged or len(delivery.attempts) > len(SCHEDULE):
            delivery.state = "failed"
            if not delivery.forged:
                self.disable(delivery.subscription)
        else:
            self._enqueue(delivery, SCHEDULE[len(delivery.attempts) - 1] * self.habits.retry_factor)

    def disable(self, name: str) -> None:
        """A subscription that failed for long stays disabled until somebody enables it."""
        known = self.memory.table("subscriptions").get(name)
        if known:
            self.memory.put("subscriptions", name, {**known, "enabled": False})

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Signed over the address that it was given and the body's bytes."""
        old = self.habits.old_secret and self._rng.random() < self.habits.old_share
        own = self.memory.table("subscriptions").get(delivery.subscription, {}).get("signature_key", self.habits.secret)
        secret = "nobody-has-this" if delivery.forged else self.habits.old_secret if old else own
        proof = hmac.new(secret.encode(), delivery.url.encode() + delivery.body.encode(), hashlib.sha256).digest()
        return {
            "content-type": "application/json",
            "x-square-hmacsha256-signature": base64.b64encode(proof).decode(),
            "square-environment": "Production",
            "square-retry-number": str(len(delivery.attempts)),
        }
