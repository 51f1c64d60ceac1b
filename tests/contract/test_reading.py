"""Every fixture reads as expected, today's shape and tomorrow's; its money holds and survives the store."""

from __future__ import annotations

import dataclasses
import json
import re
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import simplejson

from connectors import registry
from connectors.canonical.codec import decode, encode
from connectors.canonical.gate import equation
from connectors.canonical.order import Order
from connectors.canonical.party import Address
from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from tests.contract.cases import Case
from tests.contract.contract import Fixture
from tests.contract.drift import grown, without

COUNTRY = re.compile(r"[A-Z]{2}")
VERSION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|\+00:00)|\d+")


def account(case: Case) -> Account:
    return Account("tried", case.name, "https://shop.example.com", case.contract.credentials, case.contract.settings)


def read(case: Case, fixture: Fixture, body: bytes | None = None, topic: str = "") -> tuple[Reading, ...]:
    raw = case.fixture(fixture.file).read_bytes() if body is None else body
    return registry.read(account(case), Message(topic or fixture.topic, "delivery-1", raw, fixture.headers))


def named(reading: Reading) -> str:
    if isinstance(reading, Ignored):
        return "ignored"
    return f"{'pointer:' if isinstance(reading, Pointer) else ''}{reading.kind}:{reading.id}"


def documents(readings: tuple[Reading, ...]) -> list[Any]:
    return [reading.document for reading in readings if isinstance(reading, Snapshot)]


def parsed(case: Case, fixture: Fixture) -> Any:
    return simplejson.loads(case.fixture(fixture.file).read_bytes(), use_decimal=True)


def dumped(value: Any) -> bytes:
    return simplejson.dumps(value, use_decimal=True).encode()


def test_has_fixtures(case: Case) -> None:
    """Each topic of the manifest has a fixture."""
    fixtures = case.given("readings", "fixtures", offered=bool(case.manifest.topics))
    unread = set(case.manifest.topics) - {fixture.topic for fixture in fixtures}
    assert not unread, f"no fixture for {sorted(unread)}"


def test_reads(case: Case, fixture: Fixture) -> None:
    """The expected subjects, in order; versions that compare as text; aware times."""
    readings = read(case, fixture)
    assert tuple(named(reading) for reading in readings) == fixture.reads
    for reading in readings:
        if isinstance(reading, Snapshot):
            assert VERSION.fullmatch(reading.version), f"{reading.version!r} does not compare as text"
            assert not [at for at in _times(reading.document) if at.tzinfo is None]
    assert readings == read(case, fixture), "reading is pure: the same twice"


def test_new_fields_are_fine(case: Case, fixture: Fixture) -> None:
    """A field that nobody knows, in every object, changes nothing."""
    case.applies("schema_drift")
    case.applies(f"schema_drift:{fixture.file}")
    assert read(case, fixture, dumped(grown(parsed(case, fixture), fixture.maps))) == read(case, fixture)


def test_missing_fields_are_named(case: Case, fixture: Fixture) -> None:
    """What must be there and is not: Unreadable, with the field's path."""
    case.applies("schema_drift")
    for path in fixture.required:
        with pytest.raises(Unreadable) as met:
            read(case, fixture, dumped(without(parsed(case, fixture), path)))
        assert met.value.field == path, f"without {path}: {met.value.sentence}"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}", b'{"id": {"a": [1]}}'])
def test_nonsense_is_unreadable(case: Case, body: bytes) -> None:
    """No body crashes the mapping: it is Unreadable, or (where nothing is required) reads."""
    for fixture in case.contract.fixtures[:3]:
        with suppress(Unreadable):
            read(case, fixture, body)


def test_some_field_is_required(case: Case) -> None:
    fixtures = case.given("schema_drift", "fixtures", offered=bool(case.manifest.topics))
    assert any(fixture.required for fixture in fixtures), "say which fields are `required` in the fixtures"


def test_unknown_topic(case: Case) -> None:
    """Recorded under its name, never guessed."""
    fixtures = case.given("unknown_topic", "fixtures", offered=bool(case.manifest.topics))
    (reading,) = read(case, fixtures[0], topic="waybill/never_heard_of")
    assert isinstance(reading, Ignored)
    assert "waybill/never_heard_of" in reading.reason


def test_out_of_order(case: Case) -> None:
    """Of two deliveries of one subject it shows which is newer, whichever comes first."""
    for older, newer in case.given("out_of_order", "versions", offered=bool(case.manifest.topics)):
        known = {fixture.file: fixture for fixture in case.contract.fixtures}
        before, after = read(case, known[older])[0], read(case, known[newer])[0]
        assert named(before) == named(after)
        assert not isinstance(before, Ignored)
        assert not isinstance(after, Ignored)
        assert before.version < after.version


def test_money(case: Case, fixture: Fixture) -> None:
    """The equation holds, and the store gives back the very document: no float has touched it."""
    case.applies("money")
    for document in documents(read(case, fixture)):
        assert decode(json.loads(json.dumps(encode(document)))) == document
        assert not [number for number in _numbers(document) if isinstance(number, float)]
        if isinstance(document, Order):
            sum_ = equation(document)
            assert sum_.holds, f"{fixture.file}: total {sum_.total}, parts {sum_.sum}"


def test_addresses(case: Case, fixture: Fixture) -> None:
    """A country is ISO 3166-1 alpha-2 or unknown; a region does not repeat it."""
    case.applies("addresses")
    for address in (one for document in documents(read(case, fixture)) for one in _all(document, Address)):
        assert not address.country or COUNTRY.fullmatch(address.country)
        assert not address.country or not address.region.startswith(f"{address.country}-")


# ---- fixtures are ours

OURS = re.compile(r"(^|\.)(example\.(com|org|net)|example|test|invalid|localhost)$")
EMAIL = re.compile(r"[\w.+%-]+@([\w-]+(?:\.[\w-]+)+)")
URL = re.compile(r"https?://[^\s\"'<>\\]+")
PHONE = re.compile(r"(?i)phone|mobile|telephone|\btel\b|\bfax\b")


def test_fixtures_are_ours(case: Case) -> None:
    """No address, telephone or host of anyone real, in any file."""
    case.applies("fixtures")
    folder = case.fixture("x").parent
    for file in (path for path in folder.rglob("*") if path.is_file()):
        text = file.read_text(errors="replace")
        hosts = {*EMAIL.findall(text), *(urlsplit(url).hostname or "" for url in URL.findall(text))}
        assert not {host for host in hosts if not OURS.search(host)}, f"{file.name}: a host that may be someone's"
        if file.suffix == ".json":
            real = [number for number in _phones(json.loads(text)) if "555" not in number.replace(" ", "")]
            assert not real, f"{file.name}: telephones contain 555"


def _phones(value: Any, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [number for key, one in value.items() for number in _phones(one, key)]
    if isinstance(value, list):
        return [number for one in value for number in _phones(one, name)]
    return [value] if isinstance(value, str) and PHONE.search(name) and sum(c.isdigit() for c in value) > 5 else []


def _all(value: Any, kind: type) -> list[Any]:
    """Every value of a type inside a document."""
    if isinstance(value, kind):
        return [value]
    if dataclasses.is_dataclass(value):
        return [one for field in dataclasses.fields(value) for one in _all(getattr(value, field.name), kind)]
    return [one for item in value for one in _all(item, kind)] if isinstance(value, tuple) else []


def _times(document: Any) -> list[Any]:
    return _all(document, datetime)


def _numbers(document: Any) -> list[Any]:
    return [*_all(document, float), *_all(document, Decimal)]
