"""A channel without a connector: it asks our API for what it wants to know, so nothing is written to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.errors import NotOffered
from connectors.kit.writes import BatchWrite, Writes


def connect(connection: Connection) -> Direct:
    return Direct(connection)


@dataclass(frozen=True)
class Direct:
    """Plays SalesChannel so that routes and flows treat it as any other; the manifest says what is absent, and the steps are skipped."""

    connection: Connection

    def acknowledge(self, order: Order, *, number: str, key: str) -> Writes:
        raise NotOffered("The partner asks our API for its orders.")

    def confirm_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        raise NotOffered("The partner asks our API for what has left.")

    def publish_stock(self, levels: Sequence[StockLevel], *, key: str) -> BatchWrite[StockLevel]:
        raise NotOffered("The partner asks our API for availability.")
