"""A mail account over a real SMTP server on a free port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_string, policy
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Line, Order, Totals
from connectors.canonical.party import Party
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.kit.account import Account, Connection
from connectors.kit.http import Exchange, Http
from connectors.kit.writes import Write, Writes
from connectors.smtp.connector import Mail, connect
from connectors.smtp.simulator import create


@dataclass
class NoLimits:
    operations: list[str] = field(default_factory=list)

    def leave(self, account: str, operation: str, cost: float) -> AbstractContextManager[None]:
        self.operations.append(operation)
        return nullcontext()

    def report(self, account: str, left: float) -> None: ...

    def refused(self, account: str, operation: str, seconds: float) -> None: ...

    def told(self, account: str, operation: str, rate: float) -> None: ...

    def block(self, account: str, seconds: float) -> None: ...


@dataclass
class Office:
    """One mail server, our connector to it, and what went over the wire."""

    url: str
    address: str
    exchanges: list[Exchange]
    limits: NoLimits
    account: Account
    guard: Callable[[], None]

    @property
    def mail(self) -> Mail:
        http = Http(self.account, self.limits, guard=lambda: self.guard(), tap=self.exchanges.append)
        # mail uses no codes, tokens or known ids: none are handed over
        return connect(Connection(self.account, http, None, None, None, lambda: datetime.now(UTC)))  # type: ignore[arg-type]

    def with_(self, **changes: Any) -> Mail:
        settings = {**self.account.settings, **changes.pop("settings", {})}
        self.account = replace(self.account, settings=settings, **changes)
        return self.mail

    def fault(self, kind: str, **rest: Any) -> None:
        assert requests.put(f"{self.url}/_sim/faults", json=[{"kind": kind, **rest}], timeout=5).ok

    def effects(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = requests.get(f"{self.url}/_sim/effects", timeout=5).json()
        return found

    def letters(self) -> list[EmailMessage]:
        rows = requests.get(f"{self.url}/_sim/messages", timeout=5).json()
        return [message_from_string(row["raw"], EmailMessage, policy=policy.default) for row in rows]


@pytest.fixture
def office() -> Iterator[Callable[..., Office]]:
    opened = ExitStack()

    def make(**settings: Any) -> Office:
        sim = create(settings)
        url = opened.enter_context(sim.served())
        account = Account(
            "mail-test",
            "smtp",
            sim.address,
            {},
            {"sender": "orders@shop.example", "shop_name": "Example Shop"},
            timeout=1.0,
        )
        return Office(url, sim.address, [], NoLimits(), account, lambda: None)

    with opened:
        yield make


def bag(amount: str) -> MoneyBag:
    return MoneyBag(Money(Decimal(amount), "EUR"))


def order(**changes: Any) -> Order:
    zero, price = bag("0"), bag("24.60")
    line = Line(
        id="L1",
        sku="MUG-1",
        title="Blue <b>mug</b> & saucer",
        quantity=Decimal(2),
        unit_price=bag("12.30"),
        current_quantity=Decimal(2),
    )
    made = Order(
        id="5001",
        number="#1001",
        placed_at=datetime(2026, 11, 20, tzinfo=UTC),
        updated_at=datetime(2026, 11, 20, tzinfo=UTC),
        currency="EUR",
        lines=(line,),
        totals=Totals(price, zero, zero, zero, zero, price),
        channel="shopify-test",
        customer=Party("C1", "ada@example.com", first_name="Ada", last_name="Example"),
    )
    return replace(made, **changes)


def shipment(**changes: Any) -> Shipment:
    trackings = (
        Tracking("1Z1", "UPS", "https://track.example/1Z1?a=1&b=2"),
        Tracking("1Z2", "UPS", "javascript:alert(1)"),
    )
    return replace(Shipment("S1", ShipmentStatus.SHIPPED, (ShipmentLine(Decimal(1), "MUG-1"),), trackings), **changes)


def write(writes: Writes) -> Write:
    return next(writes)
