"""docs/canonical.md is current, names every canonical field, and every path in it exists in its vendor's contract."""

import dataclasses
import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors import canonical
from local import canonical_doc
from tests.core import contract_fields as read

SHARED = Path(canonical_doc.DOCS).parent.parent / "shared"
SPECS, SAMPLES = SHARED / "specs", SHARED / "samples"
here = pytest.mark.skipif(
    not SPECS.is_dir(), reason="../shared is absent: the vendors' contracts are not part of the project"
)

# Paths that no saved contract proves, by system and tag (canonical_doc.TAGS): as many as are known, and no more.
UNPROVED = {("netsuite", "D"): 87, ("netsuite", "K"): 8, ("business_central", "A"): 10, ("oracle", "V"): 8}
# Systems without any contract in ../shared.
ELSEWHERE = {"tryton": "Tryton's contract is its source: read from the 8.0 and 8.2 wheels when the page was written"}


def specs(folder: str, *names: str) -> list[Path]:
    return [SPECS / folder / name for name in names]


def payloads(pattern: str, name: str, key: str = "") -> read.Types:
    """What the payloads show that match; under `key`, where they are wrapped."""
    types: read.Types = {}
    for file in sorted(SAMPLES.glob(pattern)):
        try:
            value: Any = json.loads(file.read_text())
        except ValueError:
            continue  # one of the samples is broken on purpose
        if not key or (isinstance(value, dict) and key in value):
            read.seen(types, name, value[key] if key else value)
    return types


def shopify_webhook() -> read.Types:
    wrapped = {
        "order": "Order",
        "product": "Product",
        "fulfillment_order": "FulfillmentOrder",
        "transactions": "OrderTransaction",
    }
    topics = ("Order", "Refund", "Fulfillment", "OrderTransaction", "InventoryLevel", "InventoryItem")
    return read.together(
        payloads("shopify/webhook-hkd-2025/*.json", "Order"),
        payloads("shopify/odd/*.json", "Order"),
        *(payloads("shopify/rest-*-lib/*.json", name, key) for key, name in wrapped.items()),
        *(payloads(f"shopify/webhook-doc-samples/*-{topic}.json", topic) for topic in topics),
    )


def sfcc() -> read.Types:
    folder = "salesforce-commerce"
    feeds = ("order", "inventory", "returnimportfeed", "shippingorderupdatefeed", "pricebook", "catalog")
    scapi = ("orders-oas-1.5.2", "products-oas-1.2.0", "customers-oas-1.1.3", "shopper-orders-oas-1.17.1")
    return read.together(
        read.openapi(*specs(folder, "ocapi-data-api.json")),
        read.xsd(*specs(folder, *(f"xsd/{feed}.xsd" for feed in feeds))),
        read.openapi(*specs(folder, *(f"{name}.yaml" for name in scapi))),
    )


def amazon() -> read.Types:
    names = ("orders_2026-01-01", "fbaInventory", "finances_2024-06-19", "externalFulfillmentReturns_2024-09-11")
    settlement = SAMPLES / "amazon-spapi/settlement/v2-us-row-variant.tsv"
    return read.together(
        read.openapi(*specs("amazon-spapi/models", *(f"{name}.json" for name in names))),
        read.table(settlement, "settlementFlatFileV2", "\t"),
    )


def walmart() -> read.Types:
    newer = (f"us-mp-newer/{name}.yml" for name in ("orders", "inventory", "returns", "prices"))
    return read.openapi(*specs("walmart", *newer, "us-mp/items.json", "us-mp/reports.json"))


def netsuite() -> read.Types:
    saved = json.loads((SPECS / "netsuite/record_rest_v1_2026_1_contract.json").read_text())
    order = {name.split(".")[0]: None for name in saved["salesOrder"]}
    types: read.Types = {"salesOrder": {**order, "shippingAddress": "address", "billingAddress": "address"}}
    types["address"] = {name.split("{")[0]: None for name in saved["salesOrder.shippingAddress|billingAddress"]}
    for sublist in ("item", "promotions", "giftCertRedemption"):
        types["salesOrder"][sublist] = sublist
        types[sublist] = {"items": f"{sublist} line"}
        types[f"{sublist} line"] = {name.split(".")[0]: None for name in saved[f"salesOrder.{sublist}.items[]"]}
    return types


def d365_fo() -> read.Types:
    entities = json.loads((SPECS / "d365_finance_operations/fo_scm_entities.json").read_text())["entities"]
    return {name: dict.fromkeys(known) for name, known in entities.items()}


def business_central() -> read.Types:
    """The saved OpenAPI is of v1.0; the manual's pages of v2.0 add what came since."""
    pages = {
        "salesOrder": ["salesOrder_create"],
        "salesOrderLine": ["salesOrderLine_create", "salesorderline"],
        "item": ["item"],
        "customerPayment": ["customerpayment"],
    }
    manual = (
        read.listed(SAMPLES / f"d365_business_central/dynamics_{page}.md", name, pattern)
        for name, several in pages.items()
        for page in several
        for pattern in (r'"(\w+)":', r"^\|\s*\**(\w+)\**\s*\|")
    )
    return read.together(read.openapi(*specs("d365_business_central", "BCOpenApiSpecification.json")), *manual)


def s4hana() -> read.Types:
    services = (
        "SALES_ORDER_SRV",
        "OUTBOUND_DELIVERY_SRV_0002",
        "MATERIAL_STOCK_SRV",
        "CUSTOMER_RETURNS_DELIVERY_SRV_0002",
    )
    derived = ("billing-document", "credit-memo-request", "customer-return")
    return read.openapi(
        *specs("sap_s4hana", *(f"API_{name}.json" for name in services)),
        *specs("sap_s4hana", *(f"derived_sap-sd-{name}.yml" for name in derived)),
    )


def oracle() -> read.Types:
    """No contract is saved: one composed request, and a third party's mock."""
    return read.together(
        payloads("oracle_fusion/create_sales_order_composed.json", "salesOrdersForOrderHub", "body"),
        payloads("oracle_fusion/sales_orders.json", "salesOrdersForOrderHub", "salesOrders"),
    )


BIGCOMMERCE = (
    "orders.v2.oas2 orders.v3 inventory.v3 products_catalog.v3 product-variants_catalog.v3 price_lists.v3 customers.v3"
)
EBAY = "sell_fulfillment_v1 sell_inventory_v1 sell_finances_v1"

CONTRACTS: dict[str, Callable[[], read.Types]] = {
    "shopify_webhook": shopify_webhook,
    "shopify_graphql": lambda: read.sdl(SPECS / "shopify/admin-2026-07.schema.graphql"),
    "adobe": lambda: read.openapi(*specs("adobe-commerce", "admin-schema-2.4.9.yaml")),
    "bigcommerce": lambda: read.openapi(*specs("bigcommerce", *(f"{name}.yml" for name in BIGCOMMERCE.split()))),
    "sfcc": sfcc,
    "amazon": amazon,
    "walmart": walmart,
    "ebay": lambda: read.openapi(*specs("ebay", *(f"{name}_oas3.json" for name in EBAY.split()))),
    "square": lambda: read.openapi(*specs("square", "api.json")),
    "netsuite": netsuite,
    "d365_fo": d365_fo,
    "business_central": business_central,
    "s4hana": s4hana,
    "oracle": oracle,
    "acumatica": lambda: read.openapi(*specs("acumatica", "Default_24.200.001.json")),
    "shipbob": lambda: read.openapi(*specs("shipbob", "shipbob-openapi.json")),
}


@cache
def table() -> tuple[dict[str, str], ...]:
    return tuple(canonical_doc.rows())


def model() -> Iterator[str]:
    """Every field of every dataclass in connectors.canonical, as Class.field."""
    for found in pkgutil.walk_packages(canonical.__path__, canonical.__name__ + "."):
        module = importlib.import_module(found.name)
        for name, kind in vars(module).items():
            if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == found.name:
                yield from (f"{name}.{field.name}" for field in dataclasses.fields(kind))


def test_the_page_is_current() -> None:
    page = (canonical_doc.DOCS / "canonical.md").read_text()
    assert page == canonical_doc.render(table()), "run python -m local.canonical_doc"


def test_every_canonical_field_has_one_row_and_every_row_a_field() -> None:
    assert Counter(row["field"] for row in table()) == Counter(model())


def test_every_row_says_something_of_every_system() -> None:
    columns = {"field", "ours", *canonical_doc.SYSTEMS}
    for row in table():
        assert set(row) == columns
        assert all(row[system] for system in canonical_doc.SYSTEMS), (
            f"{row['field']}: an empty cell is no answer, none is"
        )


def test_a_field_that_no_two_systems_have_stands_with_a_reason() -> None:
    alone = [row["field"] for row in table() if canonical_doc.count(row) < 2 and not row["ours"]]
    assert not alone, "a field that no two systems have is a defect of the model"


def test_what_is_unproved_is_known_to_be_so() -> None:
    marked = ((system, path) for row in table() for system, path in canonical_doc.paths(row).items() if "[" in path)
    assert Counter((system, path[-2]) for system, path in marked) == Counter(UNPROVED)
    assert {tag for _, tag in UNPROVED} <= set(canonical_doc.TAGS)


@here
@pytest.mark.parametrize("system", canonical_doc.SYSTEMS)
def test_every_path_exists_in_the_contract(system: str) -> None:
    """Walked field by field from its type; a marked path must not be there, or its mark is stale."""
    if system in ELSEWHERE:
        pytest.skip(ELSEWHERE[system])
    types = CONTRACTS[system]()
    told = [(row["field"], row[system].partition(" [")) for row in table() if row[system] != canonical_doc.NONE]
    missing = [f"{field}: {path}" for field, (path, mark, _) in told if not mark and not read.has(types, path)]
    stale = [f"{field}: {path}" for field, (path, mark, _) in told if mark and read.has(types, path)]
    assert not missing
    assert not stale
