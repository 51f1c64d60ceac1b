"""Refunds: money through tenders (PaymentRefund), and goods that came back (an order with `returns`, which names the sale).

Square makes an order of its own for what comes back. Its refunds bear that order's id, so goods and money meet there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from connectors.canonical.money import MoneyBag
from connectors.canonical.payment import PaymentStatus
from connectors.canonical.returns import Adjustment, Refund, RefundLine
from connectors.kit.place import Place
from connectors.square.mapping.money_back import Money, exchanged, payment_of, rows_of, sold_by, status_of, went
from connectors.square.mapping.taxes import Frame, discounts, frame, taxed
from connectors.square.mapping.values import Sums

NAMES = ("return_taxes", "return_discounts", "return_service_charges")


def plain(row: Place, money: Money, sums: Sums) -> Refund:
    """Money that went back without goods."""
    payment = payment_of(row, money, sums)
    why = row.at("reason").text()
    rest = (Adjustment("order", payment.amount, reason=why),)
    total = payment.amount if payment.status is not PaymentStatus.FAILURE else sums.zero()
    return Refund(
        payment.id, total, adjustments=rest, payments=(payment,), note=why, at=payment.at, status=payment.status
    )


def returned(entry: Place, order: Place, money: Money, sums: Sums, only: bool) -> Refund:
    """One entry of `returns`. `only`: the order has no other, so all of its money belongs to it; else by the payment's order."""
    told = frame(entry, sums, money.variations, NAMES)
    source = entry.at("source_order_id").text()
    name = order.at("id").needed().id()
    rows = [one for one in rows_of(order, money.refunds) if only or sold_by(one, money) == source]
    payments = [payment_of(one, money, sums) for one in rows]
    moved = sum((sums.minor(one.at("amount_money")) for one, paid in zip(rows, payments, strict=True) if went(paid)), 0)
    owed = sums.minor(entry.at("return_amounts").at("total_money"))
    if order.at("line_items").items() and owed > moved:  # what was not paid out went into what was bought instead
        payments.append(exchanged(name, owed - moved, order.at("created_at").time(), sums))
        moved = owed
    items = entry.at("return_line_items").items()
    lines = tuple(_line(one, told) for one in items if one.at("source_line_item_uid").text())
    sums_alone = tuple(_amount(one, told) for one in items if not one.at("source_line_item_uid").text())
    beside = (*sums_alone, *_beside(entry, told))
    return Refund(
        id=name if only else f"{name}:{source}",
        total=sums.bag(moved),
        lines=lines,
        adjustments=(*beside, *_left_over(moved, lines, beside, told)),
        payments=tuple(payments),
        return_id=entry.at("uid").text(),
        note=next((one.at("reason").text() for one in rows if one.at("reason").text()), ""),
        at=order.at("created_at").time(),
        status=status_of(payments),
    )


def without_order(entry: Place, order: Place, money: Money, sums: Sums) -> Refund:
    """Goods of an order that Square never saw: the sum is told, and what came back in words, since no line of ours is named."""
    whole = returned(entry, order, money, sums, only=True)
    words = ", ".join(
        f"{one.at('quantity').text()} x {_sku(one, money) or one.at('name').text()}"
        for one in entry.at("return_line_items").items()
    )
    back = (Adjustment("return", whole.total, reason=words),) if whole.total.shop else ()
    note = "; ".join(part for part in (whole.note, words) if part)
    return Refund(whole.id, whole.total, (), back, whole.payments, whole.return_id, note, whole.at, status=whole.status)


def pieces_back(returns: Sequence[Place], source: str) -> dict[str, Decimal]:
    """Pieces by line of the order `source` that these return orders took back."""
    found: dict[str, Decimal] = {}
    for order in returns:
        for entry in order.at("returns").items():
            for one in entry.at("return_line_items").items() if entry.at("source_order_id").text() == source else ():
                name = one.at("source_line_item_uid").text()
                found[name] = found.get(name, Decimal(0)) + one.at("quantity").needed().number()
    return found


def _line(item: Place, told: Frame) -> RefundLine:
    """`subtotal` after discounts; the tax apart, or in it where prices include tax."""
    sums, taxes = told.sums, taxed(item, told)
    off = sum((one.amount.shop.amount for one in discounts(item, told)), Decimal(0))
    gross = sums.bag(sums.minor(item.at("gross_return_money")) - (taxes.inside if told.mixed else 0)).shop
    net = MoneyBag(type(gross)(gross.amount - off, gross.currency))
    tax = sums.bag(taxes.inside + taxes.beside)
    sku = _variation(item, told.variations).at("sku").text()
    return RefundLine(item.at("source_line_item_uid").text(), item.at("quantity").needed().number(), net, tax, sku=sku)


def _amount(item: Place, told: Frame) -> Adjustment:
    """A sum of no line of the sale: an amount that was keyed in."""
    seen = _line(item, told)
    tax = seen.tax if seen.tax.shop else None
    return Adjustment("order", seen.subtotal, tax, item.at("name").text() or item.at("note").text())


def _variation(item: Place, variations: Mapping[str, Place]) -> Place:
    return variations.get(item.at("catalog_object_id").text(), Place(None)).at("item_variation_data")


def _sku(item: Place, money: Money) -> str:
    return _variation(item, money.variations).at("sku").text()


def _beside(entry: Place, told: Frame) -> list[Adjustment]:
    """Service charges, tips and rounding that went back too."""
    found = [
        _charge(one, told)
        for one in entry.at("return_service_charges").items()
        if "APPORTIONED" not in one.at("treatment_type").text()
    ]
    sums = told.sums
    found += [
        Adjustment("tip", sums.bag(sums.minor(one.at("applied_money")))) for one in entry.at("return_tips").items()
    ]
    rounded = sums.minor(entry.at("rounding_adjustment").at("amount_money"))
    return found + ([Adjustment("rounding", sums.bag(rounded))] if rounded else [])


def _charge(one: Place, told: Frame) -> Adjustment:
    taxes = taxed(one, told)
    amount = told.sums.minor(one.at("applied_money")) - (taxes.inside if told.mixed else 0)
    tax = told.sums.bag(taxes.beside + taxes.inside) if taxes.taxes else None
    return Adjustment("fee", told.sums.bag(amount), tax, one.at("name").text())


def _left_over(moved: int, lines: Sequence[RefundLine], beside: Sequence[Adjustment], told: Frame) -> list[Adjustment]:
    """What then still lacks to the money that moved."""
    sums = told.sums
    whole = sum((one.subtotal.shop.amount for one in lines), Decimal(0)) + sum(
        (one.amount.shop.amount for one in beside), Decimal(0)
    )
    if not told.included:
        whole += sum((one.tax.shop.amount for one in lines), Decimal(0))
        whole += sum((one.tax.shop.amount for one in beside if one.tax), Decimal(0))
    rest = sums.bag(moved).shop.amount - whole
    total = sums.bag(moved).shop
    return [Adjustment("discrepancy", MoneyBag(type(total)(rest, total.currency)))] if rest else []
