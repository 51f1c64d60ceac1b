"""Every stored BigCommerce payload is read: mapped with exact sums, refused for a named defect of its own, or not ours.

The samples are answers to single calls, so an order's header comes without its lines: its own arithmetic must be exact,
and each part is mapped by the very function that reads it out of a fetched order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson

from connectors.bigcommerce import mapping
from connectors.bigcommerce.mapping.deliveries import ways
from connectors.bigcommerce.mapping.lines import Frame, line
from connectors.bigcommerce.mapping.order import fee_cost, parts
from connectors.bigcommerce.mapping.parties import address
from connectors.bigcommerce.mapping.products import products, record_price
from connectors.bigcommerce.mapping.refunds import Sold, refund
from connectors.bigcommerce.mapping.shipments import shipment
from connectors.bigcommerce.mapping.taxes import TaxRows, added, tax_rows
from connectors.bigcommerce.refusals import sorted_out
from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Line
from connectors.canonical.snapshot import Ignored, Pointer
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Rejected, Throttled, Trouble, Unauthorized, Unreadable
from connectors.kit.http import Answer
from connectors.kit.place import Place
from connectors.kit.sums import Sums
from tests.connectors.bigcommerce.openapi import SHARED
from tests.connectors.counting import VERDICTS, Counted, explained, reasons

SAMPLES = SHARED / "samples" / "bigcommerce"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason=f"{SAMPLES} is not here: no corpus to read")
ACCOUNT = Account("samples", "bigcommerce", "https://api.example.com", settings={"store_hash": "{store_hash}"})
USD = Sums("USD")
Reader = Callable[[Place], str]

# The whole list of what is refused: payload, field at fault, why.
FEES = "fees of 24.30 are shown that are in no total: the header makes 69.84 without them"
REFUSED = {
    "api-orders.v2.oas2/createOrder.json 200 Response": ("total_inc_tax", FEES),
    "api-orders.v2.oas2/updateOrder.json 200 Response": ("total_inc_tax", FEES),
}
NOT_OURS = {
    "POST /orders": "an order made by the API: we make none",
    "PUT /orders/{order_id}": "an order edited by the API: we set its status only",
    "GET /orders/{order_id}/consignments/shipping/{shipping_consignment_id}/shipping_quotes": "a quote of freight",
    "GET /orders/{order_id}/shipping_addresses/{shipping_address_id}/shipping_quotes": "a quote of freight",
    "GET /orders/{order_id}/messages": "a message to or from the customer",
    "GET /orders/{order_id}/shipments/count": "a count",
    "PUT /orders/{order_id}/shipping_addresses/{id}": "an address changed by the API: we change none",
    "PUT /orders/settings/channels/{channel_id}": "settings of notifications",
    "POST /inventory/adjustments/relative": "a relative adjustment: we set absolutely, which may be repeated",
}


@dataclass(frozen=True)
class Payload:
    """One example: `status` is that of an answer, empty for a request."""

    file: str
    call: str
    status: str
    name: str
    body: Any

    def __str__(self) -> str:
        return f"{self.file} {self.status or 'request'} {self.name}"


def payloads() -> Iterator[Payload]:
    for path in sorted(SAMPLES.rglob("*.json")):
        told = simplejson.loads(path.read_text(), use_decimal=True)
        file = str(path.relative_to(SAMPLES))
        if "scope" in told:
            yield Payload(file, "webhook", "", told["scope"], told)
            continue
        call = f"{told['method']} {told['path']}"
        for name, body in (told.get("request") or {}).items():
            yield Payload(file, call, "", name, body)
        for status, answers in (told.get("responses") or {}).items():
            for name, body in answers.items():
                yield Payload(file, call, status, name, body)


# ---- how each is read


def header(node: Place) -> str:
    """Pointer and version, and the header's own arithmetic to the cent."""
    message = Message("api/orders", "1", simplejson.dumps(node.value, use_decimal=True).encode())
    (reading,) = mapping.read(ACCOUNT, message)
    assert isinstance(reading, Pointer)
    total = node.at("total_inc_tax").number()
    made = {basis: parts(node, basis) for basis in ("ex", "inc")}
    if total not in made.values():
        raise Unreadable(f"The parts make {made}, the total is {total}.", field="total_inc_tax")
    return f"order {reading.id}: parts make {total}"


def product(node: Place) -> str:
    made = {basis: line(node, Frame(USD, basis), TaxRows(), Counter(), "1", False) for basis in ("ex", "inc")}
    for one in made.values():
        assert one.gross is not None
        assert one.gross.shop == one.unit_price.shop * one.quantity
    off = sum((one.amount.shop.amount for one in made["inc"].discounts), Decimal(0))
    left = made["inc"].gross.shop.amount - off if made["inc"].gross else None
    if node.has("discounted_total_inc_tax"):
        assert left == node.at("discounted_total_inc_tax").number()
    return f"line {made['ex'].sku or made['ex'].title}: {made['ex'].quantity} x {made['ex'].unit_price.shop}"


def parcel(node: Place) -> str:
    made = shipment(node, {"194": "A"})
    assert {one.line_id for one in made.lines} == {"194", "195"}
    assert made.trackings[0].carrier == "usps"
    assert made.shipped_at is not None
    return f"shipment {made.id}: {made.trackings[0].number}"


def given_back(node: Place) -> str:
    """Fifty came back for a line that was sold for 45 and 5 of tax."""

    def usd(amount: str) -> MoneyBag:
        return MoneyBag(Money(Decimal(amount), "USD"))

    sold = Line("87", "A", "A", Decimal(1), usd("45.00"), Decimal(1))
    data = node.at("data")
    made = refund(data, Sold({"87": sold}, (), USD, taxes_included=False))
    whole = sum((one.subtotal.shop.amount + one.tax.shop.amount for one in made.lines), Decimal(0))
    whole += sum((one.amount.shop.amount for one in made.adjustments), Decimal(0))
    assert made.total.shop.amount == whole == data.at("total_amount").number()
    return f"refund {made.id}: {made.total.shop} by {made.payments[0].gateway}"


def taxes(node: Place) -> str:
    rows = tax_rows(node.items(), USD)
    assert added(rows.rest) == sum((row.at("line_amount").number() for row in node.items()), Decimal(0))
    return f"{len(rows.rest)} taxes: {added(rows.rest)}"


def fees(node: Place) -> str:
    rows = node.at("fees").items()
    assert all(fee_cost(row, "inc") == fee_cost(row, "ex") + row.at("cost_tax").number() for row in rows)
    return f"{len(rows)} fees: {sum(fee_cost(row, 'inc') for row in rows)}"


def coupon(node: Place) -> str:
    return f"coupon {node.items()[0].at('code').text()}: {node.items()[0].at('discount').number()}"


def addresses(node: Place) -> str:
    read = [address(one) for one in node.items()]
    assert all(one is not None and one.country == "US" for one in read)
    return f"{len(read)} addresses"


def consigned(node: Place) -> str:
    road = ways(Place({"consignments": node.value}))
    assert [one.location for one in road.deliveries] == ["LOCATION-1"]
    assert road.picked_up("12")
    return f"delivery {road.deliveries[0].id} at {road.deliveries[0].location}"


def status(node: Place) -> str:
    from connectors.bigcommerce.simulator_store import STATUSES

    assert STATUSES[int(node.at("id").number())] == node.at("name").text()
    return f"status {node.at('id').text()}"


def records(node: Place) -> str:
    data = node.at("data")
    rows = data.items() if isinstance(data.value, list) else (data,)
    prices = [record_price(row, row.at("variant_id").text()) for row in rows]
    assert [one.amount.currency for one in prices] == [row.at("currency").text().upper() for row in rows]
    assert [one.amount.amount for one in prices] == [row.at("sale_price").number() for row in rows]
    return f"{len(prices)} prices"


def variants(node: Place) -> str:
    data = node.at("data")
    rows = data.value if isinstance(data.value, list) else [data.value]
    whole = Place({"id": 1, "name": "A product", "variants": rows})
    made = products(whole, "USD", "lb")
    for one, row in zip(made, rows, strict=True):
        assert one.sku == row["sku"]
        assert (one.price.amount.amount if one.price else None) == row.get("price")
    return f"{len(made)} articles"


def hooks(node: Place) -> str:
    data = node.at("data")
    assert {"scope", "destination", "is_active"} <= set(data.value)
    assert data.at("scope").text() in mapping.SCOPES
    return f"hook {data.at('id').text()}: {'active' if data.at('is_active').flag() else 'off'}"


def metafield(node: Place) -> str:
    assert {"permission_set", "namespace", "key", "value"} <= set(node.value)
    return "the fields that our metafield has"


def adjustment(node: Place) -> str:
    rows = node.at("items").value
    assert any(set(row) == {"location_id", "sku", "quantity"} for row in rows)
    return "rows such as ours among them"


def webhook(node: Place) -> str:
    scope = node.at("scope").text()
    (reading,) = mapping.read(ACCOUNT, Message(scope, "1", json.dumps(node.value, default=str).encode()))
    if isinstance(reading, Ignored):
        assert scope not in mapping.SCOPES or "inventory" in scope
        return f"ignored: {reading.reason}"
    assert isinstance(reading, Pointer)
    return f"pointer to {reading.kind} {reading.id}"


def listed(reader: Reader) -> Reader:
    return lambda node: "; ".join(reader(one) for one in node.items())


READERS: dict[str, Reader] = {
    "GET /orders": listed(header),
    "POST /orders": header,
    "PUT /orders/{order_id}": header,
    "GET /orders/{order_id}/products": listed(product),
    "GET /orders/{order_id}/products/{product_id}": product,
    "POST /orders/{order_id}/shipments": parcel,
    "GET /orders/{order_id}/shipments/{shipment_id}": parcel,
    "GET /orders/{order_id}/taxes": taxes,
    "GET /orders/{order_id}/fees": fees,
    "GET /orders/{order_id}/coupons": coupon,
    "GET /orders/{order_id}/shipping_addresses": addresses,
    "GET /orders/{order_id}/consignments": consigned,
    "GET /order_statuses/{status_id}": status,
    "GET /orders/payment_actions/refunds/{refund_id}": given_back,
    "POST /orders/{order_id}/metafields": metafield,
    "PUT /inventory/adjustments/absolute": adjustment,
    "GET /pricelists/{price_list_id}/records": records,
    "GET /pricelists/{price_list_id}/records/{variant_id}/{currency_code}": records,
    **dict.fromkeys(
        (
            "POST /catalog/products/{product_id}/variants",
            "GET /catalog/products/{product_id}/variants",
            "GET /catalog/products/{product_id}/variants/{variant_id}",
            "PUT /catalog/products/{product_id}/variants/{variant_id}",
        ),
        variants,
    ),
    "GET /hooks/{webhook_id}": hooks,
    "DELETE /hooks/{webhook_id}": hooks,
    "webhook": webhook,
}


def refusal(payload: Payload) -> str:
    """An error body is sorted: what kind of trouble, with BigCommerce's words where they are for us."""
    status = int(payload.status)
    found = sorted_out(Answer(status, {}, simplejson.dumps(payload.body, use_decimal=True).encode(), write=True))
    assert isinstance(found, Trouble)
    explained(found)
    kinds = {401: Unauthorized, 429: Throttled, **dict.fromkeys((400, 404, 422), Rejected)}
    assert isinstance(found, kinds.get(status, Trouble))
    if isinstance(found, Rejected):
        assert "BigCommerce says: HTTP" not in found.sentence, f"{payload}: its own words are lost"
    return f"{type(found).__name__} {found.code}"


def verdict(payload: Payload) -> tuple[str, str]:
    if payload.status and int(payload.status) >= 400:
        return "trouble", refusal(payload)
    reader = READERS.get(payload.call)
    if (reader is None or not payload.status) and payload.call in NOT_OURS:
        return "not ours", NOT_OURS[payload.call]
    assert reader is not None, f"{payload} is new: say how it is read"
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
    files = {payload.file for payload, _, _ in table}
    assert files == {str(one.relative_to(SAMPLES)) for one in Path(SAMPLES).rglob("*.json")}
    counted("payloads", {VERDICTS.get(kind, kind): number for kind, number in found.items()})
    reasons(counted, ((payload.call or "file", str(payload), kind, words) for payload, kind, words in table))
