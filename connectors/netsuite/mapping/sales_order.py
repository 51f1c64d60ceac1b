"""A canonical order as the body of a NetSuite sales order whose total is the order's, or no body at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.canonical.gate import equation
from connectors.canonical.money import Role
from connectors.canonical.order import Charge, Line, Order, ShippingLine, Tax
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.canonical.product import ProductKind
from connectors.kit.errors import Rejected
from connectors.netsuite.mapping import names, parties
from connectors.netsuite.mapping.amounts import ZERO, Part, Settler, part
from connectors.netsuite.mapping.policy import Policy, unit_of

CUSTOM_PRICE = {"id": "-1"}  # price level "Custom": the rate is ours, not the item's
SHIPPING = "SHIPPING"  # the tax details' reference of the shipping cost (NetSuite help, section_1548673608)
SUBLISTS = ("item", "taxDetails")


@dataclass
class Draft:
    """A sales order's money while it is being laid out: lines, tax details, what was rounded so far."""

    policy: Policy
    role: Role
    settler: Settler
    lines: list[dict[str, Any]] = field(default_factory=list)
    taxes: list[tuple[str, Tax, Decimal, Decimal]] = field(default_factory=list)  # reference, tax, basis, exact amount


def sales_order(order: Order, policy: Policy) -> dict[str, Any]:
    """The body of the order as placed. Raises Missing for what has no cross reference,
    Rejected(code="total_differs").
    """
    body = _body(order, policy, {line.id: line.quantity for line in order.lines})
    stated = equation(order).total.amount
    check(body, order, stated)
    return body


def amended(order: Order, policy: Policy) -> dict[str, Any]:
    """The body of the order as it stands now: without what was removed, but with what was refunded (that is a
    credit of its own).
    """
    kept = {line.id: line.current_quantity + _refunded(order, line) for line in order.lines}
    quantities = {line.id: min(line.quantity, kept[line.id]) for line in order.lines}
    body = _body(order, policy, quantities)
    role = order.money_role
    if order.current is not None:
        back = sum((refund.total.in_role(role).amount for refund in order.refunds), ZERO)
        check(body, order, order.current.total.in_role(role).amount + back)
    elif all(quantities[line.id] == line.quantity for line in order.lines):
        check(body, order, equation(order).total.amount)
    return body


def _refunded(order: Order, line: Line) -> Decimal:
    """How many of a line went back with money; a refund without money is a removal."""
    paid = (refund for refund in order.refunds if refund.total.in_role(order.money_role))
    return sum((one.quantity for refund in paid for one in refund.lines if one.line_id == line.id), ZERO)


def _body(order: Order, policy: Policy, quantities: Mapping[str, Decimal]) -> dict[str, Any]:
    currency = order.totals.total.in_role(order.money_role).currency
    draft = Draft(policy, order.money_role, Settler(unit_of(currency)))
    for line in order.lines:
        if quantities[line.id] > 0:
            _line(draft, order, line, quantities[line.id])
    for charge in order.charges:
        _charge(draft, order, charge)
    shipping = _shipping(draft, order)
    off = draft.settler.settle(-sum((d.amount.in_role(draft.role).amount for d in order.discounts), ZERO))
    rounding = order.rounding.in_role(draft.role).amount if order.rounding else ZERO
    if rounding:
        plain_line(draft, "rounding", draft.settler.settle(rounding), "Rounding")
    details = tax_details(draft)
    body: dict[str, Any] = {
        **_header(order, policy, currency),
        **shipping,
        **({"discountItem": {"id": policy.item("discount")}, "discountRate": off} if off else {}),
        **details,
        **_certificates(order, policy),
    }
    return {**body, "item": {"items": draft.lines}, **policy.fields}


def _header(order: Order, policy: Policy, currency: str) -> dict[str, Any]:
    location = policy.codes.theirs("location", order.location) if order.location else policy.location
    body = {
        "externalId": names.of_order(order),
        "currency": policy.currency(currency),
        "tranDate": policy.day(order.placed_at),
        "otherRefNum": order.number,
        "memo": order.note[:999],
        "email": order.email,
        "orderStatus": {"id": policy.order_status},
        "location": {"id": location} if location else None,
        "shippingAddress": parties.address(order.shipping),
        "billingAddress": parties.address(order.billing),
    }
    return {name: value for name, value in body.items() if value not in ("", None)}


def _line(draft: Draft, order: Order, line: Line, quantity: Decimal) -> None:
    """A product's line, its discount's line below it, and its taxes. A bundle's part costs nothing: the
    bundle's line does.
    """
    if line.bundle_id:
        draft.lines.append(_item(draft, item_id(line, draft.policy), quantity, ZERO, line.title, line))
        return
    scale = quantity / line.quantity if line.quantity else Decimal(1)
    gross = line.unit_price.in_role(draft.role).amount * quantity
    sums = part(gross, line.discounts, line.taxes, draft.role, order.taxes_included, scale)
    draft.lines.append(
        _item(draft, item_id(line, draft.policy), quantity, draft.settler.settle(sums.gross), line.title, line)
    )
    if sums.discount:
        words = ", ".join(filter(None, (d.code or d.title for d in line.discounts))) or "Discount"
        plain_line(draft, "discount", draft.settler.settle(-sums.discount), words)
    _owe(draft, line.id, sums, line.taxes)


def item_id(line: Line, policy: Policy) -> str:
    """NetSuite's item for a line. A line without SKU has a configured item, else its title is the missing
    cross reference.
    """
    if line.sku:
        return policy.codes.theirs("sku", line.sku)
    name = "gift_card" if line.kind is ProductKind.GIFT_CARD else "custom"
    return str(policy.items.get(name) or "") or policy.codes.theirs("sku", line.title)


def _item(draft: Draft, item: str, quantity: Decimal, amount: Decimal, words: str, line: Line) -> dict[str, Any]:
    """One line of the item sublist: the amount rules; the rate is told where it makes the amount exactly."""
    policy = draft.policy
    rate = (amount / quantity).quantize(Decimal("0.00000001")) if quantity else ZERO
    place = policy.codes.theirs("location", line.location) if line.location else policy.location
    body = {
        "item": {"id": item},
        "quantity": quantity,
        "price": CUSTOM_PRICE,
        "rate": rate.normalize() + 0 if rate * quantity == amount else None,
        "amount": amount,
        "description": words[:999],
        "location": {"id": place} if place else None,
        "taxDetailsReference": line.id if policy.tax == "details" else None,
        policy.line_field or "line_field": line.id if policy.line_field else None,
    }
    return {name: value for name, value in body.items() if value not in ("", None)}


def plain_line(draft: Draft, name: str, amount: Decimal, words: str, reference: str = "") -> None:
    """A line of a configured item that is no product."""
    body: dict[str, Any] = {
        "item": {"id": draft.policy.item(name)},
        "price": CUSTOM_PRICE,
        "rate": amount,
        "amount": amount,
        "description": words[:999],
    }
    if name != "discount":
        body["quantity"] = Decimal(1)
    if reference:
        body["taxDetailsReference"] = reference
    draft.lines.append(body)


def _charge(draft: Draft, order: Order, charge: Charge) -> None:
    sums = part(
        charge.amount.in_role(draft.role).amount, (), charge.taxes, draft.role, order.taxes_included, Decimal(1)
    )
    reference = (
        f"{charge.kind.value}-{order.charges.index(charge)}" if charge.taxes and draft.policy.tax == "details" else ""
    )
    plain_line(draft, charge.kind.value, draft.settler.settle(sums.gross), charge.title or charge.kind.value, reference)
    _owe(draft, reference, sums, charge.taxes)


def _shipping(draft: Draft, order: Order) -> dict[str, Any]:
    """The shipping cost, net of its discounts: one for the order, however many shipping lines it has."""
    cost = ZERO
    for line in order.shipping_lines:
        price = line.price.in_role(draft.role).amount
        sums = part(price, line.discounts, line.taxes, draft.role, order.taxes_included, Decimal(1))
        cost += sums.gross - sums.discount
        _owe(draft, SHIPPING, sums, line.taxes)
    settled = draft.settler.settle(cost)
    if not order.shipping_lines:
        return {}
    return {"shipMethod": {"id": _method(order.shipping_lines[0], draft.policy)}, "shippingCost": settled}


def _method(line: ShippingLine, policy: Policy) -> str:
    return policy.ship_method or policy.codes.theirs("shipping_method", line.code or line.title)


def _owe(draft: Draft, reference: str, sums: Part, taxes: tuple[Tax, ...]) -> None:
    basis = sums.gross - sums.discount
    draft.taxes += [(reference, tax, basis, amount) for tax, amount in zip(taxes, sums.taxes, strict=True)]


def tax_details(draft: Draft) -> dict[str, Any]:
    """The taxes as the account books them: SuiteTax details that override its engine, or one line of the tax item."""
    policy, own = draft.policy, []
    for row in draft.taxes:
        if row[1].remitted_by_channel and policy.items.get("remitted_tax"):
            plain_line(
                draft, "remitted_tax", draft.settler.settle(row[3]), row[1].title or "Tax remitted by the channel"
            )
        else:
            own.append(row)
    if policy.tax == "item":
        due = draft.settler.settle(sum((row[3] for row in own), ZERO))
        if due:
            plain_line(draft, "tax", due, "Tax")
        return {}
    rows = [_detail(draft, *row) for row in own]
    return {"taxDetailsOverride": True, "taxDetails": {"items": rows}}


def _detail(draft: Draft, reference: str, tax: Tax, basis: Decimal, exact: Decimal) -> dict[str, Any]:
    """One tax of one line. Rates are per cent; where the source states none it is what the amounts make."""
    policy = draft.policy
    amount = draft.settler.settle(exact)
    rate = tax.rate if tax.rate is not None else (exact / basis if basis else ZERO)
    body = {
        "taxDetailsReference": {"id": reference},
        "taxType": policy.tax_type,
        "taxCode": {"id": policy.tax_code or policy.codes.theirs("tax_code", tax.code or tax.title)},
        "taxBasis": basis.quantize(unit_of("EUR")),
        "taxRate": (rate * 100).quantize(Decimal("0.0001")).normalize() + 0,
        "taxAmount": amount,
    }
    return {name: value for name, value in body.items() if value != ""}


def certificates(order: Order) -> tuple[Payment, ...]:
    """The gift cards that paid for the order: tenders, which never change its total."""
    return tuple(payment for payment in taken(order) if payment.tender is Tender.GIFT_CARD)


def taken(order: Order) -> tuple[Payment, ...]:
    """The payments that brought money in."""
    kinds = (PaymentKind.SALE, PaymentKind.CAPTURE)
    return tuple(one for one in order.payments if one.kind in kinds and one.status is PaymentStatus.SUCCESS)


def _certificates(order: Order, policy: Policy) -> dict[str, Any]:
    """NetSuite's own gift certificates, where the account sells those: by the code that stands as the
    payment's reference.
    """
    used = certificates(order) if policy.gift_cards == "redemption" else ()
    rows = [
        {"authCode": {"id": p.reference}, "authCodeApplied": p.amount.in_role(order.money_role).amount} for p in used
    ]
    return {"giftCertRedemption": {"items": rows}} if rows else {}


def total(body: Mapping[str, Any]) -> Decimal:
    """What NetSuite will make of a body before gift certificates: lines + shipping + header discount + tax details."""
    lines = sum((line["amount"] for line in body["item"]["items"]), ZERO)
    details = sum((row["taxAmount"] for row in body.get("taxDetails", {"items": ()})["items"]), ZERO)
    return Decimal(lines + details + body.get("shippingCost", ZERO) + body.get("discountRate", ZERO))


def check(body: Mapping[str, Any], order: Order, stated: Decimal) -> None:
    """Raises Rejected where NetSuite's total would not be the channel's, to its minor unit."""
    differs = stated - total(body)
    currency = order.totals.total.in_role(order.money_role).currency
    if not differs:
        return
    raise Rejected(
        f"NetSuite would book {total(body)} {currency}, but order {order.number} is {stated} {currency}: "
        f"{differs:+} {currency} differ.",
        code="total_differs",
        field="totals.total",
        remedy="Compare the order's lines, discounts, shipping and taxes in the channel; nothing was sent to NetSuite.",
        owner="finance",
    )
