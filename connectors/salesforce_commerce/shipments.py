"""What left is told as fulfilment events with their tracking, and as the order's shipping status.

No published call writes a tracking number or status on a shipment of Commerce Cloud. What there is: POST oms-status-events, which
hands an event on to whoever listens to the site's order events, and PUT shipping-status for the order as a whole
(orders-oas-1.5.2.yaml).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.shipment import LEFT, Shipment, Tracking
from connectors.kit.account import Connection
from connectors.kit.errors import Missing, Rejected
from connectors.kit.pieces import Lines, pieces_of
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.salesforce_commerce.client import Client
from connectors.salesforce_commerce.refusals import OWNER
from connectors.salesforce_commerce.walking import stamp

EVENTS = ("event", "event_2", "event_3", "event_4", "event_5")
LONGEST, LONGEST_URL, MOST_LINES = 256, 2048, 200


@dataclass(frozen=True)
class Confirmation:
    """One shipment as Commerce Cloud is to know it."""

    client: Client
    connection: Connection
    order: Order
    shipment: Shipment

    def writes(self) -> Writes:
        """An event for each parcel that can be followed, then the order's shipping status, then its completion where the
        account wants it. Returns the id by which subscribers know the shipment, or the order's number without an event."""
        events = list(self._events())
        if len(events) > len(EVENTS):
            words = f"The shipment has {len(events)} parcels, more than {len(EVENTS)}."
            raise Rejected(words, code="many_parcels", owner=OWNER)
        told: list[ExternalId] = []
        for name, event in zip(EVENTS, events, strict=False):
            told.append((yield self._event(name, event)))
        whole = self._whole()
        noted = yield self._status(
            "shipping_status", "shipping-status", "shippingStatus", "shipped" if whole else "part_shipped"
        )
        if whole and self.connection.account.settings.get("complete_shipped", False):
            yield self._status("completion", "status", "status", "completed")
        return told[0] if told else noted

    # ---- events

    def _events(self) -> Iterator[dict[str, Any]]:
        """A parcel without a number or an address to follow it at is none: the contract wants both."""
        if not self.connection.account.settings.get("events", True):
            return
        for number, (lines, tracking) in enumerate(self._parcels()):
            url = self._url(tracking)
            if tracking.number and url and lines:
                yield self._body(number, lines, tracking, url)

    def _parcels(self) -> Iterator[tuple[Lines, Tracking]]:
        """Each parcel with its pieces where the warehouse told them apart; else all pieces in the first."""
        trackings = self.shipment.trackings
        if len(trackings) > 1 and all(one.lines for one in trackings):
            for one in trackings:
                yield pieces_of(self.order, Shipment(self.shipment.id, self.shipment.status, one.lines)), one
        elif trackings:
            yield pieces_of(self.order, self.shipment), trackings[0]

    def _body(self, number: int, lines: Lines, tracking: Tracking, url: str) -> dict[str, Any]:
        """The same at every try: its id is what tells a subscriber that it knows the event already."""
        if len(lines) > MOST_LINES:
            raise Rejected(
                f"A parcel with more than {MOST_LINES} lines cannot be told.", code="many_lines", owner=OWNER
            )
        further = [one.number for one in self.shipment.trackings[1:] if one.number] if number == 0 else []
        note = (
            {"description": f"Further parcels: {', '.join(further)}"[:LONGEST]} if further and self._together() else {}
        )
        carrier = self._carrier(tracking.carrier)
        return {
            "id": f"{self.shipment.id}-{number + 1}"[-LONGEST:],
            "occurredAt": stamp(self._at()),
            "type": "shipped",
            "lineItems": [{"id": name, "quantity": quantity} for name, quantity in sorted(lines.items())],
            "trackingNumber": tracking.number[:LONGEST],
            "trackingUrl": url,
            **({"carrier": carrier} if carrier else {}),
            **note,
        }

    def _together(self) -> bool:
        return not all(one.lines for one in self.shipment.trackings)

    def _at(self) -> datetime:
        return self.shipment.shipped_at or self.shipment.updated_at or self.order.updated_at

    def _url(self, tracking: Tracking) -> str:
        """The carrier's own, or the account's pattern with {number} in it."""
        pattern = str(self.connection.account.settings.get("tracking_url", ""))
        url = tracking.url or pattern.replace("{number}", tracking.number)
        return url if url.startswith(("https://", "http://")) and len(url) <= LONGEST_URL else ""

    def _carrier(self, ours: str) -> str:
        """A carrier without a code goes under its own name."""
        try:
            return self.connection.codes.theirs("carrier", ours)[:LONGEST] if ours else ""
        except Missing:
            return ours[:LONGEST]

    def _event(self, name: str, event: dict[str, Any]) -> Write:
        """Events cannot be read back: after a lost answer the very same one is sent again."""
        body = {"fulfillmentEvent": event}

        def send() -> ExternalId:
            self.client.tell(self.order.id, body)
            return str(event["id"])

        links = (("shipment", self.shipment.id),) if name == EVENTS[0] else ()
        return Write(name, send, find=lambda: None, links=links)

    # ---- the order's own status

    def _whole(self) -> bool:
        """Whether nothing that is shipped at all is left once this shipment has gone."""
        gone = Counter(pieces_of(self.order, self.shipment))
        for one in self.order.shipments:
            if one.status in LEFT and one.id != self.shipment.id:
                gone.update(pieces_of(self.order, one))
        shipped = (line for line in self.order.lines if line.requires_shipping)
        return all(gone[line.id] >= line.current_quantity for line in shipped)

    def _status(self, name: str, which: str, field: str, value: str) -> Write:
        reached = {"part_shipped": ("part_shipped", "shipped")}.get(value, (value,))

        def find() -> ExternalId | None:
            found = self.client.order(self.order.id)
            return self.order.id if found is not None and found.get(field) in reached else None

        def send() -> ExternalId:
            if find() is None:  # what is shipped whole never goes back to part
                self.client.set_status(self.order.id, which, value)
            return self.order.id

        return Write(name, send, find)
