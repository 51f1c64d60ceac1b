"""What changed is listed whole: no row lost at a page's edge, in a tied second, or in another time zone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from connectors import registry
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.errors import Transient
from tests.contract.cases import Case
from tests.contract.contract import Poll
from tests.contract.sound import foreign, unmasked, unversioned
from tests.contract.trial import Trial

BEGAN = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # the night on which Europe's clocks go forward
INDIA = timezone(timedelta(hours=5, minutes=30))


def ids(trial: Trial, poll: Poll, since: datetime, until: datetime) -> list[str]:
    """Subjects of all that is listed, as the hub reads them."""
    found: list[str] = []
    for message in trial.connector.changed(poll.kind, since, until):
        assert message.delivery_id
        for reading in registry.read(trial.bench.account, message):
            if isinstance(reading, Snapshot | Pointer) and reading.kind == poll.kind:
                found.append(reading.id)
    return found


def placed(trial: Trial, poll: Poll, times: Sequence[datetime]) -> list[str]:
    trial.bench.account = replace(trial.bench.account, settings={**trial.bench.account.settings, **poll.settings})
    return list(poll.place(trial.system, times))


def minutes(count: int) -> list[datetime]:
    return [BEGAN + timedelta(minutes=n) for n in range(count)]


def test_has_polls(case: Case) -> None:
    """Every kind that the manifest polls is tried."""
    polls = case.given("paging", "polls", offered=case.offers("Poller"))
    assert {poll.kind for poll in polls} == set(case.manifest.polls)


@pytest.mark.parametrize("pages", ["none", "one", "full", "one_more", "two_full"])
def test_edges(case: Case, poll: Poll, trial: Trial, pages: str) -> None:
    """Every row once, however the pages fall."""
    case.applies("paging")
    count = {"none": 0, "one": 1, "full": poll.page, "one_more": poll.page + 1, "two_full": 2 * poll.page}[pages]
    expected = placed(trial, poll, minutes(count))
    listed = Counter(ids(trial, poll, BEGAN, BEGAN + timedelta(hours=2)))
    assert listed == Counter(expected)
    assert not unversioned(case, trial.bench.exchanges) or "version" in case.contract.exempt
    assert not unmasked(case, trial.bench.exchanges) or "masking" in case.contract.exempt
    assert not foreign(trial.bench.account, trial.bench.exchanges)


def test_shifting_rows(case: Case, poll: Poll, trial: Trial) -> None:
    """Rows that move while one walks may come twice, but none is lost without a word."""
    case.applies("paging")
    case.applies("paging:shift")
    expected = placed(trial, poll, minutes(2 * poll.page + 1))
    trial.system.bad_day("page_shift", times=1)
    with suppress(Transient):
        assert set(ids(trial, poll, BEGAN, BEGAN + timedelta(hours=2))) >= set(expected)


def test_ties(case: Case, poll: Poll, trial: Trial) -> None:
    """Several in one instant, across a page's edge; both ends of the window belong to it."""
    case.applies("cursor")
    last = BEGAN + timedelta(minutes=1)
    expected = placed(trial, poll, [BEGAN] * (poll.page + 1) + [last])
    assert Counter(ids(trial, poll, BEGAN, last)) == Counter(expected)


def test_resumes(case: Case, poll: Poll, trial: Trial) -> None:
    """Two windows that meet list everything, and what lies outside is left out."""
    case.applies("cursor")
    times = minutes(4)
    expected = placed(trial, poll, times)
    first, second = ids(trial, poll, times[0], times[1]), ids(trial, poll, times[1], times[3])
    assert set(first) | set(second) == set(expected)
    assert set(first) == set(expected[:2])


def test_time_zones(case: Case, poll: Poll, trial: Trial) -> None:
    """An instant is the same instant in any zone, also on the night when clocks change."""
    case.applies("cursor")
    times = [BEGAN, BEGAN + timedelta(minutes=40), BEGAN + timedelta(minutes=90)]
    expected = placed(trial, poll, times)
    since, until = times[0].astimezone(INDIA), times[-1].astimezone(INDIA)
    assert Counter(ids(trial, poll, since, until)) == Counter(expected)


def test_same_state_listed_twice_is_one_delivery(case: Case, poll: Poll, trial: Trial) -> None:
    """A polled item's delivery id is the object, its version and its content."""
    case.applies("duplicates")
    placed(trial, poll, minutes(2))
    window = (BEGAN, BEGAN + timedelta(hours=2))
    first = [message.delivery_id for message in trial.connector.changed(poll.kind, *window)]
    again = [message.delivery_id for message in trial.connector.changed(poll.kind, *window)]
    assert sorted(first) == sorted(again)
    assert len(set(first)) == 2


def test_stock(case: Case, trial: Trial) -> None:
    """Levels come in our SKUs and locations, as exact decimals."""
    if not case.offers("StockKeeper"):
        pytest.skip(f"{case.name}: not offered, says the manifest")
    case.applies("StockKeeper.stock")
    skus = list(case.contract.codes["sku"])[:2]
    found = list(trial.connector.stock(skus))
    assert found, "the simulator holds stock of the first two SKUs of the contract's codes"
    assert {level.sku for level in found} <= set(skus)
    assert all(isinstance(level, StockLevel) and level.location in case.contract.codes["location"] for level in found)


def test_stock_is_dated_no_later_than_it_was_asked_for(case: Case, trial: Trial) -> None:
    """A list is read while stock moves: a later date on an older word would overwrite what was told meanwhile."""
    if not case.offers("StockKeeper"):
        pytest.skip(f"{case.name}: not offered, says the manifest")
    case.applies("StockKeeper.stock")
    levels = iter(trial.connector.stock(list(case.contract.codes["sku"])[:2]))
    first = next(levels)
    begun = datetime.now(UTC)
    time.sleep(0.01)
    rest = list(levels)
    assert rest
    assert all(level.as_of is None or level.as_of <= begun for level in (first, *rest))


def test_catalogue(case: Case, trial: Trial) -> None:
    if not case.offers("CatalogueSource"):
        pytest.skip(f"{case.name}: not offered, says the manifest")
    skus = list(case.contract.codes["sku"])[:2]
    if "products" not in case.manifest.absent:
        found = {product.sku: product for product in trial.connector.products()}
        assert set(found) >= set(skus)
        assert {sku: trial.connector.code_of(found[sku]) for sku in skus} == {
            sku: case.contract.codes["sku"][sku] for sku in skus
        }
    if "prices" not in case.manifest.absent:
        assert {price.sku for price in trial.connector.prices(skus)} == set(skus)
