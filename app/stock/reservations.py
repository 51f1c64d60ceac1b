"""The reservation ledger: one row for each order line, opened when it is placed, closed once when it ships or is let go."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection, text

from app.stock import dirty
from connectors.canonical.order import Line, Order
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


def adjust(tx: Connection, subject: int, order: Order) -> None:
    """After an edit: open rows follow the lines' quantities, new lines get rows."""
    changed = _opened(tx, subject, order)
    for line in order.lines:
        changed |= set(tx.execute(RESIZE, {"key": key(subject, line.id), "quantity": line.current_quantity}).scalars())
    dirty.mark(tx, changed)


def release(tx: Connection, subject: int) -> None:
    """What is still open of an order is let go."""
    dirty.mark(tx, set(tx.execute(RELEASE, {"subject": subject}).scalars()))


def ship(tx: Connection, subject: int, shipment: Shipment) -> None:
    """What left is no longer reserved: never more than the line holds."""
    changed: set[str] = set()
    for line in shipment.lines:
        left = {"subject": subject, "line": line.line_id, "sku": line.sku, "quantity": Decimal(line.quantity)}
        changed |= set(tx.execute(SHIP, left).scalars())
    dirty.mark(tx, changed)


def _opened(tx: Connection, subject: int, order: Order) -> set[str]:
    """The SKUs that got a row just now."""
    wanted = [line for line in order.lines if line.requires_shipping and line.current_quantity > 0]
    return {line.sku for line in wanted if tx.execute(OPEN, _row(subject, line)).rowcount}


def _row(subject: int, line: Line) -> dict[str, object]:
    return {
        "key": key(subject, line.id),
        "subject": subject,
        "line": line.id,
        "sku": line.sku,
        "quantity": line.current_quantity,
    }
