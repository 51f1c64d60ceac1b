"""A refund as Business Central's credit memo: what goes back, in lines that make what the tenders moved."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.business_central.mapping.draft import Draft, item
from connectors.business_central.mapping.policy import Policy
from connectors.business_central.mapping.rows import ACCOUNT, ITEM, Row, row, total
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Line, Order, Tax
from connectors.canonical.returns import Adjustment, Refund, RefundLine, Return
from connectors.kit import names
from connectors.kit.amounts import HALVES, ZERO, Settler, in_role
from connectors.kit.errors import Rejected
from connectors.kit.tenders import dues


@dataclass(frozen=True, slots=True)
class Memo:
    """A credit memo: `stated` is the total that it must make, `slack` how far Business Central's taxes may be from it."""

    header: dict[str, Any]
    rows: tuple[Row, ...]
    stated: Decimal
    slack: Decimal
    currency: str

    def body(self) -> dict[str, Any]:
        return {**self.header, "salesCreditMemoLines": [one.body(marked=False) for one in self.rows]}


def credit_memo(order: Order, refund: Refund, policy: Policy) -> Memo:
    """The memo whose total is what the tenders moved. Raises Rejected(code="total_differs")."""
    moved = sum((due.amount for due in dues(order, refund)), ZERO)
    memos = [_memo(order, refund, policy, moved, halves) for halves in HALVES]
    found = next((one for one in memos if policy.reckons or total(one.rows) == moved), None)
    if found is None:
        raise differs(order, refund, moved, total(memos[0].rows))
    return found


def goods_back(order: Order, returned: Return, policy: Policy) -> Memo:
    """A memo of nothing but pieces, each at no price, so that its posting moves stock and no money."""
    currency = order.totals.total.in_role(order.money_role).currency
    unit = minor_unit(currency)
    sold = {line.id: line for line in order.lines}
    rows = []
    for index, one in enumerate(line for line in returned.lines if line.received_quantity):
        line = sold.get(one.line_id)
        kind, number = item(line, policy) if line else (ITEM, policy.codes.theirs("sku", one.sku or one.line_id))
        place = policy.place_of(one.condition, returned.location) if kind == ITEM else ""
        words = (line.title if line else one.sku) or "Return"
        more = {"words": words, "tax_code": policy.no_tax, "location": place}
        rows.append(row(f"back{index}", kind, number, one.received_quantity or ZERO, ZERO, ZERO, unit, **more))
    day = policy.day(returned.at) if returned.at else ""
    header = {
        "externalDocumentNumber": names.of_return(order, returned),
        "creditMemoDate": day,
        "postingDate": day,
        "currencyCode": policy.currency(currency),
    }
    return Memo({name: value for name, value in header.items() if value}, tuple(rows), ZERO, ZERO, currency)


def _memo(order: Order, refund: Refund, policy: Policy, moved: Decimal, halves: str) -> Memo:
    currency = refund.total.in_role(order.money_role).currency
    unit = minor_unit(currency)
    draft = Draft(policy, order.money_role, unit, Settler(unit, halves), order.taxes_included)
    for index, line in enumerate(refund.lines):
        _line(draft, order, line, f"back{index}")
    for index, adjustment in enumerate(refund.adjustments):
        _adjust(draft, order, adjustment, f"adjust{index}")
    if not refund.lines and not refund.adjustments:
        draft.plain("adjustment", "adjustment", moved, refund.note or "Refund")
    draft.finish()
    exact = draft.settler.exact + draft.tax
    slack = (1 + draft.taxed) * unit if policy.reckons else ZERO
    if policy.reckons and abs(exact - moved) > unit / 2:
        raise differs(order, refund, moved, exact)
    header = {
        "externalDocumentNumber": names.of_refund(order, refund),
        "creditMemoDate": policy.day(refund.at) if refund.at else "",
        "postingDate": policy.day(refund.at) if refund.at else "",
        "currencyCode": policy.currency(currency),
        "pricesIncludeTax": (policy.reckons and order.taxes_included) or "",
    }
    return Memo({name: value for name, value in header.items() if value}, tuple(draft.rows), moved, slack, currency)


def _line(draft: Draft, order: Order, line: RefundLine, ref: str) -> None:
    """What came back of a line. Goods that return into stock are items, other money goes to accounts.credit."""
    sold = next((one for one in order.lines if one.id == line.line_id), None)
    kind, number, quantity = _what(draft.policy, line, sold)
    words = (sold.title if sold else line.sku) or "Refund"
    place = draft.policy.place(line.location) if kind == ITEM else ""
    taxes = sold.taxes if sold else ()
    _credit(
        draft,
        order,
        ref,
        in_role(line.subtotal, draft.role),
        in_role(line.tax, draft.role),
        taxes,
        words,
        _Kind(kind, number, quantity, place),
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str
    number: str
    quantity: Decimal
    place: str = ""


def _what(policy: Policy, line: RefundLine, sold: Line | None) -> tuple[str, str, Decimal]:
    if not line.restock and policy.accounts.get("credit"):
        return ACCOUNT, policy.account("credit"), Decimal(1)
    if sold:
        return (*item(sold, policy), line.quantity)
    return ITEM, policy.codes.theirs("sku", line.sku or line.line_id), line.quantity


def _credit(
    draft: Draft, order: Order, ref: str, amount: Decimal, tax: Decimal, taxes: tuple[Tax, ...], words: str, what: _Kind
) -> None:
    """A sum with its tax: `amount` holds the tax where prices include it."""
    net = amount - (tax if order.taxes_included and not draft.policy.reckons else ZERO)
    settled = draft.settler.settle(net)
    draft.put(
        row(
            ref,
            what.kind,
            what.number,
            what.quantity,
            settled,
            ZERO,
            draft.unit,
            words=words,
            tax_code=draft.code(taxes if tax else ()),
            location=what.place,
        )
    )
    if not tax:
        return
    if not draft.policy.reckons:
        draft.owe(f"{ref}/t0", _tax(taxes), tax)
        return
    draft.taxed += 1
    draft.tax += ZERO if order.taxes_included else tax


def _tax(taxes: tuple[Tax, ...]) -> Tax:
    """The tax under which a refund's one tax amount is booked: the first of what was sold."""
    if taxes:
        return taxes[0]
    words = "A refund returns a tax that was never charged on its line."
    raise Rejected(words, code="tax_unknown", field="lines", owner="finance")


def _adjust(draft: Draft, order: Order, adjustment: Adjustment, ref: str) -> None:
    """Shipping, fees and discrepancies: on the account configured for their kind, else on that for adjustments."""
    tax = in_role(adjustment.tax, draft.role) if adjustment.tax else ZERO
    name = adjustment.kind if draft.policy.accounts.get(adjustment.kind) else "adjustment"
    charged = [*(line.taxes for line in order.shipping_lines), *(line.taxes for line in order.lines)]
    words = adjustment.reason or adjustment.kind
    what = _Kind(ACCOUNT, draft.policy.account(name), Decimal(1))
    _credit(
        draft, order, ref, in_role(adjustment.amount, draft.role), tax, next(filter(None, charged), ()), words, what
    )


def differs(order: Order, refund: Refund | Return, moved: Decimal, made: Decimal) -> Rejected:
    currency = order.totals.total.in_role(order.money_role).currency
    return Rejected(
        f"{type(refund).__name__} {refund.id} of {order.number}: its lines and adjustments make {made} {currency} in Business Central, "
        f"but {moved} {currency} went back.",
        code="total_differs",
        field="total",
        remedy="Compare the refund's lines, shipping and adjustments in the channel; nothing is booked in Business Central.",
        owner="finance",
    )
