"""Prices: what SKUs cost now in a price list, from the hub's own records, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from flask import Response, request

from app.catalogue import price_marks, prices
from app.catalogue.prices import InForce
from app.database import transaction
from app.web.api import partner
from app.web.api import schemas_orders as shapes
from app.web.api.door import me
from app.web.api.problems import Problem
from app.web.api.resource import Resource

resource = Resource("prices", __name__, url_prefix="/api/v1/prices", description="What a SKU costs.")
LONGEST, STALE = (
    60,
    300,
)  # seconds that an answer may be kept, and when we do not answer; never beyond the instant at which a price changes


@resource.on("GET", "", "prices:read", {200: shapes.Prices}, takes=shapes.PriceAsked, place="query")
def listed(asked: Mapping[str, Any]) -> Response:
    """Up to 100 SKUs. 304 when none of their prices changed (If-None-Match). A list with a name is for those whose channel is told of it."""
    if not price_marks.may_see(me().channel or me().name, asked["list"]):
        raise Problem(403, "price_list", "This key's channel is told no prices of that list.")
    skus = list(dict.fromkeys(asked["sku"]))
    with transaction() as tx:
        rows = prices.in_force(tx, skus, asked["list"], asked["currency"])
        changes = prices.changes_at(tx, skus, asked["list"])
    known = {row.sku for row in rows}
    told = {"list": asked["list"], "prices": [_shown(row) for row in rows]}
    answer = partner.said({**told, "missing": [sku for sku in skus if sku not in known]}, 200)
    answer.headers["Cache-Control"] = _kept(rows, changes)
    answer.headers["Vary"] = "Authorization"
    answer.set_etag(blake2b(answer.get_data(), digest_size=12).hexdigest())
    answer.make_conditional(request)
    return answer


def _kept(rows: Sequence[InForce], changes: datetime | None) -> str:
    """How long the answer may be kept: a price of it that ends, and one that begins, ends that too (RFC 9111; RFC 5861 for errors)."""
    now = datetime.now(UTC)
    ends = [at for at in (changes, *(row.valid_until for row in rows)) if at is not None]
    left = max(0, int((min(ends) - now).total_seconds())) if ends else LONGEST + STALE
    fresh = min(LONGEST, left)
    return f"private, max-age={fresh}, stale-if-error={min(STALE, left - fresh)}"


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
