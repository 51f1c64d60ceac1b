"""The sales order service of an account, whichever OData it speaks: each gives and takes records in the words of V2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Protocol

from connectors.kit.account import Connection
from connectors.sap_s4hana.client import Client
from connectors.sap_s4hana.client_v4 import ClientV4
from connectors.sap_s4hana.door import ORDERS, speaks_v4
from connectors.sap_s4hana.mapping import words_v4
from connectors.sap_s4hana.mapping.asks import ADDRESS, ITEM, ORDER, Ask, Standing
from connectors.sap_s4hana.odata import Row, keyed, literal, text

PARTS = "to_PricingElement,to_Text"


class Orders(Protocol):
    def named(self, name: str) -> list[Row]:
        """Every order with that purchase order number, with its items."""

    def get(self, number: str) -> Row | None:
        """The order with its items; None where there is none."""

    def standing(self, number: str) -> Standing:
        """All of an order that a change may touch."""

    def create(self, body: Mapping[str, Any]) -> Row:
        """A whole order, or nothing."""

    def ask(self, asked: Ask) -> None: ...

    def delete(self, number: str, etag: str) -> bool:
        """Deletes an order; false where the service deletes none."""

    def made_between(self, first: date, last: date) -> Iterator[Row]:
        """Every order made on these days, with its items, by number."""


class OrdersV2:
    """API_SALES_ORDER_SRV. It expands one level: an order is read in three calls."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def named(self, name: str) -> list[Row]:
        where = f"PurchaseOrderByCustomer eq {text(name)}"
        return self._client.rows(ORDERS, ORDER, where, expand="to_Item", order="SalesOrder")

    def get(self, number: str) -> Row | None:
        return self._client.get(ORDERS, _address(ORDER, {"SalesOrder": number}), expand="to_Item")

    def standing(self, number: str) -> Standing:
        header = self._client.get(ORDERS, _address(ORDER, {"SalesOrder": number}), expand=PARTS)
        where, order = f"SalesOrder eq {text(number)}", "SalesOrder,SalesOrderItem"
        items = self._client.rows(ORDERS, ITEM, where, expand="to_PricingElement", order=order)
        addresses = self._client.rows(ORDERS, ADDRESS, where)
        return Standing(header or {"SalesOrder": number}, tuple(items), tuple(addresses))

    def create(self, body: Mapping[str, Any]) -> Row:
        return self._client.create(ORDERS, ORDER, body)

    def ask(self, asked: Ask) -> None:
        address = _address(asked.entity, asked.keys)
        if asked.method == "POST":
            self._client.create(ORDERS, f"{address}/{asked.below}", asked.body)
        elif asked.method == "PATCH":
            self._client.change(ORDERS, address, asked.body, asked.etag)
        else:
            self._client.remove(ORDERS, address, asked.etag)

    def delete(self, number: str, etag: str) -> bool:
        self._client.remove(ORDERS, _address(ORDER, {"SalesOrder": number}), etag)
        return True

    def made_between(self, first: date, last: date) -> Iterator[Row]:
        where = f"CreationDate ge {literal(first)} and CreationDate le {literal(last)}"
        return self._client.after(ORDERS, ORDER, where, "SalesOrder", expand="to_Item")


class OrdersV4:
    """CE_SALESORDER_0001. It has no address of a document and deletes no order."""

    def __init__(self, client: ClientV4) -> None:
        self._client = client

    def named(self, name: str) -> list[Row]:
        where = f"PurchaseOrderByCustomer eq {text(name)}"
        return [words_v4.heard(one) for one in self._client.rows("SalesOrder", where, "_Item", "SalesOrder")]

    def get(self, number: str) -> Row | None:
        found = self._client.get("SalesOrder", (number,), "_Item")
        return words_v4.heard(found) if found else None

    def standing(self, number: str) -> Standing:
        header = self._client.get("SalesOrder", (number,), "_Partner,_PricingElement,_Text")
        where, order = f"SalesOrder eq {text(number)}", "SalesOrder,SalesOrderItem"
        items = self._client.rows("SalesOrderItem", where, "_ItemPricingElement", order)
        return Standing(words_v4.heard(header or {"SalesOrder": number}), tuple(map(words_v4.heard, items)))

    def create(self, body: Mapping[str, Any]) -> Row:
        return words_v4.heard(self._client.create("SalesOrder", words_v4.said(body)))

    def ask(self, asked: Ask) -> None:
        entity, keys = words_v4.ENTITIES[asked.entity], tuple(asked.keys.values())
        if asked.method == "POST":
            below = words_v4.navigation(asked.entity, asked.below)
            body = words_v4.said(asked.body, ITEM if asked.below == "to_Item" else "")
            self._client.create(entity, body, keys, below)
        elif asked.method == "PATCH":
            self._client.change(entity, keys, words_v4.said(asked.body), asked.etag)
        else:
            self._client.remove(entity, keys, asked.etag)

    def delete(self, number: str, etag: str) -> bool:
        return False

    def made_between(self, first: date, last: date) -> Iterator[Row]:
        where = f"CreationDate ge {first.isoformat()} and CreationDate le {last.isoformat()}"
        for one in self._client.after("SalesOrder", where, "SalesOrder", "_Item"):
            yield words_v4.heard(one)


def orders(connection: Connection, client: Client) -> Orders:
    """The service that the account's `sales_order_api` names."""
    return OrdersV4(ClientV4(connection)) if speaks_v4(connection.account.settings) else OrdersV2(client)


def _address(entity: str, keys: Mapping[str, str]) -> str:
    """A_SalesOrder('42'): a single key stands without its name."""
    if len(keys) == 1:
        return f"{entity}({text(*keys.values())})"
    return keyed(entity, **keys)
