"""Orders as sources reckon them: in minor units, each source rounding where and how it does, stated canonically."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import product

from connectors.canonical.gate import captured, equation
from connectors.canonical.money import Money, MoneyBag, Role, minor_unit
from connectors.canonical.order import Charge, ChargeKind, Discount, Line, Order, ShippingLine, Tax, Totals
from connectors.canonical.payment import Payment, PaymentKind, Tender

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
PLACES = ("unit", "line", "total")
MODES = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
RATES = [Decimal(rate) for rate in ("0", "0.05", "0.07", "0.0825", "0.19", "0.2", "0.255")]
# the shop's dollars for one unit of what the customer saw; converted sums stay unrounded, so that both roles add up
CURRENCIES = {"EUR": Decimal("0.9187"), "JPY": Decimal("0.0067"), "KWD": Decimal("3.2563")}
Way = Callable[[Order, Decimal, Role], Order]
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Habit:
    """How a source reckons: tax in its prices or beside them, rounded where and how, in which currency."""

    included: bool
    place: str
    mode: str
    currency: str


HABITS = tuple(Habit(*each) for each in product((False, True), PLACES, MODES, CURRENCIES))


@dataclass
class Till:
    """One order in the making. Amounts are Decimals in minor units until `bag` states them."""

    habit: Habit
    dice: random.Random
    abroad: bool  # the customer sees another currency than the shop's
    payable: Decimal = ZERO
    sums: dict[str, Decimal] = field(
        default_factory=lambda: dict.fromkeys(("lines", "off", "ship", "more", "tax"), ZERO)
    )

    def whole(self, amount: Decimal) -> Decimal:
        return amount.quantize(ONE, self.habit.mode)

    def kept(self, amount: Decimal) -> Decimal:
        """An amount as this source carries it on: whole, unless it rounds nothing but the total."""
        return amount if self.habit.place == "total" else self.whole(amount)

    def bag(self, cents: Decimal) -> MoneyBag:
        amount, currency = cents * minor_unit(self.habit.currency), self.habit.currency
        if not self.abroad:
            return MoneyBag(Money(amount, currency))
        return MoneyBag(Money(amount * CURRENCIES[currency], "USD"), Money(amount, currency, Role.PRESENTMENT))

    def take(self, kind: str, gross: Decimal, off: Decimal, rate: Decimal, pieces: Decimal = ONE) -> tuple[Tax, ...]:
        """Put one part on the bill; its tax, in the price or beside it."""
        tax = self.tax(gross - off, rate, pieces)
        self.sums[kind] += gross
        self.sums["off"] += off
        self.sums["tax"] += tax
        self.payable += gross - off + (ZERO if self.habit.included else tax)
        return (Tax("VAT", self.bag(tax), rate),) if rate else ()

    def tax(self, net: Decimal, rate: Decimal, pieces: Decimal) -> Decimal:
        share = rate / (1 + rate) if self.habit.included else rate
        if self.habit.place == "unit" and pieces:
            return self.whole(self.whole(net / pieces * share) * pieces)
        return self.kept(net * share)


def order(number: int) -> Order:
    """The order of a number, the same at each call; consecutive numbers go through every habit."""
    dice = random.Random(number)
    till = Till(HABITS[number % len(HABITS)], dice, abroad=dice.random() < 0.25)
    vouchers = dice.choice(("none", "line", "spread", "spread with tax", "order"))
    lines = tuple(part for place in range(dice.randint(1, 6)) for part in goods(till, f"{place}", vouchers))
    shipping = (freight(till),) if dice.random() < 0.7 else ()
    charges = tuple(charge(till, kind) for kind in ChargeKind if dice.random() < 0.25)
    off = till.whole(till.payable * dice.randint(1, 30) / HUNDRED) if vouchers == "order" else ZERO
    till.payable -= off
    till.sums["off"] += off
    total, rounding = due(till)
    at = BEGUN + timedelta(minutes=number)
    return Order(
        id=f"{number}",
        number=f"G{number}",
        placed_at=at,
        updated_at=at,
        currency="USD" if till.abroad else till.habit.currency,
        presentment_currency=till.habit.currency,
        money_role=dice.choice(tuple(Role)) if till.abroad else Role.SHOP,
        taxes_included=till.habit.included,
        lines=lines,
        shipping_lines=shipping,
        charges=charges,
        discounts=(Discount(till.bag(off), code="ORDER"),) if off else (),
        rounding=till.bag(rounding) if rounding else None,
        totals=totals(till, total),
        payments=payments(till, total),
    )


def goods(till: Till, name: str, vouchers: str) -> tuple[Line, ...]:
    """A line: pieces or weighed, at times a finer price, a voucher of its own or its share of one; or a bundle."""
    dice = till.dice
    weighed = dice.random() < 0.2
    quantity = Decimal(dice.randint(1, 5000)) / 1000 if weighed else Decimal(dice.randint(1, 6))
    price = Decimal(dice.randint(1, 20000)) + (Decimal(dice.randint(1, 99)) / HUNDRED if dice.random() < 0.2 else ZERO)
    rate = dice.choice(RATES)
    gross = till.kept(price * quantity)
    off = till.whole(gross * dice.choice((5, 10, 15, 33)) / HUNDRED) if vouchers != "order" else ZERO
    if vouchers == "spread with tax" and not till.habit.included:
        off = till.whole(off / (1 + rate))  # the voucher's face holds tax, the prices do not
    off = ZERO if vouchers == "none" else min(off, gross)
    line = Line(
        id=name,
        sku=f"SKU-{name}",
        title="Something",
        quantity=quantity,
        current_quantity=quantity,
        unit="kg" if weighed else "each",
        unit_price=till.bag(price),
        gross=till.bag(gross) if gross != price * quantity else None,
        discounts=(Discount(till.bag(off), code="OFF"),) if off else (),
        taxes=till.take("lines", gross, off, rate, quantity),
    )
    return (line, replace(line, id=f"{name}-part", bundle_id=name)) if dice.random() < 0.1 else (line,)


def freight(till: Till) -> ShippingLine:
    price = Decimal(till.dice.randint(0, 1500))
    off = price if till.dice.random() < 0.2 else ZERO
    taxes = till.take("ship", price, off, till.dice.choice(RATES))
    return ShippingLine(
        "1", "Parcel", till.bag(price), taxes=taxes, discounts=(Discount(till.bag(off)),) if off else ()
    )


def charge(till: Till, kind: ChargeKind) -> Charge:
    amount = Decimal(till.dice.randint(1, 900))
    rate = till.dice.choice(RATES) if kind is ChargeKind.FEE else ZERO
    return Charge(kind, kind.value, till.bag(amount), taxes=till.take("more", amount, ZERO, rate))


def due(till: Till) -> tuple[Decimal, Decimal]:
    """The total, and the rounding that is stated: cash to five minor units, or cents that the source let fall."""
    total = till.whole(till.payable)
    told = total - till.payable if till.habit.mode == ROUND_DOWN else ZERO
    if till.dice.random() < 0.1:
        cash = (total / 5).quantize(ONE, ROUND_HALF_UP) * 5
        return cash, cash - till.payable
    return total, told


def totals(till: Till, total: Decimal) -> Totals:
    lines, off, ship, more, tax = (till.bag(till.sums[kind]) for kind in ("lines", "off", "ship", "more", "tax"))
    return Totals(lines, off, ship, more, tax, till.bag(total))


def payments(till: Till, total: Decimal) -> tuple[Payment, ...]:
    """A gift card is a tender: it pays a part of the total and takes nothing off it."""
    card = till.whole(total / 3) if till.dice.random() < 0.3 else ZERO
    parts = ((Tender.GIFT_CARD, card), (Tender.CARD, total - card))
    sale = PaymentKind.SALE
    return tuple(Payment(t.value, sale, t, till.bag(sum_), gateway=t.value) for t, sum_ in parts if sum_)


def broken(good: Order, dice: random.Random) -> Order:
    """The same order with one part a minor unit off, away from what rounding may explain."""
    role = good.money_role
    difference = equation(good).difference.amount
    ways: list[Way] = [total_off, *(way for way, found in WAYS if found(good))]
    unit = minor_unit(good.totals.total.in_role(role).currency)
    return dice.choice(ways)(good, (unit if difference >= 0 else -unit), role)


def nudged(bag: MoneyBag, step: Decimal, role: Role) -> MoneyBag:
    moved = Money(bag.in_role(role).amount + step, bag.in_role(role).currency, role)
    return replace(bag, shop=moved) if role is Role.SHOP else replace(bag, presentment=moved)


def total_off(good: Order, step: Decimal, role: Role) -> Order:
    return replace(good, totals=replace(good.totals, total=nudged(good.totals.total, step, role)))


def freight_off(good: Order, step: Decimal, role: Role) -> Order:
    first = good.shipping_lines[0]
    return replace(good, shipping_lines=(replace(first, price=nudged(first.price, -step, role)),))


def charge_off(good: Order, step: Decimal, role: Role) -> Order:
    first, *others = good.charges
    return replace(good, charges=(replace(first, amount=nudged(first.amount, -step, role)), *others))


def voucher_off(good: Order, step: Decimal, role: Role) -> Order:
    first, *others = good.discounts
    return replace(good, discounts=(replace(first, amount=nudged(first.amount, step, role)), *others))


def tax_off(good: Order, step: Decimal, role: Role) -> Order:
    first, *others = good.lines
    tax, *more = first.taxes
    return replace(
        good, lines=(replace(first, taxes=(replace(tax, amount=nudged(tax.amount, -step, role)), *more)), *others)
    )


WAYS: tuple[tuple[Way, Callable[[Order], bool]], ...] = (
    (freight_off, lambda good: bool(good.shipping_lines)),
    (charge_off, lambda good: bool(good.charges)),
    (voucher_off, lambda good: bool(good.discounts)),
    (tax_off, lambda good: bool(good.lines[0].taxes) and not good.taxes_included),
)


@dataclass
class Report:
    """What the gate said: of orders as reckoned, and of the same orders a minor unit off."""

    orders: int = 0
    let_through: int = 0
    stopped: int = 0
    paid: int = 0
    wrong: list[str] = field(default_factory=list)
    habits: Counter[Habit] = field(default_factory=Counter)


def lab(orders: int = 10_000) -> Report:
    """The money gate over generated orders and their broken twins (pain 34): every good one passes, no broken one does."""
    report = Report()
    for number in range(orders):
        good = order(number)
        off = equation(broken(good, random.Random(-number)))
        seen = equation(good)
        report.orders += 1
        report.let_through += seen.holds
        report.stopped += not off.holds
        report.paid += sum(captured(good).values()) == seen.total.amount
        report.habits[HABITS[number % len(HABITS)]] += 1
        if off.holds or not seen.holds:
            report.wrong.append(f"{number} {HABITS[number % len(HABITS)]}: {seen.difference}; broken: {off.difference}")
    return report
