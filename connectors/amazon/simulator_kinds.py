"""Kinds of orders that the simulated buyers place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
US = {"name": "Pat Example", "addressLine1": "1 Main Street", "city": "Miami", "stateOrRegion": "FL"}
KINDS: dict[str, Json] = {
    "plain": {},
    "tax_beside": {
        "included": False,
        "currency": "USD",
        "remitted": True,
        "lines": [
            {
                "sku": "WB-TEE",
                "quantity": 2,
                "price": "19.99",
                "tax": "2.80",
                "shipping": "5.00",
                "shipping_tax": "0.35",
            }
        ],
        "address": {**US, "postalCode": "33101", "countryCode": "US", "phone": "+1 305 555 0100"},
    },
    "tax_inside": {
        "lines": [{"sku": "WB-TEE", "price": "19.90", "tax": "3.18", "shipping": "4.90", "shipping_tax": "0.78"}]
    },
    "promotion": {
        "lines": [
            {"sku": "WB-TEE", "quantity": 2, "price": "19.90", "tax": "5.56", "discount": "5.00"},
            {"sku": "WB-MUG", "price": "8.50", "tax": "1.36", "shipping": "3.99", "shipping_discount": "3.99"},
        ]
    },
    "gift": {
        "lines": [{"sku": "WB-MUG", "price": "8.50", "gift_wrap": "3.50", "gift_wrap_tax": "0.56", "gift": "For you"}]
    },
    "jpy": {
        "currency": "JPY",
        "lines": [{"sku": "WB-TEE", "quantity": 2, "price": "2500", "tax": "454", "shipping": "350"}],
    },
    "kwd": {"currency": "KWD", "lines": [{"sku": "WB-TEE", "price": "3.125"}]},
    "tip": {
        "included": False,
        "currency": "USD",
        "tip": "5.00",
        "lines": [{"sku": "WB-TEE", "price": "19.99", "tax": "1.40"}],
    },
    "business": {
        "programs": ["AMAZON_BUSINESS"],
        "buyer": {"buyerCompanyName": "Example Works", "buyerPurchaseOrderNumber": "PO-7"},
    },
    "prime": {"programs": ["PRIME"]},
    "amazon": {"by": "AMAZON", "status": "SHIPPED"},
    "replacement": {"replaces": "303-0000001-0000001", "lines": [{"sku": "WB-TEE", "price": "0.00"}]},
    "pending": {"status": "PENDING"},
    "elsewhere": {"channel": "NON_AMAZON", "by": "AMAZON"},
}


def many(source: random.Random, count: int, kinds: Sequence[str] | None = None) -> list[Json]:
    """So many orders of these kinds (all that are to be kept, when none are named)."""
    named = list(kinds or [kind for kind in KINDS if kind not in ("pending", "elsewhere")])
    return [{"kind": source.choice(named)} for _ in range(count)]
