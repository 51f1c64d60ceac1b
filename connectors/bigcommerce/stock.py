"""Sellable quantities are set by SKU and location, absolutely and many in one call, and read by location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.bigcommerce.client import Client, Row
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.batches import each
from connectors.kit.board import Board
from connectors.kit.errors import Missing, Rejected
from connectors.kit.storing import stored_at
from connectors.kit.writes import BatchItem, ExternalId

MOST = 250  # rows of one call (2,000 are allowed, few are advised)
MAXIMUM = 2_147_483_647
REASON = "Set by Waybill"
Named = tuple[str, str]  # their SKU, their location's id
Shown = Mapping[str, Row]  # items by SKU


@dataclass(frozen=True)
class Quantity:
    """One quantity to set, and how many BigCommerce shows on hand (None: not yet counted there)."""

    sku: str
    location: str
    quantity: int
    before: int | None

    @property
    def id(self) -> ExternalId:
        return f"{self.sku}@{self.location}"

    @property
    def there(self) -> bool:
        return self.before == self.quantity

    @property
    def row(self) -> dict[str, Any]:
        return {"location_id": int(self.location), "sku": self.sku, "quantity": self.quantity}


@dataclass(frozen=True)
class Shelf:
    """Stock of one store."""

    client: Client
    connection: Connection

    @property
    def board(self) -> Board[StockLevel, Named, Shown, Quantity]:
        """There when BigCommerce shows the very quantity on hand."""
        return Board("stock", self._named, self._look, _row, lambda due: each(due, self._put, MOST))

    def _put(self, some: Sequence[Quantity]) -> None:
        self.client.set_stock([one.row for one in some], REASON)

    def _named(self, level: StockLevel) -> Named:
        return self.connection.codes.theirs("sku", level.sku), stored_at(self.connection, level.location)

    def _look(self, named: Sequence[Named]) -> Shown:
        """Compared exactly."""
        wanted = {sku for sku, _ in named}
        rows = self.client.stock(sorted(wanted)) if wanted else iter(())
        return {row["identity"]["sku"]: row for row in rows if row["identity"].get("sku") in wanted}

    # ---- reading

    def levels(self, skus: Sequence[str]) -> Iterator[StockLevel]:
        """Levels in our SKUs and locations. A location or SKU that the code tables do not name is none of ours."""
        asked_at, theirs = self.connection.now(), [self.connection.codes.theirs("sku", sku) for sku in skus]
        for row in self.client.stock(theirs):
            if not theirs or row["identity"].get("sku") in theirs:
                yield from self._levels_of(row, asked_at)

    def _levels_of(self, row: Row, asked_at: datetime) -> Iterator[StockLevel]:
        for at in row.get("locations") or ():
            try:
                sku = self.connection.codes.ours("sku", str(row["identity"].get("sku") or ""))
                location = self.connection.codes.ours("location", str(at["location_id"]))
            except Missing:
                continue
            yield StockLevel(
                sku,
                location,
                available=_count(at.get("available_to_sell")),
                on_hand=_count(at.get("total_inventory_onhand")),
                item_id=str(row["identity"].get("variant_id") or ""),
                as_of=asked_at,  # the list is read while the stock moves: no word of it is newer than the question
                safety=_count((at.get("settings") or {}).get("safety_stock")),
            )


def _count(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _row(asked: BatchItem[StockLevel], named: Named, shown: Shown) -> Quantity | Exception:
    level, (sku, location) = asked.document, named
    item = shown.get(sku)
    if item is None:
        words = f"BigCommerce has no article with the SKU {sku}."
        return Rejected(
            words, code="unknown_sku", field="sku", remedy="Add the article or its code.", owner="catalogue"
        )
    if level.available is None or not 0 <= level.available <= MAXIMUM or level.available != int(level.available):
        words = f"{level.available} of {level.sku} cannot be published: BigCommerce counts whole pieces from 0."
        return Rejected(words, code="no_quantity", field="available", owner="logistics")
    at: Row = next((one for one in item.get("locations") or () if str(one["location_id"]) == location), {})
    before = at.get("total_inventory_onhand")
    return Quantity(sku, location, int(level.available), None if before is None else int(before))
