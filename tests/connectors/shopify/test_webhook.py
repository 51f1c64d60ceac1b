"""A delivery is let in when one of the secrets that are valid now signed exactly its body."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Incoming, Secret
from connectors.shopify.webhook import RECEIVER
from tests.connectors.shopify.contract import sign

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BODY = '{"id": 1, "title": "Tasse «weiß»"}'.encode()
NEW = Secret("client_secret", "the-new-one")
OLD = Secret("client_secret_old", "the-old-one", expires_at=NOW + timedelta(hours=1))


def signed(secret: str) -> Incoming:
    return sign("orders/create", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", BODY, secret, NOW)


def test_good() -> None:
    assert RECEIVER.prove(signed("the-new-one"), [NEW], NOW) == "client_secret"


def test_known_vector() -> None:
    """As OpenSSL signs it: printf hello | openssl dgst -sha256 -hmac the-new-one -binary | base64."""
    headers = {**signed("x").headers, "x-shopify-hmac-sha256": "wa1mllhKuDBr8DcLhlkIJDIo+30qo1GeoHb4laMoMyY="}
    assert RECEIVER.prove(replace(signed("x"), body=b"hello", headers=headers), [NEW], NOW) == "client_secret"


@pytest.mark.parametrize("secret", ["the-new-one", "the-old-one"])
def test_two_secrets_hold_during_a_rotation(secret: str) -> None:
    assert RECEIVER.prove(signed(secret), [NEW, OLD], NOW) in ("client_secret", "client_secret_old")


def test_an_expired_secret_holds_no_more() -> None:
    with pytest.raises(Forged):
        RECEIVER.prove(signed("the-old-one"), [NEW, OLD], NOW + timedelta(hours=2))


def test_forged() -> None:
    with pytest.raises(Forged):
        RECEIVER.prove(signed("nobody's"), [NEW, OLD], NOW)
    with pytest.raises(Forged):
        RECEIVER.prove(replace(signed("the-new-one"), body=BODY.replace(b"1", b"2")), [NEW], NOW)
    with pytest.raises(Forged, match="carries no"):
        RECEIVER.prove(replace(signed("the-new-one"), headers={}), [NEW], NOW)
    with pytest.raises(Forged):
        RECEIVER.prove(signed("the-new-one"), [], NOW)


def test_identity() -> None:
    identity = RECEIVER.identify(signed("the-new-one"))
    assert identity.delivery_id == "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
    assert identity.topic == "orders/create"
    assert identity.triggered_at == NOW.isoformat()


@pytest.mark.parametrize("name", ["x-shopify-webhook-id", "x-shopify-topic"])
def test_without_identity(name: str) -> None:
    headers = {key: value for key, value in signed("the-new-one").headers.items() if key != name}
    with pytest.raises(Unreadable) as met:
        RECEIVER.identify(replace(signed("the-new-one"), headers=headers))
    assert met.value.field == name
