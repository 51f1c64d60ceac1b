"""Items of v0, written as those of 2026-01-01: amounts by category, taxes and discounts with what they are of."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from connectors.amazon.mapping.values import ZERO
from connectors.kit.place import Place

Row = dict[str, Any]
# category -> (amount, its tax)
AMOUNTS = {"ITEM": ("ItemPrice", "ItemTax"), "SHIPPING": ("ShippingPrice", "ShippingTax"), "COD_FEE": ("CODFee", "")}
DISCOUNTS = {
    "ITEM": ("PromotionDiscount", "PromotionDiscountTax"),
    "SHIPPING": ("ShippingDiscount", "ShippingDiscountTax"),
    "COD_FEE": ("CODFeeDiscount", ""),
}


def item(item: Place, currency: str, apart: bool) -> Row:
    ordered = item.at("QuantityOrdered").needed().number()
    shipped = item.at("QuantityShipped")
    counts = (
        {}
        if shipped.value is None
        else {"quantityFulfilled": shipped.number(), "quantityUnfulfilled": max(ZERO, ordered - shipped.number())}
    )
    return {
        "orderItemId": item.at("OrderItemId").needed().id(),
        "quantityOrdered": ordered,
        "product": {
            "asin": item.at("ASIN").text(),
            "title": item.at("Title").text(),
            "sellerSku": item.at("SellerSKU").text(),
            "condition": {"conditionType": item.at("ConditionId").text()},
            "price": {"priceDesignation": item.at("PriceDesignation").text()},
        },
        "proceeds": {"breakdowns": list(_breakdowns(item, currency, apart))},
        "promotion": {"breakdowns": [{"promotionId": one.text()} for one in item.at("PromotionIds").items()]},
        "cancellation": _cancellation(item),
        "fulfillment": {
            **counts,
            "packing": {
                "giftOption": {
                    "giftMessage": item.at("BuyerInfo").at("GiftMessageText").text(),
                    "giftWrapLevel": item.at("BuyerInfo").at("GiftWrapLevel").text(),
                }
            },
            "shipping": {"internationalShipping": {"iossNumber": item.at("IossNumber").text()}},
        },
        "tax": {
            "taxCollections": [
                {"model": "MARKETPLACE_FACILITATOR"}
                for one in (item.at("TaxCollection").at("Model").text(),)
                if one == "MarketplaceFacilitator"
            ],
            "taxCalculationBreakdowns": [
                {"reportingScheme": one} for one in (item.at("DeemedResellerCategory").text(),) if one
            ],
        },
    }


def _breakdowns(item: Place, currency: str, apart: bool) -> Iterator[Row]:
    """Amounts, then taxes and discounts with what they are of."""

    charged = {kind: item.at(names[0]) for kind, names in AMOUNTS.items()}
    charged["GIFT_WRAP"] = item.at("BuyerInfo").at("GiftWrapPrice")
    for kind, place in charged.items():
        told = money(place, currency)
        if told:
            yield {"type": kind, "subtotal": told}
    for name in (*(one for names in (*AMOUNTS.values(), *DISCOUNTS.values()) for one in names if one),):
        money(item.at(name), currency)
    taxes = {kind: amount(item.at(names[1])) if names[1] else ZERO for kind, names in AMOUNTS.items()}
    taxes["GIFT_WRAP"] = amount(item.at("BuyerInfo").at("GiftWrapTax"))
    for kind, (_, name) in DISCOUNTS.items():
        taxes[kind] -= amount(item.at(name)) if name and apart else ZERO
    yield from _detailed("TAX", taxes, currency)
    yield from _detailed(
        "DISCOUNT", {kind: abs(amount(item.at(names[0]))) for kind, names in DISCOUNTS.items()}, currency
    )


def _detailed(kind: str, amounts: dict[str, Decimal], currency: str) -> Iterator[Row]:
    rows = [
        {"subtype": name, "value": {"amount": str(one), "currencyCode": currency}}
        for name, one in amounts.items()
        if one
    ]
    if rows:
        total = {"amount": str(sum(amounts.values(), ZERO)), "currencyCode": currency}
        yield {"type": kind, "subtotal": total, "detailedBreakdowns": rows}


def discounts_tax_apart(items: tuple[Place, ...], total: Decimal) -> bool:
    """Is a discount's tax still in the taxes? Where only taking it off makes the total, it is."""
    prices = sum((amount(item.at(name)) for item in items for name, _ in AMOUNTS.values()), ZERO)
    prices += sum((amount(item.at("BuyerInfo").at("GiftWrapPrice")) for item in items), ZERO)
    off = sum((abs(amount(item.at(name))) for item in items for name, _ in DISCOUNTS.values()), ZERO)
    taxes = sum((amount(item.at(name)) for item in items for _, name in AMOUNTS.values() if name), ZERO)
    taxes += sum((amount(item.at("BuyerInfo").at("GiftWrapTax")) for item in items), ZERO)
    discounted = sum((amount(item.at(name)) for item in items for _, name in DISCOUNTS.values() if name), ZERO)
    return total not in (prices - off, prices - off + taxes) and total == prices - off + taxes - discounted


def _cancellation(item: Place) -> Row:
    asked = item.at("BuyerRequestedCancel")
    if asked.at("IsBuyerRequestedCancel").value not in (True, "true"):
        return {}
    return {"cancellationRequest": {"requester": "BUYER", "cancelReason": asked.at("BuyerCancelReason").text()}}


def amount(place: Place) -> Decimal:
    return ZERO if place.value is None else place.at("Amount").number(ZERO)


def money(place: Place, currency: str = "") -> Row | None:
    """Raises Unreadable for another currency than the order's."""
    if place.value is None:
        return None
    code = place.at("CurrencyCode").needed()
    if currency and code.text() != currency:
        raise code.fault(f"is {code.text()!r} in an order of {currency}")
    return {"amount": str(place.at("Amount").number()), "currencyCode": code.text()}
