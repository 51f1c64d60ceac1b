"""Records as CE_SALESORDER_0001 shows them, and what it takes as the company keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.sap_s4hana.simulator_odata import DATE, Record, day, etag
from connectors.sap_s4hana.simulator_views import HEADER, ITEM, PRICE, statuses

KEPT = {
    "Product": "Material",
    "Plant": "ProductionPlant",
    "RequestedQuantitySAPUnit": "RequestedQuantityUnit",
    "ConditionRateAmount": "ConditionRateValue",
    "ConditionQuantitySAPUnit": "ConditionQuantityUnit",
    "_Item": "to_Item",
    "_Partner": "to_Partner",
    "_PricingElement": "to_PricingElement",
    "_ItemPricingElement": "to_PricingElement",
    "_Text": "to_Text",
}
SHOWN = {kept: shown for shown, kept in KEPT.items()}
NUMBERS = ("RequestedQuantity", "NetAmount", "TaxAmount", "TotalNetAmount", "ConditionRateValue", "ConditionQuantity")


def taken(body: Mapping[str, Any]) -> Record:
    """A body as the company keeps it: decimals as text, days in milliseconds."""
    return {KEPT.get(name, name): _taken(name, value) for name, value in body.items()}


def _taken(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return {"results": [taken(one) for one in value]}
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{Decimal(value):f}"
    return day(date.fromisoformat(value)) if name.endswith("Date") and isinstance(value, str) else value


def _shown(one: Record, flat: Mapping[str, Any]) -> Record:
    told = {SHOWN.get(name, name): _value(name, value) for name, value in flat.items()}
    return {"@odata.etag": etag(one), **told}


def _value(name: str, value: Any) -> Any:
    if name in NUMBERS:
        return None if value in (None, "") else Decimal(str(value))
    at = DATE.fullmatch(str(value or "")) if name.endswith("Date") else None
    return datetime.fromtimestamp(int(at[1]) / 1000, UTC).date().isoformat() if at else value


def order(one: Record, expand: tuple[str, ...] = ()) -> Record:
    flat = {name: one.get(name, None if name.endswith("Date") else "") for name in HEADER}
    flat["CompleteDeliveryIsDefined"] = bool(one.get("CompleteDeliveryIsDefined"))
    parts = {
        "_Item": [item(one, row) for row in one["items"]],
        "_Partner": [partner(one, row) for row in one["partners"]],
        "_PricingElement": [price(one, None, row) for row in one["prices"]],
        "_Text": [text(one, row) for row in one["texts"]],
    }
    return {**_shown(one, {**flat, **statuses(one)}), **{name: parts[name] for name in expand}}


def item(one: Record, row: Record, expand: tuple[str, ...] = ()) -> Record:
    flat = {"SalesOrder": one["SalesOrder"], "TransactionCurrency": one["TransactionCurrency"]}
    told = _shown(one, flat | {name: row.get(name, "") for name in ITEM})
    if "_ItemPricingElement" in expand:
        told["_ItemPricingElement"] = [price(one, row, part) for part in row["prices"]]
    return told


def price(one: Record, row: Record | None, part: Record) -> Record:
    keys = {"SalesOrder": one["SalesOrder"], **({"SalesOrderItem": row["SalesOrderItem"]} if row else {})}
    flat = {name: part.get(name) for name in PRICE}
    flat["ConditionQuantityUnit"] = flat["ConditionQuantityUnit"] or ""
    return _shown(one, {**keys, **flat, "TransactionCurrency": one["TransactionCurrency"]})


def partner(one: Record, row: Record) -> Record:
    return _shown(one, {"SalesOrder": one["SalesOrder"], **{k: row[k] for k in ("PartnerFunction", "Customer")}})


def text(one: Record, row: Record) -> Record:
    return _shown(one, {"SalesOrder": one["SalesOrder"], **row})
