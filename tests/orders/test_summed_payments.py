"""What a gateway took is known by its sum or by its transactions, never by both, in whatever order a channel tells of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest

from app.orders.merge import merge
from connectors.canonical.gate import captured
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, Tender
from tests.core.generated_orders import order as generated
from tests.orders.test_capture import bag, whole

SOLD = replace(generated(3), payments=(), refunds=(), shipments=(), returns=())
TOTAL = whole(SOLD)


def payment(name: str, kind: PaymentKind, amount: Decimal, parent: str = "", *, summed: bool = False) -> Payment:
    return Payment(name, kind, Tender.CARD, bag(SOLD, amount), gateway="card", parent_id=parent, summed=summed)


GIFT = replace(payment("g", PaymentKind.SALE, Decimal(1)), gateway="gift")
HELD = payment("555", PaymentKind.AUTHORISATION, TOTAL)
FIRST = payment("556", PaymentKind.CAPTURE, Decimal(1), "555")
WORDS = {
    "authorised": (payment("1-card", PaymentKind.AUTHORISATION, TOTAL, summed=True),),
    "taken in part": (HELD, FIRST),
    "paid": (payment("1-card", PaymentKind.SALE, TOTAL, summed=True),),
    "paid, each transaction": (HELD, FIRST, payment("557", PaymentKind.CAPTURE, TOTAL - 1, "555")),
}
TAKEN = {"authorised": Decimal(0), "taken in part": Decimal(1), "paid": TOTAL, "paid, each transaction": TOTAL}


ONWARD = [words for words in permutations(WORDS, 3) if sorted(words, key=TAKEN.__getitem__) == list(words)]


@pytest.mark.parametrize("words", ONWARD, ids=" > ".join)
@pytest.mark.parametrize("late", [False, True])
def test_the_newest_word_is_what_was_taken(words: tuple[str, ...], late: bool) -> None:
    """Told in turn, or the newest first and the rest late; a gift card beside it is nobody's business."""
    known: Order | None = None
    for n, word in enumerate(reversed(words) if late else words):
        told = replace(SOLD, payments=(*WORDS[word], GIFT) if n == 0 else WORDS[word])
        known = merge(known, told, newer=not late or n == 0, account="shop", links={}).order
    assert known is not None
    assert captured(known).get("card", Decimal(0)) == TAKEN[words[-1]]
    assert captured(known)["gift"] == 1
    names = {one.id for one in known.payments if one.gateway == "card"}
    assert not {"1-card", "555"} <= names, "not by both"


def test_transactions_that_are_told_late_add_to_each_other() -> None:
    first = merge(None, replace(SOLD, payments=(HELD,)), newer=True, account="shop", links={}).order
    for newer in (True, False):
        told = merge(first, replace(SOLD, payments=(HELD, FIRST)), newer=newer, account="shop", links={}).order
        assert [one.id for one in told.payments] == ["555", "556"]
