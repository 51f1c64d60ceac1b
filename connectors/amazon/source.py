"""Amazon as a source: orders and refunds by poll and by fetch, notifications by queue, and the state of their subscriptions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.amazon.client import Client, Row
from connectors.amazon.mapping import LISTED_V0, ORDER, ORDER_V0, POSTED, REFUNDED
from connectors.amazon.mapping.values import version
from connectors.canonical.snapshot import Pointer
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import NotOffered, Rejected, Transient
from connectors.kit.http import dump_json

NUMBER = re.compile(r"[A-Z0-9]{3}-\d{7}-\d{7}")
READS = 3  # of an order that changes while it is read


@dataclass(frozen=True)
class Source:
    """What one seller's account tells when asked."""

    client: Client
    connection: Connection

    def fetch(self, pointer: Pointer) -> Message | None:
        """The order whole, or with all that was given back of it, as a message that the mapping reads; None when Amazon has
        none of this number."""
        if pointer.kind not in ("order", "refund"):
            raise NotOffered(f"Amazon tells no {pointer.kind} thinly, so there is nothing to fetch.")
        if not NUMBER.fullmatch(pointer.id):
            return None
        found = self._order_v0(pointer.id) if self._v0 else self._order(pointer.id)
        if found is None:
            return None
        changed, body = found
        if pointer.kind == "order":
            return message(ORDER_V0 if self._v0 else ORDER, pointer.id, changed, body)
        events = self.client.refunds(pointer.id)
        at = {version(datetime.fromisoformat(one["PostedDate"])) for rows in events.values() for one in rows}
        if pointer.version and pointer.version not in at:
            words = f"Amazon lists a refund of order {pointer.id} that the order's own list does not have yet."
            raise Transient(words, code="refund_late")
        return message(REFUNDED, pointer.id, changed, {**body, "events": events}, "refund")

    def _order(self, order_id: str) -> tuple[str, Row] | None:
        row = self.client.order(order_id)
        return None if row is None else (str(row["lastUpdatedTime"]), {"order": row})

    def _order_v0(self, order_id: str) -> tuple[str, Row] | None:
        """An order of v0 lies in two places: one that was changed while they were read is read again."""
        header = self.client.order_v0(order_id)
        for _ in range(READS):
            if header is None:
                return None
            body = {"order": header, "items": self.client.items_v0(order_id)}
            again = self.client.order_v0(order_id)
            if again is None or again["LastUpdateDate"] == header["LastUpdateDate"]:
                return str(header["LastUpdateDate"]), body
            header = again
        raise Transient(f"Order {order_id} changes faster than it can be read.", code="order_moves")

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Orders updated in [since, until]: whole, or from v0 the headers (thin), which have no items. Refunds posted in it,
        each thin: which of like ones it is, only all of an order's say."""
        if kind == "refund":
            events = self.client.refunds_posted(since, until)
            return (message(POSTED, one.get("AmazonOrderId"), one.get("PostedDate"), one, "refund") for one in events)
        if self._v0:
            rows = self.client.orders_v0_changed(since, until)
            return (message(LISTED_V0, row["AmazonOrderId"], row["LastUpdateDate"], row) for row in rows)
        listed = self.client.orders_changed(since, until)
        return (message(ORDER, row["orderId"], row["lastUpdatedTime"], {"order": row}) for row in listed)

    @property
    def _v0(self) -> bool:
        return str(self.connection.account.settings.get("orders", "")) == "v0"

    # ---- subscriptions

    def subscriptions(self) -> dict[str, bool]:
        """Notification type -> does it go to our queue. Raises NotOffered without a queue: there is nothing to look after."""
        if not self._arn:
            raise NotOffered("No queue is configured: orders are found by polling alone.")
        ours = {str(row["destinationId"]) for row in self.client.destinations() if _arn(row) == self._arn}
        found = {topic: self.client.subscription(topic) for topic in TOPICS}
        return {topic: bool(row) and str(row["destinationId"]) in ours for topic, row in found.items()}

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        """Makes the queue a destination, and a subscription for each type. `address` is of no use: Amazon calls nobody."""
        if not self._arn:
            words = "No queue is configured, so there is nowhere for notifications to go."
            raise Rejected(words, code="no_queue", field="settings.queue_arn", owner="integration desk")
        rows = self.client.destinations()
        known = next((str(row["destinationId"]) for row in rows if _arn(row) == self._arn), None)
        destination = known or self.client.create_destination("waybill", self._arn)
        for topic in topics:
            self.client.create_subscription(topic, destination)

    @property
    def _arn(self) -> str:
        return str(self.connection.account.settings.get("queue_arn", ""))


TOPICS = ("ORDER_CHANGE",)


def _arn(destination: Row) -> str:
    return str(((destination.get("resource") or {}).get("sqs") or {}).get("arn") or "")


def message(topic: str, order_id: Any, version: Any, body: Any, kind: str = "order") -> Message:
    """An order, or what was given back of it, as a message; its delivery id is its id, version and content."""
    raw = dump_json(body)
    return Message(topic, f"{kind}:{order_id}:{version}:{hashlib.sha256(raw).hexdigest()[:16]}", raw)
