"""A delivery is believed when one of our secrets signed it now, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Incoming, Secret
from connectors.registry import receiver
from connectors.shipbob.webhook import RECEIVER, signing_key

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
OLD = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZA=="
NEW = "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldw=="
BODY = b'{"id": 700000007, "order_id": 300000003, "note": "\xc3\xa9"}'


def delivery(secret: str = NEW, body: bytes = BODY, at: datetime = NOW, **changes: str) -> Incoming:
    """Signed by the Standard Webhooks project's own library, not by ours."""
    signature = Webhook(secret).sign("msg_1", at, body.decode())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
        "x-webhook-topic": "order.shipped",
    }
    return incoming({**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}, body)


def incoming(headers: Mapping[str, str], body: bytes = BODY) -> Incoming:
    return Incoming("POST", "https://hub.example/hooks/shipbob-test", {}, headers, body)


def prove(told: Incoming, *secrets: Secret, now: datetime = NOW) -> str:
    return RECEIVER.prove(told, secrets or (Secret("NEW", NEW), Secret("OLD", OLD)), now)


def test_it_is_the_registered_one() -> None:
    assert receiver("shipbob") is RECEIVER


def test_proved_by_the_secret_that_signed() -> None:
    assert prove(delivery()) == "NEW"


def test_both_secrets_hold_during_a_rotation() -> None:
    assert prove(delivery(OLD)) == "OLD"


def test_an_expired_secret_proves_nothing() -> None:
    expired = Secret("OLD", OLD, NOW)
    with pytest.raises(Forged):
        prove(delivery(OLD), Secret("NEW", NEW), expired)
    assert prove(delivery(OLD), expired, now=NOW - timedelta(seconds=1)) == "OLD"


def test_any_of_several_signatures_will_do() -> None:
    good = delivery().headers["webhook-signature"]
    assert prove(delivery(webhook_signature=f"v1,AAAA v2,{good[3:]} {good}")) == "NEW"


def test_a_signature_without_padding_will_do() -> None:
    assert prove(delivery(webhook_signature=delivery().headers["webhook-signature"].rstrip("="))) == "NEW"


FORGERIES = {
    "body": delivery().headers,
    "another id": delivery(webhook_id="msg_2").headers,
    "another time": delivery(webhook_timestamp=str(int(NOW.timestamp()) + 1)).headers,
    "another version": delivery(
        webhook_signature=delivery().headers["webhook-signature"].replace("v1,", "v2,")
    ).headers,
    "no version": delivery(webhook_signature=delivery().headers["webhook-signature"][3:]).headers,
    "empty": delivery(webhook_signature="v1,").headers,
    "no signature": {k: v for k, v in delivery().headers.items() if k != "webhook-signature"},
    "no time": {k: v for k, v in delivery().headers.items() if k != "webhook-timestamp"},
    "no id": {k: v for k, v in delivery().headers.items() if k != "webhook-id"},
    "a time that is none": delivery(webhook_timestamp="now").headers,
    "a time beyond all": delivery(webhook_timestamp="9" * 30).headers,
    "not ASCII": delivery(webhook_signature="v1,é").headers,
    "nothing": {},
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged(name: str) -> None:
    body = BODY + b" " if name == "body" else BODY
    with pytest.raises(Forged):
        prove(incoming(FORGERIES[name], body))


def test_signed_by_a_stranger() -> None:
    with pytest.raises(Forged):
        prove(delivery("whsec_c3RyYW5nZXI="))


def test_no_secret_configured_proves_nothing() -> None:
    with pytest.raises(Forged):
        RECEIVER.prove(delivery(), (), NOW)


@pytest.mark.parametrize("seconds", [-301, 301, 86400])
def test_a_stale_stamp_is_refused_however_well_signed(seconds: int) -> None:
    with pytest.raises(Forged) as met:
        prove(delivery(at=NOW + timedelta(seconds=seconds)))
    assert met.value.code == "stale"


@pytest.mark.parametrize("seconds", [-299, 299])
def test_clocks_may_differ_a_little(seconds: int) -> None:
    assert prove(delivery(at=NOW + timedelta(seconds=seconds))) == "NEW"


def test_a_secret_of_our_own_is_taken_as_it_stands() -> None:
    assert signing_key("plain words") == b"plain words"
    assert signing_key("whsec_AQID") == b"\x01\x02\x03"
    assert signing_key("whsec_AQI") == b"\x01\x02"
    assert signing_key("whsec_***") == b"whsec_***"


def test_identified_by_its_headers_alone() -> None:
    told = RECEIVER.identify(delivery(body=b"not read"))
    assert (told.delivery_id, told.topic) == ("msg_1", "order.shipped")


@pytest.mark.parametrize("name", ["webhook-id", "x-webhook-topic"])
def test_what_cannot_be_identified_is_said(name: str) -> None:
    with pytest.raises(Unreadable) as met:
        RECEIVER.identify(incoming({k: v for k, v in delivery().headers.items() if k != name}))
    assert met.value.field == name
