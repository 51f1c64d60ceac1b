"""Product items, their priced options, and gift certificates as lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.order import Line
from connectors.canonical.product import Component, ProductKind
from connectors.kit.place import Place
from connectors.salesforce_commerce.mapping.adjustments import discounts
from connectors.salesforce_commerce.mapping.shares import Shares
from connectors.salesforce_commerce.mapping.taxes import item_taxes
from connectors.salesforce_commerce.mapping.values import Sums, customs

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Frame:
    """How an order's items are read; `collected` are the shipments that the customer fetches."""

    sums: Sums
    shares: Shares
    collected: frozenset[str] = frozenset()


def lines(order: Place, frame: Frame) -> tuple[Line, ...]:
    """Every line of an order, each option that costs something after the item it belongs to."""
    made: list[Line] = []
    for item in order.at("productItems").items():
        made += [product(item, frame), *options(item, frame)]
    made += [certificate(item, frame.sums) for item in order.at("giftCertificateItems").items()]
    return tuple(made)


def product(item: Place, frame: Frame) -> Line:
    name, sums, quantity = item.at("itemId").needed().id(), frame.sums, item.at("quantity").needed().number()
    shipment = item.at("shipmentId").text()
    parts = _components(item, quantity)
    taxes = item_taxes(item, sums, frame.shares.tax.get(name, Decimal(0)))
    return Line(
        id=name,
        sku=item.at("productId").needed().text(),
        title=item.at("productName").text() or item.at("itemText").text(),
        quantity=quantity,
        current_quantity=quantity,
        unit_price=sums.bag(item.at("basePrice").needed().number()),
        gross=sums.bag(sums.told(item)),
        kind=ProductKind.BUNDLE if parts else ProductKind.GOODS,
        product_id=item.at("productId").text(),
        discounts=(*discounts(item, sums), *frame.shares.on(name, sums)),
        taxes=taxes,
        taxable=bool(taxes),
        tax_code=item.at("taxClassId").text(),
        components=parts,
        requires_shipping=shipment not in frame.collected,
        delivery_id=shipment,
        status=item.at("externalLineItemStatus").text(),
        gift_message=item.at("giftMessage").text(),
        options=tuple(
            (one.at("optionId").text(), one.at("optionValueId").text()) for one in item.at("optionItems").items()
        ),
        properties=customs(item),
    )


def _components(item: Place, quantity: Decimal) -> tuple[Component, ...]:
    """A bundled item counts the pieces of the whole line: one bundle holds its share."""
    parts = item.at("bundledProductItems").items()
    return tuple(
        Component(one.at("productId").needed().text(), one.at("quantity").number(default=quantity) / (quantity or ONE))
        for one in parts
    )


def options(item: Place, frame: Frame) -> tuple[Line, ...]:
    """An option that costs something (a warranty, an engraving) is sold beside its item, and not shipped by itself."""
    priced = (one for one in item.at("optionItems").items() if frame.sums.told(one))
    return tuple(_option(one, item, frame.sums) for one in priced)


def _option(one: Place, item: Place, sums: Sums) -> Line:
    parent, told = item.at("itemId").id(), sums.told(one)
    quantity = item.at("quantity").number()
    base = one.at("basePrice").number(default=told / (quantity or ONE))
    return Line(
        id=f"{parent}/{one.at('optionId').text() or one.at('productId').needed().text()}",
        sku=one.at("productId").needed().text(),
        title=one.at("itemText").text(),
        quantity=quantity,
        current_quantity=quantity,
        unit_price=sums.bag(base),
        gross=sums.bag(told),
        kind=ProductKind.SERVICE,
        product_id=one.at("productId").text(),
        discounts=discounts(one, sums),
        taxes=item_taxes(one, sums),
        requires_shipping=False,
        delivery_id=item.at("shipmentId").text(),
        options=(("optionValueId", one.at("optionValueId").text()), ("item", parent)),
    )


def certificate(item: Place, sums: Sums) -> Line:
    """A gift certificate that was bought: sent by mail to its recipient."""
    value = sums.told(item)
    return Line(
        id=item.at("giftCertificateItemId").needed().id(),
        sku="",
        title=item.at("itemText").text() or "Gift certificate",
        quantity=ONE,
        current_quantity=ONE,
        unit_price=sums.bag(value),
        gross=sums.bag(value),
        kind=ProductKind.GIFT_CARD,
        taxes=item_taxes(item, sums),
        requires_shipping=False,
        delivery_id=item.at("shipmentId").text(),
        gift_message=item.at("message").text(),
        properties=tuple(
            (name, item.at(name).text())
            for name in ("recipientName", "recipientEmail", "senderName")
            if item.at(name).text()
        ),
    )
