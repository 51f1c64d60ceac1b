"""Acme as the channel: it hears what became of its orders, and how many may be sold at which price."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.acme import bodies
from connectors.acme.client import Client, Row
from connectors.acme.creates import CREATES, Record
from connectors.acme.shapes import Shape
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.product import Price
from connectors.canonical.returns import Refund
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

    def cancel_sale(self, order: Order, *, key: str) -> Writes:
        """Cancelled already is cancelled. Raises Rejected(code="shipped")."""
        return (
            yield Write(
                "cancellation",
                send=lambda: str(self.client.revoke(order.id)["id"]),
                find=lambda: order.id if (self.client.order(order.id) or {}).get("cancelled_at") else None,
            )
        )

    def capture(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """A part of an authorisation; the capture bears our number as its reference."""
        body = {**bodies.capture(order, payment), "reference": payment.id}
        return (
            yield Write(
                "capture",
                send=lambda: str(self.client.capture(order.id, body, key)["id"]),
                find=lambda: self._taken(order, "capture", payment.id),
                links=(("capture", payment.id),),
            )
        )

    def void(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """What is left of an authorisation; the release bears our number as its reference."""
        body = {"authorisation": payment.parent_id, "reference": payment.id}
        return (
            yield Write(
                "void",
                send=lambda: str(self.client.void(order.id, body, key)["id"]),
                find=lambda: self._taken(order, "void", payment.id),
                links=(("void", payment.id),),
            )
        )

    def charge(self, order: Order, payment: Payment, *, key: str) -> Writes:
        """A further sum in the way of an earlier transaction; it bears our number as its reference."""
        body = {**bodies.charge(order, payment), "reference": payment.id}
        return (
            yield Write(
                "charge",
                send=lambda: str(self.client.charge(order.id, body, key)["id"]),
                find=lambda: self._taken(order, "sale", payment.id),
                links=(("charge", payment.id),),
            )
        )

    def _taken(self, order: Order, kind: str, reference: str) -> ExternalId | None:
        rows = (self.client.order(order.id) or {}).get("payments", ())
        mine = (row for row in rows if row["kind"] == kind and row.get("reference") == reference)
        return next((str(row["id"]) for row in mine), None)

    def give_back(self, order: Order, refund: Refund, *, key: str) -> Writes:
        """What each tender gives back is ours to say, within what it took; the refund bears our reference."""
        reference = f"{refund.origin}-{refund.id}"
        body = {**bodies.reimbursement(order, refund), "reference": reference}
        return (
            yield Write(
                "reimbursement",
                send=lambda: str(self.client.reimburse(order.id, body, key)["id"]),
                find=lambda: self._reimbursed(order, reference),
                links=(("refund", refund.id),),
            )
        )

    def _reimbursed(self, order: Order, reference: str) -> ExternalId | None:
        rows = (self.client.order(order.id) or {}).get("refunds", ())
        return next((str(row["id"]) for row in rows if row.get("reference") == reference), None)

    def publish_prices(self, prices: Sequence[Price], *, key: str) -> BatchWrite[Price]:
        """One call for all; each SKU has its own verdict."""
        return BatchWrite("price", send=self._tag, find=self._as_tagged)

    def _tag(self, items: Sequence[BatchItem[Price]]) -> Sequence[ExternalId | Exception]:
        rows = [bodies.price(item.document, self.connection.codes) for item in items]
        return _judged([str(row["sku"]) for row in rows], self.client.set_prices(rows))

    def _as_tagged(self, item: BatchItem[Price]) -> ExternalId | None:
        """There when Acme shows the very price."""
        wanted = bodies.price(item.document, self.connection.codes)
        rows = self.client.prices([wanted["sku"]])["rows"]
        return next((str(row["sku"]) for row in rows if row["amount"] == wanted["amount"]), None)

    def _set(self, items: Sequence[BatchItem[StockLevel]]) -> Sequence[ExternalId | Exception]:
        rows = [bodies.level(item.document, self.connection.codes) for item in items]
        return _judged([f"{row['sku']}@{row['location']}" for row in rows], self.client.set_stock(rows))

    def _as_set(self, item: BatchItem[StockLevel]) -> ExternalId | None:
        """There when Acme shows the very quantity."""
        wanted = bodies.level(item.document, self.connection.codes)
        rows = self.client.stock([wanted["sku"]], None, 100)["rows"]
        same = (
            row for row in rows if row["location"] == wanted["location"] and row["available"] == wanted["available"]
        )
        return next((f"{row['sku']}@{row['location']}" for row in same), None)


def _judged(names: Sequence[ExternalId], verdicts: Sequence[Row]) -> Sequence[ExternalId | Exception]:
    """Each row's id, or why Acme refuses it."""
    return [
        name
        if verdict["status"] == "ok"
        else Rejected(str(verdict["message"]), code=str(verdict["code"]), field="sku", owner="catalogue")
        for name, verdict in zip(names, verdicts, strict=True)
    ]
