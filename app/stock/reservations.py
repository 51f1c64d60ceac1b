"""The reservation ledger: one row for each order line, opened when it is placed, closed once when it ships or is let go."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection, text

from app.stock import dirty
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment

OPEN = text("""
INSERT INTO reservations (key, subject_id, line_id, sku, quantity) VALUES (:key, :subject, :line, :sku, :quantity)
ON CONFLICT (key) DO NOTHING
""")
RELEASE = text("""
UPDATE reservations SET state = 'released', closed_at = now() WHERE subject_id = :subject AND state = 'open' RETURNING sku
""")
SHIP = text("""
WITH chosen AS (
    SELECT key, least(quantity - shipped, :quantity) AS now_shipped FROM reservations
    WHERE subject_id = :subject AND state = 'open' AND (line_id = :line OR (:line = '' AND sku = :sku)) ORDER BY key LIMIT 1 FOR UPDATE)
UPDATE reservations r SET shipped = shipped + c.now_shipped,
    state = CASE WHEN shipped + c.now_shipped >= quantity THEN 'committed' ELSE 'open' END,
    closed_at = CASE WHEN shipped + c.now_shipped >= quantity THEN now() END
FROM chosen c WHERE r.key = c.key RETURNING r.sku
""")
RESIZE = text("""
UPDATE reservations SET quantity = greatest(:quantity, shipped),
    state = CASE WHEN :quantity <= shipped THEN CASE WHEN shipped > 0 THEN 'committed' ELSE 'released' END ELSE state END,
    closed_at = CASE WHEN :quantity <= shipped THEN now() END
WHERE key = :key AND state = 'open' AND quantity <> :quantity RETURNING sku
""")


def key(subject: int, line: str) -> str:
    return f"{subject}:{line}"


def reserve(tx: Connection, subject: int, order: Order) -> None:
    """A row for each line that will be shipped; asking again changes nothing. Marks the SKUs to be told."""
    dirty.mark(tx, _opened(tx, subject, order))


def _opened(tx: Connection, subject: int, order: Order) -> set[str]:
    opened = set()
    for line in order.lines:
        if line.requires_shipping and line.current_quantity > 0:
            row = {
                "key": key(subject, line.id),
                "subject": subject,
                "line": line.id,
                "sku": line.sku,
                "quantity": line.current_quantity,
            }
            if tx.execute(OPEN, row).rowcount:
                opened.add(line.sku)
    return opened


def adjust(tx: Connection, subject: int, order: Order) -> None:
    """After an edit: open rows follow the lines' quantities, new lines get rows."""
    opened = _opened(tx, subject, order)
    sizes = ({"key": key(subject, line.id), "quantity": line.current_quantity} for line in order.lines)
    dirty.mark(tx, opened | {sku for size in sizes for sku in tx.execute(RESIZE, size).scalars()})


def release(tx: Connection, subject: int) -> None:
    """What is still open of an order is let go."""
    dirty.mark(tx, set(tx.execute(RELEASE, {"subject": subject}).scalars()))


def ship(tx: Connection, subject: int, shipment: Shipment) -> None:
    """What left is no longer reserved: never more than the line holds."""
    gone = (
        {"subject": subject, "line": line.line_id, "sku": line.sku, "quantity": Decimal(line.quantity)}
        for line in shipment.lines
    )
    dirty.mark(tx, {sku for left in gone for sku in tx.execute(SHIP, left).scalars()})
