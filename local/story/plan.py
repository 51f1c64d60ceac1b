"""Which orders the shop is asked to place: every kind that the canonical model knows, most of them ordinary."""

from __future__ import annotations

import random
from typing import Any

from local.story.catalogue import ARTICLES, FORGOTTEN, NEW, REFUSED_BUYER

Spec = dict[str, Any]
KINDS = (
    "line_discount order_discount shipping_discount several_discounts tax_included presentment presentment_discount jpy kwd gift_card "
    "gift_card_tender tip duties fees pos pos_rounded draft authorized pending bundle several_fulfilments guest"
).split()
# Thousandths that NetSuite cannot keep would be refused: most of these have none, one has (TOO_FINE).
MORE: dict[str, Spec] = {"kwd": {"lines": [{"sku": "WB-TEE", "quantity": 2, "price": "4.200"}], "shipping": None}}
GOODS = [article.sku for article in ARTICLES if article.ships]
EACH_KIND = 4
PLAIN = 84


def ordinary(count: int = PLAIN, each: int = EACH_KIND, seed: int = 11) -> list[Spec]:
    """The bulk of the day, shuffled the same way at every run."""
    rng = random.Random(seed)  # noqa: S311
    specs = [{"kind": kind, **MORE.get(kind, {})} for kind in KINDS for _ in range(each)] + [
        _plain(rng) for _ in range(count)
    ]
    rng.shuffle(specs)
    return [{**spec, "buyer": rng.randint(1, 300)} for spec in specs]


def _plain(rng: random.Random) -> Spec:
    skus = rng.sample(GOODS, rng.randint(1, 3))
    return {"kind": "plain", "lines": [{"sku": sku, "quantity": rng.randint(1, 3)} for sku in skus]}


def _of(kind: str, count: int, *skus: str, **more: Any) -> list[Spec]:
    lines = [{"sku": sku, "quantity": 2} for sku in skus or ("WB-TEE", "WB-MUG")]
    return [{"kind": kind, "lines": lines, "buyer": 400 + number, **more} for number in range(count)]


# Orders that something happens to, by what: a scene of its own each (acts.py).
TO_EDIT = _of("edited after booking", 6, "WB-TEE", "WB-CAP")
TO_CANCEL_AT_ONCE = _of("cancelled at once", 6)
TO_CANCEL_LATER = _of("cancelled later", 6, "WB-BAG", "WB-POSTER")
TO_REFUND = _of("refunded after shipping", 8, "WB-TEE", "WB-MUG", "WB-SOAP")
TO_REFUND_TENDERS = _of("refunded by two tenders", 4, "WB-BAG", gift_card_used="15.00")
NEVER_TOLD = _of("webhook never came", 5, "WB-SOAP", "WB-CAP")
NOT_MAPPED_YET = _of("mapped later", 3, "WB-TEE", NEW.sku)
NEVER_MAPPED = _of("never mapped", 2, "WB-MUG", FORGOTTEN.sku)
TO_CALL_OFF = _of("called off by the hub", 2, "WB-MUG", FORGOTTEN.sku)
TOO_FINE = _of("kwd", 1, "WB-MUG", "WB-CAP")
REFUSED = _of("refused by the ERP", 1, "WB-MUG", email=REFUSED_BUYER)
