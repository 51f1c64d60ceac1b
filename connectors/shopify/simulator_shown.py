"""What the simulated shop's customers see of its prices: the variant's own, and those that a price list fixes."""

from __future__ import annotations

from typing import Any

from connectors.kit.simulator import Memory

Json = dict[str, Any]


def prices_shown(memory: Memory) -> dict[str, str]:
    """SKU, with the price list after an @ where one fixes it -> "19.90", or "15.00 instead of 19.90"."""
    products = (one for one in memory.table("products").values() if one["status"] != "deleted")
    variants = {variant["id"]: variant for product in products for variant in product["variants"]}
    shown = {one["sku"]: _shown(one["price"], one["compare_at_price"]) for one in variants.values()}
    for name, held in memory.table("price_lists").items():
        for number, (price, above) in held["prices"].items():
            shown[f"{variants[int(number)]['sku']}@{name}"] = _shown(price, above)
    return shown


def _shown(price: str, above: str | None) -> str:
    return f"{price} instead of {above}" if above else str(price)
