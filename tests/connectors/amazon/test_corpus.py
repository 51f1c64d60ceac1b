"""Every payload in ../shared/samples/amazon-spapi is read, to exact totals, or refused for a defect of its own, by field; what
is not ours (yet) is named. The payloads lie beside the repository; without them the test says that it was skipped.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson

from connectors import registry
from connectors.amazon.feeds import json_issues
from connectors.amazon.mapping import LISTED_V0, ORDER, ORDER_V0
from connectors.amazon.mapping.refunds import posted
from connectors.amazon.prices import _offers
from connectors.amazon.queue import identify
from connectors.amazon.refusals import sorted_out
from connectors.amazon.source import _arn
from connectors.canonical.gate import equation
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Ignored, Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Rejected, Throttled, Trouble, Unauthorized, Unreadable
from connectors.kit.http import Answer
from connectors.kit.place import Place
from tests.connectors.amazon.openapi import SHARED, SPECS
from tests.connectors.counting import VERDICTS, Counted, explained, reasons

SAMPLES = SHARED / "samples" / "amazon-spapi"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason=f"{SAMPLES} is not here")
ACCOUNT = Account("a", "amazon", "https://sellingpartnerapi-eu.amazon.com", {}, {})
Reader = Callable[[Any], str]

# What is for a later wave, or for nobody here, by the beginning of its file's or call's name.
NOT_OURS = {
    "dbt-orders.csv": "",  # read below: a warehouse's table
    "settlement/": "settlement reports: a later wave",
    "model-finances-2024/": "finances 2024-06-19: with settlement, a later wave",
    "model-reports/": "reports: with settlement, a later wave",
    "model-external-fulfillment-shipments/": "external fulfilment (Amazon's sellers as its warehouses): not a channel's flow",
    "responses/mcf-": "multi-channel fulfilment: Amazon as our warehouse, a later wave",
    "responses/externalFulfillmentShipping": "external fulfilment: not a channel's flow",
    "responses/reports-": "reports: with settlement, a later wave",
    "responses/catalogitems-": "the catalogue is not read yet",
    "responses/pricing-getPricing": "prices of product pricing v0: read from the listing instead",
    "GET /orders/v0/orders/{orderId}/buyerInfo": "told by getOrder under a restricted token",
    "GET /orders/v0/orders/{orderId}/orderItems/buyerInfo": "told by getOrderItems under a restricted token",
    "GET /orders/v0/orders/{orderId}/regulatedInfo": "regulated products: a later wave",
    "PATCH /orders/v0/orders/{orderId}/regulatedInfo": "regulated products: a later wave",
    "POST /orders/v0/orders/{orderId}/shipment": "pickup in a store: a later wave",
    "DELETE /listings": "a listing taken down: we take none down",
    "PUT /listings": "a listing made: we make none",
    "DELETE /notifications": "a subscription or destination taken down: we take none down",
    "POST /notifications/v1/subscriptions/{notificationType}/testNotification": "a test notification: we ask for none",
    "GET /notifications/v1/destinations/{destinationId}": "one destination: we list them",
    "GET /notifications/v1/subscriptions": "subscriptions of a type",
    "GET /feeds/2021-06-30/feeds": "",
    "GET /finances/v0/financialEventGroups": "with settlement, a later wave",
    "GET /finances/v0/financialEvents": "with settlement, a later wave",
}
# Defects of payloads: (file, case) -> the field by which it is refused, and why.
REFUSED = {
    "model-orders-v0/getOrderItems.json example 200": (
        "items[0].BuyerInfo.GiftWrapPrice.CurrencyCode",
        "gift wrapping in pounds in an order of yen",
    ),
}


@dataclass(frozen=True)
class Payload:
    """One body: `status` is that of an answer, "request" for one that is sent, empty where the file is the body itself."""

    file: str
    call: str
    status: str
    name: str
    body: Any

    def __str__(self) -> str:
        return f"{self.file} {self.name}".strip()


def payloads() -> Iterator[Payload]:
    for path in sorted(one for one in SAMPLES.rglob("*.json")):
        told = simplejson.loads(path.read_text(), use_decimal=True)
        file = str(path.relative_to(SAMPLES))
        if isinstance(told, dict) and "method" in told and "path" in told:
            yield from _modelled(file, told)
        else:
            for n, one in enumerate(told if isinstance(told, list) else [told]):
                yield Payload(file, file.split("/", maxsplit=1)[0], "", str(n) if isinstance(told, list) else "", one)
    for path in sorted(SPECS.glob("schemas/notifications/*.json")):
        for n, one in enumerate(json.loads(path.read_text()).get("examples", [])):
            yield Payload(f"notifications/(schema) {path.name}", "notifications", "", str(n), one)


def _modelled(file: str, told: dict[str, Any]) -> Iterator[Payload]:
    call = f"{told['method']} {told['path']}"
    for status, bodies in (told.get("examples") or {}).items():
        for n, body in enumerate(bodies.values()):
            yield Payload(file, call, status, f"example {status}{f' {n}' if n else ''}", body)
    for status, cases in (told.get("sandbox") or {}).items():
        for n, case in enumerate((cases or {}).get("static") or ()):
            body = ((case["request"].get("parameters") or {}).get("body") or {}).get("value")
            if body is not None:
                yield Payload(file, call, "request", f"sandbox {status} {n} request", body)
            yield Payload(file, call, status, f"sandbox {status} {n}", case.get("response") or {})


# ---- how each is read


def read(topic: str, body: Any) -> Any:
    (reading,) = registry.read(ACCOUNT, Message(topic, "1", simplejson.dumps(body, use_decimal=True).encode()))
    return reading


def exact(reading: Any, total: Any) -> str:
    """An order whose parts make the total that the payload states, to the digit."""
    if isinstance(reading, Ignored):
        return f"ignored: {reading.reason}"
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    sum_ = equation(reading.document)
    assert sum_.sum.amount == sum_.total.amount == Decimal(total), f"parts {sum_.sum}, total {total}"
    return f"order {reading.id}: {len(reading.document.lines)} lines make {sum_.total}"


def order(body: Any) -> str:
    proceeds = body["order"].get("proceeds") or {}
    return exact(read(ORDER, body), (proceeds.get("grandTotal") or {}).get("amount"))


def orders(body: Any) -> str:
    assert {"orders"} <= set(body)
    return "; ".join(order({"order": one}) for one in body["orders"])


def header_v0(header: Any) -> str:
    """Which order changed, and to which version; with items that make its total it is an order, too."""
    reading = read(LISTED_V0, header)
    if isinstance(reading, Ignored):
        return f"ignored: {reading.reason}"
    assert isinstance(reading, Pointer)
    total = header["OrderTotal"]
    price = {"CurrencyCode": total["CurrencyCode"], "Amount": total["Amount"]}
    item = {"OrderItemId": "1", "SellerSKU": "A", "QuantityOrdered": 1, "QuantityShipped": 0, "ItemPrice": price}
    return exact(read(ORDER_V0, {"order": header, "items": [item]}), total["Amount"])


def items_v0(body: Any) -> str:
    """Items under a header whose total is what v0's fields make: price, delivery, wrapping, fee and taxes, less discounts."""
    items, made = body["payload"]["OrderItems"], Decimal(0)
    for item in items:
        for name in ("ItemPrice", "ItemTax", "ShippingPrice", "ShippingTax", "CODFee"):
            made += Decimal((item.get(name) or {"Amount": 0})["Amount"])
        for name in ("PromotionDiscount", "ShippingDiscount", "CODFeeDiscount"):
            made -= Decimal((item.get(name) or {"Amount": 0})["Amount"])
    header = {
        "AmazonOrderId": body["payload"]["AmazonOrderId"],
        "PurchaseDate": "2026-03-02T09:30:00Z",
        "LastUpdateDate": "2026-03-02T09:30:00Z",
        "OrderStatus": "Unshipped",
        "FulfillmentChannel": "MFN",
        "OrderTotal": {"CurrencyCode": items[0]["ItemPrice"]["CurrencyCode"], "Amount": str(made)},
    }
    return exact(read(ORDER_V0, {"order": header, "items": items}), made)


def address_v0(body: Any) -> str:
    told = {"AmazonOrderId": "303-0000001-0000001", "PurchaseDate": "2026-03-02T09:30:00Z", "OrderStatus": "Unshipped"}
    total = {"CurrencyCode": "USD", "Amount": "1.00"}
    header = {**told, "LastUpdateDate": "2026-03-02T09:30:00Z", "OrderTotal": total}
    header["ShippingAddress"] = body["payload"]["ShippingAddress"]
    items = [{"OrderItemId": "1", "QuantityOrdered": 1, "ItemPrice": total}]
    address = read(ORDER_V0, {"order": header, "items": items}).document.shipping
    assert (address.city, address.region) == (
        header["ShippingAddress"]["City"],
        header["ShippingAddress"]["StateOrRegion"],
    )
    return f"address in {address.city}, {address.region} {address.country}"


def notification(body: Any) -> str:
    topic, name = identify(simplejson.dumps(body, use_decimal=True))
    assert topic
    assert name
    reading = read(topic, body)
    if topic == "ORDER_CHANGE":
        assert isinstance(reading, Pointer)
        return f"{topic}: pointer to {reading.kind} {reading.id}"
    assert isinstance(reading, Ignored)
    return f"{topic}: ignored"


def listing(body: Any) -> str:
    held = {one["fulfillmentChannelCode"]: one.get("quantity") for one in body.get("fulfillmentAvailability") or ()}
    prices = [f"{amount} {currency} at {marketplace}" for marketplace, currency, amount in _offers(body)]
    assert body["sku"]
    return f"listing {body['sku']}: {held or 'no quantity told'}, {', '.join(prices) or 'no price told'}"


def submission(body: Any) -> str:
    assert body["status"] in ("ACCEPTED", "VALID", "INVALID")
    assert body["submissionId"]
    return f"submission {body['status']}, {len(body.get('issues') or ())} issues"


def feed_report(body: Any) -> str:
    issues = list(json_issues(simplejson.dumps(body, use_decimal=True).encode()))
    assert sum(1 for one in issues if one.error) == body["summary"]["errors"]
    assert len({one.message for one in issues}) == body["summary"]["messagesInvalid"]
    return f"report: {len(issues)} issues of messages {sorted({one.message for one in issues})}"


def feed_document(body: Any) -> str:
    ours = [one for one in body["messages"] if one["operationType"] == "PATCH" and one["patches"][0]["op"] == "merge"]
    assert set(ours[0]) == {"messageId", "sku", "operationType", "productType", "patches"}
    return f"{len(body['messages'])} messages, one of them such as ours"


def refund_events(body: Any) -> str:
    events = (body.get("payload") or {}).get("FinancialEvents") or {}
    return f"{len(posted(Place(events), 'USD'))} refunds"


def named(*names: str) -> Reader:
    """The fields that our client reads are there."""

    def reader(body: Any) -> str:
        told = body.get("payload", body)
        for one in told if isinstance(told, list) else [told]:
            assert set(names) <= set(one), f"{set(names) - set(one)} missing"
        return f"has {', '.join(names)}"

    return reader


def destinations(body: Any) -> str:
    arns = [_arn(one) for one in body["payload"]]
    assert all(one.startswith("arn:aws:sqs:") for one in arns)
    return f"destinations {arns}"


READERS: dict[str, Reader] = {
    "GET /orders/2026-01-01/orders": orders,
    "GET /orders/2026-01-01/orders/{orderId}": order,
    "GET /orders/v0/orders": lambda body: "; ".join(header_v0(one) for one in body["payload"]["Orders"]),
    "GET /orders/v0/orders/{orderId}": lambda body: header_v0(body["payload"]),
    "GET /orders/v0/orders/{orderId}/orderItems": items_v0,
    "GET /listings/2021-08-01/items/{sellerId}/{sku}": listing,
    "GET /listings/2021-08-01/items/{sellerId}": lambda body: "; ".join(listing(one) for one in body["items"]),
    "PATCH /listings/2021-08-01/items/{sellerId}/{sku}": submission,
    "POST /feeds/2021-06-30/documents": named("feedDocumentId", "url"),
    "POST /feeds/2021-06-30/feeds": named("feedId"),
    "GET /feeds/2021-06-30/feeds/{feedId}": named("feedId", "processingStatus"),
    "GET /feeds/2021-06-30/feeds": lambda body: "; ".join(
        named("feedId", "processingStatus")(one) for one in body["feeds"]
    ),
    "POST /tokens/2021-03-01/restrictedDataToken": named("restrictedDataToken", "expiresIn"),
    "GET /notifications/v1/destinations": destinations,
    "POST /notifications/v1/destinations": named("destinationId"),
    "GET /notifications/v1/subscriptions/{notificationType}": named("subscriptionId", "destinationId"),
    "POST /notifications/v1/subscriptions/{notificationType}": named("subscriptionId", "destinationId"),
    "GET /finances/v0/orders/{orderId}/financialEvents": refund_events,
    "GET /finances/v0/financialEvents": refund_events,
    "notifications": notification,
    "feeds/listings-feed-schema-v2.example.json": feed_document,
    "feeds/listings-feed-processing-report-schema-v2.example.json": feed_report,
    "responses/orders-getOrder.json": lambda body: header_v0(body["payload"]),
    "responses/orders-getOrderItems.json": items_v0,
    "responses/orders-getOrderAddress.json": address_v0,
    "responses/listings-getListingsItem.json": listing,
    "responses/pricing-getListingsItem.json": listing,
    "responses/pricing-patchListingsItem.json": submission,
    "responses/feeds-createFeedDocument.json": named("feedDocumentId", "url"),
    "responses/feeds-getFeedDocument.json": named("feedDocumentId", "url"),
    "responses/orders-confirmShipment.json": lambda body: "204: nothing to read",
    "POST /orders/v0/orders/{orderId}/shipmentConfirmation": lambda body: "204: nothing to read",
}
# Requests that we send, too: the fields of ours are among theirs.
REQUESTS = {
    "POST /orders/v0/orders/{orderId}/shipmentConfirmation": ("marketplaceId", "packageDetail"),
    "POST /feeds/2021-06-30/feeds": ("marketplaceIds", "inputFeedDocumentId"),
    "POST /feeds/2021-06-30/documents": (),
    "POST /tokens/2021-03-01/restrictedDataToken": ("restrictedResources",),
}


def trouble(payload: Payload) -> str:
    """An error body is sorted: what kind of trouble, with Amazon's words where they are for us."""
    status = int(payload.status)
    found = sorted_out(Answer(status, {}, simplejson.dumps(payload.body, use_decimal=True).encode(), write=True))
    assert isinstance(found, Trouble)
    explained(found)
    kinds = {401: Unauthorized, 403: Unauthorized, 429: Throttled, **dict.fromkeys((400, 404, 409), Rejected)}
    assert isinstance(found, kinds.get(status, Trouble))
    said = (payload.body.get("errors") or [{}])[0].get("message", "")
    assert said in found.sentence, f"{payload}: its own words are lost"
    return f"{type(found).__name__} {found.code}"


def verdict(payload: Payload) -> tuple[str, str]:
    if payload.status and payload.status != "request" and int(payload.status) >= 400:
        return "trouble", trouble(payload)
    why = next((why for name, why in NOT_OURS.items() if why and payload.file.startswith(name)), "")
    if payload.status == "request":
        if payload.call in REQUESTS:
            told = set(payload.body) >= set(REQUESTS[payload.call])
            return ("read" if told else "wrongly refused"), "a request with the fields of ours"
        return "not ours", why or _left_out(payload.call)
    reader = READERS.get(payload.file) or READERS.get(payload.call)
    if reader is None:
        why = why or _left_out(payload.call)
        assert why, f"{payload} ({payload.call}) is new: say how it is read"
        return "not ours", why
    try:
        return "read", reader(payload.body)
    except Unreadable as refused:
        field, why = REFUSED.get(str(payload), ("", refused.sentence))
        return ("refused" if refused.field == field else "wrongly refused"), f"{refused.field}: {why}"


def _left_out(call: str) -> str:
    return next((why for name, why in sorted(NOT_OURS.items(), reverse=True) if why and call.startswith(name)), "")


@pytest.mark.counting
def test_every_stored_payload_is_read_or_named(counted: Counted) -> None:
    table = [(payload, *verdict(payload)) for payload in payloads()]
    print()
    for payload, kind, words in table:
        print(f"{payload!s:74.74} {kind:9} {words:.140}")
    found = Counter(kind for _, kind, _ in table)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(found.items())), f"of {len(table)}")
    assert "wrongly refused" not in found
    assert {str(payload) for payload, kind, _ in table if kind == "refused"} == set(REFUSED)
    files = {payload.file for payload, _, _ in table}
    assert files >= {str(one.relative_to(SAMPLES)) for one in Path(SAMPLES).rglob("*.json")}
    others = {str(one.relative_to(SAMPLES)) for one in SAMPLES.rglob("*.*") if one.suffix not in (".json", ".md")}
    assert all(any(one.startswith(name) for name in NOT_OURS) for one in others), others
    counted("payloads", {VERDICTS.get(kind, kind): number for kind, number in found.items()})
    reasons(counted, ((payload.call or "file", str(payload), kind, words) for payload, kind, words in table))


def test_a_warehouse_table_is_refused_by_its_times() -> None:
    """100 rows of a dbt table with v0's columns: their times say no zone, so they name no instant."""
    names = {"amazon_order_id": "AmazonOrderId", "order_status": "OrderStatus", "last_update_date": "LastUpdateDate"}
    with (SAMPLES / "dbt-orders.csv").open() as file:
        rows = [{theirs: row[ours] for ours, theirs in names.items()} for row in csv.DictReader(file)]
    fields = Counter()
    for row in rows:
        with pytest.raises(Unreadable) as met:
            read(LISTED_V0, row)
        fields[met.value.field] += 1
    print(dict(fields), f"of {len(rows)} rows")
    assert fields == Counter({"LastUpdateDate": len(rows)})
