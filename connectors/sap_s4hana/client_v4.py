"""The calls that the hub makes to CE_SALESORDER_0001, the sales order service in OData V4, in its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from connectors.kit.account import Connection
from connectors.kit.errors import Transient
from connectors.kit.http import Answer
from connectors.sap_s4hana.client import PAGE
from connectors.sap_s4hana.door import V4, Door, done, unreadable
from connectors.sap_s4hana.odata import Row, text

WHAT = "sales order"


def path(*parts: str) -> str:
    """Keys stand as segments: SalesOrderItem/42/10."""
    return "/".join(quote(one, safe="") for one in parts)


class ClientV4:
    """Every method raises the kit's errors. SAP may give less than a page that was asked for and say that there is more."""

    def __init__(self, connection: Connection) -> None:
        self._door = Door(connection)
        self._page = int(connection.account.settings.get("page_size", PAGE))

    # ---- reading

    def get(self, entity: str, keys: tuple[str, ...], expand: str = "") -> Row | None:
        """One record by its keys; None where SAP has none."""
        answer = self._call("GET", path(entity, *keys), f"{entity}.get", query=_query(expand=expand))
        if answer.status == 404:
            return None
        return self._record(self._door.checked(answer, WHAT))

    def rows(self, entity: str, where: str, expand: str = "", order: str = "") -> list[Row]:
        """Every record that a filter takes, page after page."""
        found: list[Row] = []
        more = True
        while more:
            window = {"$top": str(self._page), "$skip": str(len(found))}
            page, more = self._page_of(entity, {**_query(where, expand, order), **window})
            found += page
        return found

    def after(self, entity: str, where: str, key: str, expand: str = "") -> Iterator[Row]:
        """A long list walked by its key, so that records that come or go meanwhile shift no page."""
        last, more = "", True
        while more:
            beyond = f"{where} and {key} gt {text(last)}" if last else where
            page, more = self._page_of(entity, {**_query(beyond, expand, key), "$top": str(self._page)})
            yield from page
            last = str(page[-1][key]) if page else last

    def _page_of(self, entity: str, query: Mapping[str, str]) -> tuple[list[Row], bool]:
        answer = self._call("GET", path(entity), f"{entity}.list", query=query)
        told = self._door.checked(answer, WHAT).json()
        found = told.get("value") if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(found, list):
            raise Transient("SAP's answer is not the records that were asked for.", code="unreadable_answer")
        return found, bool(found) and (len(found) >= self._page or "@odata.nextLink" in told)

    # ---- writing

    def create(self, entity: str, body: Mapping[str, Any], keys: tuple[str, ...] = (), below: str = "") -> Row:
        """A record, or one more below the record that the keys name."""
        where = (entity, *keys, below) if below else (entity,)
        operation = ".".join(filter(None, (entity, below, "create")))
        answer = self._call("POST", path(*where), operation, write=True, json=dict(body))
        return self._record(self._door.checked(answer, WHAT))

    def change(self, entity: str, keys: tuple[str, ...], body: Mapping[str, Any], etag: str) -> None:
        """Changes fields of a record in the state that `etag` names."""
        address, held = path(entity, *keys), {"if-match": etag}
        answer = self._call("PATCH", address, f"{entity}.update", write=True, json=dict(body), headers=held)
        done(self._door.checked(answer, WHAT))

    def remove(self, entity: str, keys: tuple[str, ...], etag: str) -> None:
        answer = self._call("DELETE", path(entity, *keys), f"{entity}.delete", write=True, headers={"if-match": etag})
        if answer.status != 404:
            done(self._door.checked(answer, WHAT))

    # ---- one call

    def _record(self, answer: Answer) -> Row:
        found = answer.json()
        if isinstance(found, dict) and found.get("SalesOrder"):
            return found
        raise unreadable(answer.write)

    def _call(self, method: str, address: str, operation: str, **more: Any) -> Answer:
        return self._door.call(method, f"{V4}/{address}", f"sales_order.{operation}", **more)


def _query(where: str = "", expand: str = "", order: str = "") -> dict[str, str]:
    query = {"$filter": where, "$expand": expand, "$orderby": order}
    return {name: value for name, value in query.items() if value}
