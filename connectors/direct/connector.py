"""A channel without a connector: it asks our API for what it wants to know, and is told of events at an address of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from standardwebhooks.webhooks import Webhook

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.canonical.stock import StockLevel
from connectors.kit import outward
from connectors.kit.account import Connection
from connectors.kit.capabilities import PartnerEvent
from connectors.kit.errors import NotOffered, Rejected, Throttled, Transient
from connectors.kit.http import Answer, Http
from connectors.kit.masking import closed_url
from connectors.kit.verdicts import checked, retry_after
from connectors.kit.writes import BatchWrite, ExternalId, Write, Writes

OPERATION = "webhooks.send"


def connect(connection: Connection) -> Direct:
    return Direct(connection)


@dataclass(frozen=True)
class Direct:
    """Plays EventSink; and SalesChannel, so that routes and flows treat it as any other: the manifest says what of it is absent."""

    connection: Connection

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        raise NotOffered("The partner asks our API for its orders.")

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        raise NotOffered("The partner asks our API for what has left.")

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        raise NotOffered("The partner asks our API for availability.")

    def tell(self, event: PartnerEvent, *, key: str) -> Writes:
        """Posts the event, signed (https://www.standardwebhooks.com). A lost answer is no loss: the same webhook-id goes out again."""
        return (yield Write("webhook", send=lambda: self._send(event), find=lambda: None))

    def _send(self, event: PartnerEvent) -> ExternalId:
        http = self._way(event.url)
        headers = {"content-type": "application/json", **signed(event, self.connection.now())}
        answer = http.call("POST", event.url, operation=OPERATION, write=True, body=event.body, headers=headers)
        _taken(answer)
        return event.id

    def _way(self, url: str) -> Http:
        """Out to a public address, or to a host that the operator named. Raises Rejected for any other."""
        private = tuple(self.connection.account.settings.get("private_hosts", ()))
        why = outward.refusal(url, private)
        if why:
            raise Rejected(why, code="forbidden_address", remedy=outward.REMEDY)
        own = replace(self.connection.http, hosts=(url,), shown=closed_url)
        return own if outward.ours(url, private) else replace(own, sessions=outward.session)


def signed(event: PartnerEvent, now: datetime) -> dict[str, str]:
    """webhook-id, webhook-timestamp (of this try) and webhook-signature, one for each secret that is valid now."""
    signatures = [Webhook(secret).sign(event.id, now, event.body.decode()) for secret in event.secrets]
    at = str(int(now.timestamp()))
    return {"webhook-id": event.id, "webhook-timestamp": at, "webhook-signature": " ".join(signatures)}


def _taken(answer: Answer) -> None:
    """Any 2xx is a thank-you. Raises what else it means: 410 no more of these, 429 later, 5xx as everywhere.

    All else (a login, a redirect, a body that it does not like) may be mended over there, and is tried again.
    """
    if 200 <= answer.status < 300:
        return
    words = f"The partner's server answered HTTP {answer.status}."
    if answer.status == 410:
        remedy = "Ask the partner; then switch the subscription off, or replay once it is mended."
        raise Rejected(f"{words} It wants no more of these.", code="gone", remedy=remedy, owner="integration desk")
    if answer.status == 429:
        raise Throttled(words, retry_after=retry_after(answer.headers))
    if answer.status < 500:
        raise Transient(words, code=f"http_{answer.status}")
    checked(answer)
