"""The services of a company: which address does what."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Response, request

from connectors.sap_s4hana import simulator_documents as documents
from connectors.sap_s4hana import simulator_orders as orders
from connectors.sap_s4hana import simulator_views as views
from connectors.sap_s4hana.client import CREDITS, DELIVERIES, ORDERS, PARTNERS, RETURNS, STOCK, WORDS
from connectors.sap_s4hana.simulator_access import Access
from connectors.sap_s4hana.simulator_odata import (
    Record,
    Refused,
    address,
    answer,
    changed,
    chosen,
    created,
    matched,
    paged,
    refusal,
)
from connectors.sap_s4hana.simulator_orders import Company

Keys = dict[str, str]
Handler = Callable[[Company, Keys], Response]
PADDED = ("SalesOrder", "SalesOrderItem", "DeliveryDocument", "BusinessPartner", "CreditMemoRequest", "CustomerReturn")
ACTS = {"POST": "create", "PATCH": "update", "DELETE": "delete", "GET": "list"}


def serve(company: Company, access: Access) -> None:
    app = company.simulator.app

    @app.route("/sap/opu/odata/sap/<service>/", methods=["GET"])
    def root(service: str) -> Response:
        def act() -> Response:
            return access.refused(company.simulator, False) or access.opened()

        return company.simulator.answer("session.fetch", False, act)

    @app.route("/sap/opu/odata/sap/<service>/<path:path>", methods=["GET", "POST", "PATCH", "DELETE"])
    def service(service: str, path: str) -> Response:
        write = request.method != "GET"
        return company.simulator.answer(
            _operation(service, path), write, partial(_act, company, access, service, path, write)
        )


def _operation(service: str, path: str) -> str:
    entity, keys, navigation = address(path)
    act = ACTS[request.method]
    if (service, entity) in FUNCTIONS:
        act = "call"
    elif request.method == "GET" and keys and not navigation:
        act = "get"
    named = WORDS.get(service, service).replace(" ", "_")
    return ".".join(filter(None, (named, entity, navigation, act)))


def _act(company: Company, access: Access, service: str, path: str, write: bool) -> Response:
    refused = access.refused(company.simulator, write)
    if refused is not None:
        return refused
    try:
        entity, keys, navigation = address(path)
        handler = FUNCTIONS.get((service, entity)) or HANDLERS.get(
            (service, entity, navigation, request.method, bool(keys))
        )
        if handler is None:
            raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for the segment {entity}")
        with company.simulator.memory.lock:
            return handler(company, keys)
    except Refused as found:
        return refusal(found)


# ---- sales orders


def _order(company: Company, keys: Keys) -> Record:
    number = keys.get("") or keys.get("SalesOrder", "")
    found = company.rows("salesOrders").get(number)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Sales order {number} not found")
    return copy.deepcopy(found)


def _item(order: Record, keys: Keys) -> Record:
    found: Record | None = next(
        (one for one in order["items"] if one["SalesOrderItem"] == keys["SalesOrderItem"].lstrip("0")), None
    )
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", "Item not found")
    return found


def _seen(company: Company, table: str) -> list[Record]:
    return [one for key, one in company.rows(table).items() if company.simulator.indexed(table, key)]


def _listed(rows: list[Record]) -> Response:
    found = chosen(rows, request.args.get("$filter", ""), PADDED)
    told: dict[str, Any] = {"results": paged(found, PADDED)}
    if request.args.get("$inlinecount") == "allpages":
        told["__count"] = str(len(found))
    return answer(told)


def list_orders(company: Company, keys: Keys) -> Response:
    return _listed([views.order(one) for one in _seen(company, "salesOrders")])


def list_items(company: Company, keys: Keys) -> Response:
    return _listed([views.item(one, row) for one in _seen(company, "salesOrders") for row in one["items"]])


def list_places(company: Company, keys: Keys) -> Response:
    return _listed([views.place(one, row) for one in _seen(company, "salesOrders") for row in one["partners"]])


def get_order(company: Company, keys: Keys) -> Response:
    return answer(views.order(_order(company, keys)))


def create_order(company: Company, keys: Keys) -> Response:
    return answer(views.order(orders.create(company, created())), 201)


def change_order(company: Company, keys: Keys) -> Response:
    order, body = _order(company, keys), changed()
    matched(order)
    company.checked("A_SalesOrder", body)
    order.update(body)
    orders.save(company, order)
    return Response(status=204)


def delete_order(company: Company, keys: Keys) -> Response:
    order = _order(company, keys)
    matched(order)
    if any(one["delivered"] != "0" for one in order["items"]):
        raise Refused(400, "V1/044", "The document has subsequent documents and cannot be deleted")
    company.keep("salesOrdersDeleted", order["SalesOrder"], order)
    company.simulator.memory.put("salesOrders", order["SalesOrder"], None)
    return Response(status=204)


def create_item(company: Company, keys: Keys) -> Response:
    order = _order(company, keys)
    item = orders.add_item(company, order, created())
    orders.save(company, order)
    return answer(views.item(order, item), 201)


def change_item(company: Company, keys: Keys) -> Response:
    order = _order(company, keys)
    item, body = _item(order, keys), changed()
    matched(order)
    orders.change_item(company, item, body)
    orders.save(company, order)
    return Response(status=204)


def create_price(company: Company, keys: Keys) -> Response:
    order = _order(company, keys)
    item = _item(order, keys) if "SalesOrderItem" in keys else None
    made = orders.add_price(company, (item or order)["prices"], created(), header=item is None)
    orders.save(company, order)
    return answer(views.price(order, item, made), 201)


def _price(order: Record, keys: Keys) -> tuple[list[Record], Record]:
    prices = (_item(order, keys) if "SalesOrderItem" in keys else order)["prices"]
    names = ("PricingProcedureStep", "PricingProcedureCounter")
    found = next((one for one in prices if all(one[name] == keys[name] for name in names)), None)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", "Pricing element not found")
    return prices, found


def change_price(company: Company, keys: Keys) -> Response:
    order, body = _order(company, keys), changed()
    _, found = _price(order, keys)
    matched(order)
    company.checked("A_SalesOrderItemPrElement", body)
    found.update(body)
    orders.save(company, order)
    return Response(status=204)


def delete_price(company: Company, keys: Keys) -> Response:
    order = _order(company, keys)
    prices, found = _price(order, keys)
    matched(order)
    prices.remove(found)
    orders.save(company, order)
    return Response(status=204)


def change_place(company: Company, keys: Keys) -> Response:
    order, body = _order(company, keys), changed()
    found = next((one for one in order["partners"] if one["PartnerFunction"] == keys["PartnerFunction"]), None)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", "Partner not found")
    matched(order)
    company.checked("A_SalesOrderPartnerAddress", body)
    found["address"].update(body)
    orders.save(company, order)
    return Response(status=204)


def create_text(company: Company, keys: Keys) -> Response:
    order = _order(company, keys)
    made = orders.add_text(company, order, created())
    orders.save(company, order)
    return answer(views.text(order, made), 201)


def change_text(company: Company, keys: Keys) -> Response:
    order, body = _order(company, keys), changed()
    found = next((one for one in order["texts"] if one["LongTextID"] == keys["LongTextID"]), None)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", "Text not found")
    matched(order)
    found.update(body)
    orders.save(company, order)
    return Response(status=204)


# ---- deliveries


def _delivery(company: Company, number: str) -> Record:
    found = company.rows("deliveries").get(number)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Delivery {number} not found")
    return copy.deepcopy(found)


def list_deliveries(company: Company, keys: Keys) -> Response:
    return _listed([views.delivery(one) for one in _seen(company, "deliveries")])


def get_delivery(company: Company, keys: Keys) -> Response:
    return answer(views.delivery(_delivery(company, keys[""])))


def create_delivery(company: Company, keys: Keys) -> Response:
    return answer(views.delivery(documents.deliver(company, created())), 201)


def _function(does: Callable[[Company, Record], None]) -> Handler:
    def called(company: Company, keys: Keys) -> Response:
        one = _delivery(company, request.args.get("DeliveryDocument", "").strip("'"))
        matched(one)
        does(company, one)
        return answer({"results": []})

    return called


# ---- the others


def _lister(table: str, view: Callable[[Record], Record]) -> Handler:
    return lambda company, keys: _listed([view(one) for one in _seen(company, table)])


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
        more = {"InventorySpecialStockType": one.get("special", ""), "MatlWrhsStkQtyInMatlBaseUnit": one["quantity"]}
        found.setdefault(one["Material"], []).append({**row, **more, "MaterialBaseUnit": "PC"})
    rows = []
    for material, parts in found.items():
        record = views.told(
            STOCK, "A_MaterialStock", f"'{material}'", {"Material": material, "MaterialBaseUnit": "PC"}, {}
        )
        rows.append(views.behind(record, "to_MatlStkInAcctMod", parts))
    return _listed(rows)


_credit = partial(views.document, CREDITS, "CreditMemoRequest")
_return = partial(views.document, RETURNS, "CustomerReturn")
ELEMENT, ITEM_ELEMENT = "A_SalesOrderHeaderPrElement", "A_SalesOrderItemPrElement"

# (service, entity, navigation, method, with a key) -> what is done
HANDLERS: Mapping[tuple[str, str, str, str, bool], Handler] = {
    (ORDERS, "A_SalesOrder", "", "GET", False): list_orders,
    (ORDERS, "A_SalesOrder", "", "GET", True): get_order,
    (ORDERS, "A_SalesOrder", "", "POST", False): create_order,
    (ORDERS, "A_SalesOrder", "", "PATCH", True): change_order,
    (ORDERS, "A_SalesOrder", "", "DELETE", True): delete_order,
    (ORDERS, "A_SalesOrder", "to_Item", "POST", True): create_item,
    (ORDERS, "A_SalesOrder", "to_PricingElement", "POST", True): create_price,
    (ORDERS, "A_SalesOrder", "to_Text", "POST", True): create_text,
    (ORDERS, "A_SalesOrderText", "", "PATCH", True): change_text,
    (ORDERS, "A_SalesOrderItem", "", "GET", False): list_items,
    (ORDERS, "A_SalesOrderItem", "", "PATCH", True): change_item,
    (ORDERS, "A_SalesOrderItem", "to_PricingElement", "POST", True): create_price,
    (ORDERS, ELEMENT, "", "PATCH", True): change_price,
    (ORDERS, ELEMENT, "", "DELETE", True): delete_price,
    (ORDERS, ITEM_ELEMENT, "", "PATCH", True): change_price,
    (ORDERS, ITEM_ELEMENT, "", "DELETE", True): delete_price,
    (ORDERS, "A_SalesOrderPartnerAddress", "", "GET", False): list_places,
    (ORDERS, "A_SalesOrderPartnerAddress", "", "PATCH", True): change_place,
    (DELIVERIES, "A_OutbDeliveryHeader", "", "GET", False): list_deliveries,
    (DELIVERIES, "A_OutbDeliveryHeader", "", "GET", True): get_delivery,
    (DELIVERIES, "A_OutbDeliveryHeader", "", "POST", False): create_delivery,
    (STOCK, "A_MaterialStock", "", "GET", False): list_stock,
    (PARTNERS, "A_BusinessPartner", "", "GET", False): _lister("partners", _partner),
    (PARTNERS, "A_BusinessPartner", "", "POST", False): _maker(documents.partner, _partner),
    (CREDITS, "A_CreditMemoRequest", "", "GET", False): _lister("credits", _credit),
    (CREDITS, "A_CreditMemoRequest", "", "POST", False): _maker(documents.credit, _credit),
    (RETURNS, "A_CustomerReturn", "", "GET", False): _lister("returns", _return),
    (RETURNS, "A_CustomerReturn", "", "POST", False): _maker(documents.come_back, _return),
}
FUNCTIONS: Mapping[tuple[str, str], Handler] = {
    (DELIVERIES, "PickAllItems"): _function(documents.pick),
    (DELIVERIES, "PostGoodsIssue"): _function(documents.issue),
}
