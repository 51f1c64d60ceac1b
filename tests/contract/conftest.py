"""Every test of the suite runs for every case, each before a fresh system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.contract.cases import Case, cases, live_name, those_for
from tests.contract.days import GoodDay, good_day_of
from tests.contract.trial import Trial
from tests.contract.trial import trial as begin

LIVE_SECONDS = 900


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    found = cases(live_name(metafunc.config))
    wanted = metafunc.fixturenames
    if "fixture" in wanted:
        rows: list[Any] = [(case, fixture) for case in found for fixture in case.contract.fixtures]
        metafunc.parametrize(("case", "fixture"), rows, ids=[f"{case}-{fixture.file}" for case, fixture in rows])
    elif "step" in wanted:
        rows = [(case, step) for case in found for step in case.steps()]
        metafunc.parametrize(("case", "step"), rows, ids=[f"{case}-{step}" for case, step in rows])
    elif "poll" in wanted:
        rows = [(case, poll) for case in found for poll in case.contract.polls]
        metafunc.parametrize(("case", "poll"), rows, ids=[f"{case}-{poll.kind}" for case, poll in rows])
    elif "case" in wanted:
        metafunc.parametrize("case", those_for(metafunc.function, found), ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A real system takes its time: the first test waits until it is up, and each answer takes longer."""
    if live_name(config):
        for item in items:
            item.add_marker(pytest.mark.timeout(LIVE_SECONDS))


@pytest.fixture(scope="session")
def live_address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the live system answers, started once for the whole run; empty when simulators are tried."""
    name = live_name(request.config)
    with ExitStack() as stack:
        live = cases(name)[0].live if name else None
        yield stack.enter_context(live.serve()) if live else ""


@pytest.fixture
def trial(case: Case, live_address: str) -> Iterator[Trial]:
    with begin(case, live_address) as trial:
        yield trial


@pytest.fixture(scope="session")
def good_days() -> dict[tuple[str, str], GoodDay]:
    """What each step did on a good day, as the first test that needed it saw."""
    return {}


@pytest.fixture(scope="session")
def tried() -> set[tuple[str, ...]]:
    """The ways of writing (case, names of the writes) that met every bad day already."""
    return set()


@pytest.fixture
def good_day(case: Case, step: str, good_days: dict[tuple[str, str], GoodDay], live_address: str) -> GoodDay:
    if (str(case), step) not in good_days:
        with begin(case, live_address) as trial:
            good_days[str(case), step] = good_day_of(trial, step)
    return good_days[str(case), step]
