"""An order as Business Central's sales order: header, lines, and the total that they must make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connectors.business_central.mapping import parties
from connectors.business_central.mapping.draft import Draft
from connectors.business_central.mapping.policy import Policy
from connectors.business_central.mapping.rows import COMMENT, Row, total
from connectors.canonical.gate import gross
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Charge, Line, Order, ShippingLine
from connectors.kit import names, wanted
from connectors.kit.amounts import HALVES, ZERO, Settler
from connectors.kit.errors import Rejected
from connectors.kit.wanted import Wanted

NOTE = 100  # characters of a line's description


@dataclass(frozen=True, slots=True)
class Document:
    """What is to be booked: `stated` is the total that it must make, `slack` how far Business Central's own reckoning of
    taxes may be from it (none where taxes are lines).
    """

    header: Mapping[str, Any]
    rows: tuple[Row, ...]
    stated: Decimal
    slack: Decimal
    currency: str

    def body(self) -> dict[str, Any]:
        return {**self.header, "salesOrderLines": [one.body() for one in self.rows]}


def placed(order: Order, policy: Policy) -> Document:
    """The order as placed. Raises Missing for what has no cross reference, Rejected("total_differs")."""
    return _fitting(order, policy, wanted.placed(order))


def amended(order: Order, policy: Policy) -> Document:
    """The order as it stands: without what was removed, but with what was refunded (a credit of its own)."""
    standing, quantities, want = wanted.amended(order)
    if want is not None:
        return _fitting(standing, policy, want)
    draft, header = _laid_out(standing, policy, quantities)  # the channel states no sum to hold this against
    return _document(standing, draft, header, _sum(draft, header))


def _fitting(order: Order, policy: Policy, want: Wanted) -> Document:
    """The lines that make the stated total, half a minor unit rounded as its source did. Raises Rejected."""
    for halves in HALVES:
        draft, header = _laid_out(order, policy, want.quantities, halves)
        exact = draft.settler.exact + draft.tax
        if abs(want.stated - exact) > want.slack:
            raise differs(order, want.stated, exact)
        if policy.reckons or _sum(draft, header) == want.stated:
            return _document(order, draft, header, want.stated)
    draft, header = _laid_out(order, policy, want.quantities, residue=want.stated - exact)
    if _sum(draft, header) != want.stated:
        raise differs(order, want.stated, _sum(draft, header))
    return _document(order, draft, header, want.stated)


def _sum(draft: Draft, header: Mapping[str, Any]) -> Decimal:
    """What Business Central makes of it where it reckons no tax."""
    return total(draft.rows) - Decimal(header.get("discountAmount", ZERO))


def _document(order: Order, draft: Draft, header: Mapping[str, Any], stated: Decimal) -> Document:
    slack = (1 + draft.taxed) * draft.unit if draft.policy.reckons else ZERO
    return Document(header, tuple(draft.rows), stated, slack, _currency(order))


def _currency(order: Order) -> str:
    return order.totals.total.in_role(order.money_role).currency


def _laid_out(
    order: Order,
    policy: Policy,
    quantities: Mapping[str, Decimal],
    halves: str = HALVES[0],
    residue: Decimal = ZERO,
) -> tuple[Draft, dict[str, Any]]:
    """All lines, and the header. A `residue` goes to the account for rounding."""
    unit = minor_unit(_currency(order))
    draft = Draft(policy, order.money_role, unit, Settler(unit, halves), order.taxes_included)
    for line in order.lines:
        if quantities[line.id] > 0:
            _line(draft, line, quantities[line.id])
    for index, shipping in enumerate(order.shipping_lines):
        _shipping(draft, f"ship/{index}", shipping)
    for index, charge in enumerate(order.charges):
        _charge(draft, f"charge/{index}", charge)
    off = _order_discount(draft, order)
    stated = order.rounding.in_role(draft.role).amount if order.rounding else ZERO
    draft.finish(residue + stated)
    for index, start in enumerate(range(0, len(order.note), NOTE)):
        words = order.note[start : start + NOTE]
        draft.rows.append(Row(f"note/{index}", COMMENT, "", ZERO, ZERO, ZERO, words, unit))
    return draft, _header(order, policy, off)


def _line(draft: Draft, line: Line, quantity: Decimal) -> None:
    """A product. A bundle's part costs nothing: the bundle's line does."""
    if line.bundle_id:
        draft.sell(names.of_line(line.id), replace(line, taxes=()), quantity, draft.part(ZERO, (), ()))
        return
    scale = quantity / line.quantity if line.quantity else Decimal(1)
    sums = draft.part(gross(line, draft.role).amount * scale, line.discounts, line.taxes, scale)
    draft.sell(names.of_line(line.id), line, quantity, sums)


def _shipping(draft: Draft, ref: str, line: ShippingLine) -> None:
    price = line.price.in_role(draft.role).amount
    sums = draft.part(price, line.discounts, line.taxes)
    if sums.gross or line.taxes:
        draft.charge(ref, "shipping", sums, line.taxes, line.title or "Shipping")


def _charge(draft: Draft, ref: str, charge: Charge) -> None:
    sums = draft.part(charge.amount.in_role(draft.role).amount, (), charge.taxes)
    draft.charge(ref, charge.kind.value, sums, charge.taxes, charge.title or charge.kind.value)


def _order_discount(draft: Draft, order: Order) -> Decimal:
    """What is allocated nowhere: a line of its own; where Business Central reckons taxes, its invoice discount."""
    off = sum((one.amount.in_role(draft.role).amount for one in order.discounts), ZERO)
    if draft.policy.reckons:
        return -draft.settler.settle(-off)
    words = ", ".join(filter(None, (one.code or one.title for one in order.discounts))) or "Discount"
    draft.plain("discount", "discount", -off, words)
    return ZERO


def _header(order: Order, policy: Policy, off: Decimal) -> dict[str, Any]:
    """Business Central takes the exchange rate of the posting date's day: the order's own, until a posting bears another."""
    placed = policy.day(order.placed_at)
    body = {
        "externalDocumentNumber": names.of_order(order),
        "orderDate": placed,
        "postingDate": placed,
        "currencyCode": policy.currency(_currency(order)),
        "email": names.plain_email(order.email)[:80],
        "requestedDeliveryDate": policy.day(order.deliver_by) if order.deliver_by else "",
        "shipmentMethodId": _method(order, policy),
        **parties.sell_to(order.billing),
        **parties.ship_to(order.shipping),
    }
    kept: dict[str, Any] = {name: value for name, value in body.items() if value or "To" in name}
    if policy.reckons:
        kept |= {"pricesIncludeTax": True} if order.taxes_included else {}
        kept |= {"discountAmount": off} if off else {}
    return {**kept, "partialShipping": not order.ship_complete, **policy.fields}


def _method(order: Order, policy: Policy) -> str:
    if policy.shipment_method or not order.shipping_lines:
        return policy.shipment_method
    first = order.shipping_lines[0]
    return policy.codes.theirs("shipping_method", first.code or first.title)


def differs(order: Order, stated: Decimal, made: Decimal) -> Rejected:
    """The refusal of an order whose parts do not make its total, to the minor unit."""
    currency = _currency(order)
    return Rejected(
        f"Business Central would book {made} {currency}, but order {order.number} is {stated} {currency}: "
        f"{stated - made:+} {currency} differ.",
        code="total_differs",
        field="totals.total",
        remedy="Compare the order's lines, discounts, shipping and taxes in the channel with the tax codes and rounding "
        "of Business Central; nothing is booked there.",
        owner="finance",
    )
