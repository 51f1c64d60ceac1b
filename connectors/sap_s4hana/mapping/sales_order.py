"""An order as SAP's sales order: header, items with their conditions, and the total that they must make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.canonical.gate import gross
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Line, Order
from connectors.kit import names, wanted
from connectors.kit.amounts import HALVES, ZERO, Settler
from connectors.kit.errors import Rejected
from connectors.kit.wanted import Wanted
from connectors.sap_s4hana.mapping import parties
from connectors.sap_s4hana.mapping.conditions import Condition
from connectors.sap_s4hana.mapping.draft import Draft, Item
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import day


@dataclass(frozen=True, slots=True)
class Document:
    """What is to be booked; `stated` is the total that its net amounts and taxes must make, in `currency`.

    `places`: partner function -> the customer whose address that is, where a document has no addresses of its own.
    """

    order: Order
    header: Mapping[str, Any]
    items: tuple[Item, ...]
    charges: tuple[Condition, ...]
    stated: Decimal
    currency: str
    places: Mapping[str, str] = field(default_factory=dict)

    def body(self, customer: str, policy: Policy) -> dict[str, Any]:
        """One deep insert: SAP makes all of it or nothing."""
        told: dict[str, Any] = {**self.header, "SoldToParty": customer}
        many = {
            "to_Item": [one.body() for one in self.items],
            "to_Partner": self._partners(customer, policy),
            "to_PricingElement": [one.body() for one in self.charges],
            "to_Text": [text(self.order.note, policy)] if self.order.note and policy.note_text else [],
        }
        return told | {name: {"results": rows} for name, rows in many.items() if rows}

    def _partners(self, customer: str, policy: Policy) -> list[dict[str, Any]]:
        if policy.partner_addresses:
            return [{"PartnerFunction": function, "Customer": one} for function, one in self.places.items()]
        return parties.partners(self.order, policy, customer)


def text(note: str, policy: Policy) -> dict[str, str]:
    return {"Language": policy.language, "LongTextID": policy.note_text, "LongText": note}


def placed(order: Order, policy: Policy) -> Document:
    """The order as placed. Raises Missing for what has no cross reference, Rejected("total_differs")."""
    return _fitting(order, policy, wanted.placed(order))


def amended(order: Order, policy: Policy) -> Document:
    """The order as it stands: without what was removed, but with what was refunded (a credit of its own)."""
    standing, quantities, want = wanted.amended(order)
    if want is not None:
        return _fitting(standing, policy, want)
    draft = _laid_out(standing, policy, quantities)  # the channel states no sum to hold this against
    return _document(standing, draft, draft.settler.given)


def _fitting(order: Order, policy: Policy, want: Wanted) -> Document:
    """The conditions that make the stated total, half a minor unit rounded as its source did. Raises Rejected."""
    for halves in HALVES:
        draft = _laid_out(order, policy, want.quantities, halves)
        if abs(want.stated - draft.settler.exact) > want.slack:
            raise differs(order, want.stated, draft.settler.exact)
        if draft.settler.given == want.stated:
            return _document(order, draft, want.stated)
    draft = _laid_out(order, policy, want.quantities, residue=want.stated - draft.settler.exact)
    if draft.settler.given != want.stated:
        raise differs(order, want.stated, draft.settler.given)
    return _document(order, draft, want.stated)


def _document(order: Order, draft: Draft, stated: Decimal) -> Document:
    header = _header(order, draft)
    return Document(order, header, tuple(draft.items), draft.header(), stated, draft.currency)


def _laid_out(
    order: Order,
    policy: Policy,
    quantities: Mapping[str, Decimal],
    halves: str = HALVES[0],
    residue: Decimal = ZERO,
) -> Draft:
    """All items and header conditions. A `residue` goes to the condition for rounding."""
    currency = order.totals.total.in_role(order.money_role).currency
    unit = minor_unit(currency)
    draft = Draft(policy, order.money_role, currency, unit, Settler(unit, halves), order.taxes_included)
    for line in order.lines:
        if quantities[line.id]:
            _line(draft, line, quantities[line.id])
    for shipping in order.shipping_lines:
        price = shipping.price.in_role(draft.role).amount
        draft.charge("shipping", draft.part(price, shipping.discounts, shipping.taxes), shipping.taxes)
    for charge in order.charges:
        sums = draft.part(charge.amount.in_role(draft.role).amount, (), charge.taxes)
        draft.charge(charge.kind.value, sums, charge.taxes)
    draft.plain("order_discount", -sum((one.amount.in_role(draft.role).amount for one in order.discounts), ZERO))
    stated = order.rounding.in_role(draft.role).amount if order.rounding else ZERO
    draft.plain("rounding", residue + stated)
    return draft


def _line(draft: Draft, line: Line, quantity: Decimal) -> None:
    """A product. A bundle's part costs nothing: the bundle's item does."""
    if line.bundle_id:
        draft.sell(line, quantity, draft.part(ZERO, (), ()), ())
        return
    scale = quantity / line.quantity if line.quantity else Decimal(1)
    sums = draft.part(gross(line, draft.role).amount * scale, line.discounts, line.taxes, scale)
    draft.sell(line, quantity, sums, line.taxes)


def _header(order: Order, draft: Draft) -> dict[str, Any]:
    """PricingDate is the "date for pricing and exchange rate": the day on which the order was placed, whenever it is booked."""
    policy = draft.policy
    placed = day(policy.day(order.placed_at))
    body: dict[str, Any] = {
        "SalesOrderType": policy.order_type,
        **policy.area,
        "PurchaseOrderByCustomer": names.of_order(order),
        "CustomerPurchaseOrderDate": placed,
        "PricingDate": placed,
        "TransactionCurrency": draft.currency,
        "SDDocumentReason": policy.order_reason,
        "RequestedDeliveryDate": day(policy.day(order.deliver_by)) if order.deliver_by else "",
        "ShippingCondition": _shipping_condition(order, policy),
        "CompleteDeliveryIsDefined": order.ship_complete or None,
    }
    kept = {name: value for name, value in body.items() if value not in ("", None)}
    return {**kept, **policy.fields}


def _shipping_condition(order: Order, policy: Policy) -> str:
    """Only where methods are mapped at all: SAP knows the customer's own otherwise."""
    if not order.shipping_lines or policy.fields.get("ShippingCondition") or not policy.shipping:
        return ""
    first = order.shipping_lines[0]
    return policy.codes.theirs("shipping_method", first.code or first.title)


def differs(order: Order, stated: Decimal, made: Decimal) -> Rejected:
    """The refusal of an order whose parts do not make its total, to the minor unit."""
    currency = order.totals.total.in_role(order.money_role).currency
    return Rejected(
        f"SAP would book {made} {currency}, but order {order.number} is {stated} {currency}: "
        f"{stated - made:+} {currency} differ.",
        code="total_differs",
        field="totals.total",
        remedy="Compare the order's lines, discounts, shipping and taxes in the channel with the pricing procedure in SAP; "
        "nothing is booked there.",
        owner="finance",
    )
