"""The simulated shop's records as the objects that its GraphQL endpoint answers with."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.shopify.simulator_graphql import Connection
from connectors.shopify.simulator_orders import OFTEN, currencies, outstanding
from connectors.shopify.simulator_sums import NOTHING, Currencies, read, total

Json = dict[str, Any]
APPLICATIONS = {
    "discount_code": "DiscountCodeApplication",
    "manual": "ManualDiscountApplication",
    "automatic": "AutomaticDiscountApplication",
    "script": "ScriptDiscountApplication",
}
FULFILMENT = {None: "UNFULFILLED", "partial": "PARTIALLY_FULFILLED", "fulfilled": "FULFILLED"}


def gid(kind: str, number: Any) -> str:
    return f"gid://shopify/{kind}/{number}"


def ref(kind: str, number: Any) -> Json | None:
    return {"id": gid(kind, number)} if number else None


def utc(text: str | None) -> str | None:
    """GraphQL tells times in UTC, webhooks in the shop's own offset."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decimal(text: str) -> str:
    """GraphQL writes "13.5" where a webhook writes "13.50", and "1200.0" yen."""
    plain = format(Decimal(text).normalize(), "f")
    return plain if "." in plain else f"{plain}.0"


def bag(money: Json | None) -> Json | None:
    if money is None:
        return None
    shop, seen = money["shop_money"], money["presentment_money"]
    return {
        "shopMoney": {"amount": decimal(shop["amount"]), "currencyCode": shop["currency_code"]},
        "presentmentMoney": {"amount": decimal(seen["amount"]), "currencyCode": seen["currency_code"]},
    }


def rows(items: list[Json]) -> Connection:
    """A connection within an object: its rows have no id of their own to page by, so their place does."""
    numbered = [{**item, "_row": n} for n, item in enumerate(items)]
    return Connection(numbered, lambda row: f"{row['_row']:06}")


def order(record: Json) -> Json:
    """An Order with everything that this connector's documents ask for."""
    money = currencies(record)
    lines = {line["id"]: line for line in record["line_items"]}
    address = {name: _address(record[name]) for name in ("billing_address", "shipping_address")}
    due = outstanding(record, read(record["current_total_price_set"]))
    return {
        "__typename": "Order",
        "id": gid("Order", record["id"]),
        "name": record["name"],
        **{name: utc(record[key]) for name, key in TIMES},
        "cancelReason": record["cancel_reason"] and record["cancel_reason"].upper(),
        "currencyCode": money.shop,
        "presentmentCurrencyCode": money.seen,
        "taxesIncluded": record["taxes_included"],
        "dutiesIncluded": record["duties_included"],
        "taxExempt": record["tax_exempt"],
        "test": record["test"],
        "email": record["email"] or None,
        "phone": record["phone"],
        "note": record["note"],
        "tags": [tag.strip() for tag in record["tags"].split(",") if tag.strip()],
        "poNumber": record["po_number"],
        "sourceName": record["source_name"],
        "sourceIdentifier": record["source_identifier"],
        "customerLocale": record["customer_locale"],
        "displayFinancialStatus": record["financial_status"].upper(),
        "displayFulfillmentStatus": FULFILMENT[record["fulfillment_status"]],
        "paymentGatewayNames": record["payment_gateway_names"],
        "discountCodes": [code["code"] for code in record["discount_codes"]],
        "customAttributes": _attributes(record["note_attributes"]),
        "retailLocation": ref("Location", record["location_id"]),
        "purchasingEntity": None,
        "customer": _customer(record["customer"]),
        "billingAddress": address["billing_address"],
        "shippingAddress": address["shipping_address"],
        **{name: bag(record[key]) for name, key in SUMS},
        "totalTipReceivedSet": bag(money.money(_tips(record))),
        "totalOutstandingSet": bag(money.money(due)),
        "totalCashRoundingAdjustment": {
            "paymentSet": bag(record["total_cash_rounding_payment_adjustment_set"]),
            "refundSet": bag(record["total_cash_rounding_refund_adjustment_set"]),
        },
        "discountApplications": rows([_application(one, n) for n, one in enumerate(record["discount_applications"])]),
        "lineItems": rows([line(one) for one in record["line_items"]]),
        "shippingLines": rows([_shipping(one) for one in record["shipping_lines"]]),
        "transactions": [transaction(one) for one in (*record["_transactions"], *_went_back(record))],
        "fulfillments": [fulfilment(one) for one in record["fulfillments"]],
        "refunds": [refund(one, lines, money) for one in record["refunds"]],
        "returns": rows([back(one, record) for one in record["_returns"]]),
        "fulfillmentOrders": rows([fulfillment_order(one) for one in record["_fulfillment_orders"]]),
        "metafield": lambda given: _metafield(record, given),
    }


TIMES = (
    ("createdAt", "created_at"),
    ("processedAt", "processed_at"),
    ("updatedAt", "updated_at"),
    ("cancelledAt", "cancelled_at"),
)
SUMS = (
    ("totalPriceSet", "total_price_set"),
    ("totalTaxSet", "total_tax_set"),
    ("totalDiscountsSet", "total_discounts_set"),
    ("totalShippingPriceSet", "total_shipping_price_set"),
    ("originalTotalAdditionalFeesSet", "original_total_additional_fees_set"),
    ("currentTotalPriceSet", "current_total_price_set"),
    ("currentTotalTaxSet", "current_total_tax_set"),
    ("currentTotalDiscountsSet", "current_total_discounts_set"),
    ("currentShippingPriceSet", "current_shipping_price_set"),
    ("currentTotalDutiesSet", "current_total_duties_set"),
    ("currentTotalAdditionalFeesSet", "current_total_additional_fees_set"),
)


def _tips(record: Json) -> Any:
    lines = (line for line in record["line_items"] if "tip_payment_gateway" in line)
    return total(read(line["price_set"]) * line["quantity"] for line in lines)


def _metafield(record: Json, given: Json) -> Json | None:
    found: Json | None = record["_metafields"].get(f"{given['namespace']}.{given['key']}")
    return found


def _attributes(items: list[Json]) -> list[Json]:
    return [{"key": item["name"], "value": item["value"]} for item in items]


def _customer(record: Json | None) -> Json | None:
    if record is None:
        return None
    return {
        "id": gid("Customer", record["id"]),
        "firstName": record["first_name"],
        "lastName": record["last_name"],
        "taxExempt": record["tax_exempt"],
        "defaultEmailAddress": {"emailAddress": record["email"]} if record["email"] else None,
        "defaultPhoneNumber": {"phoneNumber": record["phone"]} if record["phone"] else None,
    }


def _address(record: Json | None) -> Json | None:
    if record is None:
        return None
    return {
        "name": record["name"],
        "firstName": record["first_name"],
        "lastName": record["last_name"],
        "company": record["company"],
        "address1": record["address1"],
        "address2": record["address2"],
        "city": record["city"],
        "province": record["province"],
        "provinceCode": record["province_code"],
        "zip": record["zip"],
        "countryCodeV2": record["country_code"],
        "phone": record["phone"],
    }


def _application(record: Json, index: int) -> Json:
    kind = APPLICATIONS[record["type"]]
    named: Json = {name: record[name] for name in ("code", "title", "description") if name in record}
    return {"__typename": kind, "index": index, **named}


def _allocations(record: Json) -> list[Json]:
    return [
        {
            "allocatedAmountSet": bag(one["amount_set"]),
            "discountApplication": {"index": one["discount_application_index"]},
        }
        for one in record["discount_allocations"]
    ]


def _taxes(items: list[Json]) -> list[Json]:
    return [
        {
            "title": one["title"],
            "rate": one["rate"],
            "channelLiable": one["channel_liable"],
            "priceSet": bag(one["price_set"]),
        }
        for one in items
    ]


def line(record: Json) -> Json:
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", record["id"]),
        "name": record["name"],
        "title": record["title"],
        "sku": record["sku"],
        "quantity": record["quantity"],
        "currentQuantity": record["current_quantity"],
        "isGiftCard": record["gift_card"],
        "requiresShipping": record["requires_shipping"],
        "taxable": record["taxable"],
        "product": ref("Product", record["product_id"]),
        "variant": ref("ProductVariant", record["variant_id"]),
        "lineItemGroup": ref("LineItemGroup", record["sales_line_item_group_id"]),
        "customAttributes": _attributes(record["properties"]),
        "originalUnitPriceSet": bag(record["price_set"]),
        "discountAllocations": _allocations(record),
        "taxLines": _taxes(record["tax_lines"]),
        "duties": [
            {
                "id": duty["admin_graphql_api_id"],
                "harmonizedSystemCode": duty["harmonized_system_code"],
                "price": bag(duty),
                "taxLines": _taxes(duty["tax_lines"]),
            }
            for duty in record["duties"]
        ],
    }


def _shipping(record: Json) -> Json:
    return {
        "id": gid("ShippingLine", record["id"]),
        "title": record["title"],
        "code": record["code"],
        "carrierIdentifier": record["carrier_identifier"],
        "isRemoved": record["is_removed"],
        "originalPriceSet": bag(record["price_set"]),
        "discountAllocations": _allocations(record),
        "taxLines": _taxes(record["tax_lines"]),
    }


def transaction(record: Json) -> Json:
    return {
        "id": gid("OrderTransaction", record["id"]),
        "kind": record["kind"].upper(),
        "status": record["status"].upper(),
        "gateway": record["gateway"],
        "paymentId": record["payment_id"],
        "createdAt": utc(record["created_at"]),
        "processedAt": utc(record["processed_at"]),
        "amountSet": bag(record["_set"]),
        "parentTransaction": ref("OrderTransaction", record["parent_id"]),
        "multiCapturable": record["kind"] == "authorization" and record["gateway"] in OFTEN,
        "authorizationExpiresAt": None,
    }


def _went_back(order: Json) -> list[Json]:
    """An order lists what went back, too, in the order in which it did."""
    return [one for refund in order["refunds"] for one in refund["transactions"]]


def fulfilment(record: Json) -> Json:
    numbers, urls = record["tracking_numbers"], record["tracking_urls"]
    return {
        "__typename": "Fulfillment",
        "id": gid("Fulfillment", record["id"]),
        "status": record["status"].upper(),
        "displayStatus": (record["shipment_status"] or "fulfilled").upper(),
        "createdAt": utc(record["created_at"]),
        "updatedAt": utc(record["updated_at"]),
        "location": ref("Location", record["location_id"]),
        "trackingInfo": [
            {"number": number, "company": record["tracking_company"], "url": urls[n] if n < len(urls) else None}
            for n, number in enumerate(numbers)
        ],
        "fulfillmentLineItems": rows(
            [
                {"quantity": item["quantity"], "lineItem": {"id": gid("LineItem", item["id"]), "sku": item["sku"]}}
                for item in record["line_items"]
            ]
        ),
    }


def refund(record: Json, lines: dict[int, Json], money: Currencies) -> Json:
    shipping = record["refund_shipping_lines"]
    return {
        "__typename": "Refund",
        "id": gid("Refund", record["id"]),
        "note": record["note"],
        "createdAt": utc(record["created_at"]),
        "processedAt": utc(record["processed_at"]),
        "return": ref("Return", (record["return"] or {}).get("id")),
        "refundLineItems": rows([_refund_line(one, lines) for one in record["refund_line_items"]]),
        "refundShippingLines": rows(
            [
                {"subtotalAmountSet": bag(one["subtotal_amount_set"]), "taxAmountSet": bag(one["tax_amount_set"])}
                for one in shipping
            ]
        ),
        "orderAdjustments": rows([_adjustment(one, money) for one in _beside(record)]),
        "duties": [],
        "transactions": rows([transaction(one) for one in record["transactions"]]),
    }


def _refund_line(record: Json, lines: dict[int, Json]) -> Json:
    return {
        "quantity": record["quantity"],
        "restockType": record["restock_type"].upper(),
        "subtotalSet": bag(record["subtotal_set"]),
        "totalTaxSet": bag(record["total_tax_set"]),
        "lineItem": {"id": gid("LineItem", record["line_item_id"]), "sku": lines[record["line_item_id"]]["sku"]},
        "location": ref("Location", record["location_id"]),
    }


def _beside(record: Json) -> list[Json]:
    """Since 2024-10 shipping given back is no adjustment in GraphQL."""
    return [one for one in record["order_adjustments"] if one["kind"] != "shipping_refund"]


def _adjustment(record: Json, money: Currencies) -> Json:
    return {
        "reason": record["reason"].upper().replace(" ", "_"),
        "amountSet": bag(record["amount_set"]),
        "taxAmountSet": bag(record.get("tax_amount_set") or money.money(NOTHING)),
    }


def back(record: Json, order: Json) -> Json:
    """A Return of an order."""
    skus = {line["id"]: line["sku"] for line in order["line_items"]}
    return {
        "__typename": "Return",
        "id": gid("Return", record["id"]),
        "name": record["name"],
        "status": record["status"],
        "createdAt": utc(record["created_at"]),
        "order": ref("Order", order["id"]),
        "returnLineItems": rows([_return_line(one) for one in record["lines"]]),
        "exchangeLineItems": rows(
            [
                {
                    "id": gid("ExchangeLineItem", one["id"]),
                    "quantity": one["quantity"],
                    "lineItems": [{"id": gid("LineItem", one["line"]), "sku": skus[one["line"]]}]
                    if one["line"]
                    else [],
                }
                for one in record["exchange"]
            ]
        ),
    }


def _return_line(record: Json) -> Json:
    return {
        "__typename": "ReturnLineItem",
        "id": gid("ReturnLineItem", record["id"]),
        "quantity": record["quantity"],
        "processedQuantity": record["processed"],
        "returnReasonNote": record["note"],
        "customerNote": None,
        "returnReasonDefinition": {"handle": record["reason"]},
        "fulfillmentLineItem": {"lineItem": {"id": gid("LineItem", record["line_item_id"]), "sku": record["sku"]}},
    }


def fulfillment_order(record: Json) -> Json:
    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", record["id"]),
        "status": record["status"],
        "assignedLocation": {"location": ref("Location", record["location_id"])},
        "lineItems": rows(
            [
                {
                    "id": gid("FulfillmentOrderLineItem", item["id"]),
                    "remainingQuantity": item["left"],
                    "totalQuantity": item["total"],
                    "lineItem": {"id": gid("LineItem", item["line_item_id"])},
                }
                for item in record["line_items"]
            ]
        ),
    }


def product(record: Json) -> Json:
    return {
        "__typename": "Product",
        "id": gid("Product", record["id"]),
        "title": record["title"],
        "vendor": record["vendor"],
        "status": record["status"].upper(),
        "productType": record["product_type"],
        "isGiftCard": record["_gift_card"],
        "updatedAt": utc(record["updated_at"]),
        "variants": Connection([variant(one) for one in record["variants"]]),
    }


def variant(record: Json) -> Json:
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", record["id"]),
        "title": record["title"],
        "sku": record["sku"],
        "barcode": record["barcode"],
        "price": record["price"],
        "compareAtPrice": record["compare_at_price"],
        "requiresComponents": False,
        "product": ref("Product", record["product_id"]),
        "inventoryItem": ref("InventoryItem", record["inventory_item_id"]),
    }


def item(record: Json, levels: list[Json]) -> Json:
    """An InventoryItem; `levels` are its own."""
    by_place = {gid("Location", one["location_id"]): one for one in levels}
    return {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", record["inventory_item_id"]),
        "sku": record["sku"],
        "inventoryLevels": rows([level(one) for one in levels]),
        "inventoryLevel": lambda given: (
            level(by_place[given["locationId"]]) if given["locationId"] in by_place else None
        ),
    }


def level(record: Json) -> Json:
    return {
        "__typename": "InventoryLevel",
        "updatedAt": utc(record["updated_at"]),
        "location": ref("Location", record["location_id"]),
        "quantities": lambda given: [
            {"name": name, "quantity": record["quantities"][name]}
            for name in given["names"]
            if name in record["quantities"]
        ],
    }
