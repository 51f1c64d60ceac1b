"""How the simulated Amazon tells an order: as of 2026-01-01, and as v0 did."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connectors.amazon.simulator_store import Json, Store, brought, total

V0_STATUS = {
    "PENDING_AVAILABILITY": "PendingAvailability",
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}
LEVEL = "STANDARD"


def order(store: Store, row: Json) -> Json:
    """As of 2026-01-01, with all the data sets that are asked for."""
    status = status_of(store, row)
    told: Json = {
        "orderId": row["id"],
        "orderAliases": [{"aliasId": one, "aliasType": "SELLER_ORDER_ID"} for one in _aliases(store, row)],
        "createdTime": row["created"],
        "lastUpdatedTime": row["updated"],
        "programs": row["programs"],
        "salesChannel": _channel(store, row),
        "buyer": row["buyer"] if row["by"] == "MERCHANT" else {},
        "recipient": {"deliveryAddress": row["address"] if row["by"] == "MERCHANT" else _short(row["address"])},
        "fulfillment": {
            "fulfillmentStatus": status,
            "fulfilledBy": row["by"],
            "fulfillmentServiceLevel": LEVEL,
            "shipByWindow": {"earliestDateTime": row["created"], "latestDateTime": row["created"]},
        },
        "orderItems": [_item(row, item, status) for item in row["items"]],
        "packages": [
            one
            for one in row["packages"]
            if store.simulator.indexed("package", f"{row['id']}/{one['packageReferenceId']}")
        ],
    }
    if row["replaces"]:
        told["associatedOrders"] = [{"orderId": row["replaces"], "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    if row["paid"]:
        told["payment"] = {"paymentExecutions": row["paid"]}
    if _priced(status):
        told["proceeds"] = {"grandTotal": _money(row, total(row)), "breakdowns": _order_breakdowns(row)}
    return told


def status_of(store: Store, row: Json) -> str:
    hidden = row["status"] == "CANCELLED" and not store.simulator.indexed("cancelled", row["id"])
    return "UNSHIPPED" if hidden else str(row["status"])


def _priced(status: str) -> bool:
    """Neither a pending nor a cancelled order states what it brings."""
    return status not in ("PENDING", "PENDING_AVAILABILITY", "CANCELLED")


def _aliases(store: Store, row: Json) -> list[str]:
    return [row["alias"]] if row["alias"] and store.simulator.indexed("alias", row["id"]) else []


def _channel(store: Store, row: Json) -> Json:
    return {"channelName": row["channel"], "marketplaceId": store.marketplace, "marketplaceName": "Amazon.example"}


def _short(address: Json) -> Json:
    """Of an order that Amazon sends it tells no street and no name."""
    return {name: address[name] for name in ("city", "postalCode", "countryCode") if name in address}


def _money(row: Json, amount: Decimal | str) -> Json:
    return {"amount": str(amount), "currencyCode": row["currency"]}


def _item(row: Json, item: Json, status: str) -> Json:
    told: Json = {
        "orderItemId": item["id"],
        "quantityOrdered": item["quantity"],
        "product": {"asin": "B000000001", "title": item["title"], "sellerSku": item["sku"]},
        "fulfillment": {
            "quantityFulfilled": item["shipped"],
            "quantityUnfulfilled": item["quantity"]
            - item["shipped"]
            - (item["cancelled"] if status == "CANCELLED" else 0),
        },
    }
    if item["gift"]:
        told["fulfillment"]["packing"] = {"giftOption": {"giftMessage": item["gift"], "giftWrapLevel": "STANDARD"}}
    if item["promotion"]:
        told["promotion"] = {"breakdowns": [{"promotionId": item["promotion"]}]}
    if row["asked"]:
        told["cancellation"] = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Changed my mind"}}
    if status == "CANCELLED":
        executed = {"cancelledBy": row.get("cancelled_by", "MERCHANT"), "cancelReason": row.get("reason", "")}
        told["cancellation"] = {**told.get("cancellation", {}), "cancellationExecution": executed}
    if row["remitted"]:
        told["tax"] = {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services"}]}
    if _priced(status):
        told["product"]["price"] = {"unitPrice": _money(row, item["each"])}
        told["proceeds"] = {
            "proceedsTotal": _money(row, brought(row, item)),
            "breakdowns": list(_breakdowns(row, item)),
        }
    return told


def _breakdowns(row: Json, item: Json) -> list[Json]:
    told = [{"type": "ITEM", "subtotal": _money(row, item["price"])}]
    for kind, name in (("SHIPPING", "shipping"), ("GIFT_WRAP", "gift_wrap")):
        if Decimal(item[name]):
            told.append({"type": kind, "subtotal": _money(row, item[name])})
    taxes = {"ITEM": item["tax"], "SHIPPING": item["shipping_tax"], "GIFT_WRAP": item["gift_wrap_tax"]}
    told += _detailed(row, "TAX", taxes, 1)
    told += _detailed(row, "DISCOUNT", {"ITEM": item["discount"], "SHIPPING": item["shipping_discount"]}, -1)
    return told


def _detailed(row: Json, kind: str, parts: dict[str, str], sign: int) -> list[Json]:
    rows = [(name, sign * Decimal(one)) for name, one in parts.items() if Decimal(one)]
    if not rows:
        return []
    details = [{"subtype": name, "value": _money(row, one)} for name, one in rows]
    whole = sum((one for _, one in rows), Decimal(0))
    return [{"type": kind, "subtotal": _money(row, whole), "detailedBreakdowns": details}]


def _order_breakdowns(row: Json) -> list[Json]:
    added: dict[str, Decimal] = {}
    for item in row["items"]:
        for one in _breakdowns(row, item):
            added[one["type"]] = added.get(one["type"], Decimal(0)) + Decimal(one["subtotal"]["amount"])
    told = [{"type": kind, "subtotal": _money(row, amount)} for kind, amount in added.items()]
    if row["tip"]:
        told.append({"type": "DELIVERY_TIP", "status": "FINALIZED", "subtotal": _money(row, row["tip"])})
    return told


# ---- v0


def order_v0(store: Store, row: Json, buyer: bool, address: bool) -> Json:
    """`buyer`, `address`: what the token may see."""
    status = status_of(store, row)
    shipped = sum(item["shipped"] for item in row["items"])
    told: Json = {
        "AmazonOrderId": row["id"],
        "SellerOrderId": next(iter(_aliases(store, row)), row["id"]),
        "PurchaseDate": row["created"],
        "LastUpdateDate": row["updated"],
        "OrderStatus": V0_STATUS[status],
        "FulfillmentChannel": "AFN" if row["by"] == "AMAZON" else "MFN",
        "SalesChannel": "Amazon.example" if row["channel"] == "AMAZON" else "Non-Amazon",
        "MarketplaceId": store.marketplace,
        "ShipmentServiceLevelCategory": "Standard",
        "NumberOfItemsShipped": shipped,
        "NumberOfItemsUnshipped": sum(item["quantity"] for item in row["items"]) - shipped,
        "LatestShipDate": row["created"],
        "IsPrime": "PRIME" in row["programs"],
    }
    if _priced(status):
        told["OrderTotal"] = _money_v0(row, total(row))
    if buyer and row["by"] == "MERCHANT":
        told["BuyerInfo"] = {"BuyerName": row["buyer"]["buyerName"], "BuyerEmail": row["buyer"]["buyerEmail"]}
    if address:
        shown = row["address"] if row["by"] == "MERCHANT" else _short(row["address"])
        told["ShippingAddress"] = {name[0].upper() + name[1:]: value for name, value in shown.items()}
        if "AddressType" in told["ShippingAddress"]:
            told["ShippingAddress"]["AddressType"] = told["ShippingAddress"]["AddressType"].capitalize()
    return told


def item_v0(store: Store, row: Json, item: Json, buyer: bool) -> Json:
    told: Json = {
        "ASIN": "B000000001",
        "OrderItemId": item["id"],
        "SellerSKU": item["sku"],
        "Title": item["title"],
        "QuantityOrdered": item["quantity"],
        "QuantityShipped": item["shipped"],
    }
    status = status_of(store, row)
    if status == "CANCELLED":
        told["QuantityOrdered"] = 0
    if _priced(status):
        names = {
            "ItemPrice": "price",
            "ItemTax": "tax",
            "ShippingPrice": "shipping",
            "ShippingTax": "shipping_tax",
            "PromotionDiscount": "discount",
            "ShippingDiscount": "shipping_discount",
        }
        told.update({theirs: _money_v0(row, item[ours]) for theirs, ours in names.items()})
    if row["remitted"]:
        told["TaxCollection"] = {"Model": "MarketplaceFacilitator", "ResponsibleParty": "Amazon Services, Inc."}
    gift: Any = {
        "GiftWrapPrice": _money_v0(row, item["gift_wrap"]),
        "GiftWrapTax": _money_v0(row, item["gift_wrap_tax"]),
    }
    if buyer and (Decimal(item["gift_wrap"]) or Decimal(item["gift_wrap_tax"])):
        told["BuyerInfo"] = {**gift, "GiftMessageText": item["gift"]}
    return told


def _money_v0(row: Json, amount: Decimal | str) -> Json:
    return {"CurrencyCode": row["currency"], "Amount": str(amount)}
