"""Records as the services show them: flat fields, metadata with an ETag, navigations deferred or expanded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from connectors.sap_s4hana.simulator_odata import Record, etag

ROOT = "/sap/opu/odata/sap"
HEADER = (
    "SalesOrder SalesOrderType SalesOrganization DistributionChannel OrganizationDivision SoldToParty PurchaseOrderByCustomer "
    "CustomerPurchaseOrderDate TransactionCurrency SDDocumentReason RequestedDeliveryDate ShippingCondition "
    "CompleteDeliveryIsDefined CreationDate TotalNetAmount"
).split()
ITEM = (
    "SalesOrderItem SalesOrderItemText PurchaseOrderByCustomer Material RequestedQuantity RequestedQuantityUnit ProductionPlant "
    "StorageLocation NetAmount TaxAmount SalesDocumentRjcnReason DeliveryStatus"
).split()
PRICE = (
    "PricingProcedureStep PricingProcedureCounter ConditionType ConditionRateValue ConditionCurrency ConditionQuantity "
    "ConditionQuantityUnit"
).split()
DATES = frozenset(("CustomerPurchaseOrderDate", "RequestedDeliveryDate", "CreationDate"))


def expanded(name: str) -> bool:
    return name in request.args.get("$expand", "").split(",")


def told(service: str, entity: str, key: str, fields: Mapping[str, Any], seen: Mapping[str, Any]) -> Record:
    """A record in its envelope; `seen` is what its ETag is made of: of all parts of an order, the whole order's state."""
    uri = f"{request.host_url.rstrip('/')}{ROOT}/{service}/{entity}({key})"
    kind = f"{service.partition(';')[0]}.{entity}Type"
    return {"__metadata": {"id": uri, "uri": uri, "type": kind, "etag": etag(seen)}, **fields}


def behind(record: Record, name: str, rows: Sequence[Record]) -> Record:
    """A navigation: its records where it was asked for, else where they are."""
    shown = (
        {"results": list(rows)} if expanded(name) else {"__deferred": {"uri": f"{record['__metadata']['uri']}/{name}"}}
    )
    return {**record, name: shown}


SALES = "API_SALES_ORDER_SRV"


def order(one: Record) -> Record:
    number = one["SalesOrder"]
    flat = {
        name: one.get(name, None if name in DATES or name == "CompleteDeliveryIsDefined" else "") for name in HEADER
    }
    found = told(SALES, "A_SalesOrder", f"'{number}'", flat | statuses(one), one)
    found = behind(found, "to_Item", [item(one, row) for row in one["items"]])
    found = behind(found, "to_PricingElement", [price(one, None, row) for row in one["prices"]])
    return behind(found, "to_Text", [text(one, row) for row in one["texts"]])


def statuses(one: Record) -> dict[str, str]:
    """How much of an order was delivered, and how much rejected: A nothing, B some, C all."""
    left = {item["DeliveryStatus"] for item in one["items"]}
    gone = [bool(item["SalesDocumentRjcnReason"]) for item in one["items"]]
    return {
        "OverallDeliveryStatus": "C" if left == {"C"} else "A" if left == {"A"} else "B",
        "OverallSDDocumentRejectionSts": "C" if all(gone) else "B" if any(gone) else "A",
    }


def item(one: Record, row: Record) -> Record:
    number, position = one["SalesOrder"], row["SalesOrderItem"]
    flat = {"SalesOrder": number, "TransactionCurrency": one["TransactionCurrency"]}
    flat |= {name: row.get(name, "") for name in ITEM}
    found = told(SALES, "A_SalesOrderItem", f"SalesOrder='{number}',SalesOrderItem='{position}'", flat, one)
    return behind(found, "to_PricingElement", [price(one, row, part) for part in row["prices"]])


def price(one: Record, row: Record | None, part: Record) -> Record:
    keys = {"SalesOrder": one["SalesOrder"], **({"SalesOrderItem": row["SalesOrderItem"]} if row else {})}
    flat = {**keys, **{name: part.get(name) for name in PRICE}, "TransactionCurrency": one["TransactionCurrency"]}
    named = {name: flat[name] for name in (*keys, "PricingProcedureStep", "PricingProcedureCounter")}
    entity = "A_SalesOrderItemPrElement" if row else "A_SalesOrderHeaderPrElement"
    return told(SALES, entity, ",".join(f"{name}='{value}'" for name, value in named.items()), flat, one)


def text(one: Record, row: Record) -> Record:
    flat = {"SalesOrder": one["SalesOrder"], **row}
    key = f"SalesOrder='{one['SalesOrder']}',Language='{row['Language']}',LongTextID='{row['LongTextID']}'"
    return told(SALES, "A_SalesOrderText", key, flat, one)


def place(one: Record, partner: Record) -> Record:
    flat = {**partner["address"], "SalesOrder": one["SalesOrder"], "PartnerFunction": partner["PartnerFunction"]}
    keys = ("SalesOrder", "PartnerFunction", "AddressRepresentationCode")
    key = ",".join(f"{name}='{flat[name]}'" for name in keys)
    return told(SALES, "A_SalesOrderPartnerAddress", key, flat, one)


def delivery(
    one: Record, service: str = "API_OUTBOUND_DELIVERY_SRV;v=0002", entity: str = "A_OutbDeliveryHeader"
) -> Record:
    flat = {name: value for name, value in one.items() if name != "items"}
    found = told(service, entity, f"'{one['DeliveryDocument']}'", flat, one)
    return behind(found, "to_DeliveryDocumentItem", one["items"])


def delivered(one: Record, row: Record) -> Record:
    keys = {"DeliveryDocument": one["DeliveryDocument"], "DeliveryDocumentItem": row["DeliveryDocumentItem"]}
    key = ",".join(f"{name}='{value}'" for name, value in keys.items())
    flat = {**row, **keys, "GoodsMovementStatus": one["OverallGoodsMovementStatus"]}
    return told("API_OUTBOUND_DELIVERY_SRV;v=0002", "A_OutbDeliveryItem", key, flat, one)


def movement(one: Record) -> Record:
    flat = {name: value for name, value in one.items() if name != "items"}
    key = f"MaterialDocumentYear='{one['MaterialDocumentYear']}',MaterialDocument='{one['MaterialDocument']}'"
    return behind(
        told("API_MATERIAL_DOCUMENT_SRV", "A_MaterialDocumentHeader", key, flat, one),
        "to_MaterialDocumentItem",
        one["items"],
    )


def document(service: str, key: str, one: Record) -> Record:
    """A credit memo request or a customer return."""
    flat = {name: value for name, value in one.items() if name != "items"}
    return behind(told(service, f"A_{key}", f"'{one[key]}'", flat, one), "to_Item", one["items"])
