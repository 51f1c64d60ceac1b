"""An order of v0 with its items, written as an order of 2026-01-01 would be.

v0 states items by ItemPrice, ShippingPrice ... and the tax of each; whether a discount's own tax is taken off the taxes
again it does not say, so the order's total decides. Source: ../shared/specs/amazon-spapi/models/ordersV0.json.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.amazon.mapping.v0_items import Row, amount, discounts_tax_apart, item, money
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


def status_of(place: Place) -> str:
    return place.needed().one_of(STATUSES)


def renewed(body: Place) -> Row:
    """`body`: {order, items}. Raises Unreadable naming v0's field."""
    node, items = body.at("order").needed(), body.at("items").needed().items()
    total = money(node.at("OrderTotal"))
    currency = total["currencyCode"] if total else ""
    apart = discounts_tax_apart(items, amount(node.at("OrderTotal")))
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
        "orderItems": [item(one, currency, apart) for one in items],
    }


# ---- the header


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
        "paymentAmount": money(node.at("Payment")),
        "cardBrand": node.at("CardBrand").text(),
        "authorizationCode": node.at("AuthorizationCode").text(),
    }
