"""The simulated store's webhooks: thin, signed afresh at every try, retried on BigCommerce's schedule, then deactivated."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from connectors.kit import simulator_mailing as mailing
from connectors.kit.simulator import Memory
from connectors.kit.simulator_mailing import Delivery, Mailing

Json = dict[str, Any]
# https://developer.bigcommerce.com/docs/integrations/webhooks ("Callback retry mechanism"), seconds.
SCHEDULE = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400)
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
class Habits(mailing.Habits):
    """As everywhere; `retry_factor` squeezes the schedule, `clock_skew`: seconds that the store's clock is ahead."""

    secret: str = "bigcommerce-client-secret"
    retry_factor: float = 1.0
    clock_skew: float = 0.0

    def schedule(self) -> Sequence[float]:
        return [seconds * self.retry_factor for seconds in SCHEDULE]


class Hooks:
    """Deliveries to every active hook of a scope, and to `url` whatever the scope."""

    def __init__(self, memory: Memory, habits: Habits, store_hash: str, seed: int = 7) -> None:
        self.memory, self.store_hash = memory, store_hash
        self.mailing = Mailing(habits, self, seed)

    def tell(self, scope: str, data: Mapping[str, Any]) -> None:
        """One event: light, with a hash that its repetitions share."""
        body = {"scope": scope, "store_id": "1001", "data": dict(data), "created_at": int(time.time())}
        body["hash"] = hashlib.sha1(json.dumps(body, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        body["producer"] = f"stores/{self.store_hash}"
        subject = str(data.get("orderId") or data.get("id", ""))
        for name, url in self._addresses(scope):
            self.mailing.post(Delivery(str(uuid.uuid4()), scope, subject, url, json.dumps(body), name))

    def _addresses(self, scope: str) -> list[tuple[str, str]]:
        rows = [one for one in self.memory.table("hooks").values() if one and one["is_active"]]
        found = [(str(one["id"]), one["destination"]) for one in rows if one["scope"] == scope]
        own = [("", self.mailing.habits.url)] if self.mailing.habits.url else []
        return own + [(name, url) for name, url in found if url != self.mailing.habits.url]

    def forgery(self, delivery: Delivery) -> Json:
        """The same event under an id of its own."""
        return {"id": str(uuid.uuid4())}

    def give_up(self, delivery: Delivery) -> None:
        self.deactivate(delivery.hook)

    def deactivate(self, name: str) -> None:
        """After the last retry a hook is switched off, and stays so until somebody wakes it."""
        known = self.memory.table("hooks").get(name)
        if known:
            self.memory.put("hooks", name, {**known, "is_active": False})

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Standard Webhooks: id, time stamp of this try, signature under the client secret's own bytes."""
        secret = "nobody-has-this" if delivery.forged else self.mailing.secret()
        stamp = str(int(time.time() + cast(Habits, self.mailing.habits).clock_skew))
        signed = f"{delivery.id}.{stamp}.{delivery.body}".encode()
        proof = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        return {
            "content-type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{proof}",
        }
