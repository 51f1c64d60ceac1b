"""Order items as lines, and what was charged beside them: every item states its own proceeds by category."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from connectors.amazon.mapping.values import ZERO, Sums
from connectors.canonical.order import Charge, ChargeKind, Discount, FulfilledBy, Line, Tax
from connectors.kit.errors import Unreadable
from connectors.kit.place import Place

TAX, DISCOUNT, ITEM, SHIPPING = "TAX", "DISCOUNT", "ITEM", "SHIPPING"
CHARGES = {"GIFT_WRAP": "Gift wrapping", "COD_FEE": "Cash on delivery", "OTHER": "Other"}
KNOWN = frozenset((TAX, DISCOUNT, ITEM, SHIPPING, *CHARGES))


@dataclass(frozen=True)
class Proceeds:
    """What one item brings: `amounts` by category; `taxes` and `discounts` by the category they are of, discounts positive."""

    amounts: dict[str, Decimal] = field(default_factory=dict)
    taxes: dict[str, Decimal] = field(default_factory=dict)
    discounts: dict[str, Decimal] = field(default_factory=dict)

    def of(self, kind: str) -> Decimal:
        return self.amounts.get(kind, ZERO)

    @property
    def off(self) -> Decimal:
        """Taken off the item and its delivery; a fee stands without what was taken off it."""
        return self.discounts.get(ITEM, ZERO) + self.discounts.get(SHIPPING, ZERO)

    @property
    def net(self) -> Decimal:
        """Charges less discounts, without what stands under TAX."""
        charged = sum((amount for kind, amount in self.amounts.items() if kind not in (TAX, DISCOUNT)), ZERO)
        return charged - sum(self.discounts.values(), ZERO)


def proceeds(item: Place, sums: Sums) -> Proceeds:
    """An item's breakdown. What the details of a tax or discount do not place is the item's own. Raises Unreadable for a
    category that is not published: it may be money."""
    found = Proceeds()
    for row in item.at("proceeds").at("breakdowns").items():
        kind, amount = row.at("type").needed().text(), sums.of(row.at("subtotal").needed())
        if kind not in KNOWN and amount:
            raise row.at("type").fault(f"is {kind!r}, which this connector does not know")
        found.amounts[kind] = found.of(kind) + amount
        if kind == TAX:
            _placed(row, amount, found.taxes, sums)
        elif kind == DISCOUNT:
            _placed(row, abs(amount), found.discounts, sums, positive=True)
    return found


def _placed(row: Place, amount: Decimal, into: dict[str, Decimal], sums: Sums, positive: bool = False) -> None:
    rest = amount
    for part in row.at("detailedBreakdowns").items():
        kind, told = part.at("subtype").text(), sums.of(part.at("value"))
        told = abs(told) if positive else told
        if kind in (SHIPPING, *CHARGES):
            into[kind] = into.get(kind, ZERO) + told
            rest -= told
    into[ITEM] = into.get(ITEM, ZERO) + rest


def line(item: Place, money: Proceeds, sums: Sums, channel: bool) -> Line:
    """`channel`: Amazon sends it out of its own warehouse."""
    ordered, product = _count(item.at("quantityOrdered").needed()), item.at("product").needed()
    kept, shipped = _kept(item, ordered)
    return Line(
        id=item.at("orderItemId").needed().id(),
        sku=product.at("sellerSku").text(),
        title=product.at("title").text(),
        quantity=Decimal(ordered),
        current_quantity=Decimal(kept),
        unit_price=sums.bag(_unit_price(product, money, ordered, sums)),
        gross=sums.bag(money.of(ITEM)),
        product_id=product.at("asin").text(),
        discounts=_discounts(item, money.discounts.get(ITEM, ZERO), sums),
        taxes=taxes(item, money.taxes.get(ITEM, ZERO), sums),
        taxable=bool(money.taxes.get(ITEM)),
        properties=_properties(item, product),
        fulfilled_by=FulfilledBy.CHANNEL if channel else FulfilledBy.MERCHANT,
        fulfilled_quantity=None if shipped is None else Decimal(shipped),
        gift_message=item.at("fulfillment").at("packing").at("giftOption").at("giftMessage").text(),
    )


def _count(place: Place) -> int:
    found = place.number()
    if found < 0 or found != int(found):
        raise place.fault("should be a count of pieces")
    return int(found)


def _kept(item: Place, ordered: int) -> tuple[int, int | None]:
    """What is left of it after cancellations, and how many have left (None where Amazon does not say)."""
    told = item.at("fulfillment")
    shipped, open_ = told.at("quantityFulfilled"), told.at("quantityUnfulfilled")
    if shipped.value is None or open_.value is None:
        gone = item.at("cancellation").at("cancellationExecution").value is not None
        return 0 if gone else ordered, None
    return min(ordered, _count(shipped) + _count(open_)), _count(shipped)


def _unit_price(product: Place, money: Proceeds, ordered: int, sums: Sums) -> Decimal:
    told = product.at("price").at("unitPrice")
    if told.value is not None:
        return sums.of(told)
    return money.of(ITEM) / ordered if ordered else money.of(ITEM)


def _discounts(item: Place, amount: Decimal, sums: Sums) -> tuple[Discount, ...]:
    names = [one.at("promotionId").text() for one in item.at("promotion").at("breakdowns").items()]
    return (Discount(sums.bag(amount), title=", ".join(names), id=names[0] if names else ""),) if amount else ()


def taxes(item: Place, amount: Decimal, sums: Sums) -> tuple[Tax, ...]:
    """One tax of an item's part; remitted by Amazon where it is the marketplace facilitator."""
    if not amount:
        return ()
    collected = item.at("tax").at("taxCollections").items()
    models = [one.at("model").text() for one in collected]
    schemes = [one.at("reportingScheme").text() for one in item.at("tax").at("taxCalculationBreakdowns").items()]
    remitted = "MARKETPLACE_FACILITATOR" in models
    return (Tax("Tax", sums.bag(amount), code=", ".join(schemes), remitted_by_channel=remitted),)


def charges(item: Place, money: Proceeds, sums: Sums) -> list[Charge]:
    """Gift wrapping and fees of one item; a discount on one is taken off it."""
    name, made = item.at("orderItemId").text(), []
    for kind, title in CHARGES.items():
        amount = money.of(kind) - money.discounts.get(kind, ZERO)
        if amount or money.taxes.get(kind):
            of = taxes(item, money.taxes.get(kind, ZERO), sums)
            made.append(Charge(ChargeKind.FEE, title, sums.bag(amount), of, name, f"{name}-{kind.lower()}", kind))
    return made


def _properties(item: Place, product: Place) -> tuple[tuple[str, str], ...]:
    told = (
        ("condition", product.at("condition").at("conditionType").text()),
        ("price", product.at("price").at("priceDesignation").text()),
        ("customization", product.at("customization").at("customizedUrl").text()),
        ("gift wrap", item.at("fulfillment").at("packing").at("giftOption").at("giftWrapLevel").text()),
        ("IOSS", item.at("fulfillment").at("shipping").at("internationalShipping").at("iossNumber").text()),
        ("programs", ", ".join(one.text() for one in item.at("programs").items())),
    )
    return tuple((name, value) for name, value in told if value)


def measured(item: Place) -> None:
    """Raises Unreadable for what is sold by weight or length: pieces would be the wrong number."""
    unit = item.at("measurement").at("unit")
    if unit.value is not None and unit.text() != "COUNT":
        raise Unreadable(f"The payload's {unit.path} is {unit.text()!r}: only pieces are sold.", field=unit.path)
