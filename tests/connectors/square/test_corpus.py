"""Every stored Square payload is read: mapped with exact sums, refused for a named defect of its own, or not ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson

from connectors.canonical.gate import equation
from connectors.canonical.snapshot import Ignored, Pointer, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.place import Place
from connectors.square import mapping
from connectors.square.mapping.fulfilments import address, ways
from connectors.square.mapping.money_back import Money
from connectors.square.mapping.order import order as read_order
from connectors.square.mapping.parties import customer
from connectors.square.mapping.payments import payments
from connectors.square.mapping.refunds import plain
from connectors.square.mapping.values import Sums, currency_of
from connectors.square.prices import Tag
from connectors.square.refusals import errors
from tests.connectors.counting import VERDICTS, Counted, reasons
from tests.connectors.square.openapi import SHARED

SAMPLES = SHARED / "samples" / "square"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason=f"{SAMPLES} is not here: no corpus to read")
ACCOUNT = Account("samples", "square", "https://api.example.com")
Reader = Callable[[Place], str]

# The whole list of what is refused: payload, field at fault, why.
REFUSED = {
    "api/CreateCheckout.json": (
        "order.id",
        "an order that is not made yet: no id, no uid of its lines, and its first line's total forgets the quantity",
    ),
}
ATTRIBUTES = "custom attributes: fields of other applications"
CUSTOMERS = "groups, segments and cards of customers"
NOT_OURS = {
    "/v2/catalog/batch-delete": "we delete no articles",
    "/v2/catalog/info": "limits of the catalogue, which are those of the contract",
    "/v2/catalog/images/{image_id}": "pictures",
    "/v2/catalog/update-item-modifier-lists": "we change no modifiers",
    "/v2/customers/{customer_id}/cards": CUSTOMERS,
    "/v2/customers/groups": CUSTOMERS,
    "/v2/customers/groups/{group_id}": CUSTOMERS,
    "/v2/customers/segments": CUSTOMERS,
    "/v2/customers/segments/{segment_id}": CUSTOMERS,
    "/v2/customers/{customer_id}/groups/{group_id}": CUSTOMERS,
    "/v2/events/disable": "an empty answer",
    "/v2/events/enable": "an empty answer",
    "/v2/gift-cards": "gift cards as accounts: their use is a tender, their sale a line",
    "/v2/gift-cards/activities": "gift cards as accounts",
    "/v2/gift-cards/from-gan": "gift cards as accounts",
    "/v2/gift-cards/{id}": "gift cards as accounts",
    "/v2/gift-cards/{gift_card_id}/link-customer": "gift cards as accounts",
    "/v2/inventory/adjustment/{adjustment_id}": "relative changes: we read what is there",
    "/v2/inventory/adjustments/{adjustment_id}": "relative changes: we read what is there",
    "/v2/inventory/transfers/{transfer_id}": "relative changes: we read what is there",
    "/v2/webhooks/subscriptions/{subscription_id}/test": "a test of a subscription",
    "/v2/webhooks/subscriptions/{subscription_id}/signature-key": "a rotated key: an operator stores it (security.md)",
    "seed-orders-payments.json": "a sample application's seed in the words of its SDK, no payload of the API",
}


@dataclass(frozen=True)
class Payload:
    file: str
    call: str
    body: Any

    def __str__(self) -> str:
        return self.file


def payloads() -> Iterator[Payload]:
    for path in sorted(SAMPLES.rglob("*.json")):
        told, file = simplejson.loads(path.read_text(), use_decimal=True), str(path.relative_to(SAMPLES))
        if "event_id" in told:
            yield Payload(file, "webhook", told)
        elif "path" in told:
            (answer,) = (one for answers in told["responses"].values() for one in answers.values())
            yield Payload(file, told["path"], answer)
        else:
            yield Payload(file, file, told)


# ---- how each is read


def sale(node: Place) -> str:
    """The order whole: its equation, its lines and its tenders to the cent."""
    body = {"order": node.value, "payments": [], "refunds": [], "returns": [], "customer": None, "variations": []}
    (reading,) = mapping.read(ACCOUNT, Message("api/order", "1", simplejson.dumps(body, use_decimal=True).encode()))
    assert isinstance(reading, Ignored) == (node.at("state").text() == "DRAFT")
    order = read_order(Place(body), ACCOUNT)
    sums = equation(order)
    assert not sums.difference
    for line, item in zip(order.lines, node.at("line_items").items(), strict=True):
        assert line.gross is not None
        off = sum((one.amount.shop.amount for one in line.discounts), Decimal(0))
        tax = Decimal(0) if order.taxes_included else sum((one.amount.shop.amount for one in line.taxes), Decimal(0))
        assert (line.gross.shop.amount - off + tax) * 100 == item.at("total_money").at("amount").number()
    paid = sum((one.amount.shop.amount for one in order.payments), Decimal(0))
    assert not order.payments or paid == order.totals.total.shop.amount
    return f"order {order.id}: {len(order.lines)} lines make {sums.total}, paid {paid}"


def tendered(node: Place) -> str:
    sums = Sums(currency_of(node.at("tenders").items()[0].at("amount_money")))
    made = payments(node, {}, sums)
    assert [one.amount.shop.amount * 100 for one in made] == [
        one.at("amount_money").at("amount").number() for one in node.at("tenders").items()
    ]
    return ", ".join(f"{one.kind} {one.amount.shop} by {one.tender}" for one in made)


def payment(node: Place) -> str:
    """As the fetched half of a tender."""
    tender = {
        "id": node.at("id").text(),
        "type": node.at("source_type").text(),
        "amount_money": node.at("total_money").value,
    }
    (made,) = payments(
        Place({"tenders": [tender]}), {node.at("id").text(): node}, Sums(currency_of(node.at("total_money")))
    )
    assert made.amount.shop.amount * 100 == node.at("total_money").at("amount").number()
    return f"payment {made.id[:12]}: {made.kind} {made.status} {made.amount.shop} by {made.gateway}"


def refund(node: Place) -> str:
    made = plain(node, Money((), {}, {}), Sums(currency_of(node.at("amount_money"))))
    assert made.total.shop.amount * 100 == node.at("amount_money").at("amount").number()
    assert sum((one.amount.shop.amount for one in made.adjustments), Decimal(0)) == made.total.shop.amount
    return f"refund {made.id[:12]}: {made.status} {made.total.shop}"


def articles(node: Place) -> str:
    """Variations: the price that stands there is recognised, another goes out with nothing else changed."""
    variations = [one for item in _flat(node) for one in (item, *item.at("item_data").at("variations").items())]
    seen = 0
    for one in (found for found in variations if found.at("item_variation_data").at("price_money").value):
        money = one.at("item_variation_data").at("price_money").value
        assert Tag(one.value, money["amount"], money["currency"], "").there
        tag = Tag(one.value, money["amount"] + 1, money["currency"], "")
        assert not tag.there
        changed = tag.changed()
        assert changed["item_variation_data"]["price_money"]["amount"] == money["amount"] + 1
        changed["item_variation_data"]["price_money"] = money
        assert {**one.value, **changed} == one.value
        seen += 1
    return f"{len(variations)} objects, {seen} prices"


def _flat(node: Place) -> list[Place]:
    told = [node.at(name) for name in ("object", "catalog_object") if node.at(name).value]
    return told + [one for name in ("objects", "items", "related_objects") for one in node.at(name).items()]


def counts(node: Place) -> str:
    made = []
    for row in node.at("counts").items():
        article = {"id": row.at("catalog_object_id").text(), "item_variation_data": {"sku": "A"}}
        body = simplejson.dumps({"count": row.value, "variation": article}, use_decimal=True).encode()
        (reading,) = mapping.read(ACCOUNT, Message("api/stock", "1", body))
        assert isinstance(reading, Snapshot)
        assert isinstance(reading.document, StockLevel)
        assert reading.document.available == row.at("quantity").number()
        made.append(f"{reading.document.available} at {reading.document.location}")
    return ", ".join(made)


def counted(node: Place) -> str:
    """Physical counts have the fields that ours have."""
    rows = [one.at("physical_count") for one in node.at("changes").items()] or [node.at("count")]
    ours = {"catalog_object_id", "location_id", "state", "quantity", "occurred_at", "reference_id"}
    assert all(ours <= set(row.value) for row in rows if row.value)
    return f"{len(rows)} counts with the fields that ours have"


def people(node: Place) -> str:
    told = [one for one in (node.at("customer"), *node.at("customers").items()) if one.value]
    told += [Place(one).at("customer") for one in (node.at("responses").value or {}).values() if "customer" in one]
    for one in told:
        party = customer(Place({"order": {}, "customer": one.value}), ways(Place({})))
        assert party is not None
        assert (party.id, party.email) == (one.at("id").text(), one.at("email_address").text())
        assert address(Place({"address": one.at("address").value})) is not None or not one.at("address").value
    lost = [
        errors(simplejson.dumps(one).encode()) for one in (node.at("responses").value or {}).values() if "errors" in one
    ]
    return f"{len(told)} customers, {len(lost)} not found"


def places(node: Place) -> str:
    rows = [one for one in (node.at("location"), *node.at("locations").items(), node) if one.at("id").value]
    assert rows
    return f"{len(rows)} locations: {rows[0].at('id').text()}"


def hooks(node: Place) -> str:
    rows = [one for one in (node.at("subscription"), *node.at("subscriptions").items()) if one.value]
    assert all(isinstance(one.at("enabled").flag(), bool) for one in rows)
    assert all(topic.text() in mapping.TOPICS for one in rows for topic in one.at("event_types").items())
    return f"{len(rows)} subscriptions"


def topics(node: Place) -> str:
    assert all(one.text() in mapping.TOPICS for one in node.at("event_types").items())
    return f"{len(node.at('event_types').items())} topics"


def webhook(node: Place) -> str:
    topic = node.at("type").text()
    readings = mapping.read(ACCOUNT, Message(topic, "1", simplejson.dumps(node.value, use_decimal=True).encode()))
    if all(isinstance(one, Ignored) for one in readings):
        assert topic not in mapping.TOPICS
        return f"ignored: {topic}"
    assert all(isinstance(one, Pointer) for one in readings)
    told = node.at("data").at("object")
    for name, reader in (("payment", payment), ("refund", refund)):
        if told.at(name).value:
            return f"{topic}: {reader(told.at(name))}"
    return f"{topic}: pointer to {readings[0].kind} {readings[0].id}"  # type: ignore[union-attr]


def each(name: str, reader: Reader) -> Reader:
    return lambda node: "; ".join(
        reader(one) for one in (node.at(name).items() if isinstance(node.at(name).value, list) else (node.at(name),))
    )


READERS: dict[str, Reader] = {
    **dict.fromkeys(
        ("/v2/orders", "/v2/orders/clone", "/v2/orders/{order_id}", "/v2/orders/{order_id}/pay"), each("order", sale)
    ),
    "/v2/locations/{location_id}/checkouts": lambda node: sale(node.at("checkout").at("order")),
    "/v2/locations/{location_id}/transactions/{transaction_id}": each("transaction", tendered),
    "/v2/payments/{payment_id}/complete": each("payment", payment),
    "/v2/refunds": lambda node: each("refunds" if node.has("refunds") else "refund", refund)(node),
    **dict.fromkeys(
        (
            "/v2/catalog/batch-upsert",
            "/v2/catalog/list",
            "/v2/catalog/object",
            "/v2/catalog/object/{object_id}",
            "/v2/catalog/search-catalog-items",
        ),
        articles,
    ),
    "/v2/inventory/batch-retrieve-counts": counts,
    "/v2/inventory/{catalog_object_id}": counts,
    "/v2/inventory/batch-retrieve-changes": counted,
    "/v2/inventory/{catalog_object_id}/changes": counted,
    "/v2/inventory/physical-count/{physical_count_id}": counted,
    "/v2/inventory/physical-counts/{physical_count_id}": counted,
    **dict.fromkeys(
        (
            "/v2/customers",
            "/v2/customers/{customer_id}",
            "/v2/customers/search",
            "/v2/customers/bulk-retrieve",
            "/v2/customers/bulk-update",
        ),
        people,
    ),
    **dict.fromkeys(("/v2/locations", "/v2/locations/{location_id}", "apievangelist-location.json"), places),
    **dict.fromkeys(("/v2/webhooks/subscriptions", "/v2/webhooks/subscriptions/{subscription_id}"), hooks),
    "/v2/webhooks/event-types": topics,
    "/v2/events/types": topics,
    "/v2/events": each("events", webhook),
    "webhook": webhook,
}


def verdict(payload: Payload) -> tuple[str, str]:
    reason = ATTRIBUTES if "custom-attribute" in payload.call else NOT_OURS.get(payload.call)
    if reason:
        return "not ours", reason
    reader = READERS.get(payload.call)
    assert reader is not None, f"{payload} ({payload.call}) is new: say how it is read"
    try:
        return "read", reader(Place(payload.body))
    except Unreadable as refused:
        field, why = REFUSED.get(str(payload), ("", refused.sentence))
        return ("refused" if refused.field == field else "wrongly refused"), f"{refused.field}: {why}"


@pytest.mark.counting
def test_every_stored_payload_is_read_or_named(counted: Counted) -> None:
    table = [(payload, *verdict(payload)) for payload in payloads()]
    print()
    for payload, kind, words in table:
        print(f"{payload!s:74.74} {kind:9} {words:.110}")
    found = Counter(kind for _, kind, _ in table)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(found.items())), f"of {len(table)}")
    assert "wrongly refused" not in found
    assert {str(payload) for payload, kind, _ in table if kind == "refused"} == set(REFUSED)
    assert {payload.file for payload, _, _ in table} == {
        str(one.relative_to(SAMPLES)) for one in Path(SAMPLES).rglob("*.json")
    }
    counted("payloads", {VERDICTS.get(kind, kind): number for kind, number in found.items()})
    reasons(counted, ((payload.call or "file", str(payload), kind, words) for payload, kind, words in table))
