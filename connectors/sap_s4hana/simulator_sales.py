"""Sales orders over OData V2: read, made, changed piece by piece, deleted while nothing of them has left."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from connectors.sap_s4hana import simulator_orders as orders
from connectors.sap_s4hana import simulator_views as views
from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_lists import Handler, Keys, listed, seen
from connectors.sap_s4hana.simulator_odata import Refused, answer, changed, created, matched
from connectors.sap_s4hana.simulator_parts import item_of, order_of, partner_of, price_of, prices_of, text_of


def list_orders(company: Company, keys: Keys) -> Response:
    return listed([views.order(one) for one in seen(company, "salesOrders")])


def list_items(company: Company, keys: Keys) -> Response:
    return listed([views.item(one, row) for one in seen(company, "salesOrders") for row in one["items"]])


def list_places(company: Company, keys: Keys) -> Response:
    return listed([views.place(one, row) for one in seen(company, "salesOrders") for row in one["partners"]])


def get_order(company: Company, keys: Keys) -> Response:
    return answer(views.order(order_of(company, keys)))


def create_order(company: Company, keys: Keys) -> Response:
    return answer(views.order(orders.create(company, created())), 201)


def change_order(company: Company, keys: Keys) -> Response:
    order, body = order_of(company, keys), changed()
    matched(order)
    company.checked("A_SalesOrder", body)
    order.update(body)
    orders.save(company, order)
    return Response(status=204)


def delete_order(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    matched(order)
    if any(one["delivered"] != "0" for one in order["items"]):
        raise Refused(400, "V1/044", "The document has subsequent documents and cannot be deleted")
    company.keep("salesOrdersDeleted", order["SalesOrder"], order)
    company.simulator.memory.put("salesOrders", order["SalesOrder"], None)
    return Response(status=204)


def create_item(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    item = orders.add_item(company, order, created())
    orders.save(company, order)
    return answer(views.item(order, item), 201)


def change_item(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    item, body = item_of(order, keys), changed()
    matched(order)
    orders.change_item(company, item, body)
    orders.save(company, order)
    return Response(status=204)


def create_price(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    item = item_of(order, keys) if "SalesOrderItem" in keys else None
    made = orders.add_price(company, (item or order)["prices"], created(), header=item is None)
    orders.save(company, order)
    return answer(views.price(order, item, made), 201)


def change_price(company: Company, keys: Keys) -> Response:
    order, body = order_of(company, keys), changed()
    found = price_of(order, keys)
    matched(order)
    company.checked("A_SalesOrderItemPrElement", body)
    found.update(body)
    orders.save(company, order)
    return Response(status=204)


def delete_price(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    found = price_of(order, keys)
    matched(order)
    prices_of(order, keys).remove(found)
    orders.save(company, order)
    return Response(status=204)


def change_place(company: Company, keys: Keys) -> Response:
    order, body = order_of(company, keys), changed()
    found = partner_of(order, keys)
    matched(order)
    company.checked("A_SalesOrderPartnerAddress", body)
    found["address"].update(body)
    orders.save(company, order)
    return Response(status=204)


def create_text(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    made = orders.add_text(company, order, created())
    orders.save(company, order)
    return answer(views.text(order, made), 201)


def change_text(company: Company, keys: Keys) -> Response:
    order, body = order_of(company, keys), changed()
    found = text_of(order, keys)
    matched(order)
    found.update(body)
    orders.save(company, order)
    return Response(status=204)


ELEMENT, ITEM_ELEMENT = "A_SalesOrderHeaderPrElement", "A_SalesOrderItemPrElement"
# (entity, navigation, method, with a key) -> what is done
HANDLERS: Mapping[tuple[str, str, str, bool], Handler] = {
    ("A_SalesOrder", "", "GET", False): list_orders,
    ("A_SalesOrder", "", "GET", True): get_order,
    ("A_SalesOrder", "", "POST", False): create_order,
    ("A_SalesOrder", "", "PATCH", True): change_order,
    ("A_SalesOrder", "", "DELETE", True): delete_order,
    ("A_SalesOrder", "to_Item", "POST", True): create_item,
    ("A_SalesOrder", "to_PricingElement", "POST", True): create_price,
    ("A_SalesOrder", "to_Text", "POST", True): create_text,
    ("A_SalesOrderText", "", "PATCH", True): change_text,
    ("A_SalesOrderItem", "", "GET", False): list_items,
    ("A_SalesOrderItem", "", "PATCH", True): change_item,
    ("A_SalesOrderItem", "to_PricingElement", "POST", True): create_price,
    (ELEMENT, "", "PATCH", True): change_price,
    (ELEMENT, "", "DELETE", True): delete_price,
    (ITEM_ELEMENT, "", "PATCH", True): change_price,
    (ITEM_ELEMENT, "", "DELETE", True): delete_price,
    ("A_SalesOrderPartnerAddress", "", "GET", False): list_places,
    ("A_SalesOrderPartnerAddress", "", "PATCH", True): change_place,
}
