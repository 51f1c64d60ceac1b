"""The lines of a document while they are laid out, each amount settled in its turn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from connectors.business_central.mapping.policy import Policy
from connectors.business_central.mapping.rows import ACCOUNT, ITEM, Row, row
from connectors.canonical.money import Role
from connectors.canonical.order import Discount, Line, Tax
from connectors.canonical.product import ProductKind
from connectors.kit.amounts import ZERO, Part, Settler, part


@dataclass
class Draft:
    """A document's money so far. `included`: prices are booked with their tax in them."""

    policy: Policy
    role: Role
    unit: Decimal
    settler: Settler
    included: bool
    rows: list[Row] = field(default_factory=list)
    taxed: int = 0  # how many amounts Business Central taxes, each of which it may round otherwise
    tax: Decimal = ZERO  # what the channel's taxes are that Business Central adds by itself, exact
    left: Decimal = ZERO  # a minor unit that rounding left on a product of no worth

    def part(
        self, gross: Decimal, discounts: tuple[Discount, ...], taxes: tuple[Tax, ...], scale: Decimal = Decimal(1)
    ) -> Part:
        """A charge as it is booked: net of tax, unless Business Central reckons by the shop's own prices."""
        net = self.included and not self.policy.reckons
        return part(gross, discounts, taxes, self.role, net, scale)

    def sell(self, ref: str, line: Line, quantity: Decimal, sums: Part) -> None:
        """A product's line with its discount, and its taxes below it."""
        self._add(ref, *item(line, self.policy), quantity, sums, line.taxes, line.title, line)

    def charge(self, ref: str, name: str, sums: Part, taxes: tuple[Tax, ...], words: str) -> None:
        """What is no product: a line of the G/L account configured for it."""
        self._add(ref, ACCOUNT, self.policy.account(name), Decimal(1), sums, taxes, words)

    def plain(self, ref: str, name: str, amount: Decimal, words: str) -> None:
        """A sum without tax on a configured account; none where there is none."""
        settled = self.settler.settle(amount)
        if settled:
            self._row(ref, ACCOUNT, self.policy.account(name), Decimal(1), settled, ZERO, words, self._untaxed())

    def put(self, made: Row) -> None:
        """A line that is laid out already."""
        self.rows.append(made)

    def finish(self, residue: Decimal = ZERO) -> None:
        """What rounding is to add, and what it left, on the account for it."""
        self.plain("rounding", "rounding", residue, "Rounding")
        if self.left:
            account = self.policy.account("rounding")
            self._row("rounding/left", ACCOUNT, account, Decimal(1), self.left, ZERO, "Rounding", self._untaxed())

    def _add(
        self,
        ref: str,
        kind: str,
        number: str,
        quantity: Decimal,
        sums: Part,
        taxes: tuple[Tax, ...],
        words: str,
        line: Line | None = None,
    ) -> None:
        gross, off = self.settler.settle(sums.gross), -self.settler.settle(-sums.discount)
        own = tuple(tax for tax in taxes if not self._remitted(tax))
        self._row(ref, kind, number, quantity, gross, off, words, self.code(own), line)
        if self.policy.reckons:
            self.taxed += 1 + len(own)
        for index, (tax, amount) in enumerate(zip(taxes, sums.taxes, strict=True)):
            if self._remitted(tax) or not self.policy.reckons:
                self.owe(f"{ref}/t{index}", tax, amount, abs(quantity))
            elif not self.included:
                self.tax += amount

    def owe(self, ref: str, tax: Tax, exact: Decimal, quantity: Decimal = Decimal(1)) -> None:
        """The channel's own tax as a line that goes out with what it is the tax of."""
        amount = self.settler.settle(exact)
        if amount:
            words = tax.title or "Tax"
            self._row(ref, ACCOUNT, self._tax_account(tax), quantity, amount, ZERO, words, self._untaxed())

    def _row(
        self,
        ref: str,
        kind: str,
        number: str,
        quantity: Decimal,
        gross: Decimal,
        off: Decimal,
        words: str,
        code: str,
        line: Line | None = None,
    ) -> None:
        if kind == ITEM and gross - off < 0:
            self.left += gross - off
            gross = off = ZERO
        made = row(ref, kind, number, quantity, gross, off, self.unit, words=words, tax_code=code)
        if line is not None and kind == ITEM:
            measure = "" if line.unit in ("", "each") else self.policy.codes.theirs("unit", line.unit)
            made = replace(made, location=self.policy.place(line.location), measure=measure)
        self.rows.append(made)

    def _remitted(self, tax: Tax) -> bool:
        return tax.remitted_by_channel and bool(self.policy.accounts.get("remitted_tax"))

    def _untaxed(self) -> str:
        return self.policy.wanted("no_tax", "the tax code of a line without tax")

    def code(self, taxes: tuple[Tax, ...]) -> str:
        """The tax code of a line: that of no tax unless Business Central is to reckon it."""
        if not self.policy.reckons or not taxes:
            return self._untaxed()
        return self.policy.tax_code or self.policy.codes.theirs("tax_code", taxes[0].code or taxes[0].title)

    def _tax_account(self, tax: Tax) -> str:
        if self._remitted(tax):
            return self.policy.account("remitted_tax")
        own = str(self.policy.accounts.get("tax") or "")
        return own or self.policy.codes.theirs("tax_code", tax.code or tax.title)


def item(line: Line, policy: Policy) -> tuple[str, str]:
    """What a line is in Business Central: (kind, number). A line without SKU has a configured account, else its title is
    the missing cross reference.
    """
    if line.sku:
        return ITEM, policy.codes.theirs("sku", line.sku)
    name = "gift_card" if line.kind is ProductKind.GIFT_CARD else "custom"
    own = str(policy.accounts.get(name) or "")
    return (ACCOUNT, own) if own else (ITEM, policy.codes.theirs("sku", line.title))
