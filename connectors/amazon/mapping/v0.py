"""An order of v0 with its items, written as an order of 2026-01-01 would be.

v0 states items by ItemPrice, ShippingPrice ... and the tax of each; whether a discount's own tax is taken off the taxes
again it does not say, so the order's total decides. Source: ../shared/specs/amazon-spapi/models/ordersV0.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from connectors.amazon.mapping.values import ZERO
from connectors.kit.place import Place

STATUSES = {
    "pendingavailability": "PENDING_AVAILABILITY",
    "pending": "PENDING",
    "unshipped": "UNSHIPPED",
    "partiallyshipped": "PARTIALLY_SHIPPED",
    "shipped": "SHIPPED",
    "canceled": "CANCELLED",
    "unfulfillable": "UNFULFILLABLE",
    "invoiceunconfirmed": "UNSHIPPED",
}
CHANNELS = {"mfn": "MERCHANT", "afn": "AMAZON", "": "MERCHANT"}
# category -> (amount, its tax)
AMOUNTS = {"ITEM": ("ItemPrice", "ItemTax"), "SHIPPING": ("ShippingPrice", "ShippingTax"), "COD_FEE": ("CODFee", "")}
DISCOUNTS = {
    "ITEM": ("PromotionDiscount", "PromotionDiscountTax"),
    "SHIPPING": ("ShippingDiscount", "ShippingDiscountTax"),
    "COD_FEE": ("CODFeeDiscount", ""),
}
Row = dict[str, Any]


def status_of(place: Place) -> str:
    return place.needed().one_of(STATUSES)


def renewed(body: Place) -> Row:
    """`body`: {order, items}. Raises Unreadable naming v0's field."""
    node, items = body.at("order").needed(), body.at("items").needed().items()
    total = _money(node.at("OrderTotal"))
    currency = total["currencyCode"] if total else ""
    apart = _apart(items, _amount(node.at("OrderTotal")))
    return {
        "orderId": node.at("AmazonOrderId").needed().id(),
        "createdTime": _needed(node.at("PurchaseDate")),
        "lastUpdatedTime": _needed(node.at("LastUpdateDate")),
        "orderAliases": [{"aliasId": number, "aliasType": "SELLER_ORDER_ID"} for number in _numbers(node)],
        "programs": list(_programs(node)),
        "salesChannel": {
            "channelName": "NON_AMAZON" if node.at("SalesChannel").text() == "Non-Amazon" else "AMAZON",
            "marketplaceId": node.at("MarketplaceId").text(),
            "marketplaceName": node.at("SalesChannel").text(),
        },
        "buyer": _buyer(node),
        "recipient": {"deliveryAddress": _address(node.at("ShippingAddress"))},
        "proceeds": {"grandTotal": total} if total else {},
        "payment": {"paymentExecutions": [_paid(one) for one in node.at("PaymentExecutionDetail").items()]},
        "fulfillment": {
            "fulfillmentStatus": status_of(node.at("OrderStatus")),
            "fulfilledBy": node.at("FulfillmentChannel").one_of(CHANNELS),
            "fulfillmentServiceLevel": node.at("ShipmentServiceLevelCategory").text(),
            "shipByWindow": {"latestDateTime": _time(node.at("LatestShipDate"))},
            "deliverByWindow": {"latestDateTime": _time(node.at("LatestDeliveryDate"))},
        },
        "associatedOrders": [
            {"orderId": one, "associationType": "REPLACEMENT_ORIGINAL_ID"}
            for one in (node.at("ReplacedOrderId").text(),)
            if one
        ],
        "orderItems": [_item(item, currency, apart) for item in items],
    }


# ---- items


def _item(item: Place, currency: str, apart: bool) -> Row:
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
        told = _money(place, currency)
        if told:
            yield {"type": kind, "subtotal": told}
    for name in (*(one for names in (*AMOUNTS.values(), *DISCOUNTS.values()) for one in names if one),):
        _money(item.at(name), currency)
    taxes = {kind: _amount(item.at(names[1])) if names[1] else ZERO for kind, names in AMOUNTS.items()}
    taxes["GIFT_WRAP"] = _amount(item.at("BuyerInfo").at("GiftWrapTax"))
    for kind, (_, name) in DISCOUNTS.items():
        taxes[kind] -= _amount(item.at(name)) if name and apart else ZERO
    yield from _detailed("TAX", taxes, currency)
    yield from _detailed(
        "DISCOUNT", {kind: abs(_amount(item.at(names[0]))) for kind, names in DISCOUNTS.items()}, currency
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


def _apart(items: tuple[Place, ...], total: Decimal) -> bool:
    """Is a discount's tax still in the taxes? Where only taking it off makes the total, it is."""
    prices = sum((_amount(item.at(name)) for item in items for name, _ in AMOUNTS.values()), ZERO)
    prices += sum((_amount(item.at("BuyerInfo").at("GiftWrapPrice")) for item in items), ZERO)
    off = sum((abs(_amount(item.at(name))) for item in items for name, _ in DISCOUNTS.values()), ZERO)
    taxes = sum((_amount(item.at(name)) for item in items for _, name in AMOUNTS.values() if name), ZERO)
    taxes += sum((_amount(item.at("BuyerInfo").at("GiftWrapTax")) for item in items), ZERO)
    discounted = sum((_amount(item.at(name)) for item in items for _, name in DISCOUNTS.values() if name), ZERO)
    return total not in (prices - off, prices - off + taxes) and total == prices - off + taxes - discounted


def _cancellation(item: Place) -> Row:
    asked = item.at("BuyerRequestedCancel")
    if asked.at("IsBuyerRequestedCancel").value not in (True, "true"):
        return {}
    return {"cancellationRequest": {"requester": "BUYER", "cancelReason": asked.at("BuyerCancelReason").text()}}


# ---- the header


def _amount(place: Place) -> Decimal:
    return ZERO if place.value is None else place.at("Amount").number(ZERO)


def _money(place: Place, currency: str = "") -> Row | None:
    """Raises Unreadable for another currency than the order's."""
    if place.value is None:
        return None
    code = place.at("CurrencyCode").needed()
    if currency and code.text() != currency:
        raise code.fault(f"is {code.text()!r} in an order of {currency}")
    return {"amount": str(place.at("Amount").number()), "currencyCode": code.text()}


def _needed(place: Place) -> str:
    place.instant()
    return place.text()


def _time(place: Place) -> str | None:
    return place.text() if place.time() is not None else None


def _numbers(node: Place) -> Iterator[str]:
    """v0 repeats its own number where the seller gave none."""
    told = node.at("SellerOrderId").text()
    if told and told != node.at("AmazonOrderId").text():
        yield told


PROGRAMS = (
    ("IsPrime", "PRIME"),
    ("IsBusinessOrder", "AMAZON_BUSINESS"),
    ("IsPremiumOrder", "PREMIUM"),
    ("IsISPU", "IN_STORE_PICK_UP"),
    ("IsIBA", "INVOICE_BY_AMAZON"),
    ("IsGlobalExpressEnabled", "GLOBAL_EXPRESS"),
)


def _programs(node: Place) -> Iterator[str]:
    for name, program in PROGRAMS:
        if node.at(name).value in (True, "true"):
            yield program


def _buyer(node: Place) -> Row:
    buyer = node.at("BuyerInfo")
    return {
        "buyerName": buyer.at("BuyerName").text(),
        "buyerEmail": buyer.at("BuyerEmail").text(),
        "buyerCompanyName": buyer.at("BuyerTaxInfo").at("CompanyLegalName").text(),
        "buyerPurchaseOrderNumber": buyer.at("PurchaseOrderNumber").text(),
    }


ADDRESS = {
    "name": "Name",
    "companyName": "CompanyName",
    "addressLine1": "AddressLine1",
    "addressLine2": "AddressLine2",
    "addressLine3": "AddressLine3",
    "city": "City",
    "municipality": "Municipality",
    "districtOrCounty": "District",
    "stateOrRegion": "StateOrRegion",
    "postalCode": "PostalCode",
    "countryCode": "CountryCode",
    "phone": "Phone",
    "addressType": "AddressType",
}


def _address(node: Place) -> Row:
    told = {ours: node.at(theirs).text() for ours, theirs in ADDRESS.items()}
    return {**told, "districtOrCounty": told["districtOrCounty"] or node.at("County").text()}


def _paid(node: Place) -> Row:
    return {
        "paymentMethod": node.at("PaymentMethod").text(),
        "paymentAmount": _money(node.at("Payment")),
        "cardBrand": node.at("CardBrand").text(),
        "authorizationCode": node.at("AuthorizationCode").text(),
    }
