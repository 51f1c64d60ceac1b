"""Each method does its one effect, whatever the day is like: equal effects on good days and bad."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.kit.errors import Unauthorized
from tests.contract.cases import Case
from tests.contract.days import BAD_DAYS, BadDay, GoodDay, complaint
from tests.contract.sound import foreign, unmasked, unversioned
from tests.contract.steps import STEPS
from tests.contract.trial import Trial, change
from tests.contract.trial import trial as begin

DECIDED_THERE = ("lost_answer", "not_done", "committed_late", "timed_out", "indexed_late")
AT_ONCE = 6  # bad days of one step, each before a system of its own


def test_good_day(case: Case, step: str, good_day: GoodDay) -> None:
    """One effect, counted at the system by business identity, by writes that the manifest has rules for."""
    assert not good_day.met, f"a good day, but {good_day.met}"
    assert good_day.effects, f"{STEPS[step].method} left no effect at the system (GET /_sim/effects)"
    assert not {name: count for name, count in good_day.effects.items() if type(count) is int and count > 1}
    unruled = set(good_day.names) - set(case.manifest.writes)
    assert not unruled, f"the manifest has no [writes.*] rule for {unruled}"


def test_bad_days(case: Case, step: str, good_day: GoodDay, live_address: str, tried: set[tuple[str, ...]]) -> None:
    """Lost, late, refused, garbled: the trouble is named rightly, and in the end the effects are those of a good day.

    A step whose writes are made as an earlier one's were meets only the lost answer.
    """
    days = [day for day in BAD_DAYS if _due(case, good_day, day, tried) and not _exempt(case, step, day)]

    def spent(day: BadDay) -> str:
        with begin(case, live_address) as trial:
            said = complaint(trial, step, day, good_day)
        if day.patience and "not Transient" in said:  # a busy machine kept a look before the write waiting: once more
            with begin(case, live_address) as trial:
                said = complaint(trial, step, day, good_day)
        return said

    with ThreadPoolExecutor(1 if case.live else AT_ONCE) as pool:
        complaints = [said for said in pool.map(spent, days) if said]
    assert not complaints, "\n".join(complaints)


def _due(case: Case, good_day: GoodDay, day: BadDay, tried: set[tuple[str, ...]]) -> bool:
    """Whether no earlier step of the case, writing in the same way, met this day. A running system meets, but for `make lab-live`, those that its own
    records decide; what is answered in its place is the connector's alone, and is tried at the simulator."""
    if case.live and os.environ.get("WAYBILL_LIVE") != "whole" and day.name not in DECIDED_THERE:
        return False
    row = (case.name, day.name) if day.once else (str(case), day.name, *good_day.names)
    met = row in tried
    tried.add(row)
    return day.name == "lost_answer" or not met


def _exempt(case: Case, step: str, day: BadDay) -> bool:
    names = (day.part, day.name, f"{day.part}:{STEPS[step].method}", f"{day.name}:{STEPS[step].method}")
    return any(name in case.contract.exempt for name in names)


def test_stable_key(case: Case, step: str, good_day: GoodDay) -> None:
    """Asked for again by a worker that knows of nothing: it is found, or the vendor refuses the double."""
    case.applies("stable_key")
    case.applies(f"stable_key:{STEPS[step].method}")
    found, *again = good_day.repeated
    assert found == good_day.number
    assert set(again) <= {good_day.number, None}
    assert good_day.effects_then == good_day.effects


def test_refused_login(case: Case, trial: Trial) -> None:
    """401 for ever pauses the account (Unauthorized), with nothing done."""
    case.applies("refused_login")
    step = next(iter(case.steps()), None)
    if step is None:
        pytest.skip(f"{case}: writes nothing")
    trial.stand(step)
    before = trial.effects()
    trial.system.bad_day("refuse_auth")
    with pytest.raises(Unauthorized):
        trial.finish(step)
    trial.system.good_day()
    assert not change(before, trial.effects())


def test_version(case: Case, step: str, good_day: GoodDay) -> None:
    """Every call names the API version."""
    case.applies("version")
    assert not unversioned(case, good_day.exchanges)


def test_masking(case: Case, step: str, good_day: GoodDay) -> None:
    """No secret in what is kept of a call, no personal data in its address or headers."""
    case.applies("masking")
    assert not unmasked(case, good_day.exchanges)


def test_own_host(case: Case, step: str, good_day: GoodDay) -> None:
    """Every call goes to the account's own host."""
    case.applies("foreign_host")
    assert not foreign(good_day.account, good_day.exchanges)
