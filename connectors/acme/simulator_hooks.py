"""The simulated Acme tells of what happened: by signed webhook with retries, by queue, or not at all."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from flask import Response, jsonify, request
from standardwebhooks.webhooks import Webhook

from connectors.acme.shapes import shape
from connectors.kit.simulator import Simulator
from connectors.kit.simulator_agenda import Agenda

SECRET = "whsec_YWNtZS1zaW11bGF0b3Itc2VjcmV0LTAwMDE="
RETRIES = (0.2, 1.0, 3.0, 10.0)  # seconds before each further try: Acme's hours, compressed
PATIENCE = 10.0
THIN = ("order.placed", "order.changed", "order.cancelled")


@dataclass
class Delivery:
    """One message to one address, and what became of each try."""

    id: str
    topic: str
    address: str
    body: str
    tries: list[Any] = field(default_factory=list)
    fate: str = "waiting"  # delivered, given up, dropped


class Hooks:
    """Outgoing deliveries. `queue` is where they go instead in the shape that is queue-fed."""

    def __init__(self, simulator: Simulator, settings: Mapping[str, Any]) -> None:
        self._memory, self._tells = simulator.memory, shape(settings).tells
        self._secrets = list(settings.get("secrets", (SECRET,)))
        self._retries = tuple(settings.get("retries", RETRIES))
        self._chaos: dict[str, float] = dict(settings.get("chaos", {}))
        self._dice = random.Random(settings.get("seed", 1))
        self._default = str(settings.get("webhook_url", ""))
        self._agenda = Agenda("acme-hooks")
        self._session = requests.Session()
        self._session.trust_env = False
        self.queue: Callable[[str, str, str], None] = lambda name, topic, body: None
        self.deliveries: list[Delivery] = []
        self._routes(simulator)

    def tell(self, topic: str, data: Mapping[str, Any]) -> None:
        """One message to every address that listens; the same id over retries and duplicates."""
        name = f"msg_{self._memory.next_id('messages', 1):06d}"
        thin = self._tells == "thin" and topic in THIN
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = json.dumps({"type": topic, "timestamp": now, "data": {"id": data["id"]} if thin else data})
        if self._tells == "queue":
            self.queue(name, topic, body)
        if self._tells in ("fat", "thin"):
            for address in self._addresses(topic):
                self._send(Delivery(name, topic, address, body))

    def _addresses(self, topic: str) -> list[str]:
        rows = self._memory.table("subscriptions").values()
        listening = {row["address"] for row in rows if row["topic"] == topic and row["alive"]}
        return sorted(listening | ({self._default} if self._default else set()))

    def _send(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self._hits("drop"):
            delivery.fate = "dropped"
            return
        later = self._dice.uniform(0.2, 1.5) if self._hits("reorder") else 0.0
        for _ in range(2 if self._hits("duplicate") else 1):
            self._enqueue(delivery, later)

    def _hits(self, chaos: str) -> bool:
        return self._dice.random() < float(self._chaos.get(chaos, 0))

    def _enqueue(self, delivery: Delivery, later: float) -> None:
        self._agenda.after(later, lambda: self._try(delivery))

    def _try(self, delivery: Delivery) -> None:
        """One try, signed afresh with every secret that is valid now."""
        at = datetime.now(UTC)
        signatures = " ".join(Webhook(one).sign(delivery.id, at, delivery.body) for one in self._secrets)
        headers = {
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signatures,
        }
        headers["content-type"] = "application/json"
        try:
            answer = self._session.post(delivery.address, delivery.body.encode(), headers=headers, timeout=PATIENCE)
            delivery.tries.append(answer.status_code)
        except requests.RequestException as broken:
            delivery.tries.append(type(broken).__name__)
        self._judge(delivery)

    def _judge(self, delivery: Delivery) -> None:
        last, failed = delivery.tries[-1], sum(1 for one in delivery.tries if one not in range(200, 300))
        if last in range(200, 300):
            delivery.fate = "delivered"
        elif failed <= len(self._retries):
            self._enqueue(delivery, self._retries[failed - 1])
        else:
            delivery.fate = "given up"

    # ---- its operations and switches

    def _routes(self, simulator: Simulator) -> None:
        simulator.app.add_url_rule("/_sim/deliveries", "deliveries", self._told)
        simulator.app.add_url_rule("/_sim/hooks", "hooks", self._switch, methods=["PUT"])

    def subscribe(self, topics: list[str], address: str) -> bool:
        """Asks the address to sign a challenge first: who cannot is not subscribed."""
        challenge = secrets.token_hex(8)
        if not self._signed(address, challenge):
            return False
        for topic in topics:
            self._memory.put("subscriptions", f"{topic} {address}", {"topic": topic, "address": address, "alive": True})
        return True

    def _signed(self, address: str, challenge: str) -> bool:
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(address, params={"challenge": challenge}, timeout=PATIENCE)
        except requests.RequestException:
            return False
        epoch = datetime.fromtimestamp(0, UTC)
        wanted = {Webhook(one).sign("challenge", epoch, challenge) for one in self._secrets}
        return answer.ok and not wanted.isdisjoint(answer.text.split())

    def _told(self) -> Response:
        return jsonify([asdict(delivery) for delivery in self.deliveries])

    def _switch(self) -> Response:
        """{"chaos": {...}, "secrets": [...], "webhook_url": "...", "alive": false}: whatever is given."""
        wanted = request.get_json()
        self._chaos = wanted.get("chaos", self._chaos)
        self._secrets = wanted.get("secrets", self._secrets)
        self._default = wanted.get("webhook_url", self._default)
        if "alive" in wanted:
            for name, row in list(self._memory.table("subscriptions").items()):
                self._memory.put("subscriptions", name, {**row, "alive": wanted["alive"]})
        return jsonify({})
