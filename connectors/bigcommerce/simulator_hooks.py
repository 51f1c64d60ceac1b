"""The simulated store's webhooks: thin, signed afresh at every try, retried on BigCommerce's schedule, then deactivated."""

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
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import requests

from connectors.kit.simulator import Memory

Json = dict[str, Any]
# https://developer.bigcommerce.com/docs/integrations/webhooks ("Callback retry mechanism"), seconds.
SCHEDULE = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400)
PATIENCE = 10.0
SCOPES = frozenset(
    """
store/order/created store/order/updated store/order/archived store/order/statusUpdated store/order/message/created
store/order/refund/created store/order/transaction/created store/order/transaction/updated
store/order/metafield/created store/order/metafield/updated store/order/metafield/deleted
store/shipment/created store/shipment/updated store/shipment/deleted
store/product/created store/product/updated store/product/deleted store/product/inventory/updated
store/product/inventory/order/updated store/sku/created store/sku/updated store/sku/deleted
store/sku/inventory/updated store/sku/inventory/order/updated
""".split()
)


@dataclass
class Delivery:
    """One event to one address. `state`: waiting, delivered, failed, never_sent; a `forged` one must be refused."""

    id: str
    topic: str
    subject: str
    url: str
    body: str
    hook: str = ""
    state: str = "waiting"
    forged: bool = False
    copy_of: str = ""
    attempts: list[Json] = field(default_factory=list)


@dataclass
class Habits:
    """Switches; shares are between 0 and 1. `duplicates`: sent twice under one id; `reordered`: held back up to `hold`
    seconds; `forged`: followed by one signed with a secret that nobody has; `never_sent`: lost at the source;
    `old_share`: signed with the secret before the rotation; `retry_factor` squeezes the schedule; `clock_skew` seconds."""

    secret: str = "bigcommerce-client-secret"
    old_secret: str = ""
    old_share: float = 0.0
    duplicates: float = 0.0
    reordered: float = 0.0
    hold: float = 1.5
    forged: float = 0.0
    never_sent: float = 0.0
    retry_factor: float = 1.0
    clock_skew: float = 0.0
    paused: bool = False
    url: str = ""


class Hooks:
    """Deliveries to every active hook of a scope, and to `url` whatever the scope."""

    def __init__(self, memory: Memory, habits: Habits, store_hash: str, seed: int = 7) -> None:
        self.memory, self.habits, self.store_hash = memory, habits, store_hash
        self.deliveries: list[Delivery] = []
        self._rng = random.Random(seed)
        self._due: list[tuple[float, int, Delivery]] = []
        self._count, self._stir = itertools.count(), threading.Condition()
        threading.Thread(target=self._work, daemon=True).start()

    def tell(self, scope: str, data: Mapping[str, Any]) -> None:
        """One event: light, with a hash that its repetitions share."""
        body = {"scope": scope, "store_id": "1001", "data": dict(data), "created_at": int(time.time())}
        body["hash"] = hashlib.sha1(json.dumps(body, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        body["producer"] = f"stores/{self.store_hash}"
        subject = str(data.get("orderId") or data.get("id", ""))
        for name, url in self._addresses(scope):
            self._post(Delivery(str(uuid.uuid4()), scope, subject, url, json.dumps(body), name))

    def _addresses(self, scope: str) -> list[tuple[str, str]]:
        rows = [one for one in self.memory.table("hooks").values() if one and one["is_active"]]
        found = [(str(one["id"]), one["destination"]) for one in rows if one["scope"] == scope]
        own = [("", self.habits.url)] if self.habits.url else []
        return own + [(name, url) for name, url in found if url != self.habits.url]

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
            self._also(Delivery(**{**asdict(delivery), "id": str(uuid.uuid4()), "forged": True, "attempts": []}), late)

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
        began, status, answer = time.time(), 0, ""
        try:
            said = session.post(delivery.url, delivery.body.encode(), headers=self.headers(delivery), timeout=PATIENCE)
            status, answer = said.status_code, said.text[:200]
        except requests.RequestException as broken:
            answer = type(broken).__name__
        delivery.attempts.append({"at": began, "status": status, "answer": answer, "seconds": time.time() - began})
        self._judge(delivery, 200 <= status < 300)

    def _judge(self, delivery: Delivery, taken: bool) -> None:
        if taken:
            delivery.state = "delivered"
        elif delivery.forged or len(delivery.attempts) > len(SCHEDULE):
            delivery.state = "failed"
            if not delivery.forged:
                self.deactivate(delivery.hook)
        else:
            self._enqueue(delivery, SCHEDULE[len(delivery.attempts) - 1] * self.habits.retry_factor)

    def deactivate(self, name: str) -> None:
        """After the last retry a hook is switched off, and stays so until somebody wakes it."""
        known = self.memory.table("hooks").get(name)
        if known:
            self.memory.put("hooks", name, {**known, "is_active": False})

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Standard Webhooks: id, time stamp of this try, signature under the client secret's own bytes."""
        old = self.habits.old_secret and self._rng.random() < self.habits.old_share
        secret = "nobody-has-this" if delivery.forged else self.habits.old_secret if old else self.habits.secret
        stamp = str(int(time.time() + self.habits.clock_skew))
        signed = f"{delivery.id}.{stamp}.{delivery.body}".encode()
        proof = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        return {
            "content-type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{proof}",
        }
