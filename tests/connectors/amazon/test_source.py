"""Amazon as a source: notifications out of the queue, orders by poll and fetch, tokens, quotas and where documents may lie."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from connectors import registry
from connectors.amazon.feeds import MOST, json_issues, unpacked, xml_issues
from connectors.amazon.queue import JSON, sign
from connectors.canonical.snapshot import Ignored, Pointer, Snapshot
from connectors.kit.errors import NotOffered, Rejected, Throttled, Transient, Unauthorized, Unreadable
from connectors.kit.limiter import Limiter
from connectors.kit.masking import masked
from connectors.kit.simulator import Simulator
from tests.connectors.amazon.conftest import MakeShop, Shop
from tests.connectors.amazon.contract import CREDENTIALS, SELLER

EARLY, LATE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)


def subscribed(seller: Shop) -> Shop:
    seller.connector.subscribe(["ORDER_CHANGE"], "")
    return seller


def read(seller: Shop, message: Any) -> Any:
    (reading,) = registry.read(seller.bench.account, message)
    return reading


# ---- the queue


def test_our_signature_is_the_one_that_aws_software_makes() -> None:
    """botocore, AWS's own, signs the same request alike, to the character."""
    body, url = b'{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/1/q"}', "https://sqs.eu-west-1.amazonaws.com/"
    headers = {"host": "sqs.eu-west-1.amazonaws.com", "content-type": JSON, "x-amz-target": "AmazonSQS.ReceiveMessage"}
    keys = (CREDENTIALS["aws_access_key_id"], CREDENTIALS["aws_secret_access_key"])
    ours = sign(headers, body, keys, "eu-west-1", datetime.now(UTC))
    theirs = AWSRequest(method="POST", url=url, data=body, headers=dict(headers))
    signer = SigV4Auth(Credentials(*keys), "sqs", "eu-west-1")
    theirs.context["timestamp"] = ours["x-amz-date"]
    theirs.headers["X-Amz-Date"] = ours["x-amz-date"]
    request = signer.canonical_request(theirs)
    proof = signer.signature(signer.string_to_sign(theirs, request), theirs)
    assert ours["authorization"].endswith(f"Signature={proof}")
    assert f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(theirs))}" in ours["authorization"]


def test_a_change_at_amazon_comes_out_of_the_queue(shop: MakeShop) -> None:
    """Placed and asked to be cancelled: two notifications, each a pointer to the order, which is then fetched."""
    seller = subscribed(shop())
    sold = seller.place()
    seller.move(sold, "ask")
    found = seller.connector.receive(10)
    assert [one.topic for one in found] == ["ORDER_CHANGE", "ORDER_CHANGE"]
    assert len({one.delivery_id for one in found}) == 2
    assert {read(seller, one) for one in found} == {Pointer("order", sold.id)}
    fetched = seller.connector.fetch(Pointer("order", sold.id))
    assert fetched is not None
    assert read(seller, fetched).document.hold == "the buyer asks to cancel"


def test_a_notification_that_comes_twice_is_one_delivery(shop: MakeShop) -> None:
    """SQS and Amazon both may send again: NotificationId recognises it, not SQS's own id."""
    seller = subscribed(shop(duplicates=1.0))
    seller.place()
    first, second = seller.connector.receive(10)
    assert first.delivery_id == second.delivery_id
    assert first.receipt != second.receipt
    seller.connector.settle([first.receipt, second.receipt])
    assert not seller.connector.receive(10)


def test_what_is_not_settled_comes_again(shop: MakeShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that died before its commit: after the time that it was hidden the same delivery is there again."""
    monkeypatch.setattr("connectors.amazon.queue.HIDDEN", 1)
    seller = subscribed(shop())
    seller.place()
    (first,) = seller.connector.receive(10)
    assert not seller.connector.receive(10)
    time.sleep(1.1)
    (again,) = seller.connector.receive(10)
    assert again.delivery_id == first.delivery_id
    seller.connector.settle([again.receipt])


def test_more_than_ten_are_received_and_settled_in_several_calls(shop: MakeShop) -> None:
    seller = subscribed(shop())
    seller.system.post("/_sim/orders", [{}] * 23)
    found = []
    while batch := seller.connector.receive(100):
        found += batch
    assert len({one.delivery_id for one in found}) == 23
    seller.connector.settle([one.receipt for one in found])
    assert not seller.connector.receive(10)


def test_a_foreign_body_in_the_queue_is_kept_under_its_own_name(shop: MakeShop) -> None:
    """No notification: taken all the same, so that it does not come for ever; read, it is ignored under its topic."""
    seller = shop()
    seller.system.post("/_sim/notifications", ["nonsense"])
    seller.system.post(
        "/_sim/notifications", {"notificationType": "PRICING_HEALTH", "notificationMetadata": {"notificationId": "n-1"}}
    )
    found = {one.topic: one for one in seller.connector.receive(10)}
    assert set(found) == {"unknown", "PRICING_HEALTH"}
    assert found["unknown"].delivery_id.startswith("sqs:")
    assert found["PRICING_HEALTH"].delivery_id == "n-1"
    assert isinstance(read(seller, found["PRICING_HEALTH"]), Ignored)
    assert isinstance(read(seller, found["unknown"]), Ignored)


def test_another_sellers_notification_is_refused(shop: MakeShop) -> None:
    """One application, one queue, several sellers: each account reads only its own."""
    seller = subscribed(shop())
    seller.place()
    (message,) = seller.connector.receive(10)
    foreign = replace(message, body=message.body.replace(SELLER.encode(), b"A3SOMEBODYELSE"))
    with pytest.raises(Unreadable) as met:
        read(seller, foreign)
    assert met.value.field == "Payload.OrderChangeNotification.SellerId"


def test_no_queue_is_no_call(shop: MakeShop) -> None:
    seller = shop()
    seller.settings(queue_url="", queue_arn="")
    assert seller.connector.receive(10) == []
    with pytest.raises(NotOffered):
        seller.connector.subscriptions()
    with pytest.raises(Rejected):
        seller.connector.subscribe(["ORDER_CHANGE"], "https://hub.example/hooks/amazon")
    assert not seller.system.calls()


def test_a_queue_that_is_not_there_needs_a_person(shop: MakeShop) -> None:
    seller = shop()
    seller.settings(queue_url=f"{seller.system.address}/123456789012/nowhere")
    with pytest.raises(Rejected) as met:
        seller.connector.receive(10)
    assert "QueueDoesNotExist" in met.value.sentence


@pytest.mark.parametrize(
    ("day", "trouble"),
    [("unavailable", Transient), ("wrong_type", Transient), ("drop", Transient), ("throttle", Throttled)],
)
def test_a_bad_day_of_the_queue_loses_nothing(shop: MakeShop, day: str, trouble: type[Exception]) -> None:
    """Said as what it is, and what was not received is there afterwards."""
    seller = subscribed(shop())
    seller.place()
    seller.system.bad_day(day, operations=["sqs"], times=1)
    with pytest.raises(trouble):
        seller.connector.receive(10)
    seller.system.good_day()
    found = seller.connector.receive(10)
    assert len(found) == (
        0 if day == "wrong_type" else 1
    )  # that one was received, unread: it comes again when it is shown


def test_a_key_without_rights_pauses_the_account(shop: MakeShop) -> None:
    seller = subscribed(shop())
    seller.system.bad_day("refuse_auth", operations=["sqs"], times=1)
    with pytest.raises(Unauthorized) as met:
        seller.connector.receive(10)
    assert "sqs:ReceiveMessage" in met.value.remedy


def test_the_key_stands_in_nothing_that_is_kept(shop: MakeShop) -> None:
    seller = subscribed(shop())
    seller.place()
    seller.connector.receive(10)
    kept = "".join(f"{one.request_headers}{one.request!r}" for one in seller.bench.exchanges if "sqs" in one.operation)
    assert "AWS4-HMAC-SHA256" not in kept
    assert masked({"Authorization": "AWS4-HMAC-SHA256 x"}) == {"authorization": "***"}


# ---- subscriptions


def test_a_lapsed_subscription_is_seen_and_mended(shop: MakeShop) -> None:
    """Pain 4: asked for from outside, made again for the same destination."""
    seller = subscribed(shop())
    assert seller.connector.subscriptions() == {"ORDER_CHANGE": True}
    seller.system.post("/_sim/subscriptions/lapse")
    assert seller.connector.subscriptions() == {"ORDER_CHANGE": False}
    seller.connector.subscribe(["ORDER_CHANGE"], "")
    assert seller.connector.subscriptions() == {"ORDER_CHANGE": True}
    assert seller.calls("destinations.create") == 1


def test_a_subscription_to_somebody_elses_queue_is_not_alive(shop: MakeShop) -> None:
    seller = subscribed(shop())
    seller.settings(queue_arn="arn:aws:sqs:eu-west-1:123456789012:another")
    assert seller.connector.subscriptions() == {"ORDER_CHANGE": False}


# ---- poll and fetch


def listed(seller: Shop) -> list[str]:
    return [read(seller, one).id for one in seller.connector.changed("order", EARLY, LATE)]


def test_the_poll_finds_what_the_queue_never_brought(shop: MakeShop) -> None:
    """Every notification is lost; the list of changes has them all, each with the version that a fetch would have."""
    seller = subscribed(shop(never_sent=1.0))
    seller.system.post(
        "/_sim/orders",
        [{"created_at": f"2026-03-{n:02}T08:00:00Z", "updated_at": f"2026-03-{n:02}T08:00:00Z"} for n in range(2, 12)],
    )
    assert not seller.connector.receive(10)
    found = list(seller.connector.changed("order", EARLY, LATE))
    assert len({one.delivery_id for one in found}) == 10
    fetched = seller.connector.fetch(Pointer("order", read(seller, found[0]).id))
    assert fetched is not None
    assert fetched.delivery_id == found[0].delivery_id


def test_the_newest_two_minutes_are_not_asked_for(shop: MakeShop) -> None:
    """Pain 8: Amazon refuses them; the manifest's settling delay keeps out of them."""
    seller = shop()
    now = datetime.now(UTC)
    with pytest.raises(Rejected):
        list(seller.connector.changed("order", EARLY, now))
    delay = float(registry.manifests()["amazon"].polls["order"]["settling_delay"])
    assert list(seller.connector.changed("order", EARLY, now - timedelta(seconds=delay))) == []


def test_pending_orders_come_once_they_are_paid(shop: MakeShop) -> None:
    seller = shop()
    waiting = seller.system.post("/_sim/orders", {"kind": "pending"})[0]["id"]
    message = seller.connector.fetch(Pointer("order", waiting))
    assert isinstance(read(seller, message), Ignored)
    seller.system.post(f"/_sim/orders/{waiting}/paid", {})
    assert isinstance(read(seller, seller.connector.fetch(Pointer("order", waiting))), Snapshot)


@pytest.mark.parametrize("name", ["nonsense", "303-0000001", "../../feeds/2021-06-30/feeds/1", "303-9999999-9999999"])
def test_what_is_no_order_of_amazons_is_none(shop: MakeShop, name: str) -> None:
    assert shop().connector.fetch(Pointer("order", name)) is None


def test_v0_reads_buyer_and_address_under_a_restricted_token(shop: MakeShop) -> None:
    """One token for all orders: two fetches, one purchase. Without it v0 tells neither."""
    seller = shop()
    seller.settings(orders="v0")
    orders = [seller.place("gift"), seller.place("business")]
    seller.bench.tokens.values.pop("rdt", None)
    before = seller.calls("tokens.restricted")
    for one in orders:
        message = seller.connector.fetch(Pointer("order", one.id))
        made = read(seller, message).document
        assert made.customer.last_name == "Ana Example"
        assert made.shipping.line1 == "Musterweg 5"
    assert seller.calls("tokens.restricted") - before == 1
    rows = list(seller.connector.changed("order", EARLY, datetime.now(UTC) - timedelta(minutes=3)))
    assert b"Ana Example" not in b"".join(one.body for one in rows)


def test_v0_lists_pointers_that_are_then_fetched(shop: MakeShop) -> None:
    seller = shop()
    seller.settings(orders="v0", page_size=2)
    seller.system.post(
        "/_sim/orders", [{"created_at": "2026-03-05T08:00:00Z", "updated_at": "2026-03-05T08:00:00Z"}] * 5
    )
    rows = [read(seller, one) for one in seller.connector.changed("order", EARLY, LATE)]
    assert len({one.id for one in rows}) == 5
    fetched = read(seller, seller.connector.fetch(Pointer("order", rows[0].id)))
    assert fetched.version == rows[0].version


# ---- tokens


def test_fifty_workers_at_expiry_buy_one_restricted_token(shop: MakeShop, shared_tokens: Callable[[str], Any]) -> None:
    """Pain 40a, for the token that is bought with another: one purchase of each."""
    seller = shop()
    seller.bench.tokens = shared_tokens("amazon")
    seller.settings(orders="v0")
    sold = seller.place()
    assert seller.connector.fetch(Pointer("order", sold.id))
    seller.system.post("/_sim/tokens/ends")
    expire_all()
    before = [seller.calls(name) for name in ("lwa.token", "tokens.restricted")]
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda _: seller.connector.fetch(Pointer("order", sold.id)), range(50)))
    assert all(found)
    assert [seller.calls(name) for name in ("lwa.token", "tokens.restricted")] == [before[0] + 1, before[1] + 1]


def expire_all() -> None:
    """Every token's time is over, in the database and in this process."""
    from app.accounts import tokens
    from app.database import transaction

    with transaction() as tx:
        tx.exec_driver_sql("UPDATE tokens SET expires_at = now()")
    tokens._near.clear()


def test_an_ended_token_costs_one_more_call(shop: MakeShop) -> None:
    """Ended before its time: refused, bought anew, asked again; a write too, for nothing was done."""
    seller = shop()
    sold = seller.place()
    seller.done(seller.connector.acknowledge(sold, number="SO-1", key="k"))
    seller.system.post("/_sim/tokens/ends")
    seller.done(seller.connector.acknowledge(sold, number="SO-2", key="k"))
    assert seller.again(sold).external_reference == "SO-2"


def test_a_withdrawn_grant_pauses_the_account_in_plain_words(shop: MakeShop) -> None:
    seller = shop()
    account = seller.bench.account
    seller.bench.account = replace(account, credentials={**account.credentials, "refresh_token": "Atzr|withdrawn"})
    with pytest.raises(Unauthorized) as met:
        seller.connector.fetch(Pointer("order", "303-0000001-0000001"))
    assert met.value.code == "invalid_grant"
    assert "authorise the application again" in met.value.remedy
    assert "withdrawn" not in met.value.sentence


@pytest.mark.parametrize("day", ["unavailable", "wrong_type", "drop", "truncated"])
def test_a_bad_day_of_the_login_is_no_refusal(shop: MakeShop, day: str) -> None:
    """The account is not paused for it: the same call goes through a little later."""
    seller = shop()
    sold = seller.place()
    seller.bench.tokens.values.clear()
    seller.system.bad_day(day, operations=["lwa.token"], times=1)
    with pytest.raises(Transient):
        seller.connector.fetch(Pointer("order", sold.id))
    assert seller.connector.fetch(Pointer("order", sold.id)) is not None


def test_without_the_role_for_buyers_an_order_is_read_all_the_same(shop: MakeShop) -> None:
    """Fewer data sets are asked for; sums and lines are those of before."""
    seller = shop()
    whole = seller.place("promotion")
    seller.settings(included_data=["PROCEEDS", "FULFILLMENT"])
    less = seller.again(whole)
    assert less.customer is None
    assert less.shipping is None
    assert less.totals == whole.totals


# ---- quotas


@pytest.fixture
def limited(redis_url: str) -> Iterator[Callable[[Shop], Limiter]]:
    """The real limiter, by the manifest, before a seller."""
    client = redis.Redis.from_url(redis_url)

    def made(seller: Shop) -> Limiter:
        limits = registry.manifests()["amazon"].limits
        found = Limiter(client, lambda account: limits, patience=0.5, prefix=f"waybill:amazon:{time.monotonic_ns()}")
        found.warm("tried")
        seller.bench.limits = found
        return found

    yield made
    client.close()


def test_other_software_empties_one_bucket_and_holds_nobody_else(
    shop: MakeShop, limited: Callable[[Shop], Limiter]
) -> None:
    """429 for createFeed: our bucket of it is empty, too, and the next feed is not even tried; orders are still read."""
    seller = shop(generous=1)
    sold = seller.place()
    limited(seller)
    seller.system.post("/_sim/quotas/feeds.create")
    for _ in range(2):
        with pytest.raises(Throttled):
            seller.done(seller.connector.acknowledge(sold, number="SO-1", key="k"))
    assert seller.calls("feeds.create") == 1
    assert seller.connector.fetch(Pointer("order", sold.id)) is not None


def test_the_rate_that_amazon_reports_is_kept(shop: MakeShop, limited: Callable[[Shop], Limiter]) -> None:
    """The manifest's two minutes for a feed; this seller has 50 a second, and after the first answer it is used."""
    plans = {"feeds.create": (50, 100), "feeds.documents.create": (50, 100)}
    seller = shop(generous=1, rates=plans)
    limiter = limited(seller)
    for _ in range(20):  # 15 are the burst
        assert submit(seller)
    assert seller.calls("feeds.create") == 20
    assert limiter._rates["tried", "feeds_create"] == pytest.approx(49)
    seller.spoken.clear()  # documents of the test's own, not ours


def submit(seller: Shop) -> str:
    """A feed of nothing."""
    client = seller.connector.client
    document = client.create_document("text/xml")
    client.upload(str(document["url"]), b"<AmazonEnvelope/>", "text/xml")
    name = str(document["feedDocumentId"])
    return client.create_feed("POST_ORDER_ACKNOWLEDGEMENT_DATA", name, client.marketplaces)


def test_without_a_word_of_amazon_the_manifest_holds(shop: MakeShop, limited: Callable[[Shop], Limiter]) -> None:
    """15 feeds at once, then none for two minutes."""
    seller = shop(generous=1)
    limited(seller)
    for _ in range(15):
        assert submit(seller)
    with pytest.raises(Throttled) as met:
        submit(seller)
    assert met.value.retry_after is not None
    assert seller.calls("feeds.create") == 15
    seller.spoken.clear()  # documents of the test's own, not ours


# ---- documents of feeds


ELSEWHERE = (
    "https://evil.example/x",
    "http://169.254.169.254/latest",
    "http://b.s3.amazonaws.com/x",
    "https://amazonaws.com.evil.example/x",
)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_document_elsewhere_is_not_asked_for(shop: MakeShop, url: str) -> None:
    seller = shop()
    with pytest.raises(Rejected) as met:
        seller.connector.client.upload(url, b"x", "text/xml")
    assert met.value.code == "foreign_host"


def test_a_presigned_address_is_kept_without_its_signature(shop: MakeShop) -> None:
    seller = shop()
    seller.done(seller.connector.acknowledge(seller.place(), number="SO-1", key="k"))
    (upload,) = [one for one in seller.bench.exchanges if one.operation == "feeds.upload"]
    assert "X-Amz-Signature=***" in upload.url


def test_a_report_is_unpacked_within_bounds() -> None:
    assert unpacked(gzip.compress(b"{}"), "GZIP") == b"{}"
    assert len(unpacked(gzip.compress(b"0" * (MOST * 4)), "GZIP")) == MOST
    for content, how in ((b"x", "GZIP"), (b"x", "ZSTD")):
        with pytest.raises(Transient):
            unpacked(content, how)


def test_reports_of_both_kinds() -> None:
    """What has no result was taken; warnings are no errors; entities and nonsense are refused."""
    said = b"<ResultMessageCode>18028</ResultMessageCode><ResultDescription>No.</ResultDescription>"
    result = b"<Result><MessageID>2</MessageID><ResultCode>%s</ResultCode>" + said + b"</Result>"
    report = b"<AmazonEnvelope><Message><ProcessingReport>" + result + b"</ProcessingReport></Message></AmazonEnvelope>"
    assert [(one.message, one.error, one.sentence) for one in xml_issues(report % b"Error")] == [(2, True, "No.")]
    assert [one.error for one in xml_issues(report % b"Warning")] == [False]
    issues = [{"messageId": 3, "severity": "ERROR", "message": "No."}, {"severity": "WARNING", "message": "Hm."}]
    told = list(json_issues(json.dumps({"issues": issues}).encode()))
    assert [(one.message, one.error) for one in told] == [(3, True), (0, False)]
    for bad in (b'<!DOCTYPE x [<!ENTITY a "b">]><x/>', b"<x>"):
        with pytest.raises(Transient):
            list(xml_issues(bad))
    with pytest.raises(Transient):
        list(json_issues(b"{"))


def test_the_simulator_remembers(shop: MakeShop, tmp_path: Any) -> None:
    """A restart forgets nothing: orders, listings, feeds."""
    from connectors.amazon.simulator import create

    path = str(tmp_path / "amazon.jsonl")
    seller = shop(path=path)
    sold = seller.place()
    seller.done(seller.connector.acknowledge(sold, number="SO-1", key="k"))
    again: Simulator = create({"path": path})
    assert again.memory.table("orders")[sold.id]["alias"] == "SO-1"
