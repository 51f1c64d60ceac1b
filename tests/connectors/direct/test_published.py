"""What a partner is sent, held against the words of Standard Webhooks (https://www.standardwebhooks.com), reckoned here by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.direct.connector import signed
from connectors.direct.simulator import SECRET
from connectors.kit.account import Account
from connectors.kit.capabilities import PartnerEvent
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient
from connectors.kit.writes import Write
from tests.contract.bench import Bench, served
from tests.contract.system import System

OLD = "whsec_" + base64.b64encode(b"the secret that goes out of use").decode()
BODY = b'{"type":"order.shipped","timestamp":"2026-11-20T10:00:00Z","data":{"id":"WB-1"}}'
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture
def partner() -> Iterator[System]:
    with served("direct", {"secrets": [SECRET]}) as system:
        yield system


def event(system: System | None = None, secrets: tuple[str, ...] = (SECRET,)) -> PartnerEvent:
    return PartnerEvent("msg_1", "order.shipped", f"{system.address}/events" if system else "", BODY, secrets)


def told(system: System, one: PartnerEvent) -> object:
    """What came of one try."""
    account = Account("partner", "direct", system.address, settings={"private_hosts": ["127.0.0.1:*"]})
    write = next(Bench(account).connector().tell(one, key="k"))
    assert isinstance(write, Write)
    return write.send()


def test_the_signature_is_that_of_the_published_scheme() -> None:
    """v1: base64 of HMAC-SHA256 over id.timestamp.body, under the secret's bytes; one for each secret, by a blank."""
    headers = signed(event(secrets=(SECRET, OLD)), AT)
    stamp = str(int(AT.timestamp()))
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", stamp)
    wanted = []
    for secret in (SECRET, OLD):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mark = hmac.new(key, f"msg_1.{stamp}.".encode() + BODY, hashlib.sha256).digest()
        wanted.append("v1," + base64.b64encode(mark).decode())
    assert headers["webhook-signature"].split(" ") == wanted


def test_a_receiver_that_knows_one_of_two_secrets_believes_it_and_does_it_once(partner: System) -> None:
    one = event(partner, (OLD, SECRET))
    assert [told(partner, one), told(partner, one)] == ["msg_1", "msg_1"]
    assert partner.get("/_sim/effects") == {"events": {"order.shipped:WB-1": 1}}


def test_a_receiver_that_knows_none_does_nothing_and_it_is_tried_again(partner: System) -> None:
    with pytest.raises(Transient):
        told(partner, event(partner, (OLD,)))
    with pytest.raises(Transient):
        told(partner, replace(event(partner), id="msg_2", secrets=(OLD,)))
    assert partner.get("/_sim/effects") == {"events": {}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(410, Rejected), (429, Throttled), (302, Transient), (404, Transient), (500, Ambiguous), (503, Transient)],
)
def test_an_answer_means_what_the_scheme_says(partner: System, status: int, kind: type[Exception]) -> None:
    partner.put("/_sim/answers", status)
    with pytest.raises(kind) as met:
        told(partner, event(partner))
    assert type(met.value) is kind
