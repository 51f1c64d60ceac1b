"""Shapes of the API's requests and answers; quantities are pieces of the SKU's own unit, times ISO 8601 with their zone."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields, validate

# Each by itself, not joined by And: only so does the OpenAPI document tell them.
SKU = [validate.Length(1, 200), validate.Regexp(r"^[^\x00-\x1f\ud800-\udfff]*$")]
NAME = [validate.Length(1, 200), validate.Regexp(r"^[\x20-\x7e]*$")]
QUALITIES = ("fresh", "stale", "unknown")
STATES = ("open", "committed", "released", "expired")
KINDS = ("sale", "pick", "scrap", "return", "receipt", "adjustment", "transfer", "count")
MOST_SKUS = 500


def pieces(**more: object) -> fields.Decimal:
    """A Decimal with at most four places, answered as a string."""
    told: dict[str, object] = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
    return fields.Decimal(places=4, as_string=True, allow_nan=False, metadata=told, **more)  # type: ignore[arg-type]


def taken(least: int, most: int, above: bool = False) -> fields.Decimal:
    """A Decimal with at most four places, sent as a number or a string; `above` the least, or from it on."""
    told: dict[str, object] = {"type": "number", "minimum": least, "maximum": most}
    if above:
        told["exclusiveMinimum"] = True
    within = validate.Range(min=least, min_inclusive=not above, max=most)
    return fields.Decimal(places=4, as_string=True, allow_nan=False, required=True, validate=within, metadata=told)


class Asked(Schema):
    """SKUs in the address: ?sku=A&sku=B"""

    sku = fields.List(fields.String(validate=SKU), required=True, validate=validate.Length(1, 100))


class AskedMany(Schema):
    """SKUs in the body, for long lists."""

    skus = fields.List(fields.String(validate=SKU), required=True, validate=validate.Length(1, MOST_SKUS))


class Preorder(Schema):
    """It is sold before it is there: `from` is the instant from which it can leave, `available` what its limit leaves."""

    released_at = fields.DateTime(data_key="from")
    available = fields.Integer()


class Item(Schema):
    """`available` is what may be sold now. `quality` says by what word: fresh; stale (the owner of the stock has not been heard for a
    while: only the floor of our policy is promised); unknown (nothing is promised). `age_seconds` is the age of the owner's word."""

    sku = fields.String()
    available = fields.Integer()
    quality = fields.String(validate=validate.OneOf(QUALITIES))
    as_of = fields.DateTime(allow_none=True)
    age_seconds = fields.Float(allow_none=True)
    source = fields.String()
    lead_days = fields.Integer()
    preorder = fields.Nested(Preorder, allow_none=True)


class Availability(Schema):
    channel = fields.String()
    items = fields.List(fields.Nested(Item))


class Line(Schema):
    """`line` is the caller's own name of it; without `location` we choose."""

    sku = fields.String(required=True, validate=SKU)
    quantity = taken(0, 1_000_000, above=True)
    line = fields.String(load_default="", validate=[validate.Length(max=200), SKU[1]])
    location = fields.String(load_default=None, allow_none=True, validate=NAME)


class Reserve(Schema):
    lines = fields.List(fields.Nested(Line), required=True, validate=validate.Length(1, 100))
    hold_seconds = fields.Float(load_default=None, allow_none=True, validate=validate.Range(min=1))


class Piece(Schema):
    """What is claimed on one shelf; `bundle` is the SKU it is a part of."""

    line = fields.String()
    sku = fields.String()
    location = fields.String()
    quantity = pieces()
    shipped = pieces()
    state = fields.String(validate=validate.OneOf(STATES))
    bundle = fields.String()


class Reservation(Schema):
    id = fields.String()
    state = fields.String(validate=validate.OneOf(STATES))
    expires_at = fields.DateTime(allow_none=True)
    pieces = fields.List(fields.Nested(Piece))


class Extension(Schema):
    hold_seconds = fields.Float(required=True, validate=validate.Range(min=1))


class Commit(Schema):
    """`number` names the sale: sent again it changes nothing."""

    number = fields.String(required=True, validate=NAME)


class Movement(Schema):
    """`number` is the source's own; `sequence` its running number, where it has one. `quantity` is how many moved (an adjustment may be
    below zero, a count is how many are there). A transfer names `to_location`."""

    number = fields.String(required=True, validate=NAME)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    sku = fields.String(required=True, validate=SKU)
    location = fields.String(required=True, validate=NAME)
    quantity = taken(-1_000_000, 1_000_000)
    at = fields.AwareDateTime(required=True)
    sequence = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=0, max=2**62))
    to_location = fields.String(load_default="", validate=validate.Length(max=200))
    lot = fields.String(load_default="", validate=validate.Length(max=200))
    lot_expires = fields.Date(load_default=None, allow_none=True)


class Moved(Schema):
    movements = fields.List(fields.Nested(Movement), required=True, validate=validate.Length(1, 500))


class Verdict(Schema):
    """`counted`, `known` (told before) or `refused` with the reason."""

    number = fields.String()
    verdict = fields.String(validate=validate.OneOf(("counted", "known", "refused")))
    reason = fields.String()


class Verdicts(Schema):
    results = fields.List(fields.Nested(Verdict))


class ProblemShape(Schema):
    """RFC 9457"""

    class Meta:
        unknown = INCLUDE  # members of its own beside these (RFC 9457, 3.2)

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    errors = fields.Dict(metadata={"description": "Where, and what is wrong there."})
