"""The lines and taxes of a NetSuite transaction while they are laid out, each amount settled in its turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.canonical.money import Role
from connectors.canonical.order import Line, Tax
from connectors.canonical.product import ProductKind
from connectors.kit.amounts import ZERO, Part, Settler
from connectors.netsuite.mapping.policy import CENT, Policy

CUSTOM_PRICE = {"id": "-1"}  # price level "Custom": the rate is ours, not the item's


@dataclass
class Draft:
    """A transaction's money so far: its lines, the taxes it owes, what was rounded."""

    policy: Policy
    role: Role
    settler: Settler
    lines: list[dict[str, Any]] = field(default_factory=list)
    taxes: list[tuple[str, Tax, Decimal, Decimal]] = field(default_factory=list)  # reference, tax, basis, exact amount


def item_id(line: Line, policy: Policy) -> str:
    """NetSuite's item for a line. A line without SKU has a configured item, else its title is the missing
    cross reference.
    """
    if line.sku:
        return policy.codes.theirs("sku", line.sku)
    name = "gift_card" if line.kind is ProductKind.GIFT_CARD else "custom"
    return str(policy.items.get(name) or "") or policy.codes.theirs("sku", line.title)


def product_line(draft: Draft, item: str, quantity: Decimal, amount: Decimal, words: str, line: Line) -> dict[str, Any]:
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


def plain_line(draft: Draft, name: str, amount: Decimal, words: str, reference: str = "", owner: str = "") -> None:
    """A line of a configured item that is no product; a discount's `owner` is the line of ours that it belongs to."""
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
    if owner and draft.policy.line_field:
        body[draft.policy.line_field] = owner
    draft.lines.append(body)


def owe(draft: Draft, reference: str, sums: Part, taxes: tuple[Tax, ...]) -> None:
    """Keeps the taxes of a charge until all lines are laid out."""
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
        "taxBasis": (basis if tax.base is None else tax.base.in_role(draft.role).amount).quantize(CENT),
        "taxRate": (rate * 100).quantize(Decimal("0.0001")).normalize() + 0,
        "taxAmount": amount,
    }
    return {name: value for name, value in body.items() if value != ""}


def total(body: Mapping[str, Any]) -> Decimal:
    """What NetSuite will make of a body before gift certificates: lines + shipping + header discount + tax details."""
    lines = sum((line["amount"] for line in body["item"]["items"]), ZERO)
    details = sum((row["taxAmount"] for row in body.get("taxDetails", {"items": ()})["items"]), ZERO)
    return Decimal(lines + details + body.get("shippingCost", ZERO) + body.get("discountRate", ZERO))
