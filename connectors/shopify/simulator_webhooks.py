"""The simulated shop's mail room: signs what happened, sends it until it is taken, and has its bad days.

As Shopify does: the same body and webhook id at every try, eight retries that wait longer each time, and after that the
subscription is gone; for a while after a rotation the old secret still signs some.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from connectors.kit import simulator_mailing as mailing
from connectors.kit.simulator_mailing import Mailing

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
class Habits(mailing.Habits):
    """As everywhere. `never_sent_topics`: those that are lost (all when empty); `retries`: seconds before each further try (Shopify: eight
    within four hours); `timeout`: seconds for one; `url` gets every one of `topics`, besides those that subscribed."""

    secret: str = "shop-secret"
    never_sent_topics: tuple[str, ...] = ()
    retries: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15, 30, 60)
    timeout: float = 5.0
    topics: tuple[str, ...] = TOPICS

    def schedule(self) -> Sequence[float]:
        return self.retries

    def patience(self) -> float:
        return self.timeout

    def loses(self, topic: str) -> bool:
        return not self.never_sent_topics or topic in self.never_sent_topics


@dataclass
class Delivery(mailing.Delivery):
    """One webhook to one address, signed with the same secret at every try."""

    event_id: str = ""
    triggered_at: str = ""
    secret: str = ""


class MailRoom:
    """`addresses()` are those subscribed to a topic."""

    def __init__(
        self,
        shop: str,
        version: str,
        habits: Habits,
        addresses: Callable[[str], list[str]],
        unsubscribe: Callable[[str, str], None],
        senders: int = 3,
        seed: int = 7,
    ) -> None:
        self.shop, self.version = shop, version
        self._addresses, self._unsubscribe = addresses, unsubscribe
        self.mailing = Mailing(habits, self, seed, senders)

    def post(self, topic: str, subject: str, payload: Json, at: str) -> None:
        """One event to everybody subscribed, with whatever bad day hits it."""
        body, event = json.dumps(payload, ensure_ascii=False), str(uuid.uuid4())
        for url in self._addresses(topic):
            one = Delivery(str(uuid.uuid4()), topic, subject, url, body, event_id=event, triggered_at=at)
            one.secret = self.mailing.secret()
            self.mailing.post(one)

    def forgery(self, delivery: mailing.Delivery) -> Json:
        """The same order, a hundred times cheaper, from somebody else."""
        fake = json.loads(delivery.body)
        fake.update({"total_price": "0.01"} if "total_price" in fake else {"id": 1})
        false = {"id": str(uuid.uuid4()), "event_id": str(uuid.uuid4()), "body": json.dumps(fake)}
        return {**false, "secret": "nobody-has-this"}

    def give_up(self, delivery: mailing.Delivery) -> None:
        self._unsubscribe(delivery.topic, delivery.url)

    def headers(self, delivery: mailing.Delivery) -> dict[str, str]:
        """The headers of an HTTPS delivery."""
        one = cast(Delivery, delivery)
        proof = hmac.new(one.secret.encode(), one.body.encode(), hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": one.topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(proof).decode(),
            "X-Shopify-Shop-Domain": self.shop,
            "X-Shopify-API-Version": self.version,
            "X-Shopify-Webhook-Id": one.id,
            "X-Shopify-Event-Id": one.event_id,
            "X-Shopify-Triggered-At": one.triggered_at,
        }
