"""Material stock as levels: a sum for each plant and storage location."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from connectors.canonical.stock import Lot, StockLevel
from connectors.sap_s4hana.odata import Row, number

OWN = ""  # InventorySpecialStockType: neither consignment, nor a customer's, nor a project's


def by_place(stocks: Iterable[Row]) -> dict[str, list[Row]]:
    """ "PLANT/STORAGE" -> the rows of our own stock there. Stock of a customer, an order or a project is none to sell."""
    found: dict[str, list[Row]] = {}
    for one in stocks:
        if (one.get("InventorySpecialStockType") or "") == OWN and not one.get("SDDocument"):
            place = f"{one.get('Plant') or ''}/{one.get('StorageLocation') or ''}"
            found.setdefault(place, []).append(one)
    return found


def levels(
    material: str, sku: str, places: Iterable[tuple[str, Sequence[Row]]], sellable: Sequence[str], at: datetime
) -> Iterator[StockLevel]:
    """A level for each of our locations; `sellable` are the stock types that may be promised (01 is unrestricted use)."""
    for location, rows in places:
        free = _sum(one for one in rows if one.get("InventoryStockType") in sellable)
        whole = _sum(rows)
        told = StockLevel(sku, location, on_hand=whole, unsellable=whole - free, item_id=material, as_of=at)
        yield replace(told, lots=tuple(_batches(rows)))


def _batches(rows: Sequence[Row]) -> Iterator[Lot]:
    """What is there of each batch, of whatever stock type; its shelf life stands in the batch's own master, which is not read."""
    names = sorted({str(one["Batch"]) for one in rows if one.get("Batch")})
    for name in names:
        many = _sum(one for one in rows if one.get("Batch") == name)
        if many:
            yield Lot(name, many)


def _sum(rows: Iterable[Row]) -> Decimal:
    return sum((number(one.get("MatlWrhsStkQtyInMatlBaseUnit")) for one in rows), Decimal(0))
