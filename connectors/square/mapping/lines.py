"""Order line items as lines: what was sold, with its modifiers, discounts, taxes and its share of apportioned charges."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from connectors.canonical.money import Money, MoneyBag, minor_unit
from connectors.canonical.order import Charge, ChargeKind, Line
from connectors.canonical.product import ProductKind
from connectors.kit.account import Account
from connectors.kit.place import Place
from connectors.square.mapping.taxes import Frame, discounts, taxed
from connectors.square.mapping.values import Sums

# OrderLineItemItemType. A custom amount is keyed in without an article: the account may name one for it.
KINDS = {
    "": ProductKind.GOODS,
    "item": ProductKind.GOODS,
    "custom_amount": ProductKind.SERVICE,
    "gift_card": ProductKind.GIFT_CARD,
}
STANDS_FOR = {ProductKind.SERVICE: "custom_amount_sku", ProductKind.GIFT_CARD: "gift_card_sku"}


def line(item: Place, told: Frame, account: Account, back: Mapping[str, Decimal], delivery: str, shipped: bool) -> Line:
    """`back`: pieces that returns took back, by line; `shipped`: it has yet to leave, by whatever road."""
    name, kind = item.at("uid").needed().id(), item.at("item_type").one_of(KINDS)
    quantity = item.at("quantity").needed().number()
    minor, taxes = gross(item, told), taxed(item, told)
    gross_bag = told.sums.bag(minor - (taxes.inside if told.mixed else 0))
    variation = told.variations.get(item.at("catalog_object_id").text(), Place(None)).at("item_variation_data")
    goods = kind is ProductKind.GOODS
    return Line(
        id=name,
        sku=variation.at("sku").text() or str(account.settings.get(STANDS_FOR.get(kind, ""), "")),
        title=_title(item),
        quantity=quantity,
        current_quantity=max(Decimal(0), quantity - back.get(name, Decimal(0))),
        unit_price=_each(gross_bag, quantity, item, told),
        gross=gross_bag,
        kind=kind,
        product_id=variation.at("item_id").text(),
        variant_id=item.at("catalog_object_id").text(),
        barcode=variation.at("upc").text(),
        unit=_unit(item),
        discounts=discounts(item, told),
        taxes=taxes.taxes,
        taxable=bool(taxes.taxes),
        requires_shipping=shipped and goods,
        properties=_properties(item),
        options=tuple(("Modifier", _modifier(one)) for one in item.at("modifiers").items()),
        delivery_id=delivery,
    )


def _title(item: Place) -> str:
    name, variation = item.at("name").text(), item.at("variation_name").text()
    return (
        f"{name} - {variation}"
        if name and variation and variation not in (name, "Regular")
        else name or variation or "Custom amount"
    )


def gross(item: Place, told: Frame) -> int:
    """Price and modifiers before discounts, in minor units; Square counts a line's share of apportioned charges into its
    gross sales, which stand here as charges of their own."""
    minor = (
        told.sums.minor(item.at("gross_sales_money")) if item.has("gross_sales_money") else _reckoned(item, told.sums)
    )
    share = apportioned(item, told)
    if not share or not item.has("total_money"):
        return minor
    net = minor - told.sums.minor(item.at("total_discount_money")) + taxed(item, told).beside
    return minor - share if net == told.sums.minor(item.at("total_money")) else minor


def _reckoned(item: Place, sums: Sums) -> int:
    """Of a payload that states no gross sales; Square rounds half to even."""
    each = Decimal(sums.minor(item.at("base_price_money").needed()))
    extra = sum((sums.minor(one.at("total_price_money")) for one in item.at("modifiers").items()), 0)
    return int((each * item.at("quantity").needed().number()).quantize(Decimal(1))) + extra


def apportioned(item: Place, told: Frame) -> int:
    return sum((told.sums.minor(one.at("applied_money")) for one in item.at("applied_service_charges").items()), 0)


def line_charges(item: Place, told: Frame) -> tuple[Charge, ...]:
    """The line's share of each charge that Square spreads over the lines; its tax is in the line's."""
    return tuple(_share(item, one, told) for one in item.at("applied_service_charges").items())


def _share(item: Place, applied: Place, told: Frame) -> Charge:
    uid = applied.at("service_charge_uid").needed().text()
    row = told.charges.get(uid, Place(None))
    amount = told.sums.bag(told.sums.minor(applied.at("applied_money")))
    title = row.at("name").text() or "Service charge"
    return Charge(
        ChargeKind.FEE,
        title,
        amount,
        (),
        item.at("uid").text(),
        f"{uid}:{item.at('uid').text()}",
        row.at("catalog_object_id").text(),
    )


def _each(whole: MoneyBag, quantity: Decimal, item: Place, told: Frame) -> MoneyBag:
    """One piece with its modifiers, where that is a whole sum; else the price as listed, the gross beside it being exact. Where taxes were taken
    out of the gross, out of the piece too: the listed price holds them."""
    sums, unit = told.sums, minor_unit(told.sums.currency)
    each = whole.shop.amount / quantity / unit if quantity else Decimal(0)
    if quantity and each == int(each):
        return sums.bag(int(each))
    if quantity and told.mixed:
        return MoneyBag(Money((each * unit).quantize(unit / 10000), sums.currency))
    return sums.bag(sums.minor(item.at("base_price_money")))


def _unit(item: Place) -> str:
    """Square's name of the unit of measure (METRIC_KILOGRAM); a piece where it states none."""
    unit = item.at("quantity_unit").at("measurement_unit")
    custom = unit.at("custom_unit").at("name").text()
    names = ("weight_unit", "length_unit", "area_unit", "volume_unit", "time_unit", "generic_unit")
    told = custom or next((unit.at(name).text() for name in names if unit.at(name).text()), "")
    return "each" if told in ("", "UNIT") else told.lower()


def _modifier(one: Place) -> str:
    count = one.at("quantity").text()
    return f"{count} x {one.at('name').text()}" if count not in ("", "1") else one.at("name").text()


def _properties(item: Place) -> tuple[tuple[str, str], ...]:
    note = (("note", item.at("note").text()),) if item.at("note").text() else ()
    kept = item.at("metadata").value
    return (
        (*note, *((str(name), str(value)) for name, value in sorted(kept.items()))) if isinstance(kept, dict) else note
    )
