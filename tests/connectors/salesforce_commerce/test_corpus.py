"""Every stored Commerce Cloud payload is read: mapped with exact sums, refused for a named defect of its own, or not ours.

They are the examples of three contracts. Shopper Orders tells an order by other names than Orders does (`price`, `amount`); the
mapping reads both, so its examples are tried too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import simplejson

from connectors.canonical.gate import equation
from connectors.canonical.order import Order
from connectors.kit.account import Account
from connectors.kit.errors import Rejected, Trouble, Unauthorized, Unreadable
from connectors.kit.http import Answer
from connectors.kit.place import Place
from connectors.salesforce_commerce.mapping import read
from connectors.salesforce_commerce.mapping.order import order
from connectors.salesforce_commerce.mapping.products import localized, product
from connectors.salesforce_commerce.refusals import sorted_out
from connectors.salesforce_commerce.source import message
from tests.connectors.counting import VERDICTS, Counted, explained, reasons
from tests.connectors.salesforce_commerce.openapi import SHARED, SPECS, schema_errors

SAMPLES = SHARED / "samples" / "salesforce-commerce"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason=f"{SAMPLES} is not here: no corpus to read")
ACCOUNT = Account("samples", "salesforce_commerce", "https://api.example.com")
Reader = Callable[["Payload"], str]

# The whole list of what is refused: payload, field at fault, why.
UMBRELLA = "the total is 586.76, which no reading of its items, adjustments, shipping and taxes makes"
REFUSED = {
    "scapi-orders/getOrder.json 200 Order": (
        "orderTotal",
        "a surcharge of 20.00 (told as 10, 20 and 21 with tax) stands in shippingTotal, and is in no total",
    ),
    "scapi-shopper-orders/cancelOmsOrder.json 200 Order": ("orderTotal", UMBRELLA),
    "scapi-shopper-orders/createOrder.json 200 Order": ("orderTotal", UMBRELLA),
    "scapi-shopper-orders/createPaymentInstrumentForOrder.json 200 Order": ("orderTotal", UMBRELLA),
    "scapi-shopper-orders/getOrder.json 200 Order": ("orderTotal", UMBRELLA),
    "scapi-shopper-orders/guestOrderLookup.json 200 Order": ("orderTotal", UMBRELLA),
    "scapi-shopper-orders/guestOrderLookup.json 200 OrderPartialAccess": (
        "creationDate",
        "what a stranger may see of an order: no date, no address, no payment",
    ),
    "scapi-shopper-orders/updatePaymentInstrumentForOrder.json 200 Order": ("orderTotal", UMBRELLA),
    "scapi-shopper-orders/updatePaymentInstrumentForOrder.json 200 OrderWhenSalesforcePaymentsEnabled": (
        "orderTotal",
        "one umbrella, and the total of three",
    ),
}
OTHERS = "Shopper APIs are the storefront's: the hub acts for no shopper"
SHAPES = "options, variation attributes and groups of a product: only what is sold is read"
ORDERS = "/organizations/{organizationId}/orders"
BELOW = f"{ORDERS}/{{orderNo}}"
NOT_OURS = {
    f"POST {ORDERS}": "an order made by the API, or bought: we make none",
    f"PATCH {BELOW}/payment-instruments/{{paymentInstrumentId}}/transaction": "attributes of a payment: we set none",
    f"PUT {BELOW}/shipments/{{shipmentId}}/shipping-address": "an address changed by the API: we change none",
    "POST /organizations/{organizationId}/unassigned-product-search": "products of no category: for merchandisers",
}
NOT_OUR_PATHS = (
    ("variation", SHAPES),
    ("variant-search", SHAPES),
    ("product-options", SHAPES),
    ("/actions/", OTHERS),
    ("/lookup", OTHERS),
    ("payment-methods", OTHERS),
    ("/taxes", OTHERS),
    ("payment-instruments", OTHERS),
)


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
        file, call = str(path.relative_to(SAMPLES)), f"{told['method']} {told['path']}"
        for name, body in (told.get("request") or {}).items():
            yield Payload(file, call, "", name, body)
        for status, answers in (told.get("responses") or {}).items():
            for name, body in answers.items():
                yield Payload(file, call, status, name, body)


# ---- how each is read


def an_order(body: Any) -> str:
    """Its parts make its total to the cent, or it is refused naming orderTotal; and what is listed is what is mapped."""
    made: Order = order(Place(body), ACCOUNT)
    sum_ = equation(made)
    if not sum_.holds:
        raise Unreadable(f"The parts make {sum_.sum}, the total is {sum_.total}.", field="orderTotal")
    paid = sum((one.amount.shop.amount for one in made.payments), sum_.total.amount * 0)
    assert paid == sum_.total.amount, f"{made.id}: paid {paid}"
    assert len(read(ACCOUNT, message(body))) == 1
    return f"order {made.id}: {len(made.lines)} lines make {sum_.total}"


def orders(payload: Payload) -> str:
    rows = payload.body.get("data", [payload.body])
    return "; ".join(an_order(row) for row in rows)


def an_article(body: Any) -> str:
    """Master products are no goods; others keep their id, name and price."""
    made = product(Place(body))
    if made is None:
        return f"{body['id']}: only holds others"
    assert (made.id, made.sku, made.title) == (body["id"], body["id"], localized(Place(body.get("name"))))
    told = body.get("price"), body.get("priceCurrency")
    shown = (made.price.amount.amount, made.price.amount.currency) if made.price else (None, None)
    assert shown == (told if None not in told else (None, None))
    return f"article {made.sku} {made.title}"


def articles(payload: Payload) -> str:
    rows = payload.body.get("hits", [payload.body])
    return "; ".join(an_article(row) for row in rows)


def as_we_send(schema: str) -> Reader:
    """A request such as ours: by the contract's own schema, and not by one letter less."""

    def reader(payload: Payload) -> str:
        if SPECS.exists():
            body = simplejson.loads(simplejson.dumps(payload.body, use_decimal=True))
            assert schema_errors("orders-oas-1.5.2.yaml", schema, body) == []
            assert schema_errors("orders-oas-1.5.2.yaml", schema, {**body, "statuss": "x"})
        return f"a request such as ours ({schema})"

    return reader


READERS: dict[tuple[str, bool], Reader] = {
    (f"GET {ORDERS}", True): orders,
    (f"GET {BELOW}", True): orders,
    (f"POST {ORDERS}", True): orders,
    (f"POST {BELOW}/lookup", True): orders,
    (f"POST {BELOW}/actions/oms-cancel-order", True): orders,
    (f"POST {BELOW}/payment-instruments", True): orders,
    (f"PATCH {BELOW}/payment-instruments/{{paymentInstrumentId}}", True): orders,
    (f"PUT {BELOW}/confirmation-status", False): as_we_send("OrderConfirmationStatusUpdateRequest"),
    (f"PUT {BELOW}/export-status", False): as_we_send("OrderExportStatusUpdateRequest"),
    (f"PUT {BELOW}/external-status", False): as_we_send("OrderExternalStatusUpdateRequest"),
    (f"PUT {BELOW}/shipping-status", False): as_we_send("OrderShippingStatusUpdateRequest"),
    (f"PATCH {BELOW}", False): as_we_send("OrderUpdateRequest"),
    (f"POST {BELOW}/oms-status-events", False): as_we_send("OmsStatusEventRequest"),
    ("GET /organizations/{organizationId}/products/{productId}", True): articles,
    ("PUT /organizations/{organizationId}/products/{productId}", True): articles,
    ("PUT /organizations/{organizationId}/products/{productId}", False): articles,
    ("PATCH /organizations/{organizationId}/products/{productId}", True): articles,
    ("PATCH /organizations/{organizationId}/products/{productId}", False): articles,
    ("POST /organizations/{organizationId}/product-search", True): articles,
}
SEARCH = ("POST /organizations/{organizationId}/product-search", False)


def refusal(payload: Payload) -> str:
    """An error body is sorted: what kind of trouble, with Commerce Cloud's words where they are for us."""
    status = int(payload.status)
    body = simplejson.dumps(payload.body, use_decimal=True).encode()
    found = sorted_out(Answer(status, {}, body, write=True))
    assert isinstance(found, Unauthorized if status == 401 else Rejected)
    if isinstance(found, Rejected):
        assert payload.body["detail"] in found.sentence, f"{payload}: its own words are lost"
    assert isinstance(found, Trouble)
    explained(found)
    return f"{type(found).__name__} {found.code}"


def verdict(payload: Payload) -> tuple[str, str]:
    if payload.status and int(payload.status) >= 400:
        return "trouble", refusal(payload)
    key = payload.call, bool(payload.status)
    if key == SEARCH:
        assert set(payload.body) <= {"query", "limit", "offset", "sorts"}
        return "read", "a search such as ours"
    reader = READERS.get(key)
    if reader is None:
        why = NOT_OURS.get(payload.call) or next((why for path, why in NOT_OUR_PATHS if path in payload.call), "")
        assert why, f"{payload} is new: say how it is read"
        return "not ours", why
    try:
        return "read", reader(payload)
    except Unreadable as refused:
        field, why = REFUSED.get(str(payload), ("", refused.sentence))
        return ("refused" if refused.field == field else "wrongly refused"), f"{refused.field}: {why}"


@pytest.mark.counting
def test_every_stored_payload_is_read_or_named(counted: Counted) -> None:
    table = [(payload, *verdict(payload)) for payload in payloads()]
    print()
    for payload, kind, words in table:
        print(f"{payload!s:94.94} {kind:9} {words:.100}")
    found = Counter(kind for _, kind, _ in table)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(found.items())), f"of {len(table)}")
    assert "wrongly refused" not in found
    assert {str(payload) for payload, kind, _ in table if kind == "refused"} == set(REFUSED)
    files = {payload.file for payload, _, _ in table}
    assert files == {str(one.relative_to(SAMPLES)) for one in Path(SAMPLES).rglob("*.json")}
    counted("payloads", {VERDICTS.get(kind, kind): number for kind, number in found.items()})
    reasons(counted, ((payload.call or "file", str(payload), kind, words) for payload, kind, words in table))
