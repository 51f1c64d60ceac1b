"""Availability: how many of each SKU a partner may sell, from our own records, with the age of the word behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson
from flask import Response, request

from app.database import statement
from app.stock import availability, rules
from app.stock.availability import Seen
from app.web.api import schemas
from app.web.api.door import me
from app.web.api.resource import Resource

resource = Resource(
    "availability", __name__, url_prefix="/api/v1/availability", description="How many of a SKU may be sold."
)
# psycopg's own words for the parameters: the hot path passes SQLAlchemy by.
NAMED = {"skus": "%(skus)s", "excluded": "%(excluded)s", "location_buffer": "%(location_buffer)s"}
READ = availability.SQL.format(**NAMED, **availability.EVERYWHERE)
KEEP = "private, max-age=2, stale-if-error=30"


@resource.on("GET", "", "availability:read", {200: schemas.Availability}, takes=schemas.Asked, place="query")
def listed(asked: Mapping[str, Sequence[str]]) -> Response:
    """Up to 100 SKUs in the address. 304 when nothing of it changed (If-None-Match)."""
    return _answer(asked["sku"])


@resource.on("POST", "", "availability:read", {200: schemas.Availability}, takes=schemas.AskedMany)
def looked_up(asked: Mapping[str, Sequence[str]]) -> Response:
    """Up to 500 SKUs in the body."""
    return _answer(asked["skus"])


def _answer(skus: Sequence[str]) -> Response:
    channel = me().channel or me().name
    wanted = list(dict.fromkeys(skus))
    seen = read(wanted, rules.of(channel))
    found = [seen[sku] for sku in wanted]
    items = [_item(one) for one in found]
    response = Response(orjson.dumps({"channel": channel, "items": items}), content_type="application/json")
    response.headers["Cache-Control"] = KEEP
    response.headers["Vary"] = "Authorization"
    # Weak: the age of the word goes on; what may be sold has not changed.
    response.set_etag(_mark(found), weak=True)
    response.make_conditional(request)
    return response


def read(skus: Sequence[str], rule: rules.Rule) -> dict[str, Seen]:
    """One statement, one instant."""
    asked = {"skus": skus, "excluded": list(rule.exclude_locations), "location_buffer": rule.location_buffer}
    with statement() as connection:
        return availability.seen(connection.execute(READ, asked).fetchall(), rule)


def _item(one: Seen) -> dict[str, Any]:
    return {
        "sku": one.sku,
        "available": int(one.promised),
        "quality": one.quality,
        "as_of": one.as_of,
        "age_seconds": None if one.age is None else round(max(0.0, one.age), 1),
        "source": one.source,
        "lead_days": one.lead_days,
        "preorder": _preorder(one),
    }


def _preorder(one: Seen) -> dict[str, Any] | None:
    return {"from": one.released_at, "available": int(one.promised)} if one.released_at else None


def _mark(found: Any) -> str:
    told = "|".join(f"{one.sku}:{one.promised}:{one.quality}:{one.lead_days}:{one.released_at or ''}" for one in found)
    return blake2b(told.encode(), digest_size=12).hexdigest()
