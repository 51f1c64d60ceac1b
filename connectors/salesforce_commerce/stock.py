"""Sellable quantities are allocations of inventory records, by list and product, one call each.

What is available to sell is the allocation less turnover and less what is on order (inventory.xsd). Setting an allocation sets its
turnover to nothing, but orders that are not exported yet stay on order: they are added, since what we may sell is told without
them already. https://help.salesforce.com/s/articleView?id=cc.b2c_on_order_inventory.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.board import Board, nothing
from connectors.kit.errors import Missing, Rejected
from connectors.kit.storing import stored_at
from connectors.kit.writes import BatchItem, ExternalId
from connectors.salesforce_commerce.instance import Instance, Row

Named = tuple[str, str]  # their product, their inventory list
ZERO = Decimal(0)
CREATES = "create_records"


@dataclass(frozen=True)
class Quantity:
    """One quantity to set. What the record shows is looked at with it."""

    product: str
    inventory: str
    pieces: Decimal
    there: ClassVar[bool] = False

    @property
    def id(self) -> ExternalId:
        return f"{self.product}@{self.inventory}"


@dataclass(frozen=True)
class Shelf:
    """Stock of one site, in one inventory list for each location."""

    instance: Instance
    connection: Connection

    @property
    def board(self) -> Board[StockLevel, Named, None, Quantity]:
        return Board("stock", self._named, nothing, _quantity, self._put, seen=self._seen)

    def _put(self, due: Sequence[Quantity]) -> list[Rejected | None]:
        """One that is refused has its own verdict; anything else (load, a broken line) is raised, and the whole batch is tried again: what
        was set by then needs no second call."""
        return [self._tried(one) for one in due]

    def _tried(self, wanted: Quantity) -> Rejected | None:
        try:
            self._set(wanted)
        except Rejected as refused:
            return refused
        return None

    def _seen(self, wanted: Quantity) -> bool:
        """There when the record shows the very quantity."""
        return _shown(self.instance.record(wanted.inventory, wanted.product)) == wanted.pieces

    def _set(self, wanted: Quantity) -> None:
        """On order is what it is at this moment, so the record is read right before it is set."""
        product, inventory = wanted.product, wanted.inventory
        record = self.instance.record(inventory, product)
        if record is None and not self.connection.account.settings.get(CREATES, False):
            words = f"The inventory list {inventory} has no record of {product}."
            remedy = "Add the record in Business Manager, mend the article's code, or let the account create records."
            raise Rejected(words, code="unknown_sku", field="sku", remedy=remedy, owner="catalogue")
        if _shown(record) != wanted.pieces:
            allocation = {"amount": wanted.pieces + _on_order(record)}
            self.instance.set_record(inventory, product, {"allocation": allocation}, new=record is None)

    def _named(self, level: StockLevel) -> Named:
        codes = self.connection.codes
        return codes.theirs("sku", level.sku), stored_at(self.connection, level.location, "inventory_list")

    # ---- reading

    def levels(self, skus: Sequence[str]) -> Iterator[StockLevel]:
        """Levels in our SKUs and locations, of the lists that the account names (`inventory_lists`). Others are none of ours."""
        asked_at = self.connection.now()
        for inventory in self._lists():
            location = self._ours("location", inventory)
            if location is None:
                continue
            for row in self._rows(inventory, skus):
                sku = self._ours("sku", str(row.get("product_id") or ""))
                if sku is not None:
                    yield self._level(row, sku, location, asked_at)

    def _lists(self) -> Sequence[str]:
        settings = self.connection.account.settings
        named = settings.get("inventory_lists") or [settings.get("inventory_list", "")]
        return [str(one) for one in named if one]

    def _rows(self, inventory: str, skus: Sequence[str]) -> Iterator[Row]:
        if not skus:
            yield from self.instance.records(inventory)
            return
        for sku in skus:
            found = self.instance.record(inventory, self.connection.codes.theirs("sku", sku))
            if found is not None:
                yield found

    def _ours(self, kind: str, theirs: str) -> str | None:
        try:
            return self.connection.codes.ours(kind, theirs)
        except Missing:
            return None

    def _level(self, row: Row, sku: str, location: str, asked_at: datetime) -> StockLevel:
        return StockLevel(
            sku,
            location,
            available=_number(row.get("ats")),
            on_hand=_on_hand(row),
            reserved=_number(row.get("quantity_on_order")),
            item_id=str(row.get("product_id") or ""),
            as_of=asked_at,  # the list is read while the stock moves: no word of it is newer than the question
        )


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _on_order(record: Row | None) -> Decimal:
    return (_number(record.get("quantity_on_order")) if record else None) or ZERO


def _on_hand(record: Row) -> Decimal | None:
    """The allocation less what left since it was set. What OCAPI calls stock_level is told with and without what is on order."""
    allocated = _number((record.get("allocation") or {}).get("amount"))
    return None if allocated is None else allocated - (_number(record.get("inventory_turnover")) or ZERO)


def _shown(record: Row | None) -> Decimal | None:
    """What of the record's own stock can be sold: without what it promises beyond it (preorder, backorder)."""
    level = None if record is None else _on_hand(record)
    return None if level is None else level - _on_order(record)


def _quantity(item: BatchItem[StockLevel], named: Named, shown: None) -> Quantity | Exception:
    """Fractions are allowed (the unit is the product's own); less than nothing is not."""
    level = item.document
    if level.available is None or level.available < 0:
        words = f"{level.available} of {level.sku} cannot be published: Commerce Cloud counts from 0."
        return Rejected(words, code="no_quantity", field="available", owner="logistics")
    return Quantity(*named, level.available)
