"""Shapes of what stores and suppliers are asked for and say; quantities are decimal text."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from app.orders.fulfilments import OPEN
from app.orders.machines import FULFILMENT
from app.orders.todo import SAYINGS
from app.web.api.canonical import NO_CONTROLS
from app.web.api.schemas import NAME, SKU, pieces
from app.web.api.schemas_orders import AMOUNT, quantity, words

STATES = sorted(FULFILMENT.states)
SAID = NO_CONTROLS.replace("^", r"^(?=[\s\S]*\S)", 1)
NUMBER = r"^WB[0-9]{1,18}-F[0-9]{1,6}$"


def because() -> fields.String:
    """Why: nothing of this kind is said without."""
    return fields.String(required=True, validate=[validate.Length(1, 300), validate.Regexp(SAID)])


class AskedOf(Schema):
    """Left out it is all of the key's `location`s and every open `state`. `after` is the number of the last request that you have seen."""

    location = fields.String(load_default="", validate=NAME[1])
    state = fields.List(
        fields.String(validate=validate.OneOf(sorted(OPEN))), load_default=list, validate=validate.Length(0, 20)
    )
    after = fields.String(load_default="", validate=validate.Regexp(rf"^$|{NUMBER}"))


class AskedLine(Schema):
    """`instead_of` is the SKU that was sold where another article goes out in its place."""

    line_id = fields.String()
    sku = fields.String()
    title = fields.String()
    quantity = pieces()
    instead_of = fields.String()


class TrackingShape(Schema):
    number = fields.String()
    carrier = fields.String()


class ShipTo(Schema):
    name = fields.String()
    company = fields.String()
    line1 = fields.String()
    line2 = fields.String()
    line3 = fields.String()
    postcode = fields.String()
    city = fields.String()
    region = fields.String()
    country = fields.String()
    phone = fields.String()


class FulfilmentShape(Schema):
    """A request to a location. `answer_by`: accept or reject until then, or it is offered elsewhere. `eligible`: it may be handed over or sent now,
    else `not_yet` says why not. `verify` says how to know the customer of a pickup before anything is handed over; `kept_until` is what the
    customer was told. `may` names what can be said of it in this state: POST to /fulfilments/<number>/<one of them>."""

    number = fields.String(required=True)
    waybill = fields.String(required=True)
    location = fields.String(required=True)
    method = fields.String(validate=validate.OneOf(("ship", "pickup")))
    purchase = fields.Boolean()
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    lines = fields.List(fields.Nested(AskedLine))
    answer_by = fields.DateTime(allow_none=True)
    kept_until = fields.DateTime(allow_none=True)
    promised_at = fields.DateTime(allow_none=True)
    eligible = fields.Boolean()
    not_yet = fields.String()
    verify = fields.String()
    trackings = fields.List(fields.Nested(TrackingShape))
    may = fields.List(fields.String(validate=validate.OneOf(sorted(SAYINGS))))
    asked_at = fields.DateTime()
    changed_at = fields.DateTime()


class FulfilmentOne(FulfilmentShape):
    """`person` is who may fetch it where that is not the buyer; `ship_to` where it goes, once it was accepted. Who looks is noted."""

    person = fields.String()
    ship_to = fields.Nested(ShipTo, allow_none=True)


class Fulfilments(Schema):
    """The oldest first; `more`: ask again with `after`."""

    fulfilments = fields.List(fields.Nested(FulfilmentShape))
    more = fields.Boolean()


class SomeOfLine(Schema):
    line_id = fields.String(required=True, validate=SKU)
    quantity = quantity()


def some() -> fields.List[Any]:
    return fields.List(fields.Nested(SomeOfLine), load_default=list, validate=validate.Length(0, 500))


class Rejection(Schema):
    """Without `lines` it is the whole request; else only these pieces are given back, and the rest stays as it is."""

    reason = because()
    lines = some()


class Reasoned(Schema):
    reason = because()


class HandOver(Schema):
    """`code` is what the customer shows: six digits. Without `lines` all of it is handed over; else only these pieces: the rest becomes a request of
    its own (`rest` in the answer), kept under the same code and until the same hour."""

    code = fields.String(required=True, validate=validate.Regexp(r"^[0-9]{6}$"))
    lines = some()


class KeptLonger(Schema):
    reason = because()
    hours = fields.Integer(required=True, strict=True, validate=validate.Range(1, 24 * 30))


class Substitution(Schema):
    """Another article in place of a line's; `reason` says how the customer agreed. Nothing of its price changes."""

    line_id = fields.String(required=True, validate=SKU)
    sku = fields.String(required=True, validate=SKU)
    reason = because()


class ParcelTold(Schema):
    number = fields.String(required=True, validate=NAME)
    carrier = fields.String(load_default="", validate=[validate.Length(max=80), validate.Regexp(r"^[\x20-\x7e]*$")])


class ShipNotice(Schema):
    """Without `lines` all of it has left; else only these pieces: the rest becomes a request of its own, `rest` in the answer."""

    trackings = fields.List(fields.Nested(ParcelTold), load_default=list, validate=validate.Length(0, 50))
    lines = some()


class Shipped(FulfilmentShape):
    rest = fields.String()


class PromisedLine(Schema):
    sku = fields.String(required=True, validate=SKU)
    quantity = fields.String(required=True, validate=validate.Regexp(AMOUNT))


class Acknowledgement(Schema):
    """What a supplier will send of a purchase order: without `lines` (or null) all of it, with an empty list nothing. `promised_at` is when."""

    lines = fields.List(
        fields.Nested(PromisedLine), load_default=None, allow_none=True, validate=validate.Length(0, 500)
    )
    promised_at = fields.AwareDateTime(load_default=None, allow_none=True)
    note = words(300)
