"""Acme as the warehouse that ships what is asked for, with the desk that writes to the customer."""

from __future__ import annotations

from connectors.acme import bodies
from connectors.acme.client import Client
from connectors.acme.creates import CREATES, Record
from connectors.acme.shapes import Shape
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write, Writes


class Warehouse:
    connection: Connection
    client: Client
    shape: Shape

    def request(self, order: Order, *, key: str, reference: str) -> Writes:
        """Acme's webhooks bring `reference` back with each parcel."""
        body = bodies.request(order, self.connection.codes)
        record = Record("requests", body, reference, key, (("request", order.id),))
        return (yield from CREATES[self.shape.makes](self.client, record))

    def cancel_request(self, order: Order, *, key: str, reference: str) -> Writes:
        """Raises Rejected(code="shipped") once a parcel has left (Acme: 409 already_shipped)."""
        asked = self._asked_for(order, reference)
        return (
            yield Write(
                "cancellation",
                send=lambda: str(self.client.cancel("requests", asked)["id"]),
                find=lambda: asked if self.client.record("requests", asked)["state"] == "cancelled" else None,
            )
        )

    def cancel_rest(self, order: Order, *, key: str, reference: str) -> Writes:
        """Names the pieces, of a purchase order as of a request; all or none of them are stopped (409 already_shipped), once under our key."""
        bought = self.connection.known.id("purchase", order.id)
        kind, asked = ("purchases", bought) if bought else ("requests", self._asked_for(order, reference))
        lines = [{"sku": line.sku, "quantity": f"{line.current_quantity.normalize():f}"} for line in order.lines]
        return (
            yield Write(
                "cancellation",
                send=lambda: str(self.client.cancel(kind, asked, lines, key)["id"]),
                find=lambda: asked if key in self.client.record(kind, asked).get("stopped", {}) else None,
            )
        )

    def _asked_for(self, order: Order, reference: str) -> ExternalId:
        known = self.connection.known.id("request", order.id)
        row = None if known else self.client.by_reference("requests", reference)
        if known is None and row is None:
            raise Rejected("Acme was not asked to ship this order.", code="not_requested")
        return known or str(row["id"] if row else "")


class House:
    """A supplier who sends to our customer."""

    connection: Connection
    client: Client
    shape: Shape

    def purchase(self, order: Order, *, key: str, reference: str) -> Writes:
        """Acme's acknowledgement and its parcels bring `reference` back."""
        record = Record(
            "purchases", bodies.purchase(order, self.connection.codes), reference, key, (("purchase", order.id),)
        )
        return (yield from CREATES[self.shape.makes](self.client, record))

    def withdraw(self, order: Order, *, key: str, reference: str) -> Writes:
        """Raises Rejected(code="shipped") once a parcel has left (Acme: 409 already_shipped)."""
        known = self.connection.known.id("purchase", order.id)
        row = None if known else self.client.by_reference("purchases", reference)
        if known is None and row is None:
            raise Rejected("Acme was sent no such purchase order.", code="not_requested")
        bought = known or str(row["id"] if row else "")
        return (
            yield Write(
                "cancellation",
                send=lambda: str(self.client.cancel("purchases", bought)["id"]),
                find=lambda: bought if self.client.record("purchases", bought)["state"] == "cancelled" else None,
            )
        )


class Letters:
    connection: Connection
    client: Client
    shape: Shape

    def notify(self, order: Order, shipment: Shipment | None, *, occasion: str, key: str) -> Writes:
        """One letter for each occasion of an order, and for each parcel where it is about one."""
        about = f"{order.channel}-{order.id}-{occasion}" + (f"-{shipment.id}" if shipment else "")
        record = Record("letters", bodies.letter(order, shipment, occasion), about, key)
        return (yield from CREATES[self.shape.makes](self.client, record))
