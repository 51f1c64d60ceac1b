"""What follows an order and stands beside it, over OData V2: deliveries, partners, credits, returns, stock."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial

from flask import Response, request

from connectors.sap_s4hana import simulator_documents as documents
from connectors.sap_s4hana import simulator_goods as goods
from connectors.sap_s4hana import simulator_views as views
from connectors.sap_s4hana.client import (
    ARRIVALS,
    CREDITS,
    DELIVERIES,
    MOVEMENTS,
    PARTNERS,
    PRICES,
    PRODUCTS,
    RETURNS,
    STOCK,
)
from connectors.sap_s4hana.simulator_catalogue import list_prices, list_products
from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_lists import Handler, Keys, listed, seen
from connectors.sap_s4hana.simulator_odata import Record, Refused, answer, created, kept, matched


def _one(company: Company, table: str, number: str) -> Record:
    found = company.rows(table).get(number)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Document {number} not found")
    return copy.deepcopy(found)


def _getter(table: str, view: Callable[[Record], Record]) -> Handler:
    return lambda company, keys: answer(view(_one(company, table, keys[""])))


def _function(table: str, does: Callable[[Company, Record], None]) -> Handler:
    def called(company: Company, keys: Keys) -> Response:
        one = _one(company, table, request.args.get("DeliveryDocument", "").strip("'"))
        matched(one)
        does(company, one)
        return answer({"results": []})

    return called


# ---- the others


def _lister(table: str, view: Callable[[Record], Record]) -> Handler:
    return lambda company, keys: listed([view(one) for one in seen(company, table)])


def _maker(make: Callable[[Company, Record], Record], view: Callable[[Record], Record]) -> Handler:
    return lambda company, keys: answer(view(make(company, created())), 201)


def _partner(one: Record) -> Record:
    return views.told(PARTNERS, "A_BusinessPartner", f"'{one['BusinessPartner']}'", one, one)


def list_stock(company: Company, keys: Keys) -> Response:
    found: dict[str, list[Record]] = {}
    for one in company.rows("stock").values():
        plant, _, storage = one["place"].partition("/")
        row = {
            "Material": one["Material"],
            "Plant": plant,
            "StorageLocation": storage,
            "InventoryStockType": one["kind"],
        }
        row |= {"InventorySpecialStockType": one.get("special", ""), "MaterialBaseUnit": "PC"}
        batches = one.get("batches", {})
        rest = Decimal(one["quantity"]) - sum((Decimal(many) for many in batches.values()), Decimal(0))
        told = {**batches, **({"": kept(rest)} if rest or not batches else {})}
        for batch, many in told.items():
            found.setdefault(one["Material"], []).append({**row, "Batch": batch, "MatlWrhsStkQtyInMatlBaseUnit": many})
    rows = []
    for material, parts in found.items():
        record = views.told(
            STOCK, "A_MaterialStock", f"'{material}'", {"Material": material, "MaterialBaseUnit": "PC"}, {}
        )
        rows.append(views.behind(record, "to_MatlStkInAcctMod", parts))
    return listed(rows)


def list_delivered(company: Company, keys: Keys) -> Response:
    return listed([views.delivered(one, row) for one in seen(company, "deliveries") for row in one["items"]])


_credit = partial(views.document, CREDITS, "CreditMemoRequest")
_return = partial(views.document, RETURNS, "CustomerReturn")
_arrival = partial(views.delivery, service=ARRIVALS, entity="A_ReturnsDeliveryHeader")

# (service, entity, navigation, method, with a key) -> what is done
HANDLERS: Mapping[tuple[str, str, str, str, bool], Handler] = {
    (DELIVERIES, "A_OutbDeliveryHeader", "", "GET", False): _lister("deliveries", views.delivery),
    (DELIVERIES, "A_OutbDeliveryHeader", "", "GET", True): _getter("deliveries", views.delivery),
    (DELIVERIES, "A_OutbDeliveryHeader", "", "POST", False): _maker(documents.deliver, views.delivery),
    (DELIVERIES, "A_OutbDeliveryItem", "", "GET", False): list_delivered,
    (ARRIVALS, "A_ReturnsDeliveryHeader", "", "GET", False): _lister("arrivals", _arrival),
    (ARRIVALS, "A_ReturnsDeliveryHeader", "", "GET", True): _getter("arrivals", _arrival),
    (ARRIVALS, "A_ReturnsDeliveryHeader", "", "POST", False): _maker(goods.arrive, _arrival),
    (MOVEMENTS, "A_MaterialDocumentHeader", "", "GET", False): _lister("moves", views.movement),
    (MOVEMENTS, "A_MaterialDocumentHeader", "", "POST", False): _maker(goods.move, views.movement),
    (STOCK, "A_MaterialStock", "", "GET", False): list_stock,
    (PRODUCTS, "A_Product", "", "GET", False): list_products,
    (PRICES, "A_SlsPrcgCndnRecdValidity", "", "GET", False): list_prices,
    (PARTNERS, "A_BusinessPartner", "", "GET", False): _lister("partners", _partner),
    (PARTNERS, "A_BusinessPartner", "", "POST", False): _maker(documents.partner, _partner),
    (CREDITS, "A_CreditMemoRequest", "", "GET", False): _lister("credits", _credit),
    (CREDITS, "A_CreditMemoRequest", "", "POST", False): _maker(documents.credit, _credit),
    (RETURNS, "A_CustomerReturn", "", "GET", False): _lister("returns", _return),
    (RETURNS, "A_CustomerReturn", "", "GET", True): _getter("returns", _return),
    (RETURNS, "A_CustomerReturn", "", "POST", False): _maker(documents.come_back, _return),
}
FUNCTIONS: Mapping[tuple[str, str], Handler] = {
    (DELIVERIES, "PickAllItems"): _function("deliveries", documents.pick),
    (DELIVERIES, "PostGoodsIssue"): _function("deliveries", documents.issue),
    (ARRIVALS, "PutawayAllItems"): _function("arrivals", goods.put_away),
    (ARRIVALS, "PostGoodsReceipt"): _function("arrivals", goods.receive),
}
