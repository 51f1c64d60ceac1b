"""What ShipBob publishes: our operations, our topics, its samples."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.canonical.snapshot import Pointer
from connectors.kit.errors import Throttled
from connectors.kit.http import Answer
from connectors.registry import manifests
from connectors.shipbob.mapping.reading import TOPICS
from connectors.shipbob.refusals import first_complaint, sorted_out
from connectors.shipbob.simulator import OPERATIONS, ROOT
from connectors.shipbob.simulator import TOPICS as SOLD
from tests.connectors.counting import Counted
from tests.connectors.shipbob.conftest import FIXTURES, MakeHouse, order, run
from tests.connectors.shipbob.openapi import SHARED, Spoken, complaints, needs_spec, operation, spec, validator

SAMPLES = SHARED / "samples" / "shipbob"


@needs_spec
@pytest.mark.parametrize(("rule", "method"), [(row[0], row[2]) for row in OPERATIONS])
def test_every_operation_is_published(rule: str, method: str) -> None:
    operation(method, ROOT + re.sub(r"<[^>]+>", "1", rule))


# Answered by the simulator although no operation of ours needs it: tests and people ask.
UNUSED = {"shipments.list", "webhooks.delete", "channels.list"}


@pytest.mark.counting
@needs_spec
def test_every_operation_of_ours_is_asked(house: MakeHouse, counted: Counted) -> None:
    """The fixture holds all that is said against the contract; here it is counted that nothing was left out."""
    at, now = house(stock={"MUG-1": 5}), datetime.now(UTC)
    made = run(at.shipbob.request(order(), key="k", reference="WB-1"))
    assert at.shipbob.fetch(Pointer("order", made)) is not None
    assert list(at.shipbob.changed("shipment", now - timedelta(hours=1), now + timedelta(hours=1)))
    assert not list(at.shipbob.changed("return", now - timedelta(hours=1), now + timedelta(hours=1)))
    run(at.shipbob.cancel_request(order(), key="k2", reference="WB-1"))
    at.tell("stock", sku="MUG-1", on_hand=5, lots={"A": {"pieces": 5, "date": "2027-03-01T00:00:00Z"}})
    assert list(at.with_settings(lots=True).stock(["MUG-1"]))
    at.shipbob.subscribe(["order.shipped"], "https://hub.example.com/hooks/shipbob")
    assert at.shipbob.subscriptions() == {"order.shipped": True}
    asked = {call["operation"] for call in at.ask("calls")}
    assert asked == {name for _, name, *_ in OPERATIONS} - UNUSED
    counted("operations", {"shipbob-openapi.json": len(asked)})


@needs_spec
def test_every_topic_can_be_subscribed_to() -> None:
    published = set(spec()["components"]["schemas"]["Webhooks.Topics"]["enum"])
    assert set(SOLD) == published
    ours = {topic for topic in TOPICS if not topic.startswith("polled.")} - {"order.shipment.tracking.updated"}
    assert ours <= published


def test_the_manifest_names_every_topic_that_is_read() -> None:
    manifest = manifests()["shipbob"]
    assert set(manifest.topics) == set(TOPICS)
    assert {write: rule.once_by for write, rule in manifest.writes.items()} == {"request": "unique", "cancel": "unique"}
    (limit,) = manifest.limits
    assert (limit.kind, limit.burst, limit.seconds) == ("window", 150, 61)


@needs_spec
def test_our_fixtures_are_shaped_as_published() -> None:
    schemas = spec()["components"]["schemas"]
    for path in FIXTURES.glob("*.json"):
        body = json.loads(path.read_text())
        name = (
            "Orders.ShipmentViewModel"
            if "order_id" in body
            else "Orders.OrderViewModel"
            if "shipments" in body
            else "Returns.PublicReturnDto"
            if "inventory" in body
            else ""
        )
        if name:
            assert [error.message for error in validator(schemas[name]).iter_errors(body)] == [], path.name


@needs_spec
def test_the_contract_is_really_asked(house: MakeHouse) -> None:
    at = house()
    run(at.shipbob.request(order(), key="k", reference="WB-1"))
    (seen,) = at.spoken
    spoiled: tuple[Spoken, ...] = (
        replace(seen, headers={}),
        replace(seen, body=seen.body.replace(b'"quantity":2', b'"quantity":"2"')),
        replace(seen, body=seen.body.replace(b'"address1"', b'"adress"')),
        replace(seen, answer=seen.answer.replace(b"Processing", b"Begun")),
        replace(seen, status=418),
    )
    assert list(complaints(seen)) == []
    for one in spoiled:
        assert one != seen
        assert list(complaints(one)), one


@pytest.mark.counting
@pytest.mark.skipif(not SAMPLES.exists(), reason=f"{SAMPLES} is not here")
def test_the_corpus_is_understood(counted: Counted) -> None:
    """The only sample there is: what ShipBob answers when we are too fast."""
    table: dict[str, str] = {}
    blocked: list[float] = []
    for path in sorted(SAMPLES.glob("*.json")):
        sample = json.loads(path.read_text())
        headers = {name.lower(): value for name, value in sample["headers"].items()}
        with pytest.raises(Throttled) as met:
            sorted_out(
                Answer(sample["body"]["statusCode"], headers, json.dumps(sample["body"]).encode()), blocked.append
            )
        assert met.value.retry_after == float(headers["x-retry-after"])
        table[path.name] = f"Throttled, {met.value.retry_after:g} s"
    print("\n".join(f"{name}: {told}" for name, told in table.items()))
    assert table == {"rate_limit_429.json": "Throttled, 25 s"}
    assert blocked == [25.0]
    counted("payloads", {"sorted": len(table)})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"recipient.name": ["required", "long"]}', ("recipient.name", "required")),
        (b'{"": ["Cannot insert"]}', ("", "Cannot insert")),
        (b'{"title": "Bad", "detail": "Worse", "status": 400}', ("", "Worse")),
        (b'{"message": "No access"}', ("", "No access")),
        (b"{}", ("", "")),
        (b'"text"', ("", "text")),
        (b"null", ("", "")),
        (b"", ("", "")),
        (b"<html>", ("", "")),
        (b"[1]", ("", "[1]")),
    ],
)
def test_every_shape_of_refusal(body: bytes, told: tuple[str, str]) -> None:
    assert first_complaint(body) == told
