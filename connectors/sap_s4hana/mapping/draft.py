"""The items and header conditions of a document while they are laid out, each amount settled in its turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.canonical.money import Role
from connectors.canonical.order import Discount, Line, Tax
from connectors.canonical.product import ProductKind
from connectors.kit import names
from connectors.kit.amounts import Part, Settler, part
from connectors.sap_s4hana.mapping import conditions
from connectors.sap_s4hana.mapping.conditions import Condition
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import decimal

REFERENCE = 35  # characters of an item's PurchaseOrderByCustomer


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a sales document; `ref` is our own name of the line, by which it is found again."""

    ref: str
    material: str
    quantity: Decimal
    unit: str
    words: str
    plant: str
    storage: str
    conditions: tuple[Condition, ...]

    def fields(self) -> dict[str, Any]:
        told = {
            "Material": self.material,
            "SalesOrderItemText": self.words[:40],
            "PurchaseOrderByCustomer": self.ref,
            "RequestedQuantity": decimal(self.quantity),
            "RequestedQuantityUnit": self.unit,
            "ProductionPlant": self.plant,
            "StorageLocation": self.storage,
        }
        return {name: value for name, value in told.items() if value}

    def body(self) -> dict[str, Any]:
        return {**self.fields(), "to_PricingElement": {"results": [one.body() for one in self.conditions]}}


@dataclass
class Draft:
    """A document's money so far, all net of tax and in whole minor units; `charges` are sums of the whole document."""

    policy: Policy
    role: Role
    currency: str
    unit: Decimal
    settler: Settler
    included: bool
    items: list[Item] = field(default_factory=list)
    charges: list[tuple[str, Decimal]] = field(default_factory=list)

    def part(
        self, gross: Decimal, discounts: tuple[Discount, ...], taxes: tuple[Tax, ...], scale: Decimal = Decimal(1)
    ) -> Part:
        return part(gross, discounts, taxes, self.role, self.included, scale)

    def sell(self, line: Line, quantity: Decimal, sums: Part, taxes: tuple[Tax, ...]) -> None:
        """A product's item: its price, its discount and its taxes as conditions of its own."""
        gross, off = self.settler.settle(sums.gross), -self.settler.settle(-sums.discount)
        owed = [(self._tax(tax), self.settler.settle(amount)) for tax, amount in zip(taxes, sums.taxes, strict=True)]
        measure = self.policy.measure(line.unit)
        plant, storage = self.policy.place(line.location)
        self.items.append(
            Item(
                ref=names.of_line(line.id, REFERENCE),
                material=material(line, self.policy),
                quantity=abs(quantity),
                unit=measure,
                words=line.title,
                plant=plant,
                storage=storage,
                conditions=self._conditions(gross, off, owed, abs(quantity), measure),
            )
        )

    def _conditions(
        self, gross: Decimal, off: Decimal, owed: list[tuple[str, Decimal]], quantity: Decimal, measure: str
    ) -> tuple[Condition, ...]:
        """The price, and what is added or taken: a price below nothing is a discount, as a price cannot be negative."""
        kind = self.policy.condition("price")
        price = conditions.price(kind, max(gross, Decimal(0)), quantity, self.unit, self.currency, measure)
        more = conditions.made(price, quantity, self.unit) - gross
        less = [(self.policy.condition("discount"), -off - more)] if off + more else []
        return (price, *conditions.by_type([*less, *owed], self.currency))

    def charge(self, name: str, sums: Part, taxes: tuple[Tax, ...]) -> None:
        """What is no product: a header condition of its type, less its discount, and its taxes beside it."""
        self._add(self.policy.condition(name) if sums.gross - sums.discount else "", sums.gross - sums.discount)
        for tax, amount in zip(taxes, sums.taxes, strict=True):
            self._add(self._tax(tax, "header_tax") if amount else "", amount)

    def plain(self, name: str, amount: Decimal) -> None:
        """A sum without tax under the condition type configured for it; none where there is none."""
        if amount:
            self._add(self.policy.condition(name), amount)

    def _add(self, kind: str, amount: Decimal) -> None:
        settled = self.settler.settle(amount)
        if settled:
            self.charges.append((kind, settled))

    def header(self) -> tuple[Condition, ...]:
        return conditions.by_type(self.charges, self.currency)

    def _tax(self, tax: Tax, kind: str = "tax") -> str:
        """The type for a tax: that of taxes which the channel remits itself, the one for all, else the tax code's own."""
        if tax.remitted_by_channel and self.policy.conditions.get("remitted_tax"):
            return self.policy.condition("remitted_tax")
        own = str(self.policy.conditions.get(kind) or "")
        return own or self.policy.codes.theirs("tax_code", tax.code or tax.title)


def material(line: Line, policy: Policy) -> str:
    """What a line is in SAP. A line without SKU is a configured material, else its title is the missing cross reference."""
    if line.sku:
        return policy.codes.theirs("sku", line.sku)
    name = "gift_card" if line.kind is ProductKind.GIFT_CARD else "custom"
    return str(policy.materials.get(name) or "") or policy.codes.theirs("sku", line.title)
