"""Sellable quantities of what we send ourselves: the DEFAULT channel of a listing's fulfillment_availability."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.amazon.client import Client, Row
from connectors.amazon.listings import PRODUCT, Listed, Listings, Value, product_type
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.board import Board
from connectors.kit.errors import Rejected

OURS = "DEFAULT"
MAXIMUM = 2_147_483_647


@dataclass(frozen=True)
class Shelf:
    """Stock of one seller. Amazon keeps one quantity for each SKU, whatever the location."""

    client: Client
    connection: Connection

    @property
    def board(self) -> Board[StockLevel, str, Listed, Value]:
        return Listings("stock", self.client, self.connection, self._value, lambda level: level.sku).board

    def _value(self, level: StockLevel, sku: str, listing: Row) -> Value | Exception:
        if level.available is None or not 0 <= level.available <= MAXIMUM or level.available != int(level.available):
            words = f"{level.available} of {level.sku} cannot be published: Amazon counts whole pieces from 0."
            return Rejected(words, code="no_quantity", field="available", owner="logistics")
        by_channel = {one["fulfillmentChannelCode"]: one for one in listing.get("fulfillmentAvailability") or ()}
        theirs = next((name for name in by_channel if name != OURS), "")
        if theirs:
            words = f"Amazon sends {sku} out of its own warehouse ({theirs}): our quantity would take it out of there."
            return Rejected(words, code="fulfilled_by_amazon", field="sku", owner="logistics")
        quantity = int(level.available)
        return Value(
            id=f"{sku}@{OURS}",
            sku=sku,
            product_type=product_type(listing, str(self.connection.account.settings.get("product_type", PRODUCT))),
            path="fulfillment_availability",
            value=[{"fulfillment_channel_code": OURS, "quantity": quantity}],
            there=by_channel.get(OURS, {}).get("quantity") == quantity,
        )
