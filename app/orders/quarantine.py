"""Quarantine: goods that came back and that somebody has to look at before they are sold again or scrapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from connectors.canonical.codec import decode
from connectors.canonical.order import Order

LIES = text("""
SELECT r.id, r.number, r.location, r.updated_at, s.waybill, s.number AS order_number, d.body, l->>'line_id' AS line_id,
    (l->>'received')::numeric AS pieces, l->>'reason' AS reason
FROM (
    SELECT * FROM return_requests WHERE lines @> '[{"disposition": "quarantine"}]' AND (:anywhere OR location = ANY(:locations))
        AND id > coalesce((SELECT id FROM return_requests WHERE number = :after), 0) ORDER BY id LIMIT :most
) r JOIN subjects s ON s.id = r.subject_id LEFT JOIN documents d ON d.id = s.document_id, jsonb_array_elements(r.lines) l
WHERE l->>'disposition' = 'quarantine' AND coalesce((l->>'received')::numeric, 0) > 0 ORDER BY r.id
""")


@dataclass(frozen=True, slots=True)
class Lying:
    """Pieces of a return's line in quarantine at a location, since it was last changed; `reason` is the customer's."""

    number: str
    waybill: str
    order_number: str
    location: str
    line_id: str
    sku: str
    title: str
    pieces: Decimal
    reason: str
    since: datetime


def lying(tx: Connection, locations: Sequence[str], after: str = "", most: int = 50) -> list[Lying]:
    """What lies at these locations ("*": all), of at most so many returns behind `after`, the oldest first."""
    asked = {"locations": list(locations), "anywhere": "*" in locations, "after": after, "most": most}
    return [_lying(row) for row in tx.execute(LIES, asked)]


def _lying(row: Any) -> Lying:
    order = decode(row.body) if row.body else None
    lines = order.lines if isinstance(order, Order) else ()
    line = next((one for one in lines if one.id == row.line_id), None)
    sku, title = (line.sku, line.title) if line is not None else ("", "")
    name = (row.number, row.waybill, row.order_number or "", row.location, row.line_id)
    return Lying(*name, sku, title, row.pieces, row.reason, row.updated_at)
