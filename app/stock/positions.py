"""Positions: what the owner of the stock says is there, by SKU and location."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection, text

from app.stock import dirty
from connectors.canonical.stock import StockLevel

SET = text("""
INSERT INTO positions AS p (account, sku, location, available, version) VALUES (:account, :sku, :location, :available, :version)
ON CONFLICT (account, sku, location) DO UPDATE SET available = excluded.available, version = excluded.version, as_of = now()
WHERE p.version <= excluded.version AND p.available <> excluded.available
RETURNING 1
""")


def set_level(tx: Connection, account: str, level: StockLevel, version: str) -> bool:
    """The owner's newest word on a quantity; False when it says nothing new (older, or the same)."""
    quantity = level.available if level.available is not None else (level.on_hand or Decimal(0))
    row = {"account": account, "sku": level.sku, "location": level.location, "available": quantity, "version": version}
    new = tx.execute(SET, row).scalar() is not None
    if new:
        dirty.mark(tx, {level.sku})
    return new
