"""Acme as the books of record: orders booked, amended, cancelled, shipped and credited, and what stands beside them, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.acme import bodies, mapping
from connectors.acme.client import Client, Row
from connectors.acme.creates import CREATES, Record
from connectors.acme.shapes import Shape
from connectors.canonical.money import parse
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment
from connectors.kit.account import Connection
from connectors.kit.capabilities import Booking, Delivered
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
        """Acme bills what left under the delivery's own number: it is the invoice's, too."""
        body = {**bodies.shipment(order, shipment, self.connection.codes), "booking": self._booked(order)}
        reference = self.delivery_reference(order, shipment)
        known_as = (("shipment", shipment.id), ("invoice", reference))
        return (yield from self._make("deliveries", body, reference, key, *known_as))

    def record_refund(self, order: Order, refund: Refund, *, key: str) -> Writes:
        body = {**bodies.credit(order, refund, self.connection.codes), "booking": self._booked(order)}
        reference = f"{refund.origin}-{refund.id}"
        return (yield from self._make("credits", body, reference, key, ("refund", refund.id)))

    def record_return(self, order: Order, returned: Return, *, key: str) -> Writes:
        body = {**bodies.goods_back(order, returned, self.connection.codes), "booking": self._booked(order)}
        return (yield from self._make("returns", body, returned.id, key, ("return_receipt", returned.id)))

    def record_disposition(self, order: Order, returned: Return, *, key: str) -> Writes:
        """Each line is looked at once, so its number names it."""
        came = self._made_as("returns", self.connection.known.id("return_receipt", returned.id), returned.id)
        body = {**bodies.goods_back(order, returned, self.connection.codes), "return": came}
        reference = "-".join((returned.id, *(line.line_id for line in returned.lines)))
        return (yield from self._make("disposals", body, reference, key, ("disposition", reference)))

    def record_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        body = bodies.bought(order, supplier, self.connection.codes)
        return (yield from self._make("buys", body, reference, key, ("purchase", order.id)))

    def amend_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        """As with a booking, our key is its revision."""
        bought = self._bought(order, reference)
        told = bodies.bought(order, supplier, self.connection.codes)
        body = {**told, "reference": reference, "revision": key}
        return (
            yield Write(
                "amendment",
                send=lambda: str(self.client.amend("buys", bought, body)["id"]),
                find=lambda: bought if self.client.record("buys", bought).get("revision") == key else None,
            )
        )

    def cancel_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        bought = self._bought(order, reference)
        return (
            yield Write(
                "cancellation",
                send=lambda: str(self.client.cancel("buys", bought)["id"]),
                find=lambda: bought if self.client.record("buys", bought)["state"] == "cancelled" else None,
            )
        )

    def record_receipt(self, order: Order, shipment: Shipment, *, supplier: str, reference: str, key: str) -> Writes:
        body = {**bodies.arrived(shipment, self.connection.codes), "buy": self._bought(order, reference)}
        name = f"{reference}-{shipment.id}"
        return (yield from self._make("arrivals", body, name, key, ("purchase_receipt", shipment.id)))

    def record_payment(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """A booking holds the payments that it was made with; those are not noted again."""
        booked = self._booked(order)
        held = self.client.record("bookings", booked)["body"].get("payments", ())
        if any(one.get("id") == payment.id for one in held):
            return booked
        body = {**bodies.received(order, payment, self.connection.codes), "booking": booked}
        reference = f"{_identity(order)}-{payment.id}"
        return (yield from self._make("payments", body, reference, key, ("payment", payment.id)))

    def booked(self, since: datetime, until: datetime) -> Iterator[Booking]:
        return (_booking(row) for row in self._listed("bookings", since, until))

    def delivered(self, since: datetime, until: datetime) -> Iterator[Delivered]:
        return (_delivered(row) for row in self._listed("deliveries", since, until))

    def delivery_reference(self, order: Order, shipment: Shipment) -> str:
        return f"{shipment.origin}-{shipment.id}"

    def _listed(self, kind: str, since: datetime, until: datetime) -> Iterator[Row]:
        """Acme lists by (created_at, id) after the last row; a draft is none yet."""
        size = int(self.connection.account.settings.get("page", 50))

        def page(after: str | None) -> tuple[Sequence[Row], str | None]:
            told = self.client.made(kind, mapping.told(since), mapping.told(until), after, size)
            return told["rows"], told["next"]

        return (row for row in walk(page) if row["state"] != "draft")

    def reference(self, order: Order) -> str:
        return _identity(order)

    def _make(self, kind: str, body: bodies.Body, reference: str, key: str, *links: tuple[str, str]) -> Writes:
        record = Record(kind, body, reference, key, links)
        return (yield from CREATES[self.shape.makes](self.client, record))

    def _booked(self, order: Order) -> ExternalId:
        return self._made_as("bookings", self.connection.known.id("order", order.id), _identity(order))

    def _bought(self, order: Order, reference: str) -> ExternalId:
        return self._made_as("buys", self.connection.known.id("purchase", order.id), reference)

    def _made_as(self, kind: str, known: ExternalId | None, reference: str) -> ExternalId:
        """A record's id as we noted it, else as Acme finds it by its reference."""
        row = None if known else self.client.by_reference(kind, reference)
        if known is None and row is None:
            raise Rejected(f"Acme has no {reference} among its {kind}.", code="not_booked", remedy="Book it first.")
        return known or str(row["id"] if row else "")


def _identity(order: Order) -> str:
    return f"{order.channel}-{order.id}"


def _booking(row: Row) -> Booking:
    """The total is what the record's body was booked with: Acme refuses one that its parts do not make."""
    body, at = row["body"], datetime.fromisoformat(row["created_at"])
    return Booking(str(row["id"]), str(row["reference"]), parse(str(body["total"]), body["currency"]), at)


def _delivered(row: Row) -> Delivered:
    at = datetime.fromisoformat(row["created_at"])
    return Delivered(str(row["id"]), str(row["reference"]), str(row["body"]["booking"]), at)
