"""What is sent validates against Shopify's schema, and what the simulator answers is of the schema's types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
import requests
import simplejson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from connectors.canonical.product import Price
from connectors.canonical.snapshot import Pointer
from connectors.shopify import documents, pages
from connectors.shopify.documents import Document
from connectors.shopify.ids import short
from connectors.shopify.simulator_graphql import parsed, requested_cost
from connectors.shopify.simulator_kinds import KINDS
from tests.connectors.counting import Counted
from tests.connectors.shopify.conftest import SDL, TOKEN
from tests.connectors.shopify.contract import fetched
from tests.connectors.shopify.test_prices import euro, tell
from tests.connectors.shopify.test_writes import items, placed, publish, shipped, tee
from tests.contract import samples
from tests.contract.bench import Bench
from tests.contract.driver import drive
from tests.contract.system import System

Json = dict[str, Any]
DOCUMENTS = (*documents.DOCUMENTS, *pages.DOCUMENTS)
VARIABLES: Json = {"id": "gid://shopify/Order/1", "query": "", "first": 100, "location": "gid://shopify/Location/70001"}
SET = {
    "name": "available",
    "reason": "correction",
    "quantities": [
        {
            "inventoryItemId": "gid://shopify/InventoryItem/3000001000001",
            "locationId": "gid://shopify/Location/70001",
            "quantity": 5,
            "changeFromQuantity": None,
        }
    ],
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.text.split("(")[0].split()[-1])
def test_documents_are_valid(document: Document, schema: GraphQLSchema) -> None:
    assert not validate(schema, parse(document.text))
    assert not validate(schema, parse(document.text), [NoDeprecatedCustomRule]), "a field that Shopify will take away"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.text.split("(")[0].split()[-1])
def test_documents_may_be_asked(document: Document) -> None:
    """No more than 1,000 points, and what is asked of the limiter is no more than what it may cost."""
    asked = {
        **VARIABLES,
        "input": {},
        "parent": "p",
        "key": "k",
        "metafields": [],
        "fulfillment": {},
        "topic": "X",
        "subscription": {},
        "order": "gid://shopify/Order/1",
        "reason": "OTHER",
        "notify": False,
        "note": "n",
        "product": "gid://shopify/Product/1",
        "variants": [],
        "list": "gid://shopify/PriceList/7",
        "prices": [],
    }
    cost = requested_cost(parsed(document.text, {**asked, "namespace": "n", "key": "k"}))
    assert cost <= 1000
    assert document.cost <= cost


def ask(shop: System, document: Document, **variables: Any) -> Any:
    answer = requests.post(
        f"{shop.address}/admin/api/2026-07/graphql.json",
        json={"query": document.text, "variables": variables},
        headers={"X-Shopify-Access-Token": TOKEN},
        timeout=10,
    ).json()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def test_the_simulator_answers_by_the_schema(shop: System, schema: GraphQLSchema) -> None:
    """Every document, over orders of every kind, edited, shipped, refunded and cancelled."""
    orders = shop.post("/_sim/orders", [{"kind": kind} for kind in KINDS])
    shipped = orders[0]["id"]
    shop.post(f"/_sim/orders/{shipped}/fulfil", {"numbers": ["JD1"], "company": "DHL"})
    shop.post(f"/_sim/orders/{shipped}/refund", {"lines": [{"sku": "WB-TEE", "quantity": 1}], "shipping": True})
    shop.post(f"/_sim/orders/{shipped}/refund", {"amount": "1.00"})
    for order in orders:
        conforms(schema, shop, documents.ORDER, id=f"gid://shopify/Order/{order['id']}")
    state = ask(shop, documents.ORDER, id=f"gid://shopify/Order/{shipped}")["order"]
    conforms(schema, shop, documents.FULFILLABLE, id=f"gid://shopify/Order/{shipped}")
    lines = {"id": f"gid://shopify/Order/{shipped}", "after": None}
    conforms(schema, shop, documents.ORDER_LINES, **lines)
    conforms(schema, shop, documents.FULFILMENT_LINES, **{**lines, "id": state["fulfillments"][0]["id"]})
    refund = next(iter(shop.get(f"/_sim/orders/{shipped}")["refunds"]))
    for document in (pages.DISCOUNTS, pages.SHIPPING_LINES, pages.FULFILMENT_ORDERS, pages.LISTED):
        conforms(schema, shop, document, **lines)
    conforms(schema, shop, pages.ONE_FULFILMENT, id=state["fulfillments"][0]["id"])
    of_refund = (documents.REFUND_LINES, pages.REFUND_SHIPPING, pages.REFUND_ADJUSTMENTS, pages.REFUND_TRANSACTIONS)
    for document in (*of_refund, pages.ONE_REFUND):
        conforms(schema, shop, document, **{**lines, "id": refund["admin_graphql_api_id"]})
    returned = {
        "lines": [{"sku": "WB-MUG", "quantity": 1, "reason": "too-big"}],
        "exchange": [{"sku": "WB-CAP", "quantity": 1}],
    }
    shop.post(f"/_sim/orders/{shipped}/return", {**returned, "open": True})
    number = ask(shop, documents.ORDER, id=f"gid://shopify/Order/{shipped}")["order"]["returns"]["nodes"][0]["id"]
    of_return = (pages.ONE_RETURN, pages.RETURN_LINES, pages.RETURN_EXCHANGES, pages.ORDER_OF_RETURN)
    for document in of_return:
        conforms(schema, shop, document, id=number, after=None)
    shop.post(f"/_sim/orders/{shipped}/process")
    for document in of_return:
        conforms(schema, shop, document, id=number, after=None)
    conforms(schema, shop, pages.RETURNS, **lines)
    held = next(one for one in shop.get("/_sim/orders") if one["financial_status"] == "authorized")
    name = f"gid://shopify/Order/{held['id']}"
    (authorisation,) = ask(shop, documents.TRANSACTIONS, id=name)["order"]["transactions"]
    conforms(schema, shop, documents.TRANSACTIONS, id=name)
    taken = {"id": name, "parentTransactionId": authorisation["id"], "amount": "1.00", "currency": "EUR"}
    conforms(schema, shop, documents.CAPTURE, input=taken)
    conforms(schema, shop, documents.CAPTURE, input={**taken, "amount": "99999.00"})
    capture = ask(shop, documents.TRANSACTIONS, id=name)["order"]["transactions"][-1]
    for parent in (authorisation["id"], capture["id"], "gid://shopify/OrderTransaction/1"):
        conforms(schema, shop, documents.VOID, parent=parent)
    other = shop.post("/_sim/orders", {"status": "authorized"})[0]["id"]
    free = ask(shop, documents.TRANSACTIONS, id=f"gid://shopify/Order/{other}")["order"]["transactions"][0]["id"]
    conforms(schema, shop, documents.VOID, parent=free)
    moved = {
        "orderId": name,
        "parentId": capture["id"],
        "kind": "REFUND",
        "gateway": "shopify_payments",
        "amount": "0.40",
    }
    credit = {"storeCreditRefund": {"amount": {"amount": "0.60", "currencyCode": "EUR"}}}
    wanted = {"orderId": name, "note": "n", "refundLineItems": [], "transactions": [moved], "refundMethods": [credit]}
    conforms(schema, shop, documents.REFUND_ORDER, input=wanted, key="k-1")
    conforms(schema, shop, documents.REFUNDS, id=name)
    conforms(schema, shop, documents.CHANGED_ORDERS, query="", first=100, after=None)
    conforms(schema, shop, documents.CHANGED_PRODUCTS, query="", first=3, after=None)
    product = ask(shop, documents.CHANGED_PRODUCTS, query="", first=1, after=None)["products"]["nodes"][0]
    conforms(schema, shop, documents.PRODUCT, id=product["id"])
    conforms(schema, shop, documents.PRODUCT_VARIANTS, id=product["id"], after=None)
    conforms(schema, shop, documents.VARIANT_PRICES, query="sku:'WB-TEE'", first=5, after=None)
    conforms(schema, shop, documents.STOCK, query="", first=5, after=None)
    item = product["variants"]["nodes"][0]["inventoryItem"]["id"]
    conforms(schema, shop, documents.ITEM_LEVELS, id=item, after=None)
    conforms(schema, shop, documents.LEVELS_AT, query="", location="gid://shopify/Location/70001", first=5)


def test_the_simulator_answers_writes_by_the_schema(shop: System, schema: GraphQLSchema) -> None:
    order = shop.post("/_sim/orders", {"kind": "several_fulfilments"})[0]["id"]
    owner = f"gid://shopify/Order/{order}"
    number = {"ownerId": owner, "namespace": "waybill", "key": "erp_number", "value": "SO-1", "type": "x"}
    conforms(schema, shop, documents.SET_METAFIELD, metafields=[number])
    conforms(schema, shop, documents.SET_METAFIELD, metafields=[{**number, "ownerId": "gid://shopify/Order/1"}])
    conforms(schema, shop, documents.METAFIELD, id=owner, namespace="waybill", key="erp_number")
    one = ask(shop, documents.FULFILLABLE, id=owner)["order"]["fulfillmentOrders"]["nodes"][0]
    wanted = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": one["id"]}]}
    conforms(schema, shop, documents.FULFILLABLE_LINES, id=one["id"], after=None)
    conforms(schema, shop, documents.CREATE_FULFILMENT, fulfillment=wanted)
    conforms(schema, shop, documents.CREATE_FULFILMENT, fulfillment=wanted)  # now there is nothing left
    conforms(schema, shop, documents.SET_QUANTITIES, input=SET, key="k-1")
    conforms(schema, shop, documents.SET_QUANTITIES, input={**SET, "name": "safety"}, key="k-2")
    webhook = {"topic": "ORDERS_CREATE", "subscription": {"uri": "https://hub.example.com/hooks/x", "format": "JSON"}}
    conforms(schema, shop, documents.SUBSCRIBE, **webhook)
    conforms(schema, shop, documents.SUBSCRIBE, **webhook)  # taken
    conforms(schema, shop, documents.SUBSCRIPTIONS, first=10, after=None)
    conforms(schema, shop, documents.STANDING, id=owner)
    _prices(schema, shop)
    other = shop.post("/_sim/orders", {})[0]["id"]
    for refused in (order, other):
        given_up = {"order": f"gid://shopify/Order/{refused}", "reason": "FRAUD", "notify": False, "note": "n"}
        conforms(schema, shop, documents.CANCEL, **given_up)
    job = ask(shop, documents.CANCEL, **given_up)["orderCancel"]["job"]["id"]
    conforms(schema, shop, documents.JOB, id=job)
    conforms(schema, shop, documents.JOB, id="gid://shopify/Job/1")


def _prices(schema: GraphQLSchema, shop: System) -> None:
    """Told, refused in part, and of a product or a list that is not there."""
    conforms(schema, shop, documents.SHOP_CURRENCY)
    found = ask(shop, documents.VARIANT_PRICES, query="sku:'WB-TEE'", first=5, after=None)
    (variant,) = found["productVariants"]["nodes"]
    row = {"id": variant["id"], "price": "18.00", "compareAtPrice": "19.90"}
    both = [row, {**row, "price": "-1"}, {**row, "id": "gid://shopify/ProductVariant/1"}]
    for product in (variant["product"]["id"], "gid://shopify/Product/1"):
        conforms(schema, shop, documents.SET_PRICES, product=product, variants=both)
    shop.put("/_sim/price_lists/7", {"currency": "CHF"})
    price = {"amount": "21.00", "currencyCode": "CHF"}
    fixed = {"variantId": variant["id"], "price": price, "compareAtPrice": None}
    other = {**fixed, "price": {**price, "currencyCode": "EUR"}}
    for name, rows in (("7", [fixed]), ("7", [other]), ("8", [fixed])):
        number = f"gid://shopify/PriceList/{name}"
        conforms(schema, shop, documents.SET_FIXED_PRICES, list=number, prices=rows)
        conforms(schema, shop, documents.FIXED_PRICES, id=number, query="", first=100)


read_once = cache(parse)


@pytest.mark.counting
def test_what_is_sent_is_of_the_schema(shop: System, bench: Bench, schema: GraphQLSchema, counted: Counted) -> None:
    """Every variable of every call that the capabilities make, as Shopify would coerce it."""
    order = placed(shop, bench)
    connector = bench.connector()
    drive(connector.acknowledge(order, number="SO-7", key="k"), find_first=True)
    drive(connector.confirm_shipment(order, shipped(tee(2)), key="k"), find_first=True)
    publish(bench, items(WB_TEE=5))
    shop.put("/_sim/price_lists/7", {"currency": "EUR"})
    for settings in ({}, {"price_list": "7"}):
        bench.account = replace(bench.account, settings={**bench.account.settings, **settings})
        reduced, plain = Price("WB-TEE", euro("15.00"), euro("19.90")), Price("WB-MUG", euro("8.00"))
        assert all(isinstance(one, str) for one in tell(bench, reduced, plain))
    held = fetched(shop, token=TOKEN, status="authorized")
    drive(connector.capture(held, samples.capture(held), key="k"), find_first=True)
    held = fetched(shop, token=TOKEN, status="authorized")
    drive(connector.void(held, samples.void(held), key="k"), find_first=True)
    paid = fetched(shop, token=TOKEN)
    drive(connector.give_back(paid, samples.refund(paid), key="k"), find_first=True)
    drive(connector.cancel_sale(fetched(shop, token=TOKEN), key="k"), find_first=True)
    connector.subscribe(["orders/create", "inventory_levels/update"], "https://hub.example.com/hooks/shop")
    now = datetime.now(UTC)
    rows = [*connector.changed("order", now - HOUR, now + HOUR), *connector.changed("product", now - HOUR, now + HOUR)]
    found = [
        *rows,
        *connector.products(),
        *connector.prices(["WB-TEE"]),
        *connector.stock(),
        *connector.subscriptions(),
    ]
    assert found
    assert connector.fetch(Pointer("order", order.id))
    assert connector.fetch(Pointer("product", "9000001000001"))
    back = {"lines": [{"sku": "WB-TEE", "quantity": 1}], "open": True}
    shop.post(f"/_sim/orders/{order.id}/return", back)
    name = ask(shop, documents.ORDER, id=f"gid://shopify/Order/{order.id}")["order"]["returns"]["nodes"][0]["id"]
    assert connector.fetch(Pointer("return", short(name)))
    sent = [simplejson.loads(one.request) for one in bench.exchanges]
    for asked in sent:
        (operation,) = (
            one for one in read_once(asked["query"]).definitions if isinstance(one, OperationDefinitionNode)
        )
        coerced = get_variable_values(schema, operation.variable_definitions or (), asked["variables"])
        assert not isinstance(coerced, list), coerced  # a list is what is wrong
    whole = {one.text for one in DOCUMENTS} - {one["query"] for one in sent}
    assert whole <= {one.text for one in FURTHER_PAGES}, "a document that nothing sends"
    sent_whole, by_tests = len(DOCUMENTS) - len(whole), len(whole)
    counted(
        "operations", {f"{SDL.name}: documents": sent_whole, f"{SDL.name}: further pages, asked by the tests": by_tests}
    )


FURTHER_PAGES = (
    documents.ORDER_LINES,
    documents.FULFILMENT_LINES,
    documents.REFUND_LINES,
    documents.PRODUCT_VARIANTS,
    documents.ITEM_LEVELS,
    documents.FULFILLABLE_LINES,
    *pages.DOCUMENTS,
)
HOUR = timedelta(hours=1)


def conforms(schema: GraphQLSchema, shop: System, document: Document, **variables: Any) -> None:
    """Every answered field is there, of its type, and null only where the schema allows it."""
    ast = read_once(document.text)
    fragments = {one.name.value: one for one in ast.definitions if isinstance(one, FragmentDefinitionNode)}
    operation = next(one for one in ast.definitions if isinstance(one, OperationDefinitionNode))
    root = schema.mutation_type if document.write else schema.query_type
    data = ask(shop, document, **variables)
    faults = list(_object(schema, fragments, root, operation.selection_set, data, document.operation))
    assert not faults, faults[:5]


def _object(schema: Any, fragments: Any, kind: Any, chosen: SelectionSetNode, value: Json, path: str) -> Iterator[str]:
    concrete = schema.type_map.get(value.get("__typename", ""), kind)
    for one in chosen.selections:
        if isinstance(one, FieldNode):
            yield from _answered(schema, fragments, concrete, one, value, path)
        elif isinstance(one, InlineFragmentNode):
            if one.type_condition is not None and one.type_condition.name.value == concrete.name:
                yield from _object(schema, fragments, concrete, one.selection_set, value, path)
        elif isinstance(one, FragmentSpreadNode):
            yield from _object(schema, fragments, kind, fragments[one.name.value].selection_set, value, path)


def _answered(schema: Any, fragments: Any, kind: Any, node: FieldNode, value: Json, path: str) -> Any:
    name = node.name.value
    if name == "__typename":
        return
    if name not in value:
        yield f"{path}.{name} is missing"
        return
    yield from _typed(schema, fragments, kind.fields[name].type, node, value[name], f"{path}.{name}")


def _typed(schema: Any, fragments: Any, kind: Any, node: FieldNode, value: Any, path: str) -> Any:
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            yield f"{path} is null"
            return
        kind = kind.of_type
    if value is None:
        return
    if isinstance(kind, GraphQLList):
        for n, item in enumerate(value):
            yield from _typed(schema, fragments, kind.of_type, node, item, f"{path}[{n}]")
    elif is_composite_type(get_named_type(kind)) and node.selection_set is not None:
        yield from _object(schema, fragments, kind, node.selection_set, value, path)
    else:
        yield from _leaf(kind, value, path)


def _leaf(kind: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(kind, GraphQLEnumType) and value not in kind.values:
        yield f"{path} is {value!r}, not one of {kind.name}"
    if kind.name in SCALARS and not isinstance(value, SCALARS[kind.name]):
        yield f"{path} is {value!r}, not {kind.name}"


SCALARS: dict[str, Any] = {
    "String": str,
    "ID": str,
    "Int": int,
    "Boolean": bool,
    "Float": (int, float),
    "Money": str,
    "Decimal": str,
    "DateTime": str,
    "URL": str,
}
