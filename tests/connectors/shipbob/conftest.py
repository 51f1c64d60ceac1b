"""A ShipBob account over a simulator on a free port, with a limiter that counts nothing and codes that change
nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Response, request

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Line, Order, ShippingLine, Totals
from connectors.canonical.party import Address, Party
from connectors.kit.account import Account, Connection
from connectors.kit.errors import Missing
from connectors.kit.http import Exchange, Http
from connectors.kit.writes import Write, Writes
from connectors.shipbob.connector import ShipBob, connect
from connectors.shipbob.simulator import ShipBobSimulator, create
from tests.connectors.shipbob.openapi import SPEC, Spoken, complaints

SECRET = "whsec_d2F5YmlsbC10ZXN0LXNlY3JldC1vbmU="
FIXTURES = Path(__file__).parent / "fixtures"


@dataclass
class NoLimits:
    """Lets every call pass and remembers what it was told."""

    blocked: list[float] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)

    def leave(self, account: str, operation: str, cost: float) -> AbstractContextManager[None]:
        self.operations.append(operation)
        return nullcontext()

    def report(self, account: str, left: float) -> None:
        raise AssertionError("ShipBob reports no points")

    def refused(self, account: str, operation: str, seconds: float) -> None: ...

    def told(self, account: str, operation: str, rate: float) -> None: ...

    def block(self, account: str, seconds: float) -> None:
        self.blocked.append(seconds)


@dataclass
class SameCodes:
    """The other system uses our codes, but for those listed as missing."""

    missing: tuple[str, ...] = ()

    def theirs(self, kind: str, ours: str) -> str:
        if ours in self.missing:
            raise Missing(f"no code for {ours}", kind=kind, value=ours, account="shipbob-test")
        return ours

    def ours(self, kind: str, theirs: str) -> str:
        return theirs


@dataclass
class Remembered:
    ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def id(self, kind: str, ours: str) -> str | None:
        return self.ids.get((kind, ours))

    def others(self, kind: str, ours: str) -> frozenset[str]:
        return frozenset(theirs for (k, o), theirs in self.ids.items() if k == kind and o != ours)


class NoTokens:
    def get(self, name: str, refresh: Callable[[], tuple[str, float]]) -> str:
        raise AssertionError("ShipBob's token does not rotate")

    def refused(self, name: str, token: str) -> None:
        raise AssertionError("ShipBob's token does not rotate")


@dataclass
class House:
    """One simulated ShipBob, our connector to it, and what went over the wire."""

    sim: ShipBobSimulator
    url: str
    exchanges: list[Exchange]
    limits: NoLimits
    connection: Connection
    spoken: list[Spoken]

    @property
    def shipbob(self) -> ShipBob:
        return connect(self.connection)

    def with_settings(self, **settings: Any) -> ShipBob:
        account = replace(self.connection.account, settings={**self.connection.account.settings, **settings})
        http = replace(self.connection.http, account=account)
        return connect(replace(self.connection, account=account, http=http))

    def fault(self, kind: str, **rest: Any) -> None:
        assert requests.put(f"{self.url}/_sim/faults", json=[{"kind": kind, **rest}], timeout=5).ok

    def tell(self, what: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sim/{what}", json=body, timeout=5)
        assert answer.ok, answer.text
        return answer.json()

    def ask(self, what: str) -> Any:
        return requests.get(f"{self.url}/_sim/{what}", timeout=5).json()

    def effects(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("effects")["orders"]
        return found


MakeHouse = Callable[..., House]


@pytest.fixture
def house() -> Iterator[MakeHouse]:
    """house(**simulator settings) -> a running ShipBob and our connector to it.

    At the end everything that was said over HTTP, by either side, is held against ShipBob's OpenAPI (where it is at
    hand).
    """
    open_: list[AbstractContextManager[str]] = []
    spoken: list[Spoken] = []

    def make(**settings: Any) -> House:
        timeout = float(settings.pop("timeout", 5.0))
        sim = create({"webhook_secret": SECRET, "allow_http": True, **settings})
        listen(sim, spoken)
        served = sim.served()
        url = served.__enter__()
        open_.append(served)
        account = Account(
            "shipbob-test",
            "shipbob",
            url,
            {"token": "pat-demo", "webhook_secret": SECRET},
            {"channel_id": "4001"},
            timeout,
        )
        exchanges: list[Exchange] = []
        limits = NoLimits()
        http = Http(account, limits, tap=exchanges.append, correlation="WB-TEST")
        connection = Connection(account, http, SameCodes(), NoTokens(), Remembered(), lambda: datetime.now(UTC))
        return House(sim, url, exchanges, limits, connection, spoken)

    yield make
    for served in open_:
        served.__exit__(None, None, None)
    if SPEC.exists():
        assert [words for one in spoken for words in complaints(one)] == []


def listen(sim: ShipBobSimulator, spoken: list[Spoken]) -> None:
    """Notes what is asked and answered, at the simulator's own side."""

    @sim.app.after_request
    def note(answer: Response) -> Response:
        if request.path.startswith("/2026-01"):
            faulty = any(fault.kind in ("truncated", "wrong_type", "refuse_auth") for fault in sim.faults)
            headers = {name.lower(): value for name, value in request.headers.items()}
            headers |= {"shipbob_channel_id": headers["shipbob-channel-id"]} if "shipbob-channel-id" in headers else {}
            seen = Spoken(
                request.method,
                request.path,
                request.args,
                headers,
                request.get_data(),
                answer.status_code,
                answer.get_data(),
                faulty,
            )
            spoken.append(seen)
        return answer


def bag(amount: str) -> MoneyBag:
    return MoneyBag(Money(Decimal(amount), "USD"))


def line(number: int = 1, **changes: Any) -> Line:
    made = Line(
        id=f"L{number}",
        sku=f"MUG-{number}",
        title=f"Mug {number}",
        quantity=Decimal(2),
        unit_price=bag("12.30"),
        current_quantity=Decimal(2),
    )
    return replace(made, **changes)


def order(*lines: Line, **changes: Any) -> Order:
    """An order of an invented customer, to be shipped to Springfield."""
    lines = lines or (line(1), line(2, quantity=Decimal(1), current_quantity=Decimal(1)))
    gross = sum((item.unit_price.shop.amount * item.quantity for item in lines), Decimal(0))
    zero, all_ = bag("0"), bag(str(gross))
    made = Order(
        id="5001",
        number="#1001",
        placed_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        updated_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        currency="USD",
        lines=lines,
        totals=Totals(all_, zero, zero, zero, zero, all_),
        channel="shopify-test",
        customer=Party("C1", "ada@example.com", first_name="Ada", last_name="Example"),
        shipping=Address(
            "Ada Example",
            line1="12 Elm Street",
            line2="Flat 3",
            city="Springfield",
            region="IL",
            postcode="62701",
            country="US",
            phone="+12175550100",
        ),
        shipping_lines=(ShippingLine("S1", "Ground", bag("0"), code="ground"),),
    )
    return replace(made, **changes)


def run(writes: Writes) -> str:
    """Drives a write capability as the engine does on a good day: sends each write, gives its id back."""
    try:
        write = next(writes)
        while True:
            write = writes.send(sent(write))
    except StopIteration as end:
        return str(end.value)


def sent(write: Write) -> str:
    done = write.send()
    assert isinstance(done, str)
    return done


def until(holds: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What `holds` answers as soon as it is true; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)
    return found
