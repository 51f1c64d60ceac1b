"""A canonical order as the body of a NetSuite sales order whose total is the order's, or no body at all."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.canonical.gate import gross
from connectors.canonical.order import Charge, Line, Order, ShippingLine
from connectors.kit import wanted
from connectors.kit.amounts import HALVES, ZERO, Settler, part
from connectors.kit.errors import Rejected
from connectors.kit.wanted import Wanted
from connectors.netsuite.mapping import names, parties, tenders
from connectors.netsuite.mapping.draft import Draft, item_id, owe, plain_line, product_line, tax_details, total
from connectors.netsuite.mapping.policy import Policy, unit_of

RATE = Decimal("0.00000001")
SHIPPING = "SHIPPING"  # the tax details' reference of the shipping cost (NetSuite help, section_1548673608)
SUBLISTS = ("item", "taxDetails")


def sales_order(order: Order, policy: Policy) -> dict[str, Any]:
    """The body of the order as placed. Raises Missing for what has no cross reference, Rejected("total_differs")."""
    return _fitting(order, policy, wanted.placed(order))


def amended(order: Order, policy: Policy) -> dict[str, Any]:
    """The body of the order as it stands: without what was removed, but with what was refunded (a credit of its own)."""
    standing, quantities, want = wanted.amended(order)
    if want is not None:
        return _fitting(standing, policy, want)
    return _body(standing, policy, quantities)[0]  # the channel states no sum to hold this against


def _fitting(order: Order, policy: Policy, want: Wanted) -> dict[str, Any]:
    """The body that makes the stated total, half a minor unit rounded as its source did. Raises Rejected."""
    for halves in HALVES:
        body, exact = _body(order, policy, want.quantities, halves)
        if abs(want.stated - exact) > want.slack:
            raise differs(order, want.stated, exact)
        if total(body) == want.stated:
            return body
    body, _ = _body(order, policy, want.quantities, residue=want.stated - exact)
    if total(body) != want.stated:
        raise differs(order, want.stated, total(body))
    return body


def _body(
    order: Order, policy: Policy, quantities: Mapping[str, Decimal], halves: str = HALVES[0], residue: Decimal = ZERO
) -> tuple[dict[str, Any], Decimal]:
    """The body, and the exact sum of its parts. A `residue` goes to the item for rounding."""
    currency = order.totals.total.in_role(order.money_role).currency
    draft = Draft(policy, order.money_role, Settler(unit_of(currency), halves))
    for line in order.lines:
        if quantities[line.id] > 0:
            _line(draft, order, line, quantities[line.id])
    for index, charge in enumerate(order.charges):
        _charge(draft, order, charge, f"{charge.kind.value}-{index}")
    shipping = _shipping(draft, order)
    off = draft.settler.settle(-sum((d.amount.in_role(draft.role).amount for d in order.discounts), ZERO))
    rounding = (order.rounding.in_role(draft.role).amount if order.rounding else ZERO) + residue
    if rounding:
        plain_line(draft, "rounding", draft.settler.settle(rounding), "Rounding")
    details = tax_details(draft)
    body: dict[str, Any] = {
        **_header(order, policy, currency),
        **shipping,
        **({"discountItem": {"id": policy.item("discount")}, "discountRate": off} if off else {}),
        **details,
        **tenders.certificates(order, policy),
    }
    return {**body, "item": {"items": draft.lines}, **policy.fields}, draft.settler.exact


def _header(order: Order, policy: Policy, currency: str) -> dict[str, Any]:
    """NetSuite takes the rate of `tranDate`'s day, the order's own; one that the order states takes its place (units of the base currency
    for one of the order's, eight decimals: "Setting Exchange Rates Directly on Transactions")."""
    rate = order.exchange_rate if currency != policy.base_currency else None
    location = policy.codes.theirs("location", order.location) if order.location else policy.location
    body = {
        "externalId": names.of_order(order),
        "currency": policy.currency(currency),
        "tranDate": policy.day(order.placed_at),
        "exchangeRate": rate.quantize(RATE) if rate else None,
        "otherRefNum": order.number,
        "memo": order.note[:999],
        "email": order.email,
        "orderStatus": {"id": policy.order_status},
        "location": {"id": location} if location else None,
        "shipComplete": True if order.ship_complete else None,
        "shippingAddress": parties.address(order.shipping),
        "billingAddress": parties.address(order.billing),
    }
    return {name: value for name, value in body.items() if value not in ("", None)}


def _line(draft: Draft, order: Order, line: Line, quantity: Decimal) -> None:
    """A product's line, its discount's line below it, and its taxes. A bundle's part costs nothing: the
    bundle's line does.
    """
    if line.bundle_id:
        draft.lines.append(product_line(draft, item_id(line, draft.policy), quantity, ZERO, line.title, line))
        return
    scale = quantity / line.quantity if line.quantity else Decimal(1)
    sums = part(
        gross(line, draft.role).amount * scale, line.discounts, line.taxes, draft.role, order.taxes_included, scale
    )
    draft.lines.append(
        product_line(draft, item_id(line, draft.policy), quantity, draft.settler.settle(sums.gross), line.title, line)
    )
    if sums.discount:
        words = ", ".join(filter(None, (d.code or d.title for d in line.discounts))) or "Discount"
        plain_line(draft, "discount", draft.settler.settle(-sums.discount), words, owner=line.id)
    owe(draft, line.id, sums, line.taxes)


def _charge(draft: Draft, order: Order, charge: Charge, name: str) -> None:
    amount = charge.amount.in_role(draft.role).amount
    sums = part(amount, (), charge.taxes, draft.role, order.taxes_included, Decimal(1))
    reference = name if charge.taxes and draft.policy.tax == "details" else ""
    plain_line(draft, charge.kind.value, draft.settler.settle(sums.gross), charge.title or charge.kind.value, reference)
    owe(draft, reference, sums, charge.taxes)


def _shipping(draft: Draft, order: Order) -> dict[str, Any]:
    """The shipping cost, net of its discounts: one for the order, however many shipping lines it has."""
    cost = ZERO
    for line in order.shipping_lines:
        price = line.price.in_role(draft.role).amount
        sums = part(price, line.discounts, line.taxes, draft.role, order.taxes_included, Decimal(1))
        cost += sums.gross - sums.discount
        owe(draft, SHIPPING, sums, line.taxes)
    settled = draft.settler.settle(cost)
    if not order.shipping_lines:
        return {}
    return {"shipMethod": {"id": _method(order.shipping_lines[0], draft.policy)}, "shippingCost": settled}


def _method(line: ShippingLine, policy: Policy) -> str:
    return policy.ship_method or policy.codes.theirs("shipping_method", line.code or line.title)


def differs(order: Order, stated: Decimal, made: Decimal) -> Rejected:
    """The refusal of an order whose parts do not make its total, to the minor unit."""
    currency = order.totals.total.in_role(order.money_role).currency
    return Rejected(
        f"NetSuite would book {made} {currency}, but order {order.number} is {stated} {currency}: "
        f"{stated - made:+} {currency} differ.",
        code="total_differs",
        field="totals.total",
        remedy="Compare the order's lines, discounts, shipping and taxes in the channel; nothing was sent to NetSuite.",
        owner="finance",
    )
