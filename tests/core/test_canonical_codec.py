"""Every canonical document is stored as JSON and comes back the same, an older one with the defaults of today."""

import dataclasses
import json
import types
import typing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.orders.merge import ORDERED
from connectors.canonical import SCHEMA_VERSION
from connectors.canonical.codec import TYPES, decode, dump, encode
from connectors.canonical.money import Money
from connectors.canonical.payment import PaymentStatus
from connectors.canonical.shipment import LEFT, Shipment, ShipmentStatus
from connectors.canonical.snapshot import Document
from tests.core.generated_orders import order

decimals = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
# UTC, or the fixed offset of a vendor's ISO string. Not named zones: in the hour of a clock change Python calls no two
# times of different zones equal (PEP 495), though they are the same instant.
offsets = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    bool: st.booleans(),
    Decimal: decimals,
    datetime: st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=offsets),  # noqa: DTZ001
    date: st.dates(date(2000, 1, 1), date(2099, 1, 1)),
    Money: st.builds(Money, decimals, st.sampled_from(("EUR", "JPY", "KWD"))),
}
# a value of each plain type that is nobody's default
FULL: dict[Any, Any] = {
    str: "x",
    Decimal: Decimal("7.25"),
    datetime: datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC),
    date: date(2027, 3, 1),
    Money: Money(Decimal("12.30"), "EUR"),
}


def inner(kind: Any) -> Any:
    """The type of an optional field; any other type as it is."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return next(one for one in typing.get_args(kind) if one is not type(None))
    return kind


@cache
def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a canonical field's type."""
    kind = inner(kind)
    if typing.get_origin(kind) is tuple:
        first, *rest = typing.get_args(kind)
        if rest == [...]:
            return st.lists(values(first), max_size=2).map(tuple)
        return st.tuples(*map(values, (first, *rest)))
    if kind in PLAIN:
        return PLAIN[kind]
    return st.sampled_from(kind) if issubclass(kind, Enum) else documents(kind)


@st.composite
def documents(draw: st.DrawFn, kind: type[Any]) -> Any:
    """A document with its required fields and a few of the others: nobody fills them all at once."""
    hints = typing.get_type_hints(kind)
    all_ = dataclasses.fields(kind)
    needed = [field.name for field in all_ if field.default is dataclasses.MISSING]
    others = [field.name for field in all_ if field.name not in needed]
    told = draw(st.sets(st.sampled_from(others), max_size=4)) if others else set()
    return kind(**{name: draw(values(hints[name])) for name in [*needed, *sorted(told)]})


def full(kind: Any, default: Any = None) -> Any:
    """A value in which no field at any depth is left at its default."""
    kind = inner(kind)
    if kind is bool:
        return not default
    if typing.get_origin(kind) is tuple:
        return tuple(full(one) for one in typing.get_args(kind) if one is not ...)
    if kind in FULL:
        return FULL[kind]
    if issubclass(kind, Enum):
        return next(one for one in kind if one is not default)
    hints = typing.get_type_hints(kind)
    return kind(**{field.name: full(hints[field.name], field.default) for field in dataclasses.fields(kind)})


def stored(document: Document) -> Document:
    return decode(json.loads(json.dumps(encode(document))))


def test_every_document_can_be_stored() -> None:
    assert set(TYPES.values()) == set(typing.get_args(Document))


@pytest.mark.parametrize("name", TYPES)
def test_every_field_survives(name: str) -> None:
    """Filled to the last leaf; what has a default is told apart from it."""
    document = full(TYPES[name])
    assert stored(document) == document
    assert set(encode(document)["body"]) == {field.name for field in dataclasses.fields(TYPES[name])}


@pytest.mark.parametrize("name", TYPES)
def test_any_document_comes_back_the_same(name: str) -> None:
    # without shrinking: a whole order takes minutes to shrink, longer than the test may last
    plain = settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))

    @settings(plain, phases=[Phase.generate])
    @given(documents(TYPES[name]))
    def comes_back(document: Document) -> None:
        assert stored(document) == document

    comes_back()


@pytest.mark.parametrize("number", range(60))
def test_a_generated_order_comes_back_the_same(number: int) -> None:
    assert stored(order(number)) == order(number)


def test_times_are_stored_in_utc_and_decimals_as_text() -> None:
    body = dump(full(TYPES["Shipment"]))
    assert body["shipped_at"] == "2026-02-03T04:05:06.000789+00:00"
    assert body["lines"][0]["quantity"] == "7.25"


@pytest.mark.parametrize(("fold", "hour"), [(0, 5), (1, 6)])
def test_the_hour_that_comes_twice_keeps_its_instant(fold: int, hour: int) -> None:
    told = datetime(2021, 11, 7, 1, 30, tzinfo=ZoneInfo("America/New_York"), fold=fold)
    kept: Any = stored(Shipment("1", ShipmentStatus.SHIPPED, (), shipped_at=told))
    assert kept.shipped_at == datetime(2021, 11, 7, hour, 30, tzinfo=UTC)


def test_an_older_body_is_read_with_the_defaults_of_today() -> None:
    """What was stored before a field was there, and what a newer hub may have added."""
    old = {"id": "1", "total": {"shop": {"amount": "5.00", "currency": "EUR"}}, "from_tomorrow": 1}
    refund: Any = decode({"type": "Refund", "schema": SCHEMA_VERSION, "body": old})
    assert refund.total.shop == Money(Decimal("5.00"), "EUR")
    assert (refund.status, refund.number, refund.reason) == (PaymentStatus.SUCCESS, "", "")


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(KeyError):
        decode({"type": "Rumour", "schema": SCHEMA_VERSION, "body": {}})


def test_every_shipments_status_has_a_rank() -> None:
    assert sorted(ORDERED) == sorted(ShipmentStatus)
    assert set(LEFT) <= set(ORDERED)
    assert [ORDERED.index(status) for status in LEFT] == [1, 2, 3, 4], "a parcel only moves on"
    assert Shipment("1", ShipmentStatus.IN_TRANSIT, ()).status in LEFT
