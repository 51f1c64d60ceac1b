"""Who sent a delivery is proved over its raw body; which delivery it is shows over retries."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors import registry
from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Incoming, Receiver, Secret
from tests.contract.cases import Case
from tests.contract.contract import Webhooks

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def receiver(case: Case) -> Receiver:
    found = registry.receiver(case.name)
    return found or pytest.skip(f"{case.name}: no webhook.py, it sends nothing")


@pytest.fixture
def hooks(case: Case, receiver: Receiver) -> Webhooks:
    given: Webhooks = case.given("signature", "webhooks")
    return given


def body(case: Case) -> tuple[str, bytes]:
    """Topic and body of a fixture that comes by webhook."""
    own = [fixture for one in (case.contract, *case.siblings) for fixture in one.fixtures]
    assert own, "webhooks need a fixture to sign"
    return own[0].topic, case.fixture(own[0].file).read_bytes()


def signed(case: Case, hooks: Webhooks, secret: int = 0, name: str = "delivery-1", at: datetime = NOW) -> Incoming:
    topic, raw = body(case)
    return hooks.sign(topic, name, raw, hooks.secrets[secret], at)


def secrets(hooks: Webhooks, *which: int) -> list[Secret]:
    return [Secret(("new", "old")[n], hooks.secrets[n]) for n in which]


def test_good(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    assert receiver.prove(signed(case, hooks), secrets(hooks, 0), NOW) == "new"


def test_another_secret(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    with pytest.raises(Forged):
        receiver.prove(signed(case, hooks, 1), secrets(hooks, 0), NOW)


def test_no_secret(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    with pytest.raises(Forged):
        receiver.prove(signed(case, hooks), [], NOW)


@pytest.mark.parametrize("value", ["", "x", "v1,", "v1,=", ",,, ,", "ü", "0" * 500, "aGVsbG8="])
def test_garbage_for_a_signature(case: Case, receiver: Receiver, hooks: Webhooks, value: str) -> None:
    """Whatever stands where the proof should: Forged, never a crash."""
    good = signed(case, hooks)
    for garbled in _garbled(case, hooks, good, value):
        with pytest.raises(Forged):
            receiver.prove(garbled, secrets(hooks, 0), NOW)
    for name in good.headers:
        _proves(receiver, replace(good, headers={**good.headers, name: value}), hooks)


def _garbled(case: Case, hooks: Webhooks, good: Incoming, value: str) -> list[Incoming]:
    if hooks.proof == "body":
        topic, raw = body(case)
        return [hooks.sign(topic, "delivery-1", raw, value, NOW)]
    return [replace(good, headers=changed, query={}) for changed in (dict.fromkeys(good.headers, value), {})]


def _proves(receiver: Receiver, incoming: Incoming, hooks: Webhooks) -> bool:
    """True where the signature does not cover what was changed."""
    try:
        return bool(receiver.prove(incoming, secrets(hooks, 0), NOW))
    except Forged:
        return False


def test_raw_body(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    """One space more is another body, though the JSON is the same; bytes that are no text are no crash."""
    case.applies("raw_body")
    good = signed(case, hooks)
    for changed in (good.body + b" ", good.body.replace(b"1", b"2", 1), b"", b"\xff\xfe\x00"):
        with pytest.raises(Forged):
            receiver.prove(replace(good, body=changed), secrets(hooks, 0), NOW)


def test_rotation(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    """Both hold while the vendor changes over; the journal learns which one matched."""
    case.applies("rotation")
    both = secrets(hooks, 0, 1)
    assert receiver.prove(signed(case, hooks, 0), both, NOW) == "new"
    assert receiver.prove(signed(case, hooks, 1), both, NOW) == "old"


def test_expired_secret(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    case.applies("rotation")
    old = Secret("old", hooks.secrets[1], expires_at=NOW - timedelta(seconds=1))
    with pytest.raises(Forged):
        receiver.prove(signed(case, hooks, 1), [*secrets(hooks, 0), old], NOW)


def test_duplicates(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    """A retry of a delivery is the same delivery, another one is another."""
    case.applies("duplicates")
    topic, _ = body(case)
    first, again = signed(case, hooks), signed(case, hooks, at=NOW + timedelta(seconds=90))
    other = signed(case, hooks, name="delivery-2")
    assert receiver.identify(first).delivery_id
    assert receiver.identify(first).delivery_id == receiver.identify(again).delivery_id
    assert receiver.identify(first).delivery_id != receiver.identify(other).delivery_id
    assert receiver.identify(first).topic == topic


def test_unidentifiable(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    """A proved delivery whose body is nonsense is Unreadable at worst."""
    good = signed(case, hooks)
    for raw in (b"", b"{", b"[]", b"null", b"\xff", b'{"id": []}'):
        with suppress(Unreadable):
            receiver.identify(replace(good, body=raw))


def test_handshake(case: Case, receiver: Receiver, hooks: Webhooks) -> None:
    """A challenge is answered, an ordinary delivery is none."""
    assert receiver.handshake(signed(case, hooks), secrets(hooks, 0)) is None
    if hooks.challenge is None:
        case.applies("handshake")
        pytest.skip(f"{case.name}: the contract knows of no handshake")
    reply = receiver.handshake(hooks.challenge(hooks.secrets[0]), secrets(hooks, 0))
    assert reply is not None
    assert reply.body
    assert reply.status < 300
