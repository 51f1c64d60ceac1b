"""Prices: what SKUs cost now in a price list, from the hub's own records, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from flask import Response, request

from app.catalogue import prices
from app.catalogue.prices import InForce
from app.database import transaction
from app.web.api import partner
from app.web.api import schemas_orders as shapes
from app.web.api.resource import Resource

resource = Resource("prices", __name__, url_prefix="/api/v1/prices", description="What a SKU costs.")
LONGEST = 60  # seconds that an answer may be kept; never beyond the instant at which a price in it ends


@resource.on("GET", "", "prices:read", {200: shapes.Prices}, takes=shapes.PriceAsked, place="query")
def listed(asked: Mapping[str, Any]) -> Response:
    """Up to 100 SKUs. 304 when none of their prices changed (If-None-Match)."""
    skus = list(dict.fromkeys(asked["sku"]))
    with transaction() as tx:
        rows = prices.in_force(tx, skus, asked["list"], asked["currency"])
    known = {row.sku for row in rows}
    told = {"list": asked["list"], "prices": [_shown(row) for row in rows]}
    answer = partner.said({**told, "missing": [sku for sku in skus if sku not in known]}, 200)
    answer.headers["Cache-Control"] = f"private, max-age={_fresh(rows)}, stale-if-error=300"
    answer.headers["Vary"] = "Authorization"
    answer.set_etag(blake2b(answer.get_data(), digest_size=12).hexdigest())
    answer.make_conditional(request)
    return answer


def _fresh(rows: Sequence[InForce]) -> int:
    now = datetime.now(UTC)
    ends = [(row.valid_until - now).total_seconds() for row in rows if row.valid_until is not None]
    return max(0, min(LONGEST, *map(int, ends))) if ends else LONGEST


def _shown(row: InForce) -> dict[str, Any]:
    return {
        "sku": row.sku,
        "currency": row.currency,
        "amount": f"{row.amount.normalize():f}",
        "compare_at": None if row.compare_at is None else f"{row.compare_at.normalize():f}",
        "taxes_included": row.taxes_included,
        "min_quantity": f"{row.min_quantity.normalize():f}",
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "promotion": row.promotion,
    }
