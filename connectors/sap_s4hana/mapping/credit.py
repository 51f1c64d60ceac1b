"""A refund as SAP books it: goods come back by a customer return, money by a credit memo request for each tender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile
from typing import Any

from connectors.canonical.money import minor_unit
from connectors.canonical.order import Line, Order, Tax
from connectors.canonical.returns import Refund, RefundLine, Return, ReturnLine
from connectors.kit import names
from connectors.kit.amounts import ZERO, Settler, in_role
from connectors.kit.errors import Rejected
from connectors.kit.tenders import Due
from connectors.sap_s4hana.mapping import conditions
from connectors.sap_s4hana.mapping.draft import material
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import day, decimal


def customer_return(
    order: Order, refund: Refund, customer: str, left: Mapping[str, Decimal], policy: Policy
) -> dict[str, Any] | None:
    """The goods that come back into stock, without money: `return_type` must not be billed. `left`: line id -> the pieces that have left,
    as no others can come back. None where nothing does.
    """
    lines = _came_back(order, refund, left)
    if not lines:
        return None
    return {
        "CustomerReturnType": policy.return_type,
        **policy.area,
        "SoldToParty": customer,
        "PurchaseOrderByCustomer": names.of_refund(order, refund),
        "SDDocumentReason": policy.wanted("return_reason", "a reason of returns"),
        "to_Item": {"results": [_back(order, line, policy) for line in lines]},
    }


def _came_back(order: Order, refund: Refund, left: Mapping[str, Decimal]) -> list[RefundLine]:
    """What a refund restocks, less what earlier ones have taken of the pieces that left."""
    there = dict(left)
    earlier = takewhile(lambda one: one.id != refund.id, order.refunds)
    for one in (line for known in earlier for line in known.lines if line.restock):
        there[one.line_id] = there.get(one.line_id, ZERO) - one.quantity
    found = []
    for one in (line for line in refund.lines if line.restock):
        pieces = min(one.quantity, max(ZERO, there.get(one.line_id, ZERO)))
        there[one.line_id] = there.get(one.line_id, ZERO) - pieces
        found += [replace(one, quantity=pieces)] if pieces else []
    return found


def goods_back(order: Order, returned: Return, customer: str, policy: Policy) -> dict[str, Any]:
    """What came back without any money, each piece at the plant of its condition; the same document, under a name of its own."""
    lines = [one for one in returned.lines if one.received_quantity]
    return {
        "CustomerReturnType": policy.return_type,
        **policy.area,
        "SoldToParty": customer,
        "PurchaseOrderByCustomer": names.of_return(order, returned),
        "SDDocumentReason": policy.wanted("return_reason", "a reason of returns"),
        "to_Item": {"results": [_came(order, line, returned.location, policy) for line in lines]},
    }


def _came(order: Order, line: ReturnLine, ours: str, policy: Policy) -> dict[str, Any]:
    sold = next((one for one in order.lines if one.id == line.line_id), None)
    plant, _ = policy.place_of(line.condition, ours)
    return {
        "Material": material(sold, policy) if sold else policy.codes.theirs("sku", line.sku or line.line_id),
        "RequestedQuantity": decimal(line.received_quantity or ZERO),
        "RequestedQuantityUnit": policy.measure(sold.unit if sold else ""),
        **({"Plant": plant} if plant else {}),
    }


def _back(order: Order, line: RefundLine, policy: Policy) -> dict[str, Any]:
    sold = next((one for one in order.lines if one.id == line.line_id), None)
    plant, _ = policy.place(line.location)
    return {
        "Material": material(sold, policy) if sold else policy.codes.theirs("sku", line.sku or line.line_id),
        "RequestedQuantity": decimal(line.quantity),
        "RequestedQuantityUnit": policy.measure(sold.unit if sold else ""),
        **({"Plant": plant} if plant else {}),
    }


def credit_memos(
    order: Order, refund: Refund, dues: Sequence[Due], customer: str, policy: Policy
) -> list[dict[str, Any]]:
    """A request for each tender, of the material for credits: its net amount and its share of the taxes. They sum to what
    the tenders moved. Raises Rejected("total_differs") where the refund's own parts do not.
    """
    currency = refund.total.in_role(order.money_role).currency
    unit, moved = minor_unit(currency), sum((due.amount for due in dues), ZERO)
    taxes = _taxes(order, refund)
    _checked(order, refund, moved, unit, currency)
    settlers = [Settler(unit) for _ in taxes]
    shares = [_shares(taxes, settlers, due, moved) for due in dues]
    return [
        _request(order, refund, due, customer, policy, currency, own) for due, own in zip(dues, shares, strict=True)
    ]


def _shares(
    taxes: Sequence[tuple[Tax, Decimal]], settlers: Sequence[Settler], due: Due, moved: Decimal
) -> list[tuple[Tax, Decimal]]:
    """Of each tax what falls on a tender; over all tenders they sum to the tax."""
    return [
        (tax, settler.settle(amount * due.amount / moved))
        for (tax, amount), settler in zip(taxes, settlers, strict=True)
    ]


def _request(
    order: Order,
    refund: Refund,
    due: Due,
    customer: str,
    policy: Policy,
    currency: str,
    taxes: Sequence[tuple[Tax, Decimal]],
) -> dict[str, Any]:
    owed = [(_condition(tax, policy), amount) for tax, amount in taxes]
    net = due.amount - sum((amount for _, amount in owed), ZERO)
    measure = policy.unit
    price = conditions.Condition(policy.condition("price"), net, currency, Decimal(1), measure)
    elements = [price, *conditions.by_type(owed, currency)]
    body = {
        "CreditMemoRequestType": policy.credit_type,
        **policy.area,
        "SoldToParty": customer,
        "PurchaseOrderByCustomer": names.of_tender(order, refund, due.gateway),
        "SDDocumentReason": policy.wanted("credit_reason", "a reason of credits"),
        "TransactionCurrency": currency,
        "CreditMemoRequestDate": day(policy.day(refund.at)) if refund.at else "",
        "to_Item": {
            "results": [
                {
                    "Material": policy.material("credit"),
                    "RequestedQuantity": "1",
                    "RequestedQuantityUnit": measure,
                    "to_PricingElement": {"results": [one.body() for one in elements]},
                }
            ]
        },
    }
    return {name: value for name, value in body.items() if value}


def _condition(tax: Tax, policy: Policy) -> str:
    if tax.remitted_by_channel and policy.conditions.get("remitted_tax"):
        return policy.condition("remitted_tax")
    own = str(policy.conditions.get("tax") or "")
    return own or policy.codes.theirs("tax_code", tax.code or tax.title)


def _taxes(order: Order, refund: Refund) -> list[tuple[Tax, Decimal]]:
    """What of the refund is tax: of its lines, and of what was paid back beside them."""
    by_id = {line.id: line for line in order.lines}
    told = [(_of(by_id.get(one.line_id), order), in_role(one.tax, order.money_role)) for one in refund.lines]
    told += [(_of(None, order), in_role(one.tax, order.money_role)) for one in refund.adjustments if one.tax]
    found = [(tax, amount) for tax, amount in told if amount]
    if any(tax is None for tax, _ in found):
        words = "A refund returns a tax that was never charged."
        raise Rejected(words, code="tax_unknown", field="lines", owner="finance")
    return [(tax, amount) for tax, amount in found if tax is not None]


def _of(sold: Line | None, order: Order) -> Tax | None:
    """The tax under which a refund's one tax amount is booked: the first of what was sold."""
    charged = [line.taxes for line in order.shipping_lines] + [line.taxes for line in order.lines]
    taxes = sold.taxes if sold is not None and sold.taxes else next(filter(None, charged), ())
    return taxes[0] if taxes else None


def _checked(order: Order, refund: Refund, moved: Decimal, unit: Decimal, currency: str) -> None:
    """Lines and adjustments must make what went back; a refund without parts is a sum."""
    if not refund.lines and not refund.adjustments:
        return
    role, added = order.money_role, not order.taxes_included
    parts = [in_role(one.subtotal, role) + (in_role(one.tax, role) if added else ZERO) for one in refund.lines]
    parts += [
        in_role(one.amount, role) + (in_role(one.tax, role) if one.tax and added else ZERO)
        for one in refund.adjustments
    ]
    made = sum(parts, ZERO)
    if abs(made - moved) > unit / 2:
        raise Rejected(
            f"Refund {refund.id} of {order.number}: its lines and adjustments make {made} {currency}, "
            f"but {moved} {currency} went back.",
            code="total_differs",
            field="total",
            remedy="Compare the refund's lines, shipping and adjustments in the channel; nothing is booked in SAP.",
            owner="finance",
        )
