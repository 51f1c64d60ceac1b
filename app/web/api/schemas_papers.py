"""Shapes of what a receipt or an invoice says of its order, and of a return that is asked for with one."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.web.api.schemas import SKU, pieces
from app.web.api.schemas_orders import ReturnedLine

NUMBER = validate.Regexp(r"^[^\x00-\x1f]{1,200}$")


class PaperAsked(Schema):
    """The number on a till's `receipt`, or of an `invoice` as the books gave it. `waybill` says which order where several have that number."""

    receipt = fields.String(load_default="", validate=NUMBER)
    invoice = fields.String(load_default="", validate=NUMBER)
    waybill = fields.String(load_default="", validate=validate.Regexp(r"^$|^WB[0-9]{1,18}$"))

    @validates_schema
    def _one(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data.get("receipt")) == bool(data.get("invoice")):
            raise ValidationError("Say either a receipt's number or an invoice's.")


class PaperReturn(PaperAsked):
    """What somebody brings back, at a location of the key's."""

    location = fields.String(required=True, validate=[*SKU, validate.Length(min=1)])
    lines = fields.List(fields.Nested(ReturnedLine), required=True, validate=validate.Length(1, 500))
    gift = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class InvoicedShape(Schema):
    number = fields.String()
    quantity = pieces()


class PaperLine(Schema):
    """`held` pieces the paper is about, of which `returnable` may come back now; `invoices` are all that the books have billed of this line."""

    line_id = fields.String()
    sku = fields.String()
    title = fields.String()
    held = pieces()
    returnable = pieces()
    invoices = fields.List(fields.Nested(InvoicedShape))


class PaperShape(Schema):
    """`refused` says why nothing of it may come back any more (too late); empty where something may."""

    waybill = fields.String()
    order = fields.String()
    sold_at = fields.String()
    handed_at = fields.DateTime(allow_none=True)
    refused = fields.String()
    lines = fields.List(fields.Nested(PaperLine))


class Papers(Schema):
    """More than one where several orders have that number."""

    papers = fields.List(fields.Nested(PaperShape))
