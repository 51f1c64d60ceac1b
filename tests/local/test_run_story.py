"""The judge of the demonstration's story believes outsiders only, and finds what is lost, doubled or wrong."""

import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.simulator import Memory
from local.errors import ServerError
from local.kept import secret
from local.ports import Ports
from local.servers import CHECKOUT
from local.story import erps, keys, plan, play
from local.story.addresses import Addresses
from local.story.facts import Asked, Books, Delivery, Inside, Outside, Parcel, Sold, together
from local.story.judge import DOUBLED, LOST, WRONG, findings
from local.story.report import Judged, Outcome

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


def test_what_goes_to_another_address_by_now_is_not_sent_to_the_old_one() -> None:
    to = {"pieces": {"WB-TEE": 2}}
    moved = replace(WHOLE, sold=(replace(SOLD, street="Neue Str. 12"),))
    old, new = (
        Asked("WB1", "#1001", False, (SHIPMENT,), street=street, **to) for street in ("Alte Str. 1", "Neue Str. 12")
    )
    assert (
        kinds(replace(moved, asked=(new,)))
        == kinds(replace(moved, asked=(replace(old, cancelled=True, parcels=()), new)))
        == []
    )
    assert kinds(replace(moved, asked=(old,))) == [WRONG]
    told = replace(QUIET, trouble={"1": frozenset({("order_changed", "warehouse", "dead")})})
    assert kinds(replace(moved, asked=(old,)), told) == [], "it had left already, and somebody is told"
    assert kinds(replace(WHOLE, asked=(old,))) == []


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


def test_orders_of_an_earlier_day_stay_with_the_erp_that_booked_them(tmp_path: Path) -> None:
    """It is in the play beside the one that new orders go to, and the judge reads both; an order that both hold is doubled."""
    nowhere = Addresses(web="", flower="", systems={}, smtp="")
    with ExitStack() as stack:
        new = erps.chosen(
            "sap_s4hana",
            nowhere,
            "",
            Ports(tmp_path / "ports.json"),
            stack,
            ("netsuite-main", "sap-s4hana-main", "somebody-else"),
        )
    assert [one.account for one in new.everyone] == ["netsuite-main", "sap-s4hana-main"]
    told = new.environment()
    assert told["ERP_ACCOUNT"] == "sap-s4hana-main"
    assert told["NETSUITE_MAIN_URL"] == new.former[0].played != new.played == told["SAP_S4HANA_MAIN_URL"]
    other = Books({"shopify-main-2": 1}, {}, frozenset({"shopify-main-2"}), {}, {})
    assert kinds(replace(WHOLE, books=other)) == [LOST, WRONG]
    second = replace(SOLD, id="2", name="#1002", cancelled=True, sent=(), refunds={})
    assert kinds(replace(WHOLE, sold=(SOLD, second), books=together((BOOKS, other)))) == []
    assert DOUBLED in kinds(replace(WHOLE, books=together((BOOKS, BOOKS))))
    outcome = Outcome((Judged(WHOLE, ()),), QUIET, 0.0, {}, {"netsuite-main": BOOKS, "sap-s4hana-main": other})
    assert outcome.systems()["netsuite-main"] == {"sales_orders": 1, "cancelled": 0, "fulfilments": 1, "refunds": 1}
    assert outcome.systems()["sap-s4hana-main"]["cancelled"] == 1


def test_where_nothing_is_under_way_only_news_is_waited_for() -> None:
    patience = play.Patience(60.0, news=0.05)
    assert not patience.ended("as before", under_way=False)
    time.sleep(0.1)
    assert not patience.ended("as before", under_way=True)
    assert patience.ended("as before", under_way=False)
    assert not patience.ended("it moved", under_way=False)


def test_nobody_is_waited_for_who_has_ended() -> None:
    def gone() -> None:
        raise ServerError("worker ended with -15")

    with pytest.raises(ServerError, match="worker ended"):
        play._settled({}, erps.Erp("netsuite-main", lambda: BOOKS, None), (), gone)


def test_whoever_is_killed_while_he_writes_leaves_no_half(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    secret(file, "[1]")
    long = "'[' + '1,' * 3_000_000 + '1]'"
    writes = f"from pathlib import Path\nfrom local.kept import secret\nprint(flush=True)\nwhile True: secret(Path({str(file)!r}), {long})"
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", writes], cwd=CHECKOUT, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.05)
        writer.kill()
        writer.communicate()
        assert file.read_text().endswith("1]")
    assert file.stat().st_mode & 0o077 == 0


def test_a_simulator_that_was_killed_while_it_wrote_starts_again(tmp_path: Path) -> None:
    file = tmp_path / "shop.jsonl"
    Memory(file).put("orders", "1", {"name": "whole"})
    with file.open("a") as log:
        log.write('["orders", "2", {"name": "ha')
    Memory(file).put("orders", "3", {"name": "after it"})
    assert set(Memory(file).table("orders")) == {"1", "3"}


def test_keys_are_made_once(tmp_path: Path) -> None:
    first, again = (keys.kept(tmp_path / "var" / "keys.json") for _ in range(2))
    assert first == again
    assert (tmp_path / "var" / "keys.json").stat().st_mode & 0o077 == 0
