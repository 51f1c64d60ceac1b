"""Kinds of orders that customers of the simulated site place, and how they are drawn."""

from __future__ import annotations

import random
from typing import Any

Json = dict[str, Any]
TEE, MUG = {"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 1}
PROMOTION = {"promotionId": "spring-tees", "itemText": "Spring", "off": "3.33"}
COUPON = {**PROMOTION, "couponCode": "SPRING10"}
ORDER_OFF = {"promotionId": "ten-off", "itemText": "Ten off", "off": "10.00"}
KINDS: dict[str, Json] = {
    "plain": {},
    "net": {"taxation": "net"},
    "item_promotion": {"lines": [{**TEE, "adjustments": [PROMOTION]}, MUG]},
    "item_promotion_net": {"taxation": "net", "lines": [{**TEE, "adjustments": [COUPON]}, MUG]},
    "order_promotion": {"order_adjustments": [ORDER_OFF]},
    "order_promotion_net": {"taxation": "net", "order_adjustments": [ORDER_OFF]},
    "order_promotion_adjusted": {"discounts": "adjusted", "order_adjustments": [ORDER_OFF]},
    "order_promotion_net_adjusted": {"taxation": "net", "discounts": "adjusted", "order_adjustments": [ORDER_OFF]},
    "two_order_promotions": {
        "taxation": "net",
        "order_adjustments": [ORDER_OFF, {**ORDER_OFF, "promotionId": "staff", "off": "1.01"}],
    },
    "shipping_promotion": {
        "shipping_adjustments": [{"promotionId": "free-road", "itemText": "Free shipping", "off": "4.90"}]
    },
    "surcharge": {
        "taxation": "net",
        "order_adjustments": [{"promotionId": "cod", "itemText": "Cash on delivery", "off": "-3.00"}],
    },
    "options": {
        "lines": [{**TEE, "options": [{"id": "engraving", "value": "name", "sku": "WB-ENGRAVE", "price": "5.00"}]}]
    },
    "bundle": {
        "lines": [
            {
                "sku": "WB-SET",
                "quantity": 2,
                "price": "24.90",
                "bundle": [{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 4}],
            }
        ]
    },
    "tax_items": {"taxation": "net", "tax_items": [("STATE", "0.12"), ("COUNTY", "0.07")]},
    "gift_certificate_bought": {"certificates": ["25.00"]},
    "gift_certificate_used": {"gift": "15.00"},
    "two_instruments": {"split": "12.34"},
    "jpy": {"currency": "JPY", "shipping": "500", "rate": "0.10", "lines": [{**TEE, "price": "1980"}]},
    "kwd": {
        "currency": "KWD",
        "taxation": "net",
        "shipping": "0.500",
        "rate": "0.05",
        "lines": [{**TEE, "price": "4.205"}],
    },
    "pickup": {"pickup": "store-7", "shipping": "0"},
    "two_shipments": {"shipments": 2},
    "guest": {"guest": True},
    "paid": {"paymentStatus": "paid"},
    "confirmed": {"confirmationStatus": "confirmed"},
    "marketplace": {"channelType": "marketplace", "externalOrderNo": "MP-7"},
    "untaxed": {"taxation": "net", "rate": "0"},
    "unplaced": {"status": "created"},
    "failed": {"status": "failed"},
}
GOODS = ("WB-TEE", "WB-MUG", "WB-CAP", "WB-BAG", "WB-SOAP")
PLACED = sorted(set(KINDS) - {"unplaced", "failed"})


def many(count: int, seed: int, kinds: list[str] | None) -> list[Json]:
    """So many specs, the same for the same seed."""
    rng = random.Random(seed)
    return [drawn(rng, rng.choice(kinds or PLACED)) for _ in range(count)]


def drawn(rng: random.Random, kind: str) -> Json:
    skus = rng.sample(GOODS, rng.randint(1, 3))
    lines = [{"sku": sku, "quantity": rng.randint(1, 3)} for sku in skus]
    return {"lines": lines, "buyer": rng.randint(1, 300), **KINDS[kind], "kind": kind}
