"""Sales orders over OData V4: read, made, changed piece by piece; none is deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Response

from connectors.sap_s4hana import simulator_orders as orders
from connectors.sap_s4hana import simulator_v4_odata as odata
from connectors.sap_s4hana import simulator_v4_views as views
from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_lists import Handler, Keys, seen
from connectors.sap_s4hana.simulator_odata import Record, Refused, matched
from connectors.sap_s4hana.simulator_parts import item_of, order_of, partner_of, price_of, prices_of, text_of
from connectors.sap_s4hana.simulator_v4_fields import wrong

NOTHING = 204
INNER = {
    "SalesOrder": {
        "_Item": "SalesOrderItem",
        "_Partner": "SalesOrderPartner",
        "_PricingElement": "SalesOrderPricingElement",
        "_Text": "SalesOrderText",
    },
    "SalesOrderItem": {"_ItemPricingElement": "SalesOrderItemPricingElement"},
}


def _body(entity: str, changing: bool = False) -> Record:
    """What a write says, every part of it taken by the contract, as the company keeps it."""
    told = odata.body()
    _checked(entity, told, changing)
    return views.taken(told)


def _checked(entity: str, told: Mapping[str, object], changing: bool) -> None:
    found = wrong(entity, told, changing)
    if found is not None:
        raise Refused(400, "/IWBEP/CM_V4_COS/021", found[1], found[0])
    for name, inner in INNER.get(entity, {}).items():
        for one in told.get(name) or []:  # type: ignore[attr-defined]
            _checked(inner, one, changing)


# ---- reading


def _orders(company: Company) -> list[Record]:
    return [views.order(one, odata.expands("SalesOrder")) for one in seen(company, "salesOrders")]


def _items(company: Company) -> list[Record]:
    expand = odata.expands("SalesOrderItem")
    return [views.item(one, row, expand) for one in seen(company, "salesOrders") for row in one["items"]]


def get_order(company: Company, keys: Keys) -> Response:
    return odata.answer(views.order(order_of(company, keys), odata.expands("SalesOrder")))


# ---- making


def create_order(company: Company, keys: Keys) -> Response:
    return odata.answer(views.order(orders.create(company, _body("SalesOrder"))), 201)


def create_item(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    made = orders.add_item(company, order, _body("SalesOrderItem"))
    orders.save(company, order)
    return odata.answer(views.item(order, made), 201)


def create_price(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    item = item_of(order, keys) if "SalesOrderItem" in keys else None
    body = _body("SalesOrderItemPricingElement" if item else "SalesOrderPricingElement")
    made = orders.add_price(company, (item or order)["prices"], body, header=item is None)
    orders.save(company, order)
    return odata.answer(views.price(order, item, made), 201)


def create_text(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    made = orders.add_text(company, order, _body("SalesOrderText"))
    orders.save(company, order)
    return odata.answer(views.text(order, made), 201)


def create_partner(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    made = orders.add_partner(company, order, _body("SalesOrderPartner"))
    orders.save(company, order)
    return odata.answer(views.partner(order, made), 201)


# ---- changing


def _changer(entity: str, change: Callable[[Company, Record, Keys, Record], None]) -> Handler:
    """PATCH of a part: the order's state must be the one that is named, and is another afterwards."""

    def act(company: Company, keys: Keys) -> Response:
        order, body = order_of(company, keys), _body(entity, changing=True)
        matched(order)
        change(company, order, keys, body)
        orders.save(company, order)
        return Response(status=NOTHING)

    return act


def delete_price(company: Company, keys: Keys) -> Response:
    order = order_of(company, keys)
    found = price_of(order, keys)
    matched(order)
    prices_of(order, keys).remove(found)
    orders.save(company, order)
    return Response(status=NOTHING)


def _put_partner(company: Company, order: Record, keys: Keys, body: Record) -> None:
    company.sold_to(str(body.get("Customer", "")))
    partner_of(order, keys).update(body)


LISTS: Mapping[str, Callable[[Company], list[Record]]] = {"SalesOrder": _orders, "SalesOrderItem": _items}
_price = "SalesOrderPricingElement"
# (entity, navigation, method, with keys) -> what is done; an order has no DELETE
HANDLERS: Mapping[tuple[str, str, str, bool], Handler] = {
    ("SalesOrder", "", "GET", True): get_order,
    ("SalesOrder", "", "POST", False): create_order,
    ("SalesOrder", "", "PATCH", True): _changer("SalesOrder", lambda company, order, keys, body: order.update(body)),
    ("SalesOrder", "_Item", "POST", True): create_item,
    ("SalesOrder", "_PricingElement", "POST", True): create_price,
    ("SalesOrder", "_Text", "POST", True): create_text,
    ("SalesOrder", "_Partner", "POST", True): create_partner,
    ("SalesOrderItem", "", "PATCH", True): _changer(
        "SalesOrderItem", lambda company, order, keys, body: orders.change_item(company, item_of(order, keys), body)
    ),
    ("SalesOrderItem", "_ItemPricingElement", "POST", True): create_price,
    (_price, "", "PATCH", True): _changer(
        _price, lambda company, order, keys, body: price_of(order, keys).update(body)
    ),
    (_price, "", "DELETE", True): delete_price,
    ("SalesOrderItemPricingElement", "", "PATCH", True): _changer(
        "SalesOrderItemPricingElement", lambda company, order, keys, body: price_of(order, keys).update(body)
    ),
    ("SalesOrderItemPricingElement", "", "DELETE", True): delete_price,
    ("SalesOrderPartner", "", "PATCH", True): _changer("SalesOrderPartner", _put_partner),
    ("SalesOrderText", "", "PATCH", True): _changer(
        "SalesOrderText", lambda company, order, keys, body: text_of(order, keys).update(body)
    ),
}
