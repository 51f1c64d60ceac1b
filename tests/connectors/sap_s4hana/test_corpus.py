"""Every stored SAP payload is read: the mock services' records as ours, the rest named as what they are.

The mock files are services with an example for each property instead of whole bodies: a record of each entity that a mock
answers is made of its examples, as its server does, and read by what reads that entity here. The totals are theirs: an
example of an amount is nought.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.sap_s4hana.mapping import conditions, items, stock, words_v4
from connectors.sap_s4hana.odata import instant, number
from tests.connectors.counting import Counted, reasons

SAMPLES = Path("../shared/samples/sap_s4hana")
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="../shared/samples/sap_s4hana is not here: no corpus to read"
)
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def record(spec: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One record of an entity, made of the examples; text without one is its own name, as long as it may be."""
    made: dict[str, Any] = {}
    for field, told in spec["components"]["schemas"][name]["properties"].items():
        if "example" in told:
            made[field] = told["example"]
        elif told.get("type") == "string":
            made[field] = field[: told.get("maxLength", len(field))]
        elif told.get("type") == "boolean":
            made[field] = False
    return made


def sales_order_v2(spec: Mapping[str, Any]) -> str:
    order, item = record(spec, "A_SalesOrder"), record(spec, "A_SalesOrderItem")
    assert instant(order["CreationDate"]) == datetime(2017, 4, 13, tzinfo=UTC)
    assert number(order["TotalNetAmount"]) == items.ordered([item]) == Decimal(0)
    element = record(spec, "A_SalesOrderItemPrElement")
    assert conditions.standing([element], [element["ConditionType"]]) == {element["ConditionType"]: element}
    return f"read: order of {items.ordered([item])} with its conditions"


def sales_order_v4(spec: Mapping[str, Any]) -> str:
    """The same sums and conditions, once its words are those of V2."""
    order, item = words_v4.heard(record(spec, "SalesOrder")), words_v4.heard(record(spec, "SalesOrderItem"))
    assert instant(order["CreationDate"]) is not None
    assert items.total([{**item, "SalesDocumentRjcnReason": ""}]) == Decimal(0)
    assert {"Material", "ProductionPlant", "RequestedQuantityUnit"} <= set(item)
    element = words_v4.heard(record(spec, "SalesOrderItemPricingElmnt"))
    assert conditions.standing([element], [element["ConditionType"]]) == {element["ConditionType"]: element}
    return f"read: order of {items.ordered([item])} with its conditions"


def material_stock(spec: Mapping[str, Any]) -> str:
    row = {**record(spec, "A_MatlStkInAcctMod"), "InventorySpecialStockType": "", "SDDocument": ""}
    places = stock.by_place([row])
    assert list(places) == [f"{row['Plant']}/{row['StorageLocation']}"]
    (level,) = stock.levels("M", "S", [("here", places.popitem()[1])], [row["InventoryStockType"]], NOW)
    assert level.on_hand == number(row["MatlWrhsStkQtyInMatlBaseUnit"])
    assert level.unsellable == Decimal(0)
    return f"read: level of {level.on_hand}"


def special_stock(spec: Mapping[str, Any]) -> str:
    """As it stands in the examples it is some customer's: none of ours to sell."""
    assert stock.by_place([record(spec, "A_MatlStkInAcctMod")]) == {}
    return "read: special stock, passed over"


def delivery_item(spec: Mapping[str, Any]) -> str:
    item = record(spec, "A_OutbDeliveryItem")
    assert number(item["ActualDeliveryQuantity"]) == Decimal(0)
    assert {"ReferenceSDDocument", "ReferenceSDDocumentItem", "DeliveryQuantityUnit"} <= set(item)
    return "read: item of a delivery"


READERS: Mapping[str, tuple[Callable[[Mapping[str, Any]], str], ...]] = {
    "API_SALES_ORDER_SRV_MOCK.json": (sales_order_v2,),
    "CE_SALESORDER_0001_MOCK.json": (sales_order_v4,),
    "API_MATERIAL_STOCK_SRV_MOCK.json": (material_stock, special_stock),
    "API_OUTBOUND_DELIVERY_SRV_0002_MOCK.json": (delivery_item,),
}


def another_service(path: Path) -> str:
    """The metadata of pyodata's tests describe a service of their own: none of its entities is one of ours."""
    found = {one.get("Name") for one in ET.parse(path).iter() if one.tag.endswith("}EntityType")}
    assert found
    assert not any(str(name).startswith("A_") for name in found)
    return f"named: metadata of another service, {len(found)} entities"


@pytest.mark.counting
def test_every_payload_is_read_or_named(counted: Counted):
    table: list[tuple[str, str]] = []
    for path in sorted(SAMPLES.iterdir()):
        if path.suffix == ".md":
            continue
        if path.suffix == ".xml":
            table.append((path.name, another_service(path)))
            continue
        assert path.name in READERS, f"{path.name} is new: say how it is read"
        spec = json.loads(path.read_text())
        table += [(path.name, reader(spec)) for reader in READERS[path.name]]
    assert len({name for name, _ in table}) == 5
    verdicts = {name: verdict.partition(":")[0] for name, verdict in table}
    named = {name: told for name, verdict in table for kind, _, told in [verdict.partition(": ")] if kind == "named"}
    reasons(counted, (("file", name, "not ours", told) for name, told in named.items()))
    counted("payloads", Counter({"named": "not ours"}.get(verdict, verdict) for verdict in verdicts.values()))
