"""Every sample file of others is read: mapped with exact totals, refused for a named defect of its own, or not ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors.canonical.gate import equation
from connectors.canonical.money import Role
from connectors.canonical.order import Order
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable
from connectors.kit.http import dump_json
from connectors.shopify.ids import short
from connectors.shopify.mapping import graphql, read
from connectors.shopify.mapping.bags import Books
from connectors.shopify.mapping.order import order
from connectors.shopify.mapping.refunds import refund
from connectors.shopify.mapping.shipments import shipment
from connectors.shopify.mapping.values import Place
from connectors.shopify.stock import _level
from tests.connectors.counting import VERDICTS, Counted, reasons
from tests.connectors.shopify.samples import SAMPLES, Found, files, found_in

ACCOUNT = Account("samples", "shopify", "https://shop.example.com", settings={"currency": "USD"})
Json = dict[str, Any]

# The whole list of what is refused: file, field at fault, why.
EDIT = "graphql-conformance/order-edit-money-math.json.cases.discount"
UNSELECTED = ("total_price", "the recorded query leaves out the discount that the edit gave")
REFUSED = {
    f"{EDIT}.commit.response.payload.data.orderEditCommit.order": UNSELECTED,
    f"{EDIT}.downstreamRead.response.payload.data.order": UNSELECTED,
    "rest-python-lib/order.json.order": ("total_price", "three lines of 199.00 in a total made for two of them"),
    "odd/stringly-typed-shopify_order_created_webhook.json": (
        "currency",
        "a middleman left out currency and totals, and wrote true and null as text",
    ),
}
# Objects of kinds that no topic of this connector carries.
NOT_OURS = {
    "draft order": "an offer, not an order: it is told when it is completed",
    "checkout": "not placed yet",
    "cart": "not placed yet",
}
# Files without any object of a supported kind, by the beginning of their name.
OTHER_FILES = {
    "dbt-csv/": "rows of a warehouse export, no payload",
    "laravel/get_webhooks.json": "subscriptions",
    "rest-go-lib/customer.json": "a customer by itself",
    "rest-go-lib/fulfillment_order.json": "a fulfilment order: read by shipments.py, told by no topic",
    "rest-go-lib/gift_card_get.json": "a gift card by itself",
    "rest-go-lib/orderlineitems_valid.json": "a line item by itself",
    "rest-go-lib/shippinglines_": "a shipping line by itself",
    "rest-go-lib/transactions.json": "transactions by themselves",
    "rest-python-lib/fulfillment_event.json": "a carrier's event",
    "rest-python-lib/inventory_items.json": "inventory items by themselves",
    "rest-python-lib/locations.json": "locations",
    "rest-python-lib/price_rule.json": "a price rule",
    "rest-python-lib/tender_transactions.json": "tender transactions",
    "rest-python-lib/transactions.json": "transactions by themselves",
    "rudder/identify_call_for_customers": "a customer by itself",
    "vcr-spree/base_order-": "transactions by themselves",
    "vcr-spree/order_with_missing_data-1": "transactions by themselves",
    "vcr-spree/order_with_refund-": "transactions by themselves",
    "webhook-doc-samples/latest-Dispute": "a dispute",
    "webhook-doc-samples/latest-FulfillmentEvent": "a carrier's event",
    "webhook-doc-samples/latest-InventoryItem": "an inventory item by itself",
    "webhook-doc-samples/latest-Location": "a location",
    "webhook-doc-samples/latest-TenderTransaction": "a tender transaction",
    "webhook-doc-samples/v-2021-07-OrderTransaction": "a transaction by itself",
    "graphql-conformance/": "recorded calls whose answers select no total with its lines, fulfilment, refund or level",
}
# A recorded query selects what its author wanted; what it left out is filled with what changes no sum.
FRAME = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}


def delivered(topic: str) -> Callable[[Found], Any]:
    return lambda found: read(ACCOUNT, Message(topic, "1", dump_json(found.body)))


def whole_order(node: Json) -> Order:
    """An order in its webhook's words, in every currency that it states; its gate must hold in each."""
    made = order(Place(node))
    roles = [Role.SHOP, *([Role.PRESENTMENT] if _states_both(node) else [])]
    for role in roles:
        if not (told := equation(made, role)).holds:
            raise Unreadable(f"The parts make {told.sum}, the total is {told.total}.", field="total_price")
    return made


def _states_both(node: Json) -> bool:
    total = node.get("total_price_set") or {}
    lines = all("presentment_money" in (line.get("price_set") or {}) for line in node["line_items"])
    return "presentment_money" in total and lines


def webhook_order(found: Found) -> Any:
    whole_order(found.body)
    return delivered("orders/updated")(found)


def graphql_order(found: Found) -> Any:
    money = found.body.get("totalPriceSet") or _before_refunds(found.body)
    seen = {
        **money["shopMoney"],
        **found.body["lineItems"]["nodes"][0]["originalUnitPriceSet"].get("presentmentMoney", {}),
    }
    codes = {"currencyCode": money["shopMoney"]["currencyCode"], "presentmentCurrencyCode": seen["currencyCode"]}
    frame = {**FRAME, **codes}
    node = graphql.order({**frame, "totalPriceSet": money, **found.body, "lineItems": _named_lines(found)})
    return whole_order(node)


def _before_refunds(body: Json) -> Json:
    """The total where only what is left of it was selected: what went back is added again."""
    left = body["currentTotalPriceSet"]["shopMoney"]
    back = (body.get("totalRefundedSet") or {"shopMoney": {"amount": "0"}})["shopMoney"]
    return {"shopMoney": {**left, "amount": str(Decimal(left["amount"]) + Decimal(back["amount"]))}}


def _named_lines(found: Found) -> Json:
    rows = found.body["lineItems"]["nodes"]
    return {"nodes": [{"id": f"gid://shopify/LineItem/{n}", "quantity": 1, **row} for n, row in enumerate(rows, 1)]}


def graphql_refund(found: Found) -> Any:
    currency = found.body["totalRefundedSet"]["shopMoney"]["currencyCode"]
    made = refund(Place(graphql.refund(graphql.plain(found.body))), Books(currency, currency))
    assert made.total.shop.amount == Decimal(found.body["totalRefundedSet"]["shopMoney"]["amount"])
    return made


def graphql_level(found: Found) -> Any:
    row = {"updatedAt": FRAME["updatedAt"], **found.body}
    return _level(row, "sku", short(row["location"]["id"]), "item")


MAPPED: dict[str, Callable[[Found], Any]] = {
    "order": webhook_order,
    "order edit": delivered("orders/edited"),
    "refund": delivered("refunds/create"),
    "fulfillment": delivered("fulfillments/create"),
    "inventory level": delivered("inventory_levels/update"),
    "product": delivered("products/update"),
    "graphql order": graphql_order,
    "graphql refund": graphql_refund,
    "graphql fulfillment": lambda found: shipment(Place(graphql.fulfilment(graphql.plain(found.body)))),
    "graphql inventory level": graphql_level,
}


@pytest.mark.counting
@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not beside this checkout")
def test_every_sample(capsys: pytest.CaptureFixture[str], counted: Counted) -> None:
    table: Counter[tuple[str, str]] = Counter()
    refused: dict[str, str] = {}
    strangers: list[str] = []
    told: list[tuple[str, str, str, str]] = []
    for path in files():
        inside = found_in(path)
        name = str(path.relative_to(SAMPLES))
        if not inside:
            reason = next((why for start, why in OTHER_FILES.items() if name.startswith(start)), None)
            table["other files", "not ours"] += 1
            told.append(("file", name, "not ours", reason or "nobody said why"))
            strangers += [] if reason else [name]
        for found in inside:
            verdict = judged(found, refused)
            table[found.kind, verdict] += 1
            field, why = REFUSED[found.name] if verdict == "refused" else ("", "")
            told.append((found.kind, found.name, verdict, f"{field}: {why}" if field else NOT_OURS.get(found.kind, "")))
    with capsys.disabled():
        print(shown(table))
    assert not strangers, "these files hold nothing that is supported, and nobody said why"
    assert {name: field for name, (field, _) in REFUSED.items()} == refused
    found: Counter[str] = Counter()
    for (_, verdict), number in table.items():
        found[VERDICTS.get(verdict, verdict)] += number
    counted("payloads", found)
    reasons(counted, told)


def judged(found: Found, refused: dict[str, str]) -> str:
    if found.kind in NOT_OURS:
        return "not ours"
    try:
        assert MAPPED[found.kind](found)
    except Unreadable as defect:
        refused[found.name] = defect.field
        return "refused"
    return "mapped"


def shown(table: Counter[tuple[str, str]]) -> str:
    kinds = sorted({kind for kind, _ in table})
    verdicts = ("mapped", "refused", "not ours")
    rows = [f"{kind:26}" + "".join(f"{table[kind, verdict]:>10}" for verdict in verdicts) for kind in kinds]
    head = f"\n{'Shopify samples':26}" + "".join(f"{verdict:>10}" for verdict in verdicts)
    return "\n".join((head, *rows, f"{'files':26}{len(files()):>10}"))
