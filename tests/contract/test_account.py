"""What an account must bear: codes that are missing, a batch half refused, tokens that expire, quotas that end."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

import pytest

from connectors import registry
from connectors.canonical.order import Order
from connectors.canonical.party import Address
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.errors import Missing, Rejected, Throttled, Trouble
from connectors.kit.writes import Writes
from tests.contract.cases import Case, each
from tests.contract.driver import Driver
from tests.contract.samples import ADDRESSES, levels
from tests.contract.sound import foreign
from tests.contract.steps import STEPS, batch_items, key, reference
from tests.contract.trial import Trial

THREADS = 50
OUT = ("book", "request")  # the steps that send an address and SKUs out


def sending(case: Case) -> list[str]:
    found = [name for name in OUT if name in case.steps()]
    return found or pytest.skip(f"{case}: sends no order anywhere")


def done(trial: Trial, step: str, order: Order) -> str:
    """The step with another order than the trial's."""

    def make() -> Writes:
        return STEPS[step].do(trial.connector, order, trial.case.contract)

    return Driver(trial.bench.known, trial.driver.settles).finish(make)


def test_missing_code(case: Case, trial: Trial) -> None:
    """An unmapped SKU is a missing fact, named, before anything is sent."""
    for step in sending(case):
        case.applies("missing_code")
        first, *rest = trial.order.lines
        before = case.contract.seen(trial.system)
        unmapped = replace(trial.order, lines=(replace(first, sku="WB-UNMAPPED"), *rest))
        with pytest.raises(Missing) as met:
            done(trial, step, unmapped)
        assert (met.value.kind, met.value.value) == ("sku", "WB-UNMAPPED")
        assert case.contract.seen(trial.system) == before


def test_addresses(case: Case, trial: Trial) -> None:
    """Foreign letters, no postcode, no region: what was bought can be sent there, and the city arrives as it is."""
    for step in sending(case):
        case.applies("addresses")
        case.applies(f"addresses:{STEPS[step].method}")
        for n, address in enumerate(ADDRESSES):
            trial.bench.exchanges.clear()
            done(trial, step, _moved(trial.order, address, n))
            sent = " ".join(_said(one.request) for one in trial.bench.exchanges)
            assert address.city in sent, f"{step}: {address.city} went out as something else"


def _moved(order: Order, address: Address, n: int) -> Order:
    return replace(order, id=f"{order.id}{n}", number=f"{order.number}{n}", shipping=address, billing=address)


def _said(request: bytes) -> str:
    """A request's text, whether JSON with escapes or a form."""
    text = request.decode(errors="replace")
    return unquote_plus(re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text))


@each("batch")
def test_batch(case: Case, trial: Trial) -> None:
    """One refused item refuses nobody else; each verdict stands at its item's place."""
    if "publish_stock" not in case.steps():
        pytest.skip(f"{case}: publishes no stock")
    refused = case.given("batch", "batch").refused
    skus = [sku for sku in case.contract.codes["sku"] if sku != refused][:2]
    wanted = levels((skus[0], refused, skus[1]), next(iter(case.contract.codes["location"])))
    items = batch_items(wanted, trial.order)
    batch = trial.connector.publish_stock(wanted, key=key(trial.order, "publish"))
    verdicts = batch.send(items)
    assert [isinstance(verdict, str) for verdict in verdicts] == [True, False, True]
    assert isinstance(verdicts[1], Rejected), f"{verdicts[1]!r} needs a person"
    assert [batch.find(item) is not None for item in items] == [True, False, True]


@each("ship")
def test_too_late(case: Case, trial: Trial) -> None:
    """What has left is not cancelled any more, and the reason is the fact."""
    if "cancel_request" not in case.steps():
        pytest.skip(f"{case}: takes no request back")
    ship = case.given("too_late", "ship")
    trial.stand("cancel_request")
    ship(trial.system, trial.order, reference(trial.order))
    with pytest.raises(Rejected) as met:
        trial.finish("cancel_request")
    assert met.value.code == "shipped"


@each("token")
def test_one_refresh(case: Case, trial: Trial, request: pytest.FixtureRequest) -> None:
    """Fifty threads, sharing tokens as the hub's workers do, meet an expired one: one refresh at the system, and all go on."""
    token = case.given("token_expiry", "token")
    trial.bench.tokens = request.getfixturevalue("shared_tokens")(trial.bench.account.name)
    act = _cheap(trial)
    act()
    token.expire(trial.system)
    before = len(trial.system.calls(token.operation))
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: act(), range(THREADS)))
    assert len(trial.system.calls(token.operation)) - before == 1


def _cheap(trial: Trial) -> Callable[[], Any]:
    """A call that changes nothing: the look-up of a write."""
    step = next(iter(trial.case.steps()))
    trial.stand(step)
    writes = trial.make(step)()
    return next(writes).find


@each("daily")
def test_daily_quota(case: Case, trial: Trial) -> None:
    """The day's quota is used up: wait until it is renewed, and not as for a busy minute."""
    use_up = case.given("daily_quota", "daily")
    step = next(iter(case.steps()))
    trial.stand(step)
    use_up(trial.system)
    with pytest.raises(Throttled) as met:
        trial.attempt(step)
    assert met.value.daily


def test_foreign_host(case: Case, trial: Trial) -> None:
    """An address for an id leads nowhere: the call is refused, or stays at the account's own host."""
    connection = trial.bench.connection()
    for url in ("https://169.254.169.254/latest/meta-data", "http://localhost:1/", "//evil.example/x"):
        with pytest.raises(Rejected):
            connection.http.call("GET", url if "://" in url else f"https:{url}", operation="none")
        if case.offers("Fetcher"):
            _fetched(trial, Pointer("order", url))
    assert not foreign(trial.bench.account, trial.bench.exchanges)


def _fetched(trial: Trial, pointer: Pointer) -> None:
    """Nothing, or refused."""
    with suppress(Trouble):
        assert trial.connector.fetch(pointer) is None


def test_echo(case: Case, trial: Trial) -> None:
    """What we write back changes nothing of what was sold: fetched again, the order's business fields are the same."""
    if not case.offers("Fetcher") or "acknowledge" not in case.steps():
        pytest.skip(f"{case}: not both acknowledged and fetched")
    case.applies("echo")

    def fetched() -> Any:
        message = trial.connector.fetch(Pointer("order", trial.order.id))
        (reading,) = registry.read(trial.bench.account, message)
        assert isinstance(reading, Snapshot)
        document = reading.document
        return {name: getattr(document, name) for name in ("lines", "totals", "payments", "customer", "shipping")}

    before = fetched()
    trial.finish("acknowledge")
    assert fetched() == before


@each("fetch")
def test_fetch(case: Case, trial: Trial) -> None:
    """One object as a message that reads; None for one that is gone."""
    pointer = case.given("fetch", "fetch", offered=case.offers("Fetcher"))(trial.system)
    (reading,) = registry.read(trial.bench.account, trial.connector.fetch(pointer))
    assert isinstance(reading, Snapshot)
    assert (reading.kind, reading.id) == (pointer.kind, pointer.id)
    gone = replace(pointer, id=pointer.id[:-1] + ("7" if pointer.id[-1] != "7" else "8"))
    assert trial.connector.fetch(gone) is None


@each("fetch")
def test_same_state_fetched_twice_is_one_delivery(case: Case, trial: Trial) -> None:
    """A fetched object is recognised by id, version and content."""
    pointer = case.given("fetch", "fetch", offered=case.offers("Fetcher"))(trial.system)
    first, again = trial.connector.fetch(pointer), trial.connector.fetch(pointer)
    assert first.delivery_id == again.delivery_id


@each("enqueue")
def test_queue(case: Case, trial: Trial) -> None:
    """Received is invisible to others, settled is gone, and each message reads."""
    enqueue = case.given("queue", "enqueue", offered=case.offers("QueueFed"))
    enqueue(trial.system, 3)
    first = trial.connector.receive(2)
    rest = trial.connector.receive(10)
    assert len(first) == 2
    assert len({message.delivery_id for message in (*first, *rest)}) == 3
    assert all(registry.read(trial.bench.account, message) for message in (*first, *rest))
    trial.connector.settle([message.receipt for message in (*first, *rest)])
    assert not trial.connector.receive(10)
