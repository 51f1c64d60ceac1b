"""Shapes of the API's orders, cancellations, returns, prices and till sales; amounts and quantities are decimal text."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.web.api.canonical import NO_CONTROLS, OURS, shape
from app.web.api.schemas import SKU, pieces
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment

Told = shape(Order, "OrderTold", frozenset(("updated_at",)))
# A sale's id, number and times are those of its till.
TILLS = OURS | {"placed_at", "updated_at", "shipments"}
Sold = shape(Order, "OrderSold", frozenset(("id", "number")), TILLS)
MoneyBack = shape(Payment, "MoneyBack", without=OURS | {"kind", "status", "authorised_until", "takes", "summed"})
AMOUNT = r"^\d{1,9}(\.\d{1,4})?$"
ABOVE_NOTHING = r"^(?=.*[1-9])\d{1,9}(\.\d{1,4})?$"


def words(most: int) -> fields.String:
    """Free text of at most so many characters; empty where it is left out."""
    return fields.String(load_default="", validate=[validate.Length(max=most), validate.Regexp(NO_CONTROLS)])


def quantity() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(ABOVE_NOTHING))


class Kept(Schema):
    """`waybill` is the hub's number of the order; `duplicate` says that this very content was told before."""

    waybill = fields.String(required=True)
    id = fields.String(required=True)
    duplicate = fields.Boolean(required=True)


class PieceShape(Schema):
    quantity = pieces()
    title = fields.String()


class ParcelShape(Schema):
    """What travels or waits together; `until` is by when it must be fetched."""

    state = fields.String()
    pieces = fields.List(fields.Nested(PieceShape))
    carrier = fields.String()
    number = fields.String()
    url = fields.String()
    since = fields.DateTime(allow_none=True)
    until = fields.DateTime(allow_none=True)


class PartShape(Schema):
    """Where one part of the order stands: machine is order, line, fulfilment, payment or return; `part` its name (a line's id, a tender)."""

    machine = fields.String()
    part = fields.String()
    state = fields.String()
    since = fields.DateTime()


class Standing(Schema):
    """`sentence` says where the order is, `next` what happens next without anybody doing anything."""

    waybill = fields.String(required=True)
    id = fields.String(required=True)
    number = fields.String()
    state = fields.String(required=True)
    sentence = fields.String()
    next = fields.String()
    placed_at = fields.DateTime(allow_none=True)
    as_of = fields.DateTime(allow_none=True)
    parcels = fields.List(fields.Nested(ParcelShape))
    back = fields.List(fields.String())
    parts = fields.List(fields.Nested(PartShape))


class ById(Schema):
    """Your own id of the order."""

    id = fields.String(required=True, validate=SKU)


class Standings(Schema):
    orders = fields.List(fields.Nested(Standing))


class CancelledLine(Schema):
    line_id = fields.String(required=True, validate=SKU)
    quantity = quantity()


class Cancellation(Schema):
    """Without `lines` it is the whole order."""

    lines = fields.List(fields.Nested(CancelledLine), load_default=list, validate=validate.Length(0, 500))
    reason = words(500)


class ReturnedLine(Schema):
    line_id = fields.String(required=True, validate=SKU)
    quantity = quantity()
    reason = words(200)


class WantedLine(ReturnedLine):
    """Pieces in place of those of a line: the same article, or `sku`; at the price that was paid for it, or `price` of one piece (as the order's
    prices are: with or without tax)."""

    sku = fields.String(load_default="", validate=SKU[1])
    price = fields.String(load_default=None, validate=validate.Regexp(AMOUNT))


class ReturnAsked(Schema):
    """`exchange` is what is wanted instead: it leaves as an order of its own once the goods came back, and what it costs more is charged.
    A gift's return pays no tender of its giver: its worth is store credit."""

    lines = fields.List(fields.Nested(ReturnedLine), required=True, validate=validate.Length(1, 500))
    exchange = fields.List(fields.Nested(WantedLine), load_default=list, validate=validate.Length(0, 500))
    gift = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class ReturnLineShape(Schema):
    line_id = fields.String()
    quantity = pieces()
    reason = fields.String()
    received = pieces(allow_none=True)
    disposition = fields.String()


class ReceivedLine(Schema):
    line_id = fields.String(required=True, validate=SKU)
    quantity = fields.String(required=True, validate=validate.Regexp(AMOUNT))
    disposition = fields.String(required=True, validate=validate.OneOf(("restock", "quarantine", "scrap")))


class ReturnReceived(Schema):
    """What came back of a return, counted at a location of the key's; a line that is left out did not come."""

    location = fields.String(required=True, validate=[*SKU, validate.Length(min=1)])
    lines = fields.List(fields.Nested(ReceivedLine), required=True, validate=validate.Length(1, 500))


class QuarantineAsked(Schema):
    """`location` one of the key's (all of them when left out); `after` the number of the last return that you have seen."""

    location = fields.String(load_default="", validate=SKU[1])
    after = fields.String(load_default="", validate=validate.Regexp(r"^$|^WB[0-9]{1,18}-R[0-9]{1,6}$"))


class QuarantineLine(Schema):
    """`number` is the return's; `reason` the customer's."""

    number = fields.String()
    location = fields.String()
    line_id = fields.String()
    sku = fields.String()
    title = fields.String()
    quantity = pieces()
    reason = fields.String()
    since = fields.DateTime()


class Quarantine(Schema):
    """The oldest first, of at most 50 returns."""

    lines = fields.List(fields.Nested(QuarantineLine))


class Disposed(Schema):
    """Pieces in quarantine of a line (all of them without `quantity`): on the shelf again, or scrapped."""

    line_id = fields.String(required=True, validate=SKU)
    disposition = fields.String(required=True, validate=validate.OneOf(("restock", "scrap")))
    quantity = fields.String(load_default=None, allow_none=True, validate=validate.Regexp(ABOVE_NOTHING))
    reason = words(300)


class PaidBack(Schema):
    tender = fields.String()
    amount = pieces()


class ReturnShape(Schema):
    """`state`: authorised (send it), declined (`refused` says why), then what became of it. `refunds` in the order's currency, once received;
    `replaced_by` the waybill of the order in which an exchange leaves."""

    number = fields.String(required=True)
    waybill = fields.String(required=True)
    state = fields.String(required=True)
    refused = fields.String()
    gift = fields.Boolean()
    lines = fields.List(fields.Nested(ReturnLineShape))
    refunds = fields.List(fields.Nested(PaidBack))
    replaced_by = fields.String()


class Returns(Schema):
    returns = fields.List(fields.Nested(ReturnShape))


class PriceAsked(Schema):
    """SKUs in the address: ?sku=A&sku=B. `list` names a price list (the standard one when empty)."""

    sku = fields.List(fields.String(validate=SKU), required=True, validate=validate.Length(1, 100))
    list = words(100)
    currency = fields.String(load_default="", validate=validate.Regexp(r"^([A-Z]{3})?$"))


class PriceShape(Schema):
    """In force from `valid_from` until `valid_until` (open where null); `compare_at` is what it is reduced from. From `min_quantity` on."""

    sku = fields.String()
    currency = fields.String()
    amount = pieces()
    compare_at = pieces(allow_none=True)
    taxes_included = fields.Boolean(allow_none=True)
    min_quantity = pieces()
    valid_from = fields.DateTime()
    valid_until = fields.DateTime(allow_none=True)
    promotion = fields.String()


class Prices(Schema):
    """`missing` are SKUs without a price in this list."""

    list = fields.String()
    prices = fields.List(fields.Nested(PriceShape))
    missing = fields.List(fields.String())


class VoidShape(Schema):
    """`sale` is the number of the sale, or `id` what it was told under; `payments` is what went back, which is what the pieces were sold for."""

    sale = fields.Integer(validate=validate.Range(min=0, max=2**53), strict=True)
    id = words(200)
    currency = fields.String(required=True, validate=validate.Regexp(r"^[A-Z]{3}$"))
    lines = fields.List(fields.Nested(CancelledLine), required=True, validate=validate.Length(1, 500))
    payments = fields.List(fields.Nested(MoneyBack), required=True, validate=validate.Length(1, 20))
    reason = words(300)

    @validates_schema
    def names_its_sale(self, told: Any, **more: Any) -> None:
        if "sale" not in told and not told.get("id"):
            raise ValidationError("Say which sale it is of.", "sale")


class SaleShape(Schema):
    """`at` is an instant with its offset, or the till's local time without one: then `zone` is its IANA zone. `order` is what was sold; without an
    id it is known as till-sequence. In its place a `void` takes back pieces of an earlier sale of this till: before the till's day is booked
    they are no part of it, afterwards they come back as a return."""

    sequence = fields.Integer(required=True, validate=validate.Range(min=0, max=2**53), strict=True)
    at = fields.String(required=True, validate=[validate.Length(10, 40), validate.Regexp(NO_CONTROLS)])
    zone = words(60)
    order = fields.Nested(Sold)
    void = fields.Nested(VoidShape)

    @validates_schema
    def one_of_both(self, told: Any, **more: Any) -> None:
        if ("order" in told) == ("void" in told):
            raise ValidationError("Say either what was sold (order) or what is taken back (void).", "order")


class Sales(Schema):
    """`first` is the first number of a till, and must be said when it was never heard of; what it had before is not waited for."""

    sales = fields.List(fields.Nested(SaleShape), required=True, validate=validate.Length(1, 200))
    first = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=0, max=2**53), strict=True)


class Voided(Schema):
    sequences = fields.List(
        fields.Integer(validate=validate.Range(min=0, max=2**53), strict=True),
        required=True,
        validate=validate.Length(1, 500),
    )


class SaleVerdict(Schema):
    """`posted`; `waiting` (a number before it is missing); `known` (told before); `void`; `refused` with the reason."""

    sequence = fields.Integer()
    verdict = fields.String(validate=validate.OneOf(("posted", "waiting", "known", "void", "refused")))
    reason = fields.String()


class Gap(Schema):
    first = fields.Integer()
    last = fields.Integer()
    since = fields.DateTime(allow_none=True)


class Till(Schema):
    """`posted` is the last number up to which all is posted; `missing` is what `waiting` sales wait for."""

    till = fields.String(required=True)
    posted = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    missing = fields.Nested(Gap, allow_none=True)


class SaleVerdicts(Till):
    results = fields.List(fields.Nested(SaleVerdict))
