"""The GraphQL shape of an object is put into its webhook's words, so that one mapping reads both.

Camel case becomes snake case, connections become lists, enums lower case; what has another name or another depth in the
webhook stands in the tables here. Source: Admin GraphQL 2026-07 schema; webhook payloads are the REST resources.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
APPLICATIONS = {
    "DiscountCodeApplication": "discount_code",
    "ManualDiscountApplication": "manual",
    "AutomaticDiscountApplication": "automatic",
    "ScriptDiscountApplication": "script",
}
FULFILMENT = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}


def plain(value: Any) -> Any:
    """Any GraphQL value with snake-case names and connections as lists."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("nodes"), list):
        return [plain(item) for item in value["nodes"]]
    return {HUMP.sub(lambda hump: "_" + hump.group(1).lower(), name): plain(item) for name, item in value.items()}


def _rename(node: Json, names: dict[str, str]) -> Json:
    return {names.get(name, name): item for name, item in node.items()}


def _each(node: Json, name: str, change: Callable[[Json], Json]) -> None:
    if isinstance(node.get(name), list):
        node[name] = [change(item) for item in node[name]]


def _lower(node: Json, *names: str) -> None:
    for name in names:
        if isinstance(node.get(name), str):
            node[name] = node[name].lower()


def _id_of(node: Json, name: str, id_name: str) -> None:
    """An object that the webhook names by its id only."""
    if name in node:
        node[id_name] = (node.pop(name) or {}).get("id")


ORDER = {
    "currency_code": "currency",
    "presentment_currency_code": "presentment_currency",
    "display_financial_status": "financial_status",
    "custom_attributes": "note_attributes",
}


def order(answer: Json) -> Json:
    """An Order as its webhook would carry it (and with the transactions that the webhook has not)."""
    node = _rename(plain(answer), ORDER)
    _lower(node, "financial_status", "cancel_reason")
    if "display_fulfillment_status" in node:
        node["fulfillment_status"] = FULFILMENT.get(node.pop("display_fulfillment_status"))
    _each(node, "line_items", _line)
    _each(node, "shipping_lines", _shipping_line)
    _each(node, "discount_applications", _application)
    _each(node, "transactions", transaction)
    _each(node, "refunds", refund)
    _each(node, "fulfillments", fulfilment)
    node["returns_in_full"] = [back(one) for one in node.pop("returns", ()) if "return_line_items" in one]
    _each(node, "note_attributes", lambda item: _rename(item, {"key": "name"}))
    _id_of(node, "retail_location", "location_id")
    _parties(node)
    _roundings(node)
    if "purchasing_entity" in node:
        node["company"] = (node.pop("purchasing_entity") or {}).get("company")
    node["discount_codes"] = [{"code": code} for code in node.get("discount_codes") or ()]
    return node


def _parties(node: Json) -> None:
    for name in ("billing_address", "shipping_address"):
        if isinstance(node.get(name), dict):
            node[name] = _rename(node[name], {"country_code_v2": "country_code"})
    record = node.get("customer")
    if isinstance(record, dict):
        record["email"] = (record.pop("default_email_address", None) or {}).get("email_address") or record.get("email")
        record["phone"] = (record.pop("default_phone_number", None) or {}).get("phone_number") or record.get("phone")


def _roundings(node: Json) -> None:
    rounding = node.pop("total_cash_rounding_adjustment", None) or {}
    if rounding.get("payment_set"):
        node["total_cash_rounding_payment_adjustment_set"] = rounding["payment_set"]


def _line(node: Json) -> Json:
    node = _rename(
        node,
        {"original_unit_price_set": "price_set", "is_gift_card": "gift_card", "custom_attributes": "properties"},
    )
    _id_of(node, "product", "product_id")
    _id_of(node, "variant", "variant_id")
    _id_of(node, "line_item_group", "sales_line_item_group_id")
    _each(node, "properties", lambda item: _rename(item, {"key": "name"}))
    _each(node, "discount_allocations", _allocation)
    _each(node, "duties", lambda item: {**item, **(item.get("price") or {})})
    return node


def _shipping_line(node: Json) -> Json:
    node = _rename(node, {"original_price_set": "price_set"})
    _each(node, "discount_allocations", _allocation)
    return node


def _allocation(node: Json) -> Json:
    index = (node.get("discount_application") or {}).get("index")
    return {"amount_set": node.get("allocated_amount_set"), "discount_application_index": index}


def _application(node: Json) -> Json:
    return {**node, "type": APPLICATIONS.get(node.get("__typename", ""), "")}


def transaction(node: Json) -> Json:
    _lower(node, "kind", "status")
    _id_of(node, "parent_transaction", "parent_id")
    return node


def refund(node: Json) -> Json:
    _each(node, "refund_line_items", _refund_line)
    _each(node, "transactions", transaction)
    _each(node, "order_adjustments", lambda item: {**item, "kind": "refund_discrepancy"})
    return node


def _refund_line(node: Json) -> Json:
    node["line_item_id"] = (node.get("line_item") or {}).get("id")
    _id_of(node, "location", "location_id")
    _lower(node, "restock_type")
    return node


def back(node: Json) -> Json:
    """A Return as the webhooks of its request and approval name things."""
    _lower(node, "status")
    _each(node, "return_line_items", _return_line)
    return node


def _return_line(node: Json) -> Json:
    node["return_reason"] = (node.pop("return_reason_definition", None) or {}).get("handle")
    return node


def fulfilment(node: Json) -> Json:
    node = _rename(node, {"fulfillment_line_items": "line_items", "display_status": "shipment_status"})
    _lower(node, "status", "shipment_status")
    _each(node, "line_items", lambda item: {**(item.get("line_item") or {}), "quantity": item.get("quantity")})
    parcels = node.pop("tracking_info", None) or []
    node["tracking_numbers"] = [parcel.get("number") for parcel in parcels]
    node["tracking_urls"] = [parcel.get("url") for parcel in parcels]
    node["tracking_company"] = next((parcel["company"] for parcel in parcels if parcel.get("company")), None)
    _id_of(node, "location", "location_id")
    return node


def product(answer: Json) -> Json:
    """A Product as its webhook would carry it."""
    node: Json = plain(answer)
    _lower(node, "status")
    for variant in node.get("variants") or ():
        variant["requires_components"] = variant.get("requires_components", False)
        _id_of(variant, "inventory_item", "inventory_item_id")
    return node
