"""Weather beyond a window excuses what it touched, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labs.failure import stage
from labs.judge.bounds import faults_of_mail, forgotten_or_in_flight, lost_answers
from labs.judge.evidence import Call, Done, Evidence, Try
from labs.judge.verdict import judge
from tests.labs.test_judge import BOOKS, GOOD, INSIDE, KEY, outside

SYSTEMS = ("hub", "erp", "mail")
TWICE = outside(books=replace(BOOKS, orders={KEY: 2}))


def kinds(seen: Evidence) -> tuple[set[str], int]:
    verdict = judge(seen, {}, SYSTEMS, forgotten_or_in_flight)
    return {one.kind for one in verdict.findings}, verdict.record()["windows_found"]


def test_an_order_that_nobody_forgot_is_not_excused() -> None:
    assert kinds(TWICE) == ({"doubled"}, 0)


def test_an_order_whose_delivery_was_forgotten_is_excused_and_so_is_the_delivery() -> None:
    assert kinds(replace(TWICE, inside=replace(INSIDE, deliveries=frozenset()))) == (set(), 2)


def test_a_forgotten_parcel_excuses_its_order_by_its_request() -> None:
    parcel = Try(2.0, "warehouse", "msg-9", "parcel.sent", "w-1", 200, event="8", fresh=True)
    assert kinds(replace(TWICE, log=(*GOOD.log, parcel))) == (set(), 1)


def test_what_was_written_while_the_standby_heard_nothing_is_excused_and_later_writes_are_not() -> None:
    done = (Done("erp", 50.0, "1001", "booked"),)
    assert kinds(replace(TWICE, done=done, unheard=(49.0, 51.0))) == (set(), 1)
    assert kinds(replace(TWICE, done=done, unheard=(51.0, 52.0))) == ({"doubled"}, 0)


@pytest.mark.parametrize(
    ("times", "excused"),
    [
        ((50.0, 53.0), True),
        ((48.5, 53.0), True),  # answered before, committed while nothing was heard
        ((40.0, 53.0), False),  # its answer had reached the standby
        ((50.0, 50.5), False),  # asked again before anybody forgot
        ((50.0, 53.0, 54.0), False),  # and once too often after
        ((52.0, 53.0), False),  # both after the promotion
    ],
)
def test_a_call_is_excused_once_where_its_answer_was_forgotten(times: tuple[float, ...], excused: bool) -> None:
    calls = tuple(
        Call("erp", at, "deliveries.create", "POST", "/", 201, True, 0.1, "", {"reference": "warehouse-w-1"})
        for at in times
    )
    found, _ = kinds(replace(GOOD, calls=calls, unheard=(49.0, 51.5)))
    assert found == (set() if excused else {"resent"})
    assert kinds(replace(GOOD, calls=calls))[0] == {"resent"}, "where no standby was promoted nothing is"
    refused = (calls[0], *(replace(one, status=409) for one in calls[1:]))  # cancelled there meanwhile
    assert kinds(replace(GOOD, calls=refused, unheard=(49.0, 51.5)))[0] == (set() if excused else {"resent"})


def test_no_more_mails_are_excused_than_calls_met_a_fault() -> None:
    seen = outside(mails={"shop/1001//refunded": 1}, sold=GOOD.outside.sold)
    met = Call("mail", 1.0, "mail.send", "SMTP", "/", 250, True, 0.1, "drop")
    assert not judge(seen, {}, SYSTEMS, faults_of_mail).whole
    assert not judge(replace(seen, calls=(replace(met, fault=""),)), {}, SYSTEMS, faults_of_mail).whole
    assert judge(replace(seen, calls=(met,)), {}, SYSTEMS, faults_of_mail).whole


def test_no_more_is_excused_where_an_index_is_late_than_answers_were_lost() -> None:
    met = Call("erp", 1.0, "bookings.create", "POST", "/", 201, True, 0.1, "commit_then_drop", {"reference": KEY})
    assert judge(replace(TWICE, calls=(met,)), {}, ("erp",), lost_answers).whole
    for other in (replace(met, fault=""), replace(met, system="shop"), replace(met, write=False)):
        assert not judge(replace(TWICE, calls=(other,)), {}, ("erp",), lost_answers).whole


def test_one_that_is_explained_hides_no_equal_one() -> None:
    calls = tuple(
        Call("erp", at, "deliveries.create", "POST", "/", 201, True, 0.1, "", {"reference": "warehouse-w-1"})
        for at in (50.0, 53.0, 54.0)
    )
    verdict = judge(replace(GOOD, calls=calls), {}, ("erp",), lambda _, found: found[:1])
    assert [one.kind for one in verdict.findings] == ["resent"], "asked again twice, and once is explained"
    assert len(verdict.windows) == 1


def test_a_wait_is_longer_only_on_a_crowded_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for load, times in ((0.5, 1), (8.0, 2), (100.0, 10)):
        monkeypatch.setattr("os.getloadavg", lambda load=load: (load, load, load))
        assert stage.crowded() == times
