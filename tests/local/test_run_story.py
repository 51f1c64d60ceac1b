"""The judge of the demonstration's story believes outsiders only, and finds what is lost, doubled or wrong."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.story import keys, plan
from local.story.facts import Asked, Books, Delivery, Inside, Outside, Parcel, Sold
from local.story.judge import DOUBLED, LOST, WRONG, findings

KEY = "shopify-main-1"
SHIPMENT = Parcel("700", frozenset({"1ZWB700"}), {"WB-TEE": 2})
SOLD = Sold(
    id="1",
    name="#1001",
    kind="plain",
    worth=Decimal("39.80"),
    currency="EUR",
    cancelled=False,
    wanted={"WB-TEE": 2},
    email="buyer1@example.com",
    refunds={"88": {"shopify_payments": Decimal("19.90")}},
    sent=(Parcel("44", frozenset({"1ZWB700"}), {"WB-TEE": 2}),),
    number="SO1",
)
BOOKS = Books(
    orders={KEY: 1},
    totals={KEY: Decimal("39.80")},
    cancelled=frozenset(),
    fulfilments={(KEY, "700"): 1},
    refunds={(KEY, "88"): {"shopify_payments": Decimal("19.90")}},
)
WHOLE = Outside(
    sold=(SOLD,),
    books=BOOKS,
    asked=(Asked("WB00000001", "#1001", False, (SHIPMENT,)),),
    mails={"shopify-main/1/700/shipped": 1, "shopify-main/1//refunded": 1},
    deliveries=(Delivery("shopify-main", "d-1", True, True, False, False),),
)
QUIET = Inside(Counter(applied=3), 0, 0, {}, frozenset({("shopify-main", "d-1")}), 0)


def kinds(outside: Outside, inside: Inside = QUIET) -> list[str]:
    return sorted({finding.kind for finding in findings(outside, inside)})


def booked(**changes: Any) -> Outside:
    return replace(WHOLE, books=replace(BOOKS, **changes))


def test_what_agrees_is_accounted_for() -> None:
    assert findings(WHOLE, QUIET) == []


@pytest.mark.parametrize(
    ("outside", "kind"),
    [
        (booked(orders={KEY: 2}), DOUBLED),
        (booked(orders={}), LOST),
        (booked(totals={KEY: Decimal("39.79")}), WRONG),
        (booked(orders={KEY: 1, "shopify-main-9": 1}), WRONG),
        (booked(fulfilments={}), LOST),
        (booked(fulfilments={(KEY, "700"): 2}), DOUBLED),
        (booked(refunds={}), LOST),
        (booked(refunds={(KEY, "88"): {"shopify_payments": Decimal("39.80")}}), DOUBLED),
        (replace(WHOLE, asked=()), LOST),
        (replace(WHOLE, asked=WHOLE.asked * 2), DOUBLED),
        (replace(WHOLE, mails={}), LOST),
        (replace(WHOLE, mails={"shopify-main/1/700/shipped": 2}), DOUBLED),
        (replace(WHOLE, sold=(replace(SOLD, sent=()),)), LOST),
        (replace(WHOLE, sold=(replace(SOLD, sent=SOLD.sent * 2),)), DOUBLED),
        (replace(WHOLE, sold=(replace(SOLD, number=""),)), LOST),
        (replace(WHOLE, deliveries=(Delivery("shopify-main", "d-2", True, True, False, False),)), LOST),
        (replace(WHOLE, deliveries=(Delivery("shopify-main", "d-1", True, True, True, False),)), WRONG),
        (replace(WHOLE, shelf={"WB-LAMP": 5}, offered={"WB-LAMP": 4}), WRONG),
    ],
)
def test_what_disagrees_is_found(outside: Outside, kind: str) -> None:
    assert kind in kinds(outside)


def test_only_what_visibly_stands_is_excused() -> None:
    parked = replace(QUIET, trouble={"1": frozenset({("order_placed", "erp", "parked")})})
    nothing = replace(
        WHOLE, books=Books({}, {}, frozenset(), {}, {}), asked=(), mails={}, sold=(replace(SOLD, sent=(), number=""),)
    )
    assert kinds(nothing, parked) == []
    assert LOST in kinds(nothing, replace(QUIET, trouble={"2": parked.trouble["1"]}))
    refund = replace(QUIET, trouble={"1": frozenset({("order_refunded", "erp", "dead")})})
    assert kinds(booked(refunds={}), refund) == []
    assert LOST in kinds(booked(orders={}), refund)


def test_what_left_before_an_edit_is_excused_where_somebody_says_so_and_nobody_was_asked_twice() -> None:
    fewer = replace(SOLD, wanted={"WB-TEE": 1})
    asked = Asked("WB00000001", "#1001", False, (SHIPMENT,), pieces={"WB-TEE": 2})
    edited = replace(WHOLE, sold=(fewer,), asked=(asked,))
    too_late = replace(QUIET, trouble={"1": frozenset({("order_changed", "erp", "dead")})})
    assert kinds(edited) == [DOUBLED]
    assert kinds(edited, too_late) == []
    again = Asked("WB00000001-L2", "#1001", False, (), pieces={"WB-TEE": 2})
    assert DOUBLED in kinds(replace(edited, asked=(asked, again)), too_late)


def test_a_cancelled_order_is_cancelled_everywhere_or_was_never_booked() -> None:
    gone = replace(SOLD, cancelled=True, sent=(), refunds={})
    left = replace(WHOLE, sold=(gone,), asked=(), mails={})
    unbooked = replace(left, books=Books({}, {}, frozenset(), {}, {}))
    cancelled = replace(left, books=replace(BOOKS, cancelled=frozenset({KEY}), fulfilments={}, refunds={}))
    living = replace(left, books=replace(BOOKS, fulfilments={}, refunds={}), asked=(Asked("WB1", "#1001", False, ()),))
    assert kinds(unbooked) == kinds(cancelled) == []
    assert kinds(living) == [DOUBLED, LOST]


def test_the_day_has_two_hundred_orders_of_every_kind() -> None:
    special = (
        plan.TO_EDIT,
        plan.TO_CANCEL_AT_ONCE,
        plan.TO_CANCEL_LATER,
        plan.TO_REFUND,
        plan.TO_REFUND_TENDERS,
        plan.NEVER_TOLD,
    )
    rest = (plan.NOT_MAPPED_YET, plan.NEVER_MAPPED, plan.TO_CALL_OFF, plan.REFUSED, plan.TOO_FINE)
    orders = [*plan.ordinary(), *(spec for specs in (*special, *rest) for spec in specs)]
    assert len(orders) >= 200
    assert set(plan.KINDS) <= {spec["kind"] for spec in orders}
    assert plan.ordinary() == plan.ordinary()


def test_keys_are_made_once(tmp_path: Path) -> None:
    first, again = (keys.kept(tmp_path / "var" / "keys.json") for _ in range(2))
    assert first == again
    assert (tmp_path / "var" / "keys.json").stat().st_mode & 0o077 == 0
