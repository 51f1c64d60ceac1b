"""What CE_SALESORDER_0001 (OData V4) calls otherwise than API_SALES_ORDER_SRV, said in its words and read back from them.

The mapping speaks V2; names, dates and decimals are put into V4's here and nowhere else. Source: the exports of both services.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.sap_s4hana.mapping.asks import HEADER_PRICE, ITEM, ITEM_PRICE, ORDER, PARTNER, TEXT
from connectors.sap_s4hana.odata import Row, day, instant

ENTITIES = {
    ORDER: "SalesOrder",
    ITEM: "SalesOrderItem",
    HEADER_PRICE: "SalesOrderPricingElement",
    ITEM_PRICE: "SalesOrderItemPricingElement",
    PARTNER: "SalesOrderPartner",
    TEXT: "SalesOrderText",
}
NAVIGATIONS = {"to_Item": "_Item", "to_Partner": "_Partner", "to_PricingElement": "_PricingElement", "to_Text": "_Text"}
ITEM_NAVIGATIONS = {"to_PricingElement": "_ItemPricingElement", "to_Text": "_ItemText"}
NAMES = {
    "Material": "Product",
    "ProductionPlant": "Plant",
    "RequestedQuantityUnit": "RequestedQuantitySAPUnit",
    "ConditionRateValue": "ConditionRateAmount",
    "ConditionQuantityUnit": "ConditionQuantitySAPUnit",
}
OURS = {
    **{theirs: ours for ours, theirs in NAMES.items()},
    **{theirs: ours for told in (NAVIGATIONS, ITEM_NAVIGATIONS) for ours, theirs in told.items()},
}
DECIMALS = frozenset(("RequestedQuantity", "ConditionRateValue", "ConditionQuantity"))
DATES = frozenset(
    "CustomerPurchaseOrderDate RequestedDeliveryDate SalesOrderDate PricingDate BillingDocumentDate ServicesRenderedDate "
    "FixedValueDate CreationDate".split()
)


def navigation(entity: str, name: str) -> str:
    """What stands below an order or an item: `to_PricingElement` has another name at each."""
    return (ITEM_NAVIGATIONS if entity == ITEM else NAVIGATIONS)[name]


def said(body: Mapping[str, Any], entity: str = ORDER) -> Row:
    """A body in V4's words: lists are plain, decimals numbers, dates ISO days."""
    told: Row = {}
    for name, value in body.items():
        if name.startswith("to_"):
            inner = ITEM if name == "to_Item" else ""
            told[navigation(entity, name)] = [said(one, inner) for one in value["results"]]
        else:
            told[NAMES.get(name, name)] = _value(name, value)
    return told


def _value(name: str, value: Any) -> Any:
    if name in DECIMALS:
        return Decimal(str(value))
    at = instant(value) if name in DATES else None
    return at.date().isoformat() if at else value


def heard(record: Mapping[str, Any]) -> Row:
    """A record in the words of V2. Its ETag, and those of what is expanded, stand where V2 has them."""
    told: Row = {"__metadata": {"etag": record.get("@odata.etag", "")}}
    for name, value in record.items():
        ours = OURS.get(name, name)
        if isinstance(value, list) and ours.startswith("to_"):
            told[ours] = {"results": [heard(one) for one in value if isinstance(one, Mapping)]}
        elif not name.startswith("@"):
            told[ours] = _day(value) if ours in DATES and value else value
    return told


def _day(value: Any) -> str:
    return day(date.fromisoformat(str(value)[:10]))
