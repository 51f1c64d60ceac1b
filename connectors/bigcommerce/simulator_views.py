"""What the simulated store answers, in the shapes of BigCommerce's contract: v2 sums as text, v3 as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connectors.bigcommerce.simulator_store import STATUSES, Json, Store, refunded, rfc, shipped
from connectors.bigcommerce.simulator_sums import Purse, four

HOST = "https://api.bigcommerce.com/stores"


def header(store: Store, order: Json) -> Json:
    """An order as v2 lists it; its parts are addresses."""
    status = STATUSES[order["status_id"]]
    pieces = sum(one["quantity"] for one in order["lines"])
    return {
        "id": order["id"],
        "customer_id": order["customer_id"],
        "date_created": rfc(order["date_created"]),
        "date_modified": rfc(order["date_modified"]),
        "date_shipped": rfc(order["shipments"][-1]["date_created"]) if status == "Shipped" else "",
        "status_id": order["status_id"],
        "status": status,
        "custom_status": status,
        **store.totals(order),
        "is_tax_inclusive_pricing": order["inclusive"],
        "items_total": pieces,
        "items_shipped": sum(shipped(order, one["id"]) for one in order["lines"]),
        "payment_method": order["payment_method"],
        "payment_provider_id": "",
        "payment_status": order["payment"],
        "refunded_amount": "0.0000",
        "order_is_digital": all(one["type"] == "digital" for one in order["lines"]),
        "store_credit_amount": four(Decimal(order["store_credit"])),
        "gift_certificate_amount": four(Decimal(order["gift_certificate"])),
        "currency_id": 1,
        "currency_code": order["currency"],
        "currency_exchange_rate": "1.0000000000",
        "default_currency_id": 1,
        "default_currency_code": order["currency"],
        "store_default_currency_code": "EUR",
        "store_default_to_transactional_exchange_rate": "1.0000000000",
        "staff_notes": "",
        "customer_message": order["note"],
        "customer_locale": "en",
        "shipping_address_count": 0 if order["pickup"] else len(order["addresses"]),
        "is_deleted": order["is_deleted"],
        "cart_id": "00000000-0000-4000-8000-000000000001",
        "billing_address": {**_person(order), "form_fields": []},
        "order_source": order["order_source"],
        "channel_id": 1,
        "external_source": None,
        "external_id": None,
        "external_merchant_id": None,
        "external_order_id": "",
        "ebay_order_id": "0",
        "tax_provider_id": "BasicTaxProvider",
        **{name: _resource(order, name) for name in ("products", "shipping_addresses", "coupons")},
        "consignments": _resource(order, "consignments"),
        "fees": _resource(order, "fees"),
    }


def _resource(order: Json, name: str) -> Json:
    path = f"/orders/{order['id']}/{name}"
    return {"url": f"{HOST}/store_hash/v2{path}", "resource": path}


def _person(order: Json) -> Json:
    return {
        "first_name": "Ana",
        "last_name": f"Example {order['buyer']}",
        "company": "",
        "street_1": order.get("street", f"Musterweg {order['buyer']}"),
        "street_2": "",
        "city": "Köln",
        "state": "Nordrhein-Westfalen",
        "zip": "50667",
        "country": "Germany",
        "country_iso2": "DE",
        "phone": "+49 221 5550100",
        "email": order["email"],
    }


def whole(store: Store, order: Json) -> Json:
    """With include=consignments,fees and consignment_structure=object."""
    return {**header(store, order), "consignments": consignments(order), "fees": fees(order)}


def consignments(order: Json) -> Json:
    lines = order["lines"]
    by_mail = [one for one in lines if one["type"] == "digital"]
    return {
        "pickups": [_pickup(order)] if order["pickup"] else [],
        "shipping": [] if order["pickup"] else [_consignment(order, n) for n, _ in enumerate(order["addresses"])],
        "downloads": [{"recipient_email": order["email"], "line_items": _items(order, by_mail)}] if by_mail else [],
        "email": {"gift_certificates": []},
    }


def _items(order: Json, lines: Sequence[Json]) -> list[Json]:
    return [_resource(order, f"products/{one['id']}") for one in lines]


def _pickup(order: Json) -> Json:
    return {
        "id": order["id"] * 10 + 7,
        "pickup_method_id": 1,
        "pickup_method_display_name": "Pick up in store",
        "collection_instructions": "Bring your order number",
        "collection_time_description": "9am - 6pm",
        "location": {
            "id": 2,
            "name": "Shop Köln",
            "code": "SHOP-2",
            "address_line_1": "Ladenstraße 2",
            "address_line_2": "",
            "city": "Köln",
            "state": "Nordrhein-Westfalen",
            "postal_code": "50667",
            "country_alpha2": "DE",
            "email": "shop@example.com",
            "phone": "+49 221 5550102",
        },
        "line_items": _items(order, [one for one in order["lines"] if one["type"] == "physical"]),
    }


def _consignment(order: Json, n: int) -> Json:
    """The first bears the whole cost."""
    purse = Purse(order["currency"], order["inclusive"], Decimal(order["rate"]))
    lines = [one for one in order["lines"] if one["address"] == order["addresses"][n]]
    cost = Decimal(order["shipping"]) if n == 0 else Decimal(0)
    without, with_tax = (Decimal(four(one)) for one in purse.both(cost))
    return {
        "id": order["addresses"][n],
        **_person(order),
        "items_total": sum(one["quantity"] for one in lines),
        "items_shipped": sum(shipped(order, one["id"]) for one in lines),
        "shipping_method": "Standard",
        "base_cost": cost,
        "cost_ex_tax": without,
        "cost_inc_tax": with_tax,
        "cost_tax": purse.tax(cost),
        "cost_tax_class_id": 2,
        "base_handling_cost": 0,
        "handling_cost_ex_tax": 0,
        "handling_cost_inc_tax": 0,
        "handling_cost_tax": 0,
        "handling_cost_tax_class_id": 2,
        "shipping_zone_id": 1,
        "shipping_zone_name": "Germany",
        "line_items": _items(order, lines),
        "shipping_quotes": {"url": f"{HOST}/store_hash/v2/orders/{order['id']}", "resource": f"/orders/{order['id']}"},
    }


def fees(order: Json) -> list[Json]:
    purse = Purse(order["currency"], order["inclusive"], Decimal(order["rate"]))
    return [
        {
            "id": n + 1,
            "type": "custom_fee",
            "display_name_customer": one["name"],
            "display_name_merchant": one["name"],
            "source": "AA",
            "base_cost": four(Decimal(one["amount"])),
            "cost_ex_tax": four(purse.both(Decimal(one["amount"]))[0]),
            "cost_inc_tax": four(purse.both(Decimal(one["amount"]))[1]),
            "cost_tax": four(purse.tax(Decimal(one["amount"]))),
            "tax_class_id": None,
        }
        for n, one in enumerate(order["fees"])
    ]


def products(order: Json) -> list[Json]:
    return [_product(order, one) for one in order["lines"]]


def _product(order: Json, line: Json) -> Json:
    purse = Purse(order["currency"], order["inclusive"], Decimal(order["rate"]))
    price, total, off = Decimal(line["price"]), Decimal(line["sum"]), Decimal(line["off"])
    (price_ex, price_inc), (total_ex, total_inc) = purse.both(price), purse.both(total)
    wrapping = Decimal(line["wrapping"])
    return {
        "id": line["id"],
        "order_id": order["id"],
        "product_id": line["product_id"],
        "variant_id": line["variant_id"],
        "order_pickup_method_id": order["id"] * 10 + 7 if order["pickup"] else 0,
        "order_address_id": line["address"],
        "name": line["name"],
        "name_customer": line["name"],
        "name_merchant": line["name"],
        "sku": line["sku"],
        "upc": "",
        "type": line["type"],
        "base_price": four(price),
        "price_ex_tax": four(price_ex),
        "price_inc_tax": four(price_inc),
        "price_tax": four(price_inc - price_ex),
        "base_total": four(total),
        "total_ex_tax": four(total_ex),
        "total_inc_tax": four(total_inc),
        "total_tax": four(total_inc - total_ex),
        "weight": "0.2500",
        "quantity": line["quantity"],
        "base_cost_price": "0.0000",
        "is_refunded": refunded(order, line["id"]) >= line["quantity"],
        "quantity_refunded": refunded(order, line["id"]),
        "refund_amount": "0.0000",
        "return_id": 0,
        "wrapping_id": 1 if wrapping else 0,
        "wrapping_name": "Gift paper" if wrapping else "",
        "base_wrapping_cost": four(wrapping),
        "wrapping_cost_ex_tax": four(purse.both(wrapping)[0]),
        "wrapping_cost_inc_tax": four(purse.both(wrapping)[1]),
        "wrapping_cost_tax": four(purse.tax(wrapping)),
        "wrapping_message": line["message"],
        "quantity_shipped": shipped(order, line["id"]),
        "parent_order_product_id": None,
        "is_bundled_product": False,
        "external_id": None,
        "brand": "Waybill",
        "applied_discounts": [_applied(order, off)] if off else [],
        "product_options": [],
        "configurable_fields": [],
        "gift_certificate_id": None,
        "discounted_total_inc_tax": four(total_inc - off),
    }


def _applied(order: Json, off: Decimal) -> Json:
    """A coupon, or a discount that staff or a promotion gave."""
    if Decimal(order["coupon"]):
        return {"id": "coupon", "amount": four(off), "name": "Coupon", "code": order["code"], "target": "order"}
    return {"id": "manual-discount", "amount": four(off), "name": "Manual Discount", "code": None, "target": "order"}


def taxes(order: Json, details: bool) -> list[Json]:
    """Row by row with details; without them it is not said what a tax was reckoned on."""
    return [_tax(order, row, details) for row in order["taxes"] if Decimal(order["rate"])]


def _tax(order: Json, row: Json, details: bool) -> Json:
    told = {"order_product_id": row["order_product_id"], "line_item_type": row["line_item_type"]} if details else {}
    if told and told["order_product_id"] is None:
        del told["order_product_id"]
    return {
        "id": row["id"],
        "order_id": order["id"],
        "order_address_id": row["order_address_id"],
        "tax_rate_id": 1,
        "sales_tax_id": "VAT",
        "tax_class_id": 0,
        "name": "VAT",
        "class": "Default Tax Class",
        "rate": four(Decimal(order["rate"]) * 100),
        "priority": 0,
        "priority_amount": four(Decimal(row["line_amount"])),
        "line_amount": four(Decimal(row["line_amount"])),
        "order_pickup_method_id": 0,
        **told,
    }


def coupons(order: Json) -> list[Json]:
    off = Decimal(order["coupon"])
    one = {"id": order["id"] + 3, "coupon_id": 1, "order_id": order["id"], "code": order["code"], "amount": off}
    return [{**one, "type": order["coupon_type"], "discount": off}] if off else []


def shipment(order: Json, one: Json) -> Json:
    return {
        "id": one["id"],
        "order_id": order["id"],
        "customer_id": order["customer_id"],
        "order_address_id": one["order_address_id"],
        "date_created": rfc(one["date_created"]),
        "tracking_number": one["tracking_number"],
        "merchant_shipping_cost": "0.0000",
        "shipping_method": one["shipping_method"],
        "comments": one["comments"],
        "shipping_provider": one["shipping_provider"],
        "tracking_carrier": one["tracking_carrier"],
        "tracking_link": one["tracking_link"],
        "billing_address": _person(order),
        "shipping_address": _person(order),
        "items": [{**item, "product_id": 0} for item in one["items"]],
        "shipping_provider_display_name": one["shipping_provider"].upper(),
        "generated_tracking_link": "",
    }


def transaction(order: Json, row: Json) -> Json:
    return {
        "id": row["id"],
        "order_id": str(order["id"]),
        "date_created": row["at"],
        "event": row["event"],
        "method": row["method"],
        "amount": Decimal(row["amount"]),
        "currency": order["currency"],
        "gateway": row["gateway"],
        "gateway_transaction_id": f"tx_{row['id']}",
        "status": "ok",
        "test": False,
        "fraud_review": False,
        **({"reference_transaction_id": row["of"]} if row["of"] else {}),
    }


def refund(order: Json, one: Json) -> Json:
    return {
        "id": one["id"],
        "order_id": order["id"],
        "user_id": 0,
        "created": one["created"],
        "reason": one["reason"],
        "total_amount": Decimal(one["total"]),
        "total_tax": Decimal(one["tax"]),
        "uses_merchant_override_values": one["override"],
        "items": [_refund_item(item) for item in one["items"]],
        "payments": [{**row, "amount": Decimal(row["amount"])} for row in one["payments"]],
    }


def _refund_item(item: Json) -> Json:
    told: Json = {name: item[name] for name in ("item_type", "item_id", "quantity", "reason") if name in item}
    return {**told, **({"requested_amount": Decimal(item["amount"])} if "amount" in item else {})}


def metafield(order: Json, one: Json) -> Json:
    return {**one, "resource_type": "order", "resource_id": order["id"], "owner_client_id": "simulated"}


# ---- catalogue, stock, hooks


def article(product: Json) -> Json:
    price = Decimal(product["price"])
    return {
        "id": product["id"],
        "name": product["name"],
        "type": product["type"],
        "sku": product["sku"],
        "weight": Decimal("0.25"),
        "price": price,
        "cost_price": 0,
        "calculated_price": _shown(product),
        "categories": [],
        "brand_id": 1,
        "inventory_tracking": "none" if product["type"] == "digital" else "variant",
        "is_visible": product["is_visible"],
        "availability": "available",
        "date_modified": product["date_modified"],
        "date_created": product["date_modified"],
        "base_variant_id": product["variant"],
        "variants": [variant(product)],
    }


def variant(product: Json) -> Json:
    sale = product.get("sale_price")
    return {
        "id": product["variant"],
        "product_id": product["id"],
        "sku": product["sku"],
        "sku_id": product["variant"] + 1,
        "price": Decimal(product["price"]),
        "calculated_price": _shown(product),
        **({"sale_price": Decimal(sale)} if sale is not None else {}),
        "weight": Decimal("0.25"),
        "purchasing_disabled": False,
        "purchasing_disabled_message": "",
        "upc": "",
        "inventory_level": 0,
        "option_values": [],
    }


def _shown(product: Json) -> Decimal:
    sale = product.get("sale_price")
    return Decimal(product["price"]) if sale is None else min(Decimal(sale), Decimal(product["price"]))


def item(store: Store, product: Json) -> Json:
    levels = [one for one in store.memory.table("stock").values() if one["sku"] == product["sku"]]
    identity = {"sku": product["sku"], "variant_id": product["variant"], "product_id": product["id"]}
    return {"identity": {**identity, "sku_id": product["variant"] + 1}, "locations": [_level(one) for one in levels]}


def _level(one: Json) -> Json:
    return {
        "location_id": one["location"],
        "location_code": f"LOCATION-{one['location']}",
        "location_name": f"Location {one['location']}",
        "available_to_sell": one["onhand"] - one["safety"],
        "total_inventory_onhand": one["onhand"],
        "location_enabled": True,
        "settings": {
            "safety_stock": one["safety"],
            "is_in_stock": one["onhand"] > 0,
            "warning_level": 0,
            "bin_picking_number": "",
        },
    }


def hook(one: Json) -> Json:
    named = ("id", "scope", "destination", "is_active", "created_at", "updated_at")
    return {
        **{name: one[name] for name in named},
        "headers": one["headers"],
        "client_id": "simulated",
        "store_hash": one["store_hash"],
    }


def paged(rows: Sequence[Any], page: int, limit: int) -> Json:
    """v3's envelope around one page of rows."""
    shown = list(rows[(page - 1) * limit : page * limit])
    pages = max(1, -(-len(rows) // limit))
    told = {"total": len(rows), "count": len(shown), "per_page": limit, "current_page": page, "total_pages": pages}
    return {"data": shown, "meta": {"pagination": {**told, "links": {"current": f"?page={page}&limit={limit}"}}}}
