"""Kinds of sales of the simulated seller, as specs that simulator_drafts.py draws up."""

from __future__ import annotations

import random
from typing import Any

Json = dict[str, Any]
TEE = {"sku": "WB-TEE", "quantity": "2"}
SHIP = {"fulfillment": "SHIPMENT"}
KINDS: dict[str, Json] = {
    "till": {},
    "plain": SHIP,
    "pickup": {"fulfillment": "PICKUP"},
    "courier": {"fulfillment": "DELIVERY"},
    "tax_included": {"inclusive": True},
    "both_taxes": {"inclusive": True, "second_tax": "0.05"},
    "untaxed": {"rate": "0"},
    "order_discount": {**SHIP, "discount": 500},
    "line_discount": {"lines": [{**TEE, "discount": 333}]},
    "percent": {"percent": "12.5"},
    "modifiers": {
        "lines": [{**TEE, "modifiers": [{"name": "Gift wrap", "price": 250}, {"name": "Card", "price": 99}]}]
    },
    "weighed": {"lines": [{"sku": "WB-TEA", "quantity": "1.345", "unit": "METRIC_KILOGRAM"}]},
    "custom_amount": {"lines": [TEE, {"name": "Repair", "quantity": "1", "price": 1200, "item_type": "CUSTOM_AMOUNT"}]},
    "gift_card_sold": {
        "lines": [{"name": "Gift card", "quantity": "1", "price": 2500, "item_type": "GIFT_CARD"}],
        "rate": "0",
    },
    "service_charge": {"charges": [{"name": "Service", "amount": 300, "taxable": True}]},
    "spread_charge": {"charges": [{"name": "Surcharge", "amount": 211, "spread": True}]},
    "freight": {**SHIP, "charges": [{"name": "Shipping", "amount": 490, "taxable": True}]},
    "tip": {"tip": 450},
    "cash": {"payment": "cash"},
    "cash_rounded": {
        "payment": "cash",
        "round_to": 5,
        "lines": [{"sku": "WB-TEE", "quantity": "1", "price": 1993}],
        "rate": "0",
    },
    "gift_card": {"payment": "gift_card"},
    "split": {"payment": "split", "tip": 200},
    "voucher": {"payment": "voucher"},
    "authorized": {**SHIP, "payment": "authorized"},
    "offline": {"payment": "card", "offline": True},
    "unpaid": {"payment": "none"},
    "cancelled": {**SHIP, "payment": "none", "state": "CANCELED"},
    "draft": {"payment": "none", "state": "DRAFT"},
    "jpy": {"currency": "JPY", "lines": [{**TEE, "price": 1980}], "rate": "0.10"},
    "kwd": {"currency": "KWD", "lines": [{**TEE, "price": 4205}], "rate": "0"},
}
GOODS = ("WB-TEE", "WB-MUG", "WB-CAP", "WB-BAG", "WB-TEA")
NO_SALES = ("cancelled", "draft", "unpaid")


def many(count: int, seed: int, kinds: list[str] | None) -> list[Json]:
    """So many specs, the same for the same seed."""
    rng = random.Random(seed)
    return [drawn(rng, rng.choice(kinds or sorted(set(KINDS) - set(NO_SALES)))) for _ in range(count)]


def drawn(rng: random.Random, kind: str) -> Json:
    lines = [{"sku": sku, "quantity": str(rng.randint(1, 3))} for sku in rng.sample(GOODS, rng.randint(1, 3))]
    return {"lines": lines, "buyer": rng.randint(1, 300), **KINDS[kind], "kind": kind}
