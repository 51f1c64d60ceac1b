"""Money going back as NetSuite books it: one credit memo for what it is for, one customer refund for each tender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.canonical.gate import captured
from connectors.canonical.order import Line, Order, Tax
from connectors.canonical.payment import PaymentStatus
from connectors.canonical.returns import Adjustment, Refund, RefundLine
from connectors.kit.amounts import HALVES, ZERO, Settler, in_role
from connectors.kit.errors import Rejected
from connectors.netsuite.mapping import names, tenders
from connectors.netsuite.mapping.draft import CUSTOM_PRICE, Draft, item_id, plain_line, tax_details, total
from connectors.netsuite.mapping.policy import Policy, unit_of

SUBLISTS = ("item", "taxDetails")


@dataclass(frozen=True, slots=True)
class Due:
    """What goes back through one tender."""

    gateway: str
    amount: Decimal


def dues(order: Order, refund: Refund) -> tuple[Due, ...]:
    """What each tender has moved. A transaction that is not done yet waits: it comes again when it is."""
    role = order.money_role
    if refund.status is not PaymentStatus.SUCCESS:
        return ()
    if not refund.payments:
        amount = in_role(refund.total, role)
        return (Due(_only_tender(order), amount),) if amount else ()
    sums: dict[str, Decimal] = {}
    for one in refund.payments:
        if one.status is PaymentStatus.SUCCESS:
            sums[tenders.gateway(one)] = sums.get(tenders.gateway(one), ZERO) + in_role(one.amount, role)
    found = tuple(Due(gateway, amount) for gateway, amount in sorted(sums.items()) if amount)
    if len(found) > tenders.MOST:
        raise tenders.too_many(f"A refund of {order.number} went to {len(found)} tenders")
    return found


def _only_tender(order: Order) -> str:
    taken = tuple(captured(order))
    if len(taken) == 1 and taken[0]:
        return taken[0]
    raise Rejected(
        f"A refund of {order.number} does not say to which tender it went.",
        code="tender_unknown",
        field="payments",
        remedy="Look in the channel which payment was refunded and book the customer refund by hand.",
        owner="finance",
    )


def credit_memo(order: Order, refund: Refund, customer: str, policy: Policy) -> dict[str, Any]:
    """The credit memo's body, whose total is what the tenders moved. Raises Rejected(code="total_differs")."""
    moved = sum((due.amount for due in dues(order, refund)), ZERO)
    bodies = [_memo(order, refund, customer, policy, moved, halves) for halves in HALVES]
    found = next((body for body in bodies if total(body) == moved), bodies[0])
    _check(found, order, refund, moved)
    return found


def _memo(order: Order, refund: Refund, customer: str, policy: Policy, moved: Decimal, halves: str) -> dict[str, Any]:
    currency = refund.total.in_role(order.money_role).currency
    draft = Draft(policy, order.money_role, Settler(unit_of(currency), halves))
    for line in refund.lines:
        _line(draft, order, line)
    for index, adjustment in enumerate(refund.adjustments):
        _adjust(draft, order, adjustment, index)
    if not refund.lines and not refund.adjustments:
        plain_line(draft, "adjustment", draft.settler.settle(moved), refund.note or "Refund")
    body = {
        "externalId": names.of_refund(order, refund),
        "entity": {"id": customer},
        "currency": policy.currency(currency),
        "tranDate": policy.day(refund.at) if refund.at else "",
        "otherRefNum": order.number,
        "memo": f"{order.number} {refund.note}".strip()[:999],
        "location": {"id": policy.location} if policy.location else "",
        **tax_details(draft),
        "item": {"items": draft.lines},
    }
    return {name: value for name, value in body.items() if value not in ("", None)}


def _line(draft: Draft, order: Order, line: RefundLine) -> None:
    """What came back of a line, net of tax: `subtotal` holds the tax where prices include it."""
    sold = next((one for one in order.lines if one.id == line.line_id), None)
    tax = in_role(line.tax, draft.role)
    amount = in_role(line.subtotal, draft.role) - (tax if order.taxes_included else ZERO)
    settled = draft.settler.settle(amount)
    item = _item(draft.policy, line, sold)
    words = sold.title if sold else line.sku
    draft.lines.append(
        {
            "item": {"id": item},
            "quantity": line.quantity,
            "price": CUSTOM_PRICE,
            "amount": settled,
            "description": words[:999],
            **({"taxDetailsReference": line.line_id} if draft.policy.tax == "details" else {}),
        }
    )
    _owe_back(draft, line.line_id, sold.taxes if sold else (), amount, tax)


def _item(policy: Policy, line: RefundLine, sold: Line | None) -> str:
    """What was sold; where it does not come back into stock and the account names an item for that, that one."""
    if not line.restock and policy.items.get("credit"):
        return policy.item("credit")
    return item_id(sold, policy) if sold else policy.codes.theirs("sku", line.sku or line.line_id)


def _owe_back(draft: Draft, reference: str, taxes: tuple[Tax, ...], basis: Decimal, whole: Decimal) -> None:
    """A refund tells one tax amount: it is shared out to what was charged, each tax in proportion. Raises Rejected."""
    if not whole:
        return
    amounts = [in_role(tax.amount, draft.role) for tax in taxes]
    charged = sum(amounts, ZERO)
    if not charged:
        raise Rejected(
            "A refund returns a tax that was never charged on its line.",
            code="tax_unknown",
            field="lines",
            owner="finance",
        )
    draft.taxes += [
        (reference, tax, basis, whole * amount / charged) for tax, amount in zip(taxes, amounts, strict=True) if amount
    ]


def _adjust(draft: Draft, order: Order, adjustment: Adjustment, index: int) -> None:
    """Shipping, fees and discrepancies: on the item configured for their kind, else on that for adjustments."""
    tax = in_role(adjustment.tax, draft.role) if adjustment.tax else ZERO
    amount = in_role(adjustment.amount, draft.role) - (tax if order.taxes_included else ZERO)
    name = adjustment.kind if draft.policy.items.get(adjustment.kind) else "adjustment"
    reference = f"adjustment-{index}" if tax and draft.policy.tax == "details" else ""
    plain_line(draft, name, draft.settler.settle(amount), adjustment.reason or adjustment.kind, reference)
    charged = [*(line.taxes for line in order.shipping_lines), *(line.taxes for line in order.lines)]
    _owe_back(draft, reference, next(filter(None, charged), ()), amount, tax)


def _check(body: Mapping[str, Any], order: Order, refund: Refund, moved: Decimal) -> None:
    currency = refund.total.in_role(order.money_role).currency
    made = total(body)
    if made == moved:
        return
    raise Rejected(
        f"Refund {refund.id} of {order.number}: its lines and adjustments make {made} {currency}, "
        f"but {moved} {currency} went back.",
        code="total_differs",
        field="total",
        remedy="Compare the refund's lines, shipping and adjustments in the channel; nothing was sent to NetSuite.",
        owner="finance",
    )


def customer_refund(
    order: Order, refund: Refund, due: Due, customer: str, memo_id: str, policy: Policy
) -> dict[str, Any]:
    """The payment to the customer through one tender, applied to the credit memo."""
    rows = [{"doc": {"id": memo_id}, "apply": True, "amount": due.amount}]
    return {**payout(order, refund, due, customer, policy), "apply": {"items": rows}}


def payout(order: Order, refund: Refund, due: Due, customer: str, policy: Policy) -> dict[str, Any]:
    """The header of a customer refund; what it is taken from is the caller's to say."""
    body = {
        "externalId": names.of_tender(order, refund, due.gateway),
        "customer": {"id": customer},
        "currency": policy.currency(refund.total.in_role(order.money_role).currency),
        "tranDate": policy.day(refund.at) if refund.at else "",
        "paymentOption": {"id": policy.codes.theirs("payment_method", due.gateway)},
        "memo": f"{order.number} {due.gateway}",
    }
    return {name: value for name, value in body.items() if value not in ("", None)}
