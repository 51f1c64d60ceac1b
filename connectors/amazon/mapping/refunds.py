"""Financial events of an order become refunds of it: what each item gave back to the buyer, whoever asked for it.

Amazon numbers neither what a seller adjusts by feed nor a refund as such, and an event may name its item by its SKU alone.
So a refund is known by what each SKU gave back, and like ones by how many there are: ours is known again however Amazon
places its sum under price and tax. Fees that Amazon gives back to the seller are no refund.
Source: ../shared/specs/amazon-spapi/models/financesV0.json (ShipmentEvent, ShipmentItem, ChargeComponent).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from connectors.amazon.mapping.values import ZERO, Sums
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Line, Order
from connectors.canonical.payment import Payment, PaymentKind, Tender
from connectors.canonical.returns import Adjustment, Refund, RefundLine
from connectors.kit.place import Place

# list of events -> the reason that its refunds bear
LISTS = {"RefundEventList": "", "GuaranteeClaimEventList": "guarantee_claim", "ChargebackEventList": "chargeback"}
# charge type -> (what of the refund, whether it is its tax)
CHARGES: Mapping[str, tuple[str, bool]] = {
    "Principal": ("item", False),
    "Discount": ("item", False),
    "Tax": ("item", True),
    "TaxDiscount": ("item", True),
    "ShippingCharge": ("shipping", False),
    "ShippingTax": ("shipping", True),
    "Giftwrap": ("gift_wrap", False),
    "GiftwrapTax": ("gift_wrap", True),
    "CODItemCharge": ("cod_fee", False),
    "CODItemTaxCharge": ("cod_fee", True),
    "CODOrderCharge": ("cod_fee", False),
    "CODOrderTaxCharge": ("cod_fee", True),
    "CODShippingCharge": ("cod_fee", False),
    "CODShippingTaxCharge": ("cod_fee", True),
    "Goodwill": ("goodwill", False),
    "RestockingFee": ("restocking_fee", False),
    "ReturnShipping": ("return_shipping", False),
    "FreeReplacementReturnShipping": ("return_shipping", False),
    "PointsFee": ("points", False),
    "GenericDeduction": ("deduction", False),
    "PaymentMethodFee": ("payment_fee", False),
    "ExportCharge": ("export", False),
}
# Between Amazon, the seller and a tax office; or only by what means the buyer had paid.
NOT_THE_BUYERS = ("MarketplaceFacilitatorTax-", "TCS-", "SAFE-TReimbursement", "PaidthroughEBT")
CENTS = Decimal("0.0001")


@dataclass
class Parts:
    """What one item gave back, by what for: amounts and their taxes, positive towards the buyer."""

    amounts: dict[str, Decimal] = field(default_factory=dict)
    taxes: dict[str, Decimal] = field(default_factory=dict)

    def add(self, what: str, tax: bool, amount: Decimal) -> None:
        table = self.taxes if tax else self.amounts
        table[what] = table.get(what, ZERO) + amount

    @property
    def total(self) -> Decimal:
        return sum((*self.amounts.values(), *self.taxes.values()), ZERO)


@dataclass(frozen=True, slots=True)
class Posted:
    """One event: what it gave back, item by item."""

    reason: str
    at: datetime
    items: list[tuple[Place, Parts]]

    def by_sku(self, order: Order) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for item, parts in self.items:
            sku = sku_of(item, order)
            found[sku] = found.get(sku, ZERO) + parts.total
        return found


def posted(events: Place, currency: str) -> list[Posted]:
    """The refunds among an order's financial events, oldest first. Raises Unreadable for another currency, and for a
    charge with money in it that is not published."""
    sums = Sums(currency)
    found = [
        Posted(
            reason,
            event.at("PostedDate").instant(),
            [(item, _parts(item, sums)) for item in event.at("ShipmentItemAdjustmentList").items()],
        )
        for name, reason in LISTS.items()
        for event in events.at(name).items()
    ]
    return sorted(found, key=lambda one: one.at)


def stem(order_id: str, reason: str, by_sku: Mapping[str, Decimal]) -> str:
    """The name of all refunds of an order that gave back the same; the how-manieth it is comes behind it."""
    told = sorted((sku, f"{amount.quantize(CENTS)}") for sku, amount in by_sku.items() if amount)
    return f"{order_id}-{hashlib.sha256(repr((reason, told)).encode()).hexdigest()[:8]}-"


def refunds(events: Place, order: Order) -> Iterator[Refund]:
    """All of an order's refunds. What was taken back from the buyer again (a claim that Amazon decided anew) is none."""
    seen: Counter[str] = Counter()
    left = {line.id: line.quantity for line in order.lines}
    for one in posted(events, order.currency):
        if sum((parts.total for _, parts in one.items), ZERO) > 0:
            name = stem(order.id, one.reason, one.by_sku(order))
            seen[name] += 1
            yield _refund(f"{name}{seen[name]}", one, order, left)


def reversed_sums(events: Place, order: Order) -> list[Decimal]:
    sums = (sum((parts.total for _, parts in one.items), ZERO) for one in posted(events, order.currency))
    return [one for one in sums if one < 0]


# ---- one item's charges


def _parts(item: Place, sums: Sums) -> Parts:
    """What a promotion was of Amazon does not say: of the delivery where it is as much as that, else of the item."""
    found = Parts()
    for row in item.at("ItemChargeAdjustmentList").items():
        kind, amount = row.at("ChargeType").needed().text(), _amount(row.at("ChargeAmount"), sums)
        if kind.startswith(NOT_THE_BUYERS) or not amount:
            continue
        if kind not in CHARGES:
            raise row.at("ChargeType").fault(f"is {kind!r}, which this connector does not know")
        found.add(*CHARGES[kind], -amount)  # Amazon tells what the seller pays: negative
    for row in item.at("PromotionAdjustmentList").items():
        off = _amount(row.at("PromotionAmount"), sums)
        delivery = sum((table.get("shipping", ZERO) for table in (found.amounts, found.taxes)), ZERO)
        found.add("shipping" if "item" not in found.amounts or off == delivery else "item", False, -off)
    return found


def _amount(place: Place, sums: Sums) -> Decimal:
    """Of a {CurrencyCode, CurrencyAmount}."""
    amount = place.at("CurrencyAmount").number(ZERO)
    code = place.at("CurrencyCode")
    if amount and code.needed().text().upper() != sums.currency:
        raise code.fault(f"is {code.text()!r} in an order of {sums.currency}")
    return amount


def sku_of(item: Place, order: Order) -> str:
    """An event may name its item by SKU alone, and its item's id may differ from the order's."""
    told, name = item.at("SellerSKU").text(), item.at("OrderItemId").text()
    return told or next((line.sku for line in order.lines if line.id == name), "")


# ---- one refund


def _refund(name: str, one: Posted, order: Order, left: dict[str, Decimal]) -> Refund:
    sums = Sums(order.currency)
    lines: list[RefundLine] = []
    beside: list[Adjustment] = []
    for item, parts in one.items:
        line = _line(item, order, left)
        for what in dict.fromkeys((*parts.amounts, *parts.taxes)):
            whole = parts.amounts.get(what, ZERO) + parts.taxes.get(what, ZERO)
            tax = parts.taxes.get(what, ZERO) if _taxed(order, line if what == "item" else None) else ZERO
            amount = whole if order.taxes_included else whole - tax
            pieces = _pieces(item, line, amount, order, left) if what == "item" else ZERO
            if line is not None and pieces:
                left[line.id] -= pieces
                lines.append(
                    RefundLine(
                        line.id,
                        pieces,
                        sums.bag(amount),
                        sums.bag(tax or _tax_within(amount, line, order)),
                        sku=line.sku,
                        left=pieces,  # what has not been shipped is cancelled there, not refunded
                    )
                )
            elif amount or tax:
                title = line.title if line is not None and what == "item" else ""
                beside.append(Adjustment(what, sums.bag(amount), sums.bag(tax) if tax else None, title))
    total = sums.bag(sum((parts.total for _, parts in one.items), ZERO))
    paid = next((payment for payment in order.payments), None)
    kind = PaymentKind.CHARGEBACK if one.reason == "chargeback" else PaymentKind.REFUND
    gateway, parent = (paid.gateway, paid.id) if paid is not None else ("amazon", "")
    money = Payment(f"{name}-P", kind, Tender.MARKETPLACE, total, gateway=gateway, parent_id=parent, at=one.at)
    return Refund(name, total, tuple(lines), tuple(beside), (money,), at=one.at, reason=one.reason)


def _line(item: Place, order: Order, left: Mapping[str, Decimal]) -> Line | None:
    """The order's line: by its id, else of its SKU one that still has pieces, else its only one."""
    name, sku = item.at("OrderItemId").text(), sku_of(item, order)
    same = [line for line in order.lines if sku and line.sku == sku] or (list(order.lines) if not sku else [])
    named = [line for line in same if line.id == name] or [line for line in same if left[line.id] > 0] or same
    return named[0] if len(named) == 1 or (named and sku) else None


def _taxed(order: Order, line: Line | None) -> bool:
    """Whether the order knows a tax there. Amazon may tell one apart that it did not tell with the order: then it is in the sum, as it
    was when it was sold."""
    if line is not None:
        return bool(line.taxes)
    delivery = any(one.taxes for one in order.shipping_lines) or any(one.taxes for one in order.charges)
    return delivery or any(one.taxes for one in order.lines)


def _pieces(item: Place, line: Line | None, amount: Decimal, order: Order, left: Mapping[str, Decimal]) -> Decimal:
    """How many pieces came off: those that Amazon names, where the sum is what they cost; less of it is money alone."""
    if line is None or not line.quantity or amount <= 0:
        return ZERO
    counted = item.at("QuantityShipped")
    room = int(left[line.id])
    asked = range(room, 0, -1) if counted.value is None else [int(counted.number())]
    near = minor_unit(order.currency)
    for many in (Decimal(one) for one in asked if 0 < one <= room):
        if amount >= _worth(line) * many / line.quantity - near:
            return many
    return ZERO


def _worth(line: Line) -> Decimal:
    gross = line.gross or line.unit_price
    return gross.shop.amount - sum((one.amount.shop.amount for one in line.discounts), ZERO)


def _tax_within(amount: Decimal, line: Line, order: Order) -> Decimal:
    """The tax in a sum that Amazon tells whole, by the share that the line's has."""
    worth, tax = _worth(line), sum((one.amount.shop.amount for one in line.taxes), ZERO)
    if not order.taxes_included or not worth:
        return ZERO
    return (amount * tax / worth).quantize(minor_unit(order.currency))
