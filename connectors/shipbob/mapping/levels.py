"""ShipBob's quantities of one inventory item at each fulfilment centre as stock levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.canonical.snapshot import Reading, Snapshot
from connectors.canonical.stock import Lot, StockLevel
from connectors.kit.errors import Unreadable
from connectors.shipbob.mapping.fields import identifier, moment, parts, quantity, text


def read_levels(body: Mapping[str, Any], topic: str) -> tuple[Reading, ...]:
    """A polled item: {"as_of": when we asked, "item": the row}. ShipBob's rows carry no time of their own."""
    as_of = moment(body, "as_of")
    if as_of is None:
        raise Unreadable("as_of is missing.", field="as_of")
    item = body.get("item")
    if not isinstance(item, Mapping):
        raise Unreadable("item is missing.", field="item")
    version = as_of.isoformat(timespec="microseconds")
    return tuple(
        Snapshot("stock", f"{level.item_id}@{level.location}", version, level) for level in levels(item, body, "item.")
    )


def levels(item: Mapping[str, Any], asked: Mapping[str, Any], path: str = "") -> tuple[StockLevel, ...]:
    """One level for each fulfilment centre, in ShipBob's SKU and location ids. Available is what ShipBob calls
    fulfillable."""
    sku, item_id = text(item, "sku", path), identifier(item, "inventory_id", path)
    as_of = moment(asked, "as_of")
    lots, found = _lots(item, path), []
    for number, row in enumerate(parts(item, "locations", path)):
        at = f"{path}locations[{number}]."
        available, on_hand, reserved, incoming = (
            quantity(row, f"{name}_quantity", at) for name in ("fulfillable", "on_hand", "committed", "awaiting")
        )
        place = identifier(row, "location_id", at)
        told = StockLevel(sku, place, available, on_hand, reserved, incoming, item_id, as_of)
        found.append(replace(told, lots=tuple(lots.get(place, ()))))
    return tuple(found)


def _lots(item: Mapping[str, Any], path: str) -> dict[str, list[Lot]]:
    """Centre -> what is there of each lot, where the account asks for lots. `lot_date` is the day of expiry or of making, which ShipBob does
    not tell apart: none is taken for its last day."""
    found: dict[str, list[Lot]] = {}
    for number, lot in enumerate(parts(item, "lots", path)):
        name, at = text(lot, "lot_number", f"{path}lots[{number}]."), f"{path}lots[{number}]."
        for place, row in enumerate(parts(lot, "locations", at)):
            there = f"{at}locations[{place}]."
            many = quantity(row, "on_hand_quantity", there)
            if name and many:
                found.setdefault(identifier(row, "location_id", there), []).append(Lot(name, many))
    return found
