"""A refund: which pieces, what beside them, and through which tenders.

BigCommerce tells pieces and asked amounts, the whole sum and its tax, but not what a piece was worth in it: that is
reckoned from the line as sold, and what the reckoning leaves over stands as an adjustment, so that the sum is its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from connectors.bigcommerce.mapping.payments import tender_of
from connectors.bigcommerce.mapping.taxes import added
from connectors.bigcommerce.mapping.values import amount, moment
from connectors.canonical.order import Line
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.canonical.returns import Adjustment, Refund, RefundLine
from connectors.kit.place import Place
from connectors.kit.sums import Sums

PIECES = "PRODUCT"
CREDIT = (Tender.STORE_CREDIT, Tender.GIFT_CARD)  # given instead of what was paid with
KINDS = {
    "SHIPPING": "shipping",
    "HANDLING": "handling",
    "ORDER": "order",
    "FEE": "fee",
    "GIFT_WRAPPING": "wrapping",
    "TAX": "tax",
}


@dataclass(frozen=True, slots=True)
class Sold:
    """What the refunds of an order are reckoned from."""

    lines: Mapping[str, Line]
    payments: tuple[Payment, ...]
    sums: Sums
    taxes_included: bool


def refund(node: Place, sold: Sold) -> Refund:
    """`total` is what the tenders gave back; one that was declined gave nothing."""
    payments = tuple(_payment(item, node, sold) for item in node.at("payments").items())
    moved = [one.amount for one in payments if one.status is PaymentStatus.SUCCESS]
    lines = tuple(_line(item, sold) for item in _items(node, pieces=True))
    beside = tuple(_beside(item, sold.sums) for item in _items(node, pieces=False))
    return Refund(
        id=node.at("id").needed().id(),
        total=sold.sums.sum(moved) if payments else sold.sums.bag(node.at("total_amount").needed().number()),
        lines=lines,
        adjustments=(*beside, *_left_over(node, lines, beside, sold)),
        payments=payments,
        note=node.at("reason").text() or _reason(node),
        at=moment(node.at("created")),
        status=_status(payments),
    )


def returned(refunds: tuple[Place, ...]) -> Counter[str]:
    """How many of each line the refunds took back."""
    counted: Counter[str] = Counter()
    for one in refunds:
        for item in _items(one, pieces=True):
            counted[item.at("item_id").text()] += int(item.at("quantity").number(default=Decimal(0)))
    return counted


def _items(node: Place, pieces: bool) -> tuple[Place, ...]:
    rows = node.at("items").items()
    return tuple(item for item in rows if (item.at("item_type").needed().text() == PIECES) is pieces)


def _reason(node: Place) -> str:
    return next((item.at("reason").text() for item in node.at("items").items() if item.at("reason").text()), "")


def _status(payments: tuple[Payment, ...]) -> PaymentStatus:
    """Declined by every tender: nothing has moved."""
    declined = payments and all(one.status is PaymentStatus.FAILURE for one in payments)
    return PaymentStatus.FAILURE if declined else PaymentStatus.SUCCESS


def _payment(item: Place, node: Place, sold: Sold) -> Payment:
    provider = item.at("provider_id").needed().text()
    paid = _paid_with(provider, sold.payments, sold.sums)
    return Payment(
        id=item.at("id").needed().id(),
        kind=PaymentKind.REFUND,
        tender=paid.tender,
        amount=sold.sums.bag(item.at("amount").needed().number()),
        status=PaymentStatus.FAILURE if item.at("is_declined").flag() else PaymentStatus.SUCCESS,
        gateway=paid.gateway,
        reference=item.at("transaction_id").text(),
        parent_id=paid.id,
        at=moment(node.at("created")),
    )


def _paid_with(provider: str, payments: tuple[Payment, ...], sums: Sums) -> Payment:
    """The payment that a refund's provider gives back: of its name, else the only one, else a tender of its own."""
    taken = [one for one in payments if one.kind is not PaymentKind.REFUND]
    same = [one for one in taken if one.gateway == provider]
    tender = tender_of(provider)
    alone = taken if len({one.gateway for one in taken}) == 1 else []
    own = Payment("", PaymentKind.REFUND, tender, sums.zero(), gateway=provider)
    return (same or (alone if tender not in CREDIT else []) or [own])[0]


def _line(item: Place, sold: Sold) -> RefundLine:
    name = item.at("item_id").needed().id()
    line = sold.lines.get(name)
    if line is None:
        raise item.at("item_id").fault(f"is {name}, which is no line of the order")
    quantity = item.at("quantity").needed().number()
    net, tax = _worth(line, quantity, sold)
    off = sum((amount(one, "amount") for one in item.at("adjustments").items()), Decimal(0))
    return RefundLine(name, quantity, sold.sums.bag(net + off), sold.sums.bag(tax), sku=line.sku)


def _worth(line: Line, quantity: Decimal, sold: Sold) -> tuple[Decimal, Decimal]:
    """So many pieces of a line after discounts, and their tax, each rounded to the minor unit."""
    gross = (line.gross or line.unit_price).shop.amount
    off = sum((one.amount.shop.amount for one in line.discounts), Decimal(0))
    share = quantity / line.quantity if line.quantity else Decimal(0)
    return sold.sums.rounded((gross - off) * share), sold.sums.rounded(added(line.taxes) * share)


def _beside(item: Place, sums: Sums) -> Adjustment:
    """Shipping, handling, a fee or a sum of the order: the amount as it was asked for."""
    kind = item.at("item_type").text()
    return Adjustment(
        KINDS.get(kind, kind.lower()), sums.bag(amount(item, "requested_amount")), reason=item.at("reason").text()
    )


def _left_over(
    node: Place, lines: tuple[RefundLine, ...], beside: tuple[Adjustment, ...], sold: Sold
) -> tuple[Adjustment, ...]:
    """The tax that no line bears, and what then still lacks to the refund's own sum."""
    total, tax = node.at("total_amount").needed().number(), amount(node, "total_tax")
    net = sum((one.subtotal.shop.amount for one in lines), Decimal(0)) + sum(
        (one.amount.shop.amount for one in beside), Decimal(0)
    )
    on_lines = sum((one.tax.shop.amount for one in lines), Decimal(0))
    apart = Decimal(0) if sold.taxes_included else tax - on_lines
    rest = total - net - apart - (Decimal(0) if sold.taxes_included else on_lines)
    named = (("tax", apart), ("discrepancy", rest))
    return tuple(Adjustment(kind, sold.sums.bag(left)) for kind, left in named if left)
