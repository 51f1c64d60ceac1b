"""The kinds of order that the simulated shop can be asked for, each as what it changes of a plain one."""

from __future__ import annotations

import random
from typing import Any

# sku, title, price, what else is unlike ordinary goods
CATALOGUE: tuple[dict[str, Any], ...] = (
    {"sku": "WB-TEE", "title": "Tee, black, M", "price": "19.90"},
    {"sku": "WB-MUG", "title": "Mug", "price": "8.50"},
    {"sku": "WB-CAP", "title": "Cap", "price": "14.00"},
    {"sku": "WB-BAG", "title": "Tote bag", "price": "24.95"},
    {"sku": "WB-POSTER", "title": "Poster A2", "price": "12.49"},
    {"sku": "WB-SOAP", "title": "Soap", "price": "5.25"},
    {"sku": "WB-UNMAPPED", "title": "An article that nobody has mapped", "price": "9.99"},
    {"sku": "WB-GIFT-50", "title": "Gift card 50", "price": "50.00", "gift_card": True, "requires_shipping": False},
)
ORDINARY = ("WB-TEE", "WB-MUG", "WB-CAP", "WB-BAG", "WB-POSTER", "WB-SOAP")
CODE = {"type": "discount_code", "code": "SPRING"}

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "line_discount": {"discounts": [{"type": "automatic", "title": "Second-day offer", "amount": "3.00", "line": 0}]},
    "order_discount": {"discounts": [{**CODE, "percent": "0.10"}]},
    "shipping_discount": {"discounts": [{**CODE, "code": "FREESHIP", "shipping": True}]},
    "several_discounts": {
        "discounts": [
            {**CODE, "percent": "0.15"},
            {"type": "manual", "title": "Sorry for the wait", "amount": "2.00", "line": 0},
            {**CODE, "code": "FREESHIP", "shipping": True},
        ]
    },
    "tax_included": {"taxes_included": True},
    "presentment": {"presentment_currency": "USD", "rate": "0.9137"},
    "presentment_discount": {
        "presentment_currency": "USD",
        "rate": "0.9137",
        "discounts": [{**CODE, "percent": "0.10"}],
    },
    "jpy": {"currency": "JPY", "price_factor": 160, "tax_rate": "0.10", "tax_title": "Consumption tax"},
    "kwd": {"currency": "KWD", "price_factor": "0.333", "tax_rate": "0.05", "tax_title": "VAT"},
    "gift_card": {"lines": [{"sku": "WB-GIFT-50", "quantity": 1}], "shipping": None},
    "gift_card_tender": {"gift_card_used": "10.00"},
    "tip": {"tip": "2.50"},
    "duties": {"duty_rate": "0.07", "country": "CH"},
    "fees": {"fee": "1.75"},
    "pos": {"source": "pos", "gateway": "cash", "shipping": None, "location": True},
    "pos_rounded": {"source": "pos", "gateway": "cash", "shipping": None, "location": True, "rounding": "0.02"},
    "draft": {"source": "shopify_draft_order", "gateway": "manual"},
    "authorized": {"status": "authorized"},
    "pending": {"status": "pending", "gateway": "bank deposit"},
    "bundle": {"bundle": True},
    "several_fulfilments": {
        "lines": [
            {"sku": "WB-TEE", "quantity": 2},
            {"sku": "WB-MUG", "quantity": 2},
            {"sku": "WB-CAP", "quantity": 1},
        ]
    },
    "unmapped_sku": {"lines": [{"sku": "WB-TEE", "quantity": 1}, {"sku": "WB-UNMAPPED", "quantity": 1}]},
    "guest": {"guest": True},
    "edited": {"then": "edit"},
    "cancelled": {"then": "cancel"},
    "refunded": {"then": "refund"},
}


def drawn(rng: random.Random, kind: str) -> dict[str, Any]:
    """The spec of an order of a kind: ordinary lines by chance, then what the kind changes."""
    skus = rng.sample(ORDINARY, rng.randint(1, 3))
    plain = {"lines": [{"sku": sku, "quantity": rng.randint(1, 3)} for sku in skus], "buyer": rng.randint(1, 400)}
    return {**plain, **KINDS[kind], "kind": kind}


def many(count: int, seed: int, kinds: list[str] | None = None) -> list[dict[str, Any]]:
    """Specs for `count` orders: every kind in turn, mostly plain ones when no kinds are named."""
    rng = random.Random(seed)
    named = kinds or [kind for kind in KINDS if kind not in ("unmapped_sku", "cancelled")]
    return [drawn(rng, named[n % len(named)] if kinds or n % 2 else "plain") for n in range(count)]
