"""What a company holds, counted by business identity and summed by its own arithmetic."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from connectors.sap_s4hana.mapping.items import ordered
from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_odata import Record, kept

NAME = "PurchaseOrderByCustomer"


def effects(company: Company) -> dict[str, dict[str, Any]]:
    """Kinds of effect -> business identity -> count, sum or state. A double shows as 2."""
    orders = list(company.rows("salesOrders").values())
    deliveries = list(company.rows("deliveries").values())
    requests, returns = company.rows("credits").values(), company.rows("returns").values()
    return {
        "customer": _count(str(one.get("SearchTerm1")) for one in company.rows("partners").values()),
        "sales_order": _count(one[NAME] for one in orders),
        "sales_order_total": {one[NAME]: kept(ordered(one["items"])) for one in orders},
        "sales_order_state": {one[NAME]: _state(one) for one in orders},
        "cancelled": _count(one[NAME] for one in orders if all(row["SalesDocumentRjcnReason"] for row in one["items"])),
        "fulfilment": _count(_delivery(one) for one in deliveries),
        "picked": _count(_delivery(one) for one in deliveries if one["OverallPickingStatus"] == "C"),
        "goods_issue": _count(_delivery(one) for one in deliveries if one["OverallGoodsMovementStatus"] == "C"),
        "returned": {one[NAME]: _pieces(one["items"]) for one in returns},
        "returned_at": {one[NAME]: _at(one["items"]) for one in returns},
        "return": _count(one[NAME] for one in returns),
        "received": _count(_delivery(one) for one in company.rows("arrivals").values()),
        "goods_receipt": _count(
            _delivery(one) for one in company.rows("arrivals").values() if one["OverallGoodsMovementStatus"] == "C"
        ),
        "moved": _count(_move(one) for document in company.rows("moves").values() for one in document["items"]),
        "credit": _count(one[NAME] for one in requests),
        "refunded": _sums((one[NAME], Decimal(one["TotalNetAmount"]) + Decimal(one["tax"])) for one in requests),
    }


def _move(one: Record) -> str:
    """Movement type, pieces, material, from where to where."""
    start, goal = (
        "/".join(str(one.get(name, "")) for name in names)
        for names in (("Plant", "StorageLocation"), ("IssuingOrReceivingPlant", "IssuingOrReceivingStorageLoc"))
    )
    return f"{one['GoodsMovementType']} {one['QuantityInEntryUnit']} {one['Material']} {start} -> {goal.strip('/')}".strip()


def _delivery(one: Record) -> str:
    return str(one.get("DeliveryDocumentBySupplier") or one["DeliveryDocument"])


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _sums(rows: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    summed: dict[str, Decimal] = {}
    for name, amount in rows:
        summed[name] = summed.get(name, Decimal(0)) + amount
    return {name: kept(amount) for name, amount in sorted(summed.items())}


def _at(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Material and plant -> pieces."""
    return {f"{one['Material']} {one.get('Plant', '')}".strip(): str(one["RequestedQuantity"]) for one in items}


def _pieces(items: Iterable[Record]) -> dict[str, str]:
    return {str(one["Material"]): str(one["RequestedQuantity"]) for one in items}


def _state(order: Mapping[str, Any]) -> str:
    """A mark of items, conditions, addresses and note that changes when one of them does."""
    items = [
        [one["Material"], one["RequestedQuantity"], one["NetAmount"], one["TaxAmount"], one["SalesDocumentRjcnReason"]]
        for one in order["items"]
    ]
    seen = [
        items,
        [[one["address"], one["Customer"]] for one in order["partners"]],
        [one.get("LongText") for one in order["texts"]],
    ]
    return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()[:16]
