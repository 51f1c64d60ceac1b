"""An order or a refund as lines of a Tryton sale that sum to what the channel took, to the cent.

The channel has computed and charged the tax, so Tryton must not compute it again: taxes, discounts, shipping and fees
are lines of service products with the channel's own amounts. Where prices contain tax, it is taken out on one line
and stated on another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from connectors.canonical.money import MoneyBag, Role, minor_unit
from connectors.canonical.order import ChargeKind, Discount, Line, Order, Tax
from connectors.canonical.product import ProductKind
from connectors.canonical.returns import Refund, RefundLine
from connectors.kit.errors import Rejected

PRICE = Decimal("0.0001")  # Tryton keeps four decimals of a price ([product] price_decimal)
# Products of no goods, which parts of an order are booked with.
SERVICES = frozenset(
    (
        "BUNDLE",
        "DISCOUNT",
        "DUTY",
        "FEE",
        "GIFT-CARD",
        "REFUND",
        "ROUNDING",
        "SHIPPING",
        "TAX",
        "TAX-INCLUDED",
        "TAX-REMITTED",
        "TIP",
    )
)
CHARGES = {ChargeKind.FEE: "FEE", ChargeKind.TIP: "TIP", ChargeKind.DUTY: "DUTY"}
Sku = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class SaleLine:
    """`name` tells it apart in its sale and is kept as its note; `code` is the product's in Tryton; price per unit."""

    name: str
    code: str
    quantity: Decimal
    price: Decimal
    text: str

    def amount(self, currency: str) -> Decimal:
        """As Tryton computes it: rounded half even to the currency's minor unit."""
        return (self.quantity * self.price).quantize(minor_unit(currency), ROUND_HALF_EVEN)


def booked_currency(order: Order) -> str:
    """The currency that the books follow: of the shop or as the customer saw it."""
    return order.totals.total.in_role(order.money_role).currency


def sold(order: Order, sku: Sku) -> tuple[SaleLine, ...]:
    """The order as placed: the lines make its total exactly. Raises Rejected where more than rounding is missing."""
    lines = tuple(line for line in _Sold(order, sku).lines(lambda line: line.quantity) if line.quantity)
    return _rounded(lines, order.totals.total.in_role(order.money_role).amount, order, len(order.lines))


def left(order: Order, sku: Sku) -> tuple[SaleLine, ...]:
    """The order after edits. What was refunded stays sold here: refunds are booked as sales of their own.

    A refund that moved no money is an edit that took pieces off.
    """
    paid = [refund for refund in order.refunds if refund.payments]
    refunded = _refunded(paid)
    lines = tuple(_Sold(order, sku).lines(lambda line: line.current_quantity + refunded.get(line.id, Decimal(0))))
    if order.current is None or paid:
        return lines
    return _rounded(lines, order.current.total.in_role(order.money_role).amount, order, len(order.lines))


def edited(order: Order) -> bool:
    """Whether pieces were taken off or added after the order was placed."""
    refunded = _refunded(refund for refund in order.refunds if refund.payments)
    return any(line.current_quantity + refunded.get(line.id, Decimal(0)) != line.quantity for line in order.lines)


def credited(order: Order, refund: Refund, back: Mapping[str, Decimal], sku: Sku) -> tuple[SaleLine, ...]:
    """The refund as lines of a return (negative). `back`: of which order line how many return to the shelf."""
    lines = tuple(_credits(order, refund, back, sku))
    total = -refund.total.in_role(order.money_role).amount
    rest = total - sum((line.amount(booked_currency(order)) for line in lines), Decimal(0))
    if not rest:
        return lines
    return (*lines, SaleLine("difference", "REFUND", Decimal(1), rest, "Difference to what was paid back"))


@dataclass(frozen=True)
class _Sold:
    """The parts of an order in its booked currency."""

    order: Order
    sku: Sku

    def lines(self, kept: Callable[[Line], Decimal]) -> Iterator[SaleLine]:
        for line in self.order.lines:
            yield from self._line(line, kept(line))
        for number, discount in enumerate(self.order.discounts):
            yield SaleLine(f"discount:{number}", "DISCOUNT", Decimal(1), -self.of(discount.amount), _words(discount))
        for shipping in self.order.shipping_lines:
            yield SaleLine(f"{shipping.id}:shipping", "SHIPPING", Decimal(1), self.of(shipping.price), shipping.title)
            yield from self._discounted(f"{shipping.id}:shipping", shipping.discounts, Decimal(1))
        for number, charge in enumerate(self.order.charges):
            yield SaleLine(f"charge:{number}", CHARGES[charge.kind], Decimal(1), self.of(charge.amount), charge.title)
        yield from self._taxes(kept)

    def _line(self, line: Line, quantity: Decimal) -> Iterator[SaleLine]:
        bundle = line.kind is ProductKind.BUNDLE or bool(line.components) or self._has_parts(line)
        code = "BUNDLE" if bundle else "GIFT-CARD" if line.kind is ProductKind.GIFT_CARD else self.sku(line.sku)
        price = Decimal(0) if line.bundle_id else self._price(line)
        yield SaleLine(line.id, code, quantity, price.quantize(PRICE), line.title)
        for part in () if self._has_parts(line) else line.components:
            yield SaleLine(
                f"{line.id}:{part.sku}", self.sku(part.sku), part.quantity * quantity, Decimal(0), line.title
            )
        if not line.bundle_id:
            yield from self._discounted(line.id, line.discounts, _share(line, quantity))

    def _price(self, line: Line) -> Decimal:
        """Of one unit; from the line's own sum where the source states it, since it may have rounded there."""
        if line.gross is None or not line.quantity:
            return self.of(line.unit_price)
        return self.of(line.gross) / line.quantity

    def _has_parts(self, line: Line) -> bool:
        return any(other.bundle_id == line.id for other in self.order.lines)

    def _discounted(self, name: str, discounts: Sequence[Discount], share: Decimal) -> Iterator[SaleLine]:
        for number, discount in enumerate(discounts):
            amount = _cut(self.of(discount.amount) * share, self.currency, share)
            yield SaleLine(f"{name}:discount:{number}", "DISCOUNT", Decimal(1), -amount, _words(discount))

    def _taxes(self, kept: Callable[[Line], Decimal]) -> Iterator[SaleLine]:
        """One line for each tax of the order; one more takes out what the prices contain."""
        sums: dict[tuple[str, bool], Decimal] = {}
        for tax, share in self._taxed(kept):
            name = (tax.title, tax.remitted_by_channel)
            sums[name] = sums.get(name, Decimal(0)) + _cut(self.of(tax.amount) * share, self.currency, share)
        yield from _tax_lines(sums, self.order.taxes_included)

    def _taxed(self, kept: Callable[[Line], Decimal]) -> Iterator[tuple[Tax, Decimal]]:
        for line in self.order.lines:
            if not line.bundle_id:
                yield from ((tax, _share(line, kept(line))) for tax in line.taxes)
        others = [tax for part in self.order.shipping_lines for tax in part.taxes]
        others += [tax for part in self.order.charges for tax in part.taxes]
        yield from ((tax, Decimal(1)) for tax in others)

    @property
    def currency(self) -> str:
        return booked_currency(self.order)

    def of(self, bag: MoneyBag) -> Decimal:
        return bag.in_role(self.order.money_role).amount


def _tax_lines(sums: Mapping[tuple[str, bool], Decimal], included: bool, sign: int = 1) -> Iterator[SaleLine]:
    for (title, remitted), amount in sums.items():
        code = "TAX-REMITTED" if remitted else "TAX"
        yield SaleLine(f"tax:{title}:{code}", code, Decimal(1), sign * amount, title)
    if included and any(sums.values()):
        contained = sum(sums.values(), Decimal(0))
        yield SaleLine("tax-included", "TAX-INCLUDED", Decimal(1), -sign * contained, "Tax contained in the prices")


def _rounded(lines: tuple[SaleLine, ...], total: Decimal, order: Order, parts: int) -> tuple[SaleLine, ...]:
    """One more line for what rounding leaves: at most the stated rounding and half a minor unit for each line."""
    rest = total - sum((line.amount(booked_currency(order)) for line in lines), Decimal(0))
    stated = abs(order.rounding.in_role(order.money_role).amount) if order.rounding else Decimal(0)
    if abs(rest) > stated + minor_unit(booked_currency(order)) * max(parts, 1):
        sentence = f"The lines of the order miss its total {total} {booked_currency(order)} by {rest}."
        raise Rejected(sentence, code="money", field="totals.total", owner="finance")
    return (*lines, SaleLine("rounding", "ROUNDING", Decimal(1), rest, "Rounding")) if rest else lines


def _credits(order: Order, refund: Refund, back: Mapping[str, Decimal], sku: Sku) -> Iterator[SaleLine]:
    """Goods that return by their product, all other money by service products; tax as it was refunded."""
    role, tax = order.money_role, Decimal(0)
    for number, line in enumerate(refund.lines):
        yield from _returned(number, line, min(back.get(line.line_id, Decimal(0)), line.quantity), role, sku)
        tax += line.tax.in_role(role).amount
    for number, adjustment in enumerate(refund.adjustments):
        code = "SHIPPING" if adjustment.kind == "shipping" else "REFUND"
        amount = adjustment.amount.in_role(role).amount
        yield SaleLine(f"adjustment:{number}", code, Decimal(1), -amount, adjustment.reason or adjustment.kind)
        tax += adjustment.tax.in_role(role).amount if adjustment.tax else Decimal(0)
    if tax:
        yield from _tax_lines({("Tax refunded", False): tax}, order.taxes_included, sign=-1)


def _returned(number: int, line: RefundLine, back: Decimal, role: Role, sku: Sku) -> Iterator[SaleLine]:
    amount = line.subtotal.in_role(role).amount
    if back:
        price = (amount / line.quantity).quantize(PRICE, ROUND_HALF_EVEN)
        yield SaleLine(f"{line.line_id}:{number}", sku(line.sku), -back, price, "Returned")
        amount = amount * (line.quantity - back) / line.quantity
    if back < line.quantity and amount:
        text = f"{line.quantity - back:f} x {line.sku}"
        yield SaleLine(f"{line.line_id}:{number}:money", "REFUND", Decimal(1), -amount.quantize(PRICE), text)


def _share(line: Line, kept: Decimal) -> Decimal:
    """Which part of a line's discounts and taxes stays when so many of it do."""
    return kept / line.quantity if line.quantity else Decimal(0)


def _cut(amount: Decimal, currency: str, share: Decimal) -> Decimal:
    """Whole minor units where only a part stays; as the channel said it where all does."""
    return amount if share == 1 else amount.quantize(minor_unit(currency), ROUND_HALF_EVEN)


def _words(discount: Discount) -> str:
    return " ".join(dict.fromkeys(part for part in (discount.title, discount.code) if part)) or "Discount"


def _refunded(refunds: Iterable[Refund]) -> dict[str, Decimal]:
    """How many of each order line were refunded so far."""
    sums: dict[str, Decimal] = {}
    for line in (line for refund in refunds for line in refund.lines):
        sums[line.line_id] = sums.get(line.line_id, Decimal(0)) + line.quantity
    return sums
