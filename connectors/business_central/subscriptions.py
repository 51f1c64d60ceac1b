"""Webhook subscriptions: they live three days, and each time they are made or renewed the address is asked to prove itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.business_central.client import Client
from connectors.business_central.mapping.policy import Policy
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected


class Subscriptions:
    connection: Connection
    client: Client
    policy: Policy

    def subscriptions(self) -> dict[str, bool]:
        """Topic -> is it there with enough of its life left. One that ends soon counts as off, so that it is renewed."""
        alive: dict[str, bool] = {}
        for row in self.client.subscriptions():
            topic = self._topic(row)
            if topic:
                alive[topic] = alive.get(topic, False) or self._lasts(row)
        return alive

    def subscribed_at(self) -> dict[str, frozenset[str]]:
        """Topic -> addresses of the subscriptions that have enough of their life left."""
        there: dict[str, frozenset[str]] = {}
        for row in self.client.subscriptions():
            topic = self._topic(row)
            if topic and self._lasts(row):
                there[topic] = there.get(topic, frozenset()) | {str(row.get("notificationUrl"))}
        return there

    def _topic(self, row: Mapping[str, Any]) -> str:
        """The entity set of our company that a subscription is for; empty for others'."""
        start, end = self.client.resource(""), str(row.get("resource", ""))
        path = end[end.find("/api/") :] if "/api/" in end else f"/{end.lstrip('/')}"
        return path.removeprefix(start) if path.lower().startswith(start.lower()) else ""

    def _lasts(self, row: Mapping[str, Any]) -> bool:
        ends = datetime.fromisoformat(str(row["expirationDateTime"]).replace("Z", "+00:00"))
        return ends - self.connection.now() > timedelta(hours=self.policy.renew_before)

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        """Renews what is there under this address, registers what is not. The clientState is the shared secret."""
        there = {self._topic(row): row for row in self.client.subscriptions() if row.get("notificationUrl") == address}
        secret = str(self.connection.account.credentials.get("client_state", ""))
        if not secret:
            words = "A subscription needs a shared secret: the credential client_state is not set."
            raise Rejected(words, code="not_configured", field="credentials.client_state", owner="integration desk")
        for topic in topics:
            body = {"notificationUrl": address, "resource": self.client.resource(topic), "clientState": secret}
            old = there.get(topic)
            if old is None:
                self.client.subscribe(body)
            else:
                self.client.renew(str(old["subscriptionId"]), body, str(old["@odata.etag"]))
