"""ShipBob's webhooks as it sends them: signed at every attempt, retried on its schedule, and on bad days twice, late
or never."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from zlib import crc32

import requests

from connectors.kit.simulator import Memory
from connectors.kit.simulator_agenda import Agenda
from connectors.shipbob.webhook import signing_key

# https://developer.shipbob.com/webhooks: at once, then after 5 s, 5 min, 30 min, 2, 5, 10 and 10 hours; then the
# endpoint is switched off.
SCHEDULE = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
PATIENCE = 15.0


def share(reference: str, purpose: str) -> float:
    """A number in [0, 1) that is the same for the same reference and purpose on every run."""
    return crc32(f"{purpose}:{reference}".encode()) / 2**32


class Post:
    """Deliveries to every enabled subscription of a topic. `settings` is live: switches count from the next event
    on."""

    def __init__(self, memory: Memory, settings: dict[str, Any]) -> None:
        self._memory, self._settings = memory, settings
        self._agenda = Agenda("shipbob-post")
        self._session = requests.Session()
        self._session.trust_env = False
        self.attempts: list[dict[str, Any]] = []
        self.never_sent: list[dict[str, str]] = []

    def tell(self, topic: str, reference: str, document: Mapping[str, Any]) -> None:
        """One event, to whoever subscribed to it."""
        for hook in list(self._memory.table("webhooks").values()):
            if topic in hook["topics"] and hook["enabled"]:
                self._dispatch(hook, topic, reference, json.dumps(document).encode())

    def _dispatch(self, hook: dict[str, Any], topic: str, reference: str, body: bytes) -> None:
        number = self._memory.next_id("messages")
        message = {"id": f"msg_{number:012d}", "topic": topic, "reference": reference, "hook": hook["id"]}
        draw = f"{reference}:{topic}:{number}"
        if share(draw, "lost") < float(self._settings.get("lost_share", 0)):
            self.never_sent.append(message)
            return
        late = share(draw, "late") < float(self._settings.get("reorder_share", 0))
        wait = float(self._settings.get("reorder_seconds", 1.0)) if late else 0.0
        for copy in range(2 if share(draw, "twice") < float(self._settings.get("duplicate_share", 0)) else 1):
            self._agenda.after(wait + 0.05 * copy, lambda: self._attempt(message, body, 1))

    def _attempt(self, message: Mapping[str, str], body: bytes, number: int) -> None:
        hook = self._memory.table("webhooks").get(message["hook"])
        if hook is None or not hook["enabled"]:
            return
        began = time.time()
        status, error = self._send(hook, message, body)
        self.attempts.append({**message, "attempt": number, "at": began, "status": status, "error": error})
        if not 200 <= status < 300:
            self._again(hook, message, body, number)

    def _again(self, hook: dict[str, Any], message: Mapping[str, str], body: bytes, number: int) -> None:
        if number >= len(SCHEDULE):
            self._memory.put("webhooks", hook["id"], {**hook, "enabled": False})
            return
        wait = SCHEDULE[number] * float(self._settings.get("retry_factor", 1.0))
        self._agenda.after(wait, lambda: self._attempt(message, body, number + 1))

    def _send(self, hook: Mapping[str, Any], message: Mapping[str, str], body: bytes) -> tuple[int, str]:
        headers = {
            "content-type": "application/json",
            "x-webhook-topic": message["topic"],
            **self._signed(hook, message["id"], body),
        }
        try:
            return self._session.post(hook["url"], data=body, headers=headers, timeout=PATIENCE).status_code, ""
        except requests.RequestException as broken:
            return 0, type(broken).__name__

    def _signed(self, hook: Mapping[str, Any], message_id: str, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time() + float(self._settings.get("clock_skew", 0))))
        made = hmac.new(signing_key(hook["secret"]), f"{message_id}.{stamp}.".encode() + body, sha256).digest()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
        }
