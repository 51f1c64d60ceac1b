"""Acme as the books of record: orders booked, amended, cancelled, shipped and credited, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.acme import bodies, mapping
from connectors.acme.client import Client, Row
from connectors.acme.creates import CREATES, Record
from connectors.acme.shapes import Shape
from connectors.canonical.money import parse
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment
from connectors.kit.account import Connection
from connectors.kit.capabilities import Booking
from connectors.kit.errors import Rejected
from connectors.kit.paging import walk
from connectors.kit.writes import ExternalId, Write, Writes


class Books:
    connection: Connection
    client: Client
    shape: Shape

    def book(self, order: Order, *, key: str) -> Writes:
        """One booking for each channel order: its reference is the order's own identity, not our key."""
        body = bodies.booking(order, self.connection.codes)
        return (yield from self._make("bookings", body, _identity(order), key, ("order", order.id)))

    def amend(self, order: Order, *, key: str) -> Writes:
        """PUT the whole state; our key is its revision, by which it is found again."""
        booked = self._booked(order)
        body = {**bodies.booking(order, self.connection.codes), "reference": _identity(order), "revision": key}
        return (
            yield Write(
                "amendment",
                send=lambda: str(self.client.amend("bookings", booked, body)["id"]),
                find=lambda: booked if self.client.record("bookings", booked).get("revision") == key else None,
            )
        )

    def cancel(self, order: Order, *, key: str) -> Writes:
        """Cancelled already is cancelled."""
        booked = self._booked(order)
        return (
            yield Write(
                "cancellation",
                send=lambda: str(self.client.cancel("bookings", booked)["id"]),
                find=lambda: booked if self.client.record("bookings", booked)["state"] == "cancelled" else None,
            )
        )

    def record_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        body = {**bodies.shipment(order, shipment, self.connection.codes), "booking": self._booked(order)}
        reference = f"{shipment.origin}-{shipment.id}"
        return (yield from self._make("deliveries", body, reference, key, ("shipment", shipment.id)))

    def record_refund(self, order: Order, refund: Refund, *, key: str) -> Writes:
        body = {**bodies.credit(order, refund, self.connection.codes), "booking": self._booked(order)}
        reference = f"{refund.origin}-{refund.id}"
        return (yield from self._make("credits", body, reference, key, ("refund", refund.id)))

    def booked(self, since: datetime, until: datetime) -> Iterator[Booking]:
        """Acme lists by (created_at, id) after the last row; a draft is no booking yet."""
        size = int(self.connection.account.settings.get("page", 50))

        def page(after: str | None) -> tuple[Sequence[Row], str | None]:
            told = self.client.made("bookings", mapping.told(since), mapping.told(until), after, size)
            return told["rows"], told["next"]

        return (_booking(row) for row in walk(page) if row["state"] != "draft")

    def reference(self, order: Order) -> str:
        return _identity(order)

    def _make(self, kind: str, body: bodies.Body, reference: str, key: str, link: tuple[str, str]) -> Writes:
        record = Record(kind, body, reference, key, (link,))
        return (yield from CREATES[self.shape.makes](self.client, record))

    def _booked(self, order: Order) -> ExternalId:
        """The booking's id as we noted it, else as Acme finds it by the order's identity."""
        known = self.connection.known.id("order", order.id)
        row = None if known else self.client.by_reference("bookings", _identity(order))
        if known is None and row is None:
            raise Rejected("Acme has no booking of this order.", code="not_booked", remedy="Book the order first.")
        return known or str(row["id"] if row else "")


def _identity(order: Order) -> str:
    return f"{order.channel}-{order.id}"


def _booking(row: Row) -> Booking:
    """The total is what the record's body was booked with: Acme refuses one that its parts do not make."""
    body, at = row["body"], datetime.fromisoformat(row["created_at"])
    return Booking(str(row["id"]), str(row["reference"]), parse(str(body["total"]), body["currency"]), at)
