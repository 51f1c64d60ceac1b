"""The simulated shop's mail room: signs what happened, sends it until it is taken, and has its bad days.

As Shopify does: the same body and webhook id at every try, eight retries that wait longer each time, and after that the
subscription is gone; for a while after a rotation the old secret still signs some.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import requests

Json = dict[str, Any]
TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/paid",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "inventory_levels/update",
    "inventory_levels/connect",
    "products/create",
    "products/update",
    "products/delete",
    "returns/request",
    "returns/approve",
    "returns/decline",
    "returns/cancel",
    "returns/close",
    "returns/reopen",
    "returns/update",
)


@dataclass
class Habits:
    """The mail room's switches; shares are between 0 and 1.

    `duplicates`: sent twice; `reordered`: held back up to `hold` seconds; `forged`: followed by a copy with another
    total, signed with a secret that nobody has; `never_sent`: lost at the source; `old_share`: signed with the old one.
    `retries`: seconds before each further try (Shopify: eight within four hours). `paused`: nothing leaves.
    `url` gets every one of `topics`, besides those that subscribed.
    """

    secret: str = "shop-secret"
    old_secret: str = ""
    old_share: float = 0.0
    duplicates: float = 0.0
    reordered: float = 0.0
    hold: float = 1.5
    forged: float = 0.0
    never_sent: float = 0.0
    never_sent_topics: tuple[str, ...] = ()
    retries: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15, 30, 60)
    timeout: float = 5.0
    paused: bool = False
    url: str = ""
    topics: tuple[str, ...] = TOPICS


@dataclass
class Delivery:
    """One webhook to one address. `state`: waiting, delivered, failed, never_sent; a `forged` one must be refused."""

    id: str
    event_id: str
    topic: str
    subject: str
    url: str
    body: str
    triggered_at: str
    state: str = "waiting"
    forged: bool = False
    copy_of: str = ""
    secret: str = ""
    attempts: list[Json] = field(default_factory=list)


@dataclass
class MailRoom:
    """Sends from `senders` threads of its own; `addresses()` are those subscribed to a topic."""

    shop: str
    version: str
    habits: Habits
    addresses: Callable[[str], list[str]]
    unsubscribe: Callable[[str, str], None]
    senders: int = 3
    seed: int = 7
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._due: queue.PriorityQueue[tuple[float, int, Delivery]] = queue.PriorityQueue()
        self._count = 0
        self._lock = threading.Lock()
        self._rng = random.Random(self.seed)
        for _ in range(self.senders):
            threading.Thread(target=self._send_for_ever, daemon=True).start()

    def post(self, topic: str, subject: str, payload: Json, at: str) -> None:
        """One event to everybody subscribed, with whatever bad day hits it."""
        body = json.dumps(payload, ensure_ascii=False)
        event = str(uuid.uuid4())
        for url in self.addresses(topic):
            self._post(Delivery(str(uuid.uuid4()), event, topic, subject, url, body, at))

    def _post(self, delivery: Delivery) -> None:
        habits = self.habits
        with self._lock:
            lost = self._rng.random() < habits.never_sent
            late = habits.hold * self._rng.random() if self._rng.random() < habits.reordered else 0.0
            twice, forged = self._rng.random() < habits.duplicates, self._rng.random() < habits.forged
            old = habits.old_secret and self._rng.random() < habits.old_share
            self.deliveries.append(delivery)
        delivery.secret = habits.old_secret if old else habits.secret
        if lost and (not habits.never_sent_topics or delivery.topic in habits.never_sent_topics):
            delivery.state = "never_sent"
            return
        copies = []
        if twice:
            copies.append((Delivery(**{**asdict(delivery), "copy_of": delivery.id}), late + 0.05))
        if forged:
            copies.append((self._forgery(delivery), late))
        self._enqueue(delivery, late)  # from here on it changes
        for copy, due in copies:
            self._add(copy, due)

    def _forgery(self, delivery: Delivery) -> Delivery:
        """The same order, a hundred times cheaper, from somebody else."""
        fake = json.loads(delivery.body)
        fake.update({"total_price": "0.01"} if "total_price" in fake else {"id": 1})
        false = {"id": str(uuid.uuid4()), "event_id": str(uuid.uuid4()), "body": json.dumps(fake)}
        return Delivery(**{**asdict(delivery), **false, "forged": True, "secret": "nobody-has-this"})

    def _add(self, delivery: Delivery, delay: float) -> None:
        with self._lock:
            self.deliveries.append(delivery)
        self._enqueue(delivery, delay)

    def _enqueue(self, delivery: Delivery, delay: float) -> None:
        with self._lock:
            self._count += 1
            number = self._count
        self._due.put((time.monotonic() + delay, number, delivery))

    def _send_for_ever(self) -> None:
        session = requests.Session()
        session.trust_env = False
        while True:
            due, number, delivery = self._due.get()
            wait = due - time.monotonic()
            if wait > 0 or self.habits.paused:
                # Not yet: put it back, so that one held back does not stop this sender.
                self._due.put((max(due, time.monotonic() + 0.01), number, delivery))
                time.sleep(min(max(wait, 0.005), 0.02))
                continue
            self._try(session, delivery)

    def _try(self, session: requests.Session, delivery: Delivery) -> None:
        began = time.time()
        status, sentence = 0, ""
        try:
            answer = session.post(
                delivery.url, data=delivery.body.encode(), headers=self.headers(delivery), timeout=self.habits.timeout
            )
            status, sentence = answer.status_code, answer.text[:200]
        except requests.RequestException as broken:
            sentence = type(broken).__name__
        delivery.attempts.append({"at": began, "status": status, "answer": sentence, "seconds": time.time() - began})
        if 200 <= status < 300:
            delivery.state = "delivered"
        elif delivery.forged or len(delivery.attempts) > len(self.habits.retries):
            delivery.state = "failed"
            if not delivery.forged:
                self.unsubscribe(delivery.topic, delivery.url)
        else:
            self._enqueue(delivery, self.habits.retries[len(delivery.attempts) - 1])

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """The headers of an HTTPS delivery."""
        proof = hmac.new(delivery.secret.encode(), delivery.body.encode(), hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": delivery.topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(proof).decode(),
            "X-Shopify-Shop-Domain": self.shop,
            "X-Shopify-API-Version": self.version,
            "X-Shopify-Webhook-Id": delivery.id,
            "X-Shopify-Event-Id": delivery.event_id,
            "X-Shopify-Triggered-At": delivery.triggered_at,
        }
