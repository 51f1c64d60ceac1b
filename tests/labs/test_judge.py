"""The labs' judge is shown one good day, and then the same day with one thing wrong: it must find just that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from labs.judge.evidence import Call, Done, Evidence, Published, Try
from labs.judge.verdict import Verdict, judge
from local.story.facts import Asked, Books, Delivery, Inside, Outside, Parcel, Sold

ORDER, KEY = "1001", "shop-1001"
PARCEL = Parcel("warehouse-par-1", frozenset(("AC1",)), {"WB-TEE": 2})
SOLD = Sold(
    id=ORDER,
    name="lab-00001",
    kind="plain",
    worth=Decimal("52.31"),
    currency="EUR",
    cancelled=False,
    wanted={"WB-TEE": 2},
    email="ana@example.com",
    refunds={"ref-1": {"card": Decimal("10.00")}},
    sent=(replace(PARCEL, id="shop-par-9"),),
    number="boo-1001",
)
BOOKS = Books(
    orders={KEY: 1},
    totals={KEY: Decimal("52.31")},
    cancelled=frozenset(),
    fulfilments={(KEY, "warehouse-par-1"): 1},
    refunds={(KEY, "ref-1"): {"card": Decimal("10.00")}},
)
ASKED = Asked("w-1", "lab-00001", False, (PARCEL,))
MAILS = {"shop/1001/warehouse-par-1/shipped": 1, "shop/1001//refunded": 1}
TOLD = Delivery("shop", "msg-1", taken=True, fresh=True, forged=False, waiting=False)
INSIDE = Inside(Counter(applied=1), 0, 0, {}, frozenset((("shop", "msg-1"),)), 0)


def call(at: float, operation: str = "bookings.create", reference: str = KEY, **more: object) -> Call:
    made = Call("erp", at, operation, "POST", "/v1/bookings", 201, True, 0.1, "", {"reference": reference})
    return replace(made, **more)  # type: ignore[arg-type]


GOOD = Evidence(
    log=(Try(1.0, "shop", "msg-1", "order.placed", ORDER, 200, event="7", fresh=True),),
    outside=Outside((SOLD,), BOOKS, (ASKED,), MAILS, (TOLD,), channel="shop"),
    inside=INSIDE,
    calls=(call(1.0),),
    limits=(Published("erp", "window", 2, 1.0),),
    done=(
        Done("erp", 1.0, ORDER, "booked", "Old Street"),
        Done("erp", 2.0, ORDER, "amended", "New Street"),
        Done("erp", 3.0, ORDER, "delivered"),
        Done("erp", 4.0, ORDER, "credited"),
    ),
    edits={ORDER: ("Old Street", "New Street")},
    now_at={("erp", ORDER): "New Street"},
    pieces={ORDER: Decimal(2)},
    reserved={},
)


def outside(**more: object) -> Evidence:
    return replace(GOOD, outside=replace(GOOD.outside, **more))  # type: ignore[arg-type]


def books(**more: object) -> Evidence:
    return outside(books=replace(BOOKS, **more))  # type: ignore[arg-type]


def kinds(verdict: Verdict) -> set[str]:
    return {finding.kind for finding in verdict.findings}


def test_a_good_day_has_no_finding() -> None:
    verdict = judge(GOOD, {"orders": 1, "booked": 1, "parcels": 1, "mails": 2})
    assert verdict.findings == ()
    assert verdict.whole


BAD_DAYS: dict[str, tuple[Evidence, str]] = {
    "an order never booked": (books(orders={}, totals={}), "lost"),
    "an order booked twice": (books(orders={KEY: 2}), "doubled"),
    "an order booked for another sum": (books(totals={KEY: Decimal("52.30")}), "wrong"),
    "an order that nobody sold": (books(orders={KEY: 1, "shop-1": 1}), "wrong"),
    "a parcel not booked": (books(fulfilments={}), "lost"),
    "a parcel booked twice": (books(fulfilments={(KEY, "warehouse-par-1"): 2}), "doubled"),
    "pieces booked under another parcel too": (replace(GOOD, pieces={ORDER: Decimal(4)}), "doubled"),
    "pieces not booked": (replace(GOOD, pieces={}), "lost"),
    "a refund not credited": (books(refunds={}), "lost"),
    "a refund credited twice": (books(refunds={(KEY, "ref-1"): {"card": Decimal("20.00")}}), "doubled"),
    "a letter twice": (outside(mails={**MAILS, "shop/1001/warehouse-par-1/shipped": 2}), "doubled"),
    "a letter never written": (outside(mails={}), "lost"),
    "two living requests": (outside(asked=(ASKED, replace(ASKED, reference="w-2", parcels=()))), "doubled"),
    "a request never made": (outside(asked=()), "lost"),
    "a shop that never heard the number": (outside(sold=(replace(SOLD, number=""),)), "lost"),
    "an acknowledged delivery that nobody knows": (
        replace(GOOD, inside=replace(INSIDE, deliveries=frozenset())),
        "lost",
    ),
    "a forgery that was taken": (outside(deliveries=(TOLD, replace(TOLD, id="msg-2", forged=True))), "wrong"),
    "a delivery acknowledged under two numbers": (
        replace(GOOD, log=(*GOOD.log, replace(GOOD.log[0], event="8", fresh=False))),
        "doubled",
    ),
    "a delivery acknowledged as new twice": (replace(GOOD, log=GOOD.log * 2), "doubled"),
    "a valid delivery refused for its signature": (
        replace(GOOD, log=(replace(GOOD.log[0], status=401), *GOOD.log)),
        "wrong",
    ),
    "a credit before the booking": (
        replace(GOOD, done=(Done("erp", 0.5, ORDER, "credited"), *GOOD.done)),
        "misordered",
    ),
    "an older edit after a newer": (
        replace(GOOD, done=(*GOOD.done, Done("erp", 9.0, ORDER, "amended", "Old Street"))),
        "misordered",
    ),
    "an older edit in the end": (replace(GOOD, now_at={("erp", ORDER): "Old Street"}), "misordered"),
    "three calls in a window of two": (
        replace(GOOD, calls=(call(1.0), call(1.2, reference="a"), call(1.9, reference="b"))),
        "over limit",
    ),
    "a bucket that overflows": (
        replace(GOOD, limits=(Published("erp", "bucket", 1, rate=1.0),), calls=(call(1.0), call(1.5, reference="a"))),
        "over limit",
    ),
    "a daily quota that is exceeded": (
        replace(GOOD, limits=(Published("erp", "daily", 1),), calls=(call(1.0), call(80000.0, reference="a"))),
        "over limit",
    ),
    "two calls at once where one is allowed": (
        replace(GOOD, limits=(Published("erp", "concurrency", 1),), calls=(call(1.0), call(1.05, reference="a"))),
        "over limit",
    ),
    "a call made again that was answered": (replace(GOOD, calls=(call(1.0), call(5.0))), "resent"),
    "pieces reserved for what has left": (replace(GOOD, reserved={ORDER: Decimal(2)}), "wrong"),
    "an order parked for what is there": (
        replace(GOOD, sleeping={ORDER: frozenset(("erp:sku:X",))}, given=frozenset(("erp:sku:X",))),
        "lost",
    ),
    "a dead step that nobody is asked to look at": (replace(GOOD, unowned=1), "lost"),
}


@pytest.mark.parametrize("day", BAD_DAYS)
def test_one_thing_wrong_is_found(day: str) -> None:
    seen, kind = BAD_DAYS[day]
    assert kind in kinds(judge(seen, {}))


def test_too_few_successes_prove_nothing() -> None:
    assert kinds(judge(GOOD, {"orders": 2})) == {"too few"}


def test_a_share_counts_of_the_orders_that_were_not_cancelled() -> None:
    assert judge(GOOD, {"booked": 0.9, "sound": 0.95}).whole
    assert "too few" in kinds(judge(books(orders={}, totals={}), {"booked": 0.9}))
    assert kinds(judge(replace(GOOD, inside=replace(INSIDE, states=Counter(dead=1))), {"sound": 0.95})) == {"too few"}


@pytest.mark.parametrize("state", ["parked", "dead"])
def test_what_visibly_stands_is_not_lost(state: str) -> None:
    standing = replace(INSIDE, trouble={ORDER: frozenset((("order_placed", "erp", state),))})
    seen = replace(
        outside(books=replace(BOOKS, orders={}, totals={}, fulfilments={}, refunds={}), mails={}),
        inside=standing,
        pieces={},
    )
    assert "lost" not in kinds(judge(seen, {}))


def test_a_fact_that_is_not_there_excuses_a_parked_order() -> None:
    assert judge(replace(GOOD, sleeping={ORDER: frozenset(("erp:sku:X",))}), {}).whole


def test_what_answers_lost_may_repeat_is_no_repetition() -> None:
    """A call whose answer was lost, or that was refused, may be made again; a later window starts anew."""
    for first in (call(1.0, fault="commit_then_drop"), call(1.0, status=503), call(1.0, status=0)):
        assert "resent" not in kinds(judge(replace(GOOD, calls=(first, call(5.0))), {}))
    spread = tuple(call(float(n), reference=str(n)) for n in range(6))
    assert judge(replace(GOOD, calls=spread), {}).whole


WORSE: dict[str, Callable[[], Verdict]] = {
    "there": lambda: judge(books(orders={KEY: 2}), {}, beyond=("erp",)),
    "elsewhere": lambda: judge(books(orders={KEY: 2}), {}, beyond=("warehouse",)),
}


def test_a_named_window_is_reported_apart_and_only_where_it_is() -> None:
    assert WORSE["there"]().whole
    assert [one.kind for one in WORSE["there"]().windows] == ["window"]
    assert not WORSE["elsewhere"]().whole
