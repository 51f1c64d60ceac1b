"""The calls that the hub makes to SAP S/4HANA, in the words of its published OData V2 services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.kit.account import Connection
from connectors.kit.errors import Transient
from connectors.kit.http import Answer
from connectors.sap_s4hana.door import ORDERS, V2, Door, done, unreadable
from connectors.sap_s4hana.odata import Row, text

DELIVERIES = "API_OUTBOUND_DELIVERY_SRV;v=0002"
STOCK = "API_MATERIAL_STOCK_SRV"
PARTNERS = "API_BUSINESS_PARTNER"
PRODUCTS = "API_PRODUCT_SRV"
PRICES = "API_SLSPRICINGCONDITIONRECORD_SRV"
RETURNS = "API_CUSTOMER_RETURN_SRV"
CREDITS = "API_CREDIT_MEMO_REQUEST_SRV"
ARRIVALS = "API_CUSTOMER_RETURNS_DELIVERY_SRV;v=0002"
MOVEMENTS = "API_MATERIAL_DOCUMENT_SRV"
PAGE = 500
WORDS = {
    ORDERS: "sales order",
    DELIVERIES: "outbound delivery",
    STOCK: "stock",
    PARTNERS: "business partner",
    PRODUCTS: "product",
    PRICES: "condition record",
    RETURNS: "customer return",
    CREDITS: "credit memo request",
    ARRIVALS: "returns delivery",
    MOVEMENTS: "material document",
}


class Client:
    """One S/4HANA system. Every method raises the kit's errors; `service` is one of the names above."""

    def __init__(self, connection: Connection) -> None:
        self._door = Door(connection)
        self._page = int(connection.account.settings.get("page_size", PAGE))

    # ---- reading

    def get(self, service: str, path: str, expand: str = "") -> Row | None:
        """One record by its key; None where SAP has none."""
        answer = self._call("GET", service, path, "get", query=_query(expand=expand))
        if answer.status == 404:
            return None
        return self._record(self._checked(answer, service))

    def rows(self, service: str, entity: str, where: str, expand: str = "", order: str = "") -> list[Row]:
        """Every record that a filter takes, in the order of their keys, page after page."""
        return list(self._pages(service, entity, where, expand, order))

    def _pages(self, service: str, entity: str, where: str, expand: str, order: str) -> Iterator[Row]:
        skip = 0
        while True:
            more = {"$top": str(self._page), "$skip": str(skip), **({"$orderby": order} if order else {})}
            page = self._page_of(service, entity, {**_query(where, expand), **more})
            yield from page
            skip += len(page)
            if len(page) < self._page:
                return

    def after(self, service: str, entity: str, where: str, key: str, expand: str = "") -> Iterator[Row]:
        """A long list walked by its key, so that records that come or go meanwhile shift no page."""
        last = ""
        while True:
            beyond = " and ".join(filter(None, (where, f"{key} gt {text(last)}" if last else "")))
            query = {**_query(beyond, expand), "$top": str(self._page), "$orderby": key}
            page = self._page_of(service, entity, query)
            yield from page
            if len(page) < self._page:
                return
            last = str(page[-1][key])

    def _page_of(self, service: str, entity: str, query: Mapping[str, str]) -> list[Row]:
        told = self._checked(self._call("GET", service, entity, "list", query=query), service).json()
        inner = told.get("d") if isinstance(told, dict) else None
        found = inner.get("results") if isinstance(inner, dict) else None
        if not isinstance(found, list):
            raise Transient("SAP's answer is not the records that were asked for.", code="unreadable_answer")
        return found

    # ---- writing

    def create(self, service: str, path: str, body: Mapping[str, Any]) -> Row:
        return self._record(self._checked(self._call("POST", service, path, "create", write=True, json=body), service))

    def change(self, service: str, path: str, body: Mapping[str, Any], etag: str) -> None:
        """Changes fields of a record in the state that `etag` names. SAP wraps what PATCH takes in `d`."""
        headers = {"if-match": etag}
        answer = self._call("PATCH", service, path, "update", write=True, json={"d": dict(body)}, headers=headers)
        done(self._checked(answer, service))

    def remove(self, service: str, path: str, etag: str) -> None:
        answer = self._call("DELETE", service, path, "delete", write=True, headers={"if-match": etag})
        if answer.status != 404:
            done(self._checked(answer, service))

    def act(self, service: str, action: str, etag: str, **named: str) -> None:
        """A function of the service: its arguments stand in the address, strings in quotes."""
        query = {name: text(value) for name, value in named.items()}
        answer = self._call("POST", service, action, "call", write=True, query=query, headers={"if-match": etag})
        told = self._checked(answer, service).json()
        if not isinstance(told, dict) or "d" not in told:
            raise unreadable(True)

    # ---- one call

    def _record(self, answer: Answer) -> Row:
        told = answer.json()
        found = told.get("d") if isinstance(told, dict) else None
        if isinstance(found, dict) and found:
            return found
        raise unreadable(answer.write)

    def _checked(self, answer: Answer, service: str) -> Answer:
        return self._door.checked(answer, WORDS[service])

    def _call(self, method: str, service: str, path: str, act: str, **more: Any) -> Answer:
        operation = f"{_short(service)}.{_entity(path)}.{act}"
        return self._door.call(method, f"{V2}/{service}/{path}", operation, **more)


def _short(service: str) -> str:
    """ "orders", "deliveries" ...: what the limits and the record of calls name."""
    return WORDS[service].replace(" ", "_")


def _entity(path: str) -> str:
    return re.sub(r"\(.*?\)", "", path).replace("/", ".")


def _query(where: str = "", expand: str = "") -> dict[str, str]:
    query = {"$filter": where, "$expand": expand}
    return {name: value for name, value in query.items() if value}
