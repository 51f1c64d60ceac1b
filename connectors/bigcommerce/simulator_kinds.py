"""Kinds of orders that customers of the simulated store place, and how they are drawn."""

from __future__ import annotations

import random
from typing import Any

Json = dict[str, Any]
TEE = {"sku": "WB-TEE", "quantity": 2}
KINDS: dict[str, Json] = {
    "plain": {},
    "tax_included": {"inclusive": True},
    "order_discount": {"discount": "5.00", "spread": False},
    "line_discount": {"discount": "4.50"},
    "coupon": {"coupon": "6.00", "code": "SPRING"},
    "shipping_coupon": {"coupon": "4.90", "code": "FREIGHT", "coupon_type": 4, "spread": False},
    "tax_included_coupon": {"inclusive": True, "coupon": "7.77", "code": "SPRING"},
    "fee": {"fees": [{"name": "Small order", "amount": "2.50"}]},
    "handling": {"handling": "1.50"},
    "wrapped": {"lines": [{**TEE, "wrapping": "3.00", "message": "Happy birthday"}]},
    "gift_certificate": {"gift_certificate": "15.00"},
    "store_credit": {"store_credit": "10.00", "customer_id": 11},
    "jpy": {"currency": "JPY", "shipping": "500", "lines": [{**TEE, "price": "1980"}], "rate": "0.10"},
    "kwd": {"currency": "KWD", "shipping": "0.500", "lines": [{**TEE, "price": "4.205"}], "rate": "0"},
    "pickup": {"pickup": True, "shipping": "0"},
    "digital": {"lines": [{"sku": "WB-EBOOK", "quantity": 1}], "shipping": "0"},
    "two_addresses": {"addresses": 2},
    "guest": {"customer_id": 0},
    "authorized": {"payment": "authorized"},
    "bank": {"payment": "pending", "status_id": 7, "gateway": "bankdeposit"},
    "manual": {"order_source": "manual", "transactions": False, "payment_method": "Manual"},
    "incomplete": {"status_id": 0, "payment": "", "transactions": False},
    "untaxed": {"rate": "0"},
}
GOODS = ("WB-TEE", "WB-MUG", "WB-CAP", "WB-BAG", "WB-SOAP")


def many(count: int, seed: int, kinds: list[str] | None) -> list[Json]:
    """So many specs, the same for the same seed."""
    rng = random.Random(seed)
    return [drawn(rng, rng.choice(kinds or sorted(KINDS))) for _ in range(count)]


def drawn(rng: random.Random, kind: str) -> Json:
    skus = rng.sample(GOODS, rng.randint(1, 3))
    lines = [{"sku": sku, "quantity": rng.randint(1, 3)} for sku in skus]
    return {"lines": lines, "buyer": rng.randint(1, 300), **KINDS[kind], "kind": kind}
