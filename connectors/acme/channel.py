"""Acme as the channel: it hears that an order is booked, what left, and how many may be sold."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.acme import bodies
from connectors.acme.client import Client
from connectors.acme.creates import CREATES, Record
from connectors.acme.shapes import Shape
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import BatchItem, BatchWrite, ExternalId, Write, Writes


class Channel:
    connection: Connection
    client: Client
    shape: Shape

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        """The ERP's number on the order; putting the same twice is one state."""
        return (
            yield Write(
                "acknowledgement",
                send=lambda: str(self.client.acknowledge(order.id, number)["id"]),
                find=lambda: self._acknowledged(order, number),
            )
        )

    def _acknowledged(self, order: Order, number: str) -> ExternalId | None:
        row = self.client.order(order.id)
        return order.id if row is not None and row.get("acknowledged_as") == number else None

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        body = bodies.shipment(order, shipment, self.connection.codes)
        links = (("shipment", shipment.id),)
        record = Record("dispatches", body, f"{shipment.origin}-{shipment.id}", key, links)
        return (yield from CREATES[self.shape.makes](self.client, record))

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        """One call for all; each SKU has its own verdict."""
        return BatchWrite("stock", send=self._set, find=self._as_set)

    def _set(self, items: Sequence[BatchItem[StockLevel]]) -> Sequence[ExternalId | Exception]:
        rows = [bodies.level(item.document, self.connection.codes) for item in items]
        verdicts = self.client.set_stock(rows)
        return [
            f"{row['sku']}@{row['location']}"
            if verdict["status"] == "ok"
            else Rejected(str(verdict["message"]), code=str(verdict["code"]), field="sku", owner="catalogue")
            for row, verdict in zip(rows, verdicts, strict=True)
        ]

    def _as_set(self, item: BatchItem[StockLevel]) -> ExternalId | None:
        """There when Acme shows the very quantity."""
        wanted = bodies.level(item.document, self.connection.codes)
        rows = self.client.stock([wanted["sku"]], None, 100)["rows"]
        same = (
            row for row in rows if row["location"] == wanted["location"] and row["available"] == wanted["available"]
        )
        return next((f"{row['sku']}@{row['location']}" for row in same), None)
