"""The simulated seller's webhooks: signed over address and body with the subscription's own key, retried, then disabled."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.kit import simulator_mailing as mailing
from connectors.kit.simulator import Memory
from connectors.kit.simulator_mailing import Delivery, Mailing

Json = dict[str, Any]
SCHEDULE = (60, 180, 600, 1800, 3600, 7200, 14400, 28800, 28800)  # seconds: 24 hours in all, each longer than the last


@dataclass
class Habits(mailing.Habits):
    """As everywhere; `url` is told every topic as by a subscription with `secret` for its key, `retry_factor` squeezes the schedule."""

    secret: str = "square-signature-key"
    retry_factor: float = 1.0

    def schedule(self) -> Sequence[float]:
        return [seconds * self.retry_factor for seconds in SCHEDULE]


class Hooks:
    def __init__(self, memory: Memory, habits: Habits, merchant: str, seed: int = 7) -> None:
        self.memory, self.merchant = memory, merchant
        self.mailing = Mailing(habits, self, seed)

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
            self.mailing.post(Delivery(name, topic, subject, url, json.dumps(body), subscription))

    def _addresses(self, topic: str) -> list[tuple[str, str]]:
        rows = [
            one for one in self.memory.table("subscriptions").values() if one["enabled"] and topic in one["event_types"]
        ]
        found = [
            (str(one["id"]), one["notification_url"])
            for one in rows
            if one["notification_url"] != self.mailing.habits.url
        ]
        return ([("", self.mailing.habits.url)] if self.mailing.habits.url else []) + found

    def forgery(self, delivery: Delivery) -> Json:
        """The same event, from somebody else."""
        return {}

    def give_up(self, delivery: Delivery) -> None:
        self.disable(delivery.hook)

    def disable(self, name: str) -> None:
        """A subscription that failed for long stays disabled until somebody enables it."""
        known = self.memory.table("subscriptions").get(name)
        if known:
            self.memory.put("subscriptions", name, {**known, "enabled": False})

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Signed over the address that it was given and the body's bytes."""
        own = self.memory.table("subscriptions").get(delivery.hook, {}).get("signature_key")
        habits, drawn = self.mailing.habits, self.mailing.secret()
        secret = "nobody-has-this" if delivery.forged else drawn if drawn != habits.secret else own or habits.secret
        proof = hmac.new(secret.encode(), delivery.url.encode() + delivery.body.encode(), hashlib.sha256).digest()
        return {
            "content-type": "application/json",
            "x-square-hmacsha256-signature": base64.b64encode(proof).decode(),
            "square-environment": "Production",
            "square-retry-number": str(len(delivery.attempts)),
        }
