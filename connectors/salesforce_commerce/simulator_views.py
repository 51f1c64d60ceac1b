"""Documents of the simulated site as its two APIs tell them: numbers as numbers, exactly, and none of our own bookkeeping."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Json = dict[str, Any]
NUMBERS = frozenset(
    (
        "basePrice netPrice grossPrice tax taxBasis taxRate adjustedTax priceAfterItemDiscount priceAfterOrderDiscount quantity"
        " position rate value amount orderTotal taxTotal productSubTotal shippingTotal shippingTotalTax"
        " adjustedShippingTotalTax merchandizeTotalTax"
    ).split()
)
OURS = ("kind", "events")


def order(row: Json) -> Json:
    shown: Json = _told({name: value for name, value in row.items() if name not in OURS})
    return shown


def _told(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _told(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_told(one) for one in value]
    return Decimal(value) if name in NUMBERS and isinstance(value, str) else value


def product(row: Json, price: tuple[str, str] | None) -> Json:
    kinds = ("item", "variant", "master", "bundle")
    priced = {"price": Decimal(price[0]), "priceCurrency": price[1]} if price and row["kind"] != "master" else {}
    return {
        "id": row["sku"],
        "name": {"default": row["name"]},
        "type": {one: one == row["kind"] for one in kinds},
        "online": True,
        "taxClassId": "standard",
        "creationDate": row["creationDate"],
        "lastModified": row["lastModified"],
        **({"master": {"masterId": row["master"]}} if row.get("master") else {}),
        **priced,
    }


def record(row: Json) -> Json:
    """An inventory record of OCAPI, with what it reckons itself."""
    allocation, turnover, on_order = (Decimal(row[name]) for name in ("allocation", "turnover", "on_order"))
    return {
        "_v": "25.6",
        "_type": "product_inventory_record",
        "product_id": row["sku"],
        "inventory_list_id": row["inventory"],
        "allocation": {"amount": allocation, "reset_date": row["reset"]},
        "inventory_turnover": turnover,
        "quantity_on_order": on_order,
        "stock_level": allocation - turnover,
        "ats": max(Decimal(0), allocation - turnover - on_order),
        "perpetual_flag": False,
        "last_modified": row["modified"],
    }
