"""The books can be listed: every booking once, under the order's identity and with its total, across pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.canonical.order import Order
from connectors.kit.capabilities import Booking
from connectors.kit.errors import Missing
from connectors.kit.writes import Writes
from tests.contract.cases import Case
from tests.contract.driver import Driver
from tests.contract.samples import another, parcels
from tests.contract.sound import foreign, unmasked, unversioned
from tests.contract.steps import STEPS
from tests.contract.trial import Trial

PAGE = 2
HOUR = timedelta(hours=1)


def begun(case: Case, trial: Trial) -> None:
    if not case.offers("Ledger"):
        pytest.skip(f"{case.name}: not offered, says the manifest")
    if "booked" in case.manifest.absent:
        pytest.skip(f"{case.name}: cannot list its bookings, {case.manifest.absent['booked']}")
    case.applies("ledger")
    account = trial.bench.account
    trial.bench.account = replace(account, settings={**account.settings, "page": PAGE, "page_size": PAGE})
    trial.__dict__.pop("connector", None)


def booked(trial: Trial, count: int) -> list[Order]:
    """So many new orders in the books."""
    orders = [another(trial.order) for _ in range(count)]
    for order in orders:

        def make(order: Order = order) -> Writes:
            return STEPS["book"].do(trial.connector, order, trial.case.contract)

        Driver(settles=trial.driver.settles).finish(make)
    return orders


def listed(trial: Trial, since: datetime) -> list[Booking]:
    return list(trial.connector.booked(since, datetime.now(UTC) + timedelta(minutes=1)))


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 2 * PAGE])
def test_every_booking_is_listed_once(case: Case, trial: Trial, count: int) -> None:
    begun(case, trial)
    since = datetime.now(UTC) - timedelta(minutes=1)
    orders = booked(trial, count)
    wanted = {trial.connector.reference(order): order for order in orders}
    found = [one for one in listed(trial, since) if one.reference in wanted]
    assert Counter(one.reference for one in found) == Counter(list(wanted))
    for one in found:
        total = wanted[one.reference].totals.total.in_role(wanted[one.reference].money_role)
        assert one.total is not None
        assert (one.total.amount, one.total.currency) == (total.amount, total.currency)
        assert one.at is None or abs(one.at - datetime.now(UTC)) < HOUR
    assert not foreign(trial.bench.account, trial.bench.exchanges)
    assert not unversioned(case, trial.bench.exchanges) or "version" in case.contract.exempt
    assert not unmasked(case, trial.bench.exchanges) or "masking" in case.contract.exempt


def test_the_id_listed_is_the_one_that_was_told(case: Case, trial: Trial) -> None:
    """So a second record of the same order is told from the first."""
    begun(case, trial)
    since = datetime.now(UTC) - timedelta(minutes=1)
    trial.finish("book")
    reference = trial.connector.reference(trial.order)
    (found,) = [one for one in listed(trial, since) if one.reference == reference]
    assert found.id == trial.bench.known.id("order", trial.order.id)


def test_what_was_booked_long_ago_is_not_listed(case: Case, trial: Trial) -> None:
    begun(case, trial)
    orders = booked(trial, 1)
    long_ago = datetime.now(UTC) - timedelta(days=30)
    references = {one.reference for one in trial.connector.booked(long_ago, long_ago + HOUR)}
    assert trial.connector.reference(orders[0]) not in references


def test_an_identity_asks_nobody(case: Case, trial: Trial) -> None:
    """Also for ids with letters that an address could not hold; two orders never share one."""
    begun(case, trial)
    order = trial.order
    trial.bench.exchanges.clear()
    strange = [replace(order, id=name) for name in ("a/b", "a_b", "a b", "1|2", "x" * 300, "x" * 301)]
    try:
        assert len({trial.connector.reference(one) for one in (order, *strange)}) == len(strange) + 1
    except Missing as missing:  # pragma: no cover
        pytest.fail(f"an identity needs no code: {missing}")
    assert not trial.bench.exchanges


def test_an_ill_system_is_no_empty_list(case: Case, trial: Trial) -> None:
    """An answer that is an error must never read as "nothing was booked"."""
    begun(case, trial)
    booked(trial, 1)
    for kind in ("unavailable", "broken", "wrong_type", "truncated"):
        trial.system.bad_day(kind)
        with pytest.raises(Exception, match=r".") as met:
            listed(trial, datetime.now(UTC) - HOUR)
        assert type(met.value).__module__ == "connectors.kit.errors", kind
        trial.system.good_day()


def test_every_shipment_is_listed_once_under_its_own_name_with_its_booking(case: Case, trial: Trial) -> None:
    if not case.offers("ShipmentLedger"):
        pytest.skip(f"{case.name}: not offered, says the manifest")
    begun(case, trial)
    since = datetime.now(UTC) - timedelta(minutes=1)
    for step in ("book", "record_shipment"):
        trial.finish(step)
    parcel = parcels(trial.order)[0]
    trial.bench.exchanges.clear()
    reference = trial.connector.delivery_reference(trial.order, parcel)
    assert not trial.bench.exchanges
    until = datetime.now(UTC) + timedelta(minutes=1)
    (found,) = [one for one in trial.connector.delivered(since, until) if one.reference == reference]
    assert found.id == trial.bench.known.id("shipment", parcel.id)
    assert found.booking == trial.bench.known.id("order", trial.order.id)
    assert not list(trial.connector.delivered(since - timedelta(days=30), since - timedelta(days=29)))
