"""A customer is written to once, and never in doubt about who wrote."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.canonical.money import Money, MoneyBag, Role
from connectors.canonical.party import Party
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Tracking
from connectors.kit.errors import (
    Ambiguous,
    LeaseLost,
    NotOffered,
    Rejected,
    Throttled,
    Transient,
    Trouble,
    Unauthorized,
)
from tests.connectors.smtp.conftest import Office, bag, order, shipment, write

MakeOffice = Callable[..., Office]


def send(at: Office, **changes: Any) -> str:
    """Sends the mail of a shipment as the engine does."""
    done = write(at.mail.notify(order(**changes), shipment(), occasion="shipped", key="key-1")).send()
    assert isinstance(done, str)
    return done


def test_shipped(office: MakeOffice) -> None:
    at = office()
    message_id = send(at)
    assert at.effects() == {"messages": {message_id: 1}, "mails": {"shopify-test/5001/S1/shipped": 1}}
    mail = at.letters()[0]
    assert mail["To"] == "Ada Example <ada@example.com>"
    assert mail["From"] == "Example Shop <orders@shop.example>"
    assert mail["Subject"] == "Part of your order #1001 is on its way"
    plain, rich = (part.get_content() for part in mail.iter_parts())
    assert "- 1 x Blue <b>mug</b> & saucer" in plain
    assert "UPS 1Z1: https://track.example/1Z1?a=1&b=2" in plain
    assert "UPS 1Z2" in plain
    assert "Blue &lt;b&gt;mug&lt;/b&gt; &amp; saucer" in rich
    assert '<a href="https://track.example/1Z1?a=1&amp;b=2">UPS 1Z1</a>' in rich
    assert "javascript" not in rich


def test_what_waits_at_a_store_is_told_with_the_code_to_show(office: MakeOffice) -> None:
    at = office()
    waits = replace(shipment(), location="Store <1>", collection_code="042137")
    write(at.mail.notify(order(), waits, occasion="ready_for_pickup", key="key-1")).send()
    mail = at.letters()[0]
    assert mail["Subject"] == "Your order #1001 is ready to be fetched"
    plain, rich = (part.get_content() for part in mail.iter_parts())
    assert "waits for you at Store <1>." in plain
    assert "Show this code there: 042137" in plain
    assert "- 1 x Blue <b>mug</b> & saucer" in plain
    assert "Store &lt;1&gt;" in rich


def test_refunded_says_the_newest_sum_as_the_customer_paid_it(office: MakeOffice) -> None:
    at = office()
    seen = MoneyBag(Money(Decimal("10"), "EUR"), Money(Decimal("1633.5"), "JPY", Role.PRESENTMENT))
    refunds = (
        Refund("R1", bag("5"), at=datetime(2026, 11, 20, tzinfo=UTC)),
        Refund("R2", seen, at=datetime(2026, 11, 21, tzinfo=UTC)),
    )
    write(at.mail.notify(order(refunds=refunds), None, occasion="refunded", key="k")).send()
    assert "We have refunded 1634 JPY for your order #1001." in at.letters()[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_cancelled(office: MakeOffice) -> None:
    at = office()
    write(at.mail.notify(order(), None, occasion="cancelled", key="k")).send()
    assert at.letters()[0]["Subject"] == "Your order #1001 is cancelled"
    assert at.effects()["mails"] == {"shopify-test/5001//cancelled": 1}


def test_the_same_key_is_the_same_mail(office: MakeOffice) -> None:
    at = office()
    assert send(at) == send(at)
    assert list(at.effects()["messages"].values()) == [2]
    other = write(at.mail.notify(order(), shipment(), occasion="shipped", key="key-2")).send()
    assert other not in (send(at),)


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ("unavailable", Transient),
        ("throttle", Throttled),
        ("throttle_silent", Throttled),
        ("refuse_auth", Unauthorized),
        ("broken", Rejected),
    ],
)
def test_refused_is_told_by_what_to_do(office: MakeOffice, fault: str, trouble: type[Trouble]) -> None:
    at = office()
    at.fault(fault)
    with pytest.raises(trouble):
        send(at)
    assert at.effects()["messages"] == {}


def test_a_recipient_refused_for_good_is_a_persons(office: MakeOffice) -> None:
    at = office(refused={"ada@example.com": "550 5.1.1 <ada@example.com> no such user"})
    with pytest.raises(Rejected) as met:
        send(at)
    assert (met.value.code, met.value.field) == ("bad_recipient", "order.email")
    assert "ada" not in met.value.sentence


def test_a_recipient_refused_for_now_is_tried_later(office: MakeOffice) -> None:
    at = office(refused={"ada@example.com": "452 4.2.2 mailbox full"})
    with pytest.raises(Transient):
        send(at)


def test_a_server_may_say_how_long_to_wait(office: MakeOffice) -> None:
    at = office()
    at.fault("throttle", value=7)
    with pytest.raises(Throttled) as met:
        send(at)
    assert met.value.retry_after == 7


@pytest.mark.parametrize(("fault", "kept"), [("commit_then_drop", 1), ("drop", 0), ("truncated", 1), ("wrong_type", 1)])
def test_lost_after_the_dot_is_unknown_and_by_default_not_repeated(office: MakeOffice, fault: str, kept: int) -> None:
    at = office()
    at.fault(fault, times=1)
    doubtful = write(at.mail.notify(order(), shipment(), occasion="shipped", key="key-1"))
    with pytest.raises(Ambiguous):
        doubtful.send()
    assert sum(at.effects()["messages"].values()) == kept
    found = doubtful.find()
    assert found is not None
    assert found.startswith("presumed:<")


def test_lost_after_the_dot_may_be_repeated(office: MakeOffice) -> None:
    at = office()
    at.fault("commit_then_drop", times=1)
    doubtful = write(
        at.with_(settings={"on_doubt": "repeat"}).notify(order(), shipment(), occasion="shipped", key="key-1")
    )
    with pytest.raises(Ambiguous):
        doubtful.send()
    assert doubtful.find() is None
    message_id = doubtful.send()
    assert at.effects()["messages"] == {message_id: 2}


def test_accepted_late_is_unknown(office: MakeOffice) -> None:
    at = office()
    at.fault("commit_late", times=1, value=0.8)
    with pytest.raises(Ambiguous):
        send(at)
    assert at.effects()["messages"] == {}
    end = time.monotonic() + 5
    while not at.effects()["messages"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert sum(at.effects()["messages"].values()) == 1


def test_slow_after_the_dot_is_unknown(office: MakeOffice) -> None:
    at = office()
    at.fault("slow", value=3, times=1)
    at.with_(timeout=0.3)
    with pytest.raises(Ambiguous):
        send(at)


def test_nobody_there_is_nothing_done(office: MakeOffice) -> None:
    at = office()
    at.with_(base_url="smtp://127.0.0.1:9")
    with pytest.raises(Transient):
        send(at)


def test_the_lease_is_checked_before_the_first_byte_and_before_the_dot(office: MakeOffice) -> None:
    at = office()
    for checks in (0, 1):
        left = iter([None] * checks)

        def guard(left: Any = left) -> None:
            if next(left, "gone") == "gone":
                raise LeaseLost("another worker has it")

        at.guard = guard
        with pytest.raises(LeaseLost):
            send(at)
    time.sleep(0.05)
    assert at.effects()["messages"] == {}


def test_what_is_kept_of_it(office: MakeOffice) -> None:
    at = office()
    message_id = send(at)
    assert at.limits.operations == ["mail.send"]
    (seen,) = at.exchanges
    assert (seen.operation, seen.status, seen.error) == ("mail.send", 250, "")
    assert seen.request_headers == {"message-id": message_id[1:].partition("@")[0], "x-waybill-occasion": "shipped"}
    assert "ada" not in seen.url + str(seen.request_headers) + str(seen.answer_headers)
    assert b"RCPT TO:<ada@example.com>" in seen.request


def test_no_address_no_mail(office: MakeOffice) -> None:
    with pytest.raises(NotOffered):
        write(office().mail.notify(order(customer=None), shipment(), occasion="shipped", key="k"))


def test_an_occasion_nobody_wrote_a_mail_for(office: MakeOffice) -> None:
    with pytest.raises(NotOffered):
        write(office().mail.notify(order(), None, occasion="birthday", key="k"))


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com>\r\nRCPT TO:<eve@example.com",
        "ada",
        "ada@",
        "@example.com",
        "a b@example.com",
        "ada@exa mple.com",
        "ada@-example.com",
        "ada@example..com",
        "ada@example.com, eve@example.com",
        '"ada\r\n"@example.com',
        "ådå@example.com",
        "x" * 65 + "@example.com",
        "ada@example.com\x00",
        "ada@example.com\u2028",
    ],
)
def test_what_is_no_address_goes_nowhere(office: MakeOffice, address: str) -> None:
    with pytest.raises(Rejected) as met:
        write(office().mail.notify(order(customer=Party(email=address)), shipment(), occasion="shipped", key="k"))
    assert (met.value.code, met.value.field) == ("bad_address", "order.email")
    assert "ada" not in met.value.sentence


def test_a_domain_of_another_script(office: MakeOffice) -> None:
    at = office()
    send(at, customer=Party(email="ada@bücher.example"))
    assert at.letters()[0]["To"].addresses[0].addr_spec == "ada@xn--bcher-kva.example"


EVIL = "x\r\nBcc: eve@example.com\r\n\r\n<script>alert(1)</script>\u2028\x0b\x00"


def test_nothing_of_a_payload_becomes_a_header_or_markup(office: MakeOffice) -> None:
    at = office()
    line = replace(order().lines[0], title=EVIL)
    evil = order(
        number=EVIL,
        id=EVIL,
        channel=EVIL,
        lines=(line,),
        customer=Party("C", "ada@example.com", first_name=EVIL, last_name='"; DROP'),
    )
    parcel = shipment(
        id=EVIL, trackings=(Tracking(EVIL, EVIL, EVIL), Tracking("2", "UPS", 'https://x.example/"onload="alert(1)'))
    )
    write(at.with_(settings={"shop_name": EVIL}).notify(evil, parcel, occasion="shipped", key=EVIL)).send()
    (mail,) = at.letters()
    assert mail["Bcc"] is None
    names = {
        "auto-submitted",
        "date",
        "content-type",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
        "x-waybill-subject",
    }
    assert {name.lower() for name in mail.keys()} == names  # noqa: SIM118 - a message's keys may repeat
    rich = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script" not in rich
    assert 'onload="' not in rich
    assert len(mail["To"].addresses) == 1


def test_a_line_that_begins_with_a_dot_arrives_whole(office: MakeOffice) -> None:
    at = office()
    send(at, number=".")
    assert "Part of your order . has left" in at.letters()[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    write(at.with_(settings={"shop_name": "..\n.hidden"}).notify(order(), None, occasion="cancelled", key="k")).send()
    assert ".. .hidden" in at.letters()[1].get_body(("plain",)).get_content()  # type: ignore[union-attr]


# ---- TLS and credentials


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    wanted = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext"
    named = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(["openssl", *wanted.split(), named, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return {"tls_cert": str(cert), "tls_key": str(key)}


def test_by_starttls_with_a_password(office: MakeOffice, certificate: dict[str, str]) -> None:
    at = office(**certificate, require_tls=True, username="hub", password="s3cret-word")
    secure = at.address.replace("smtp://", "smtp+starttls://")
    at.with_(
        base_url=secure,
        credentials={"username": "hub", "password": "s3cret-word"},
        settings={"ca_file": certificate["tls_cert"]},
    )
    send(at)
    assert len(at.letters()) == 1
    assert b"s3cret-word" not in b"".join(e.request + e.answer for e in at.exchanges)
    at.with_(credentials={"username": "hub", "password": "wrong"})
    with pytest.raises(Unauthorized):
        send(at)
    assert "s3cret" not in repr(at.account)


def test_a_certificate_nobody_vouches_for(office: MakeOffice, certificate: dict[str, str]) -> None:
    at = office(**certificate)
    at.with_(base_url=at.address.replace("smtp://", "smtp+starttls://"))
    with pytest.raises(Rejected) as met:
        send(at)
    assert met.value.code == "bad_certificate"


def test_tls_that_the_server_does_not_offer(office: MakeOffice) -> None:
    at = office()
    at.with_(base_url=at.address.replace("smtp://", "smtp+starttls://"))
    with pytest.raises(Rejected) as met:
        send(at)
    assert met.value.code == "not_offered_there"


def test_a_password_is_never_sent_in_the_clear(office: MakeOffice) -> None:
    at = office()
    at.with_(base_url="smtp://mail.example.com:25", credentials={"username": "hub", "password": "x"})
    with pytest.raises(Rejected) as met:
        send(at)
    assert met.value.code == "tls_required"
