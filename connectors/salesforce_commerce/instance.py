"""The instance's own words: OCAPI's inventory records and jobs, and the WebDAV folder that imports are read from.

SCAPI publishes neither inventory lists nor price books; Omnichannel Inventory is another product. Sources: ocapi-data-api.json (25.6);
SalesforceCommerceCloud/b2c-developer-tooling, operations/jobs/site-archive.ts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Transient
from connectors.kit.http import Answer
from connectors.kit.paging import walk
from connectors.salesforce_commerce.auth import INSTANCE
from connectors.salesforce_commerce.door import Door, done

Row = Mapping[str, Any]
DATA, VERSION = "s/-/dw/data", "v25_6"
IMPEX = "on/demandware.servlet/webdav/Sites/Impex/src/instance"
IMPORT = "sfcc-site-archive-import"
PAGE = 200


class Instance:
    """Calls to one instance. Raises the kit's errors (see refusals.py)."""

    def __init__(self, connection: Connection) -> None:
        self._door = Door(connection, INSTANCE)
        self._data = f"{DATA}/{connection.account.settings.get('ocapi_version', VERSION)}"

    # ---- inventory

    def record(self, inventory: str, product: str) -> Any:
        """The inventory record of a product in a list; None when there is none."""
        answer = self._door.call("GET", self._path(inventory, product), "inventory.get", absent=(404,))
        return None if answer.status == 404 else _object(answer)

    def records(self, inventory: str) -> Iterator[Row]:
        """Every record of a list."""

        def page(cursor: str | None) -> tuple[Sequence[Row], str | None]:
            start = int(cursor or 0)
            asked = {"start": start, "count": PAGE, "select": "(**)"}
            body = _object(self._door.call("GET", self._path(inventory), "inventory.list", query=asked))
            rows = body.get("data") or []
            further = start + len(rows)
            return rows, str(further) if rows and further < int(body.get("total") or 0) else None

        return walk(page)

    def set_record(self, inventory: str, product: str, body: Row, new: bool) -> Row:
        """PATCH of one that is there, PUT of one that is not: its allocation, from now on."""
        method, name = ("PUT", "inventory.create") if new else ("PATCH", "inventory.update")
        answer = self._door.call(method, self._path(inventory, product), name, write=True, json=body)
        return _object(answer)

    def _path(self, inventory: str, product: str | None = None) -> str:
        below = "" if product is None else f"/{quote(product, safe='')}"
        return f"{self._data}/inventory_lists/{quote(inventory, safe='')}/product_inventory_records{below}"

    # ---- imports

    def upload(self, name: str, archive: bytes) -> None:
        """Lays an archive where imports are read from; the same name twice is one file."""
        headers = {"content-type": "application/zip"}
        path = f"{IMPEX}/{quote(name, safe='')}"
        done(self._door.call("PUT", path, "webdav.put", write=True, body=archive, headers=headers), 201, 204)

    def remove(self, name: str) -> None:
        """Takes an archive away again; gone already is gone."""
        path = f"{IMPEX}/{quote(name, safe='')}"
        done(self._door.call("DELETE", path, "webdav.delete", write=True, absent=(404,)), 204, 404)

    def start_import(self, name: str) -> Row:
        """The execution that reads the archive. Raises Transient while another import runs."""
        path = f"{self._data}/jobs/{IMPORT}/executions"
        return _object(self._door.call("POST", path, "jobs.start", write=True, json={"file_name": name}))

    def execution(self, execution: str) -> Row:
        path = f"{self._data}/jobs/{IMPORT}/executions/{quote(execution, safe='')}"
        return _object(self._door.call("GET", path, "jobs.get"))


def _object(answer: Answer) -> Row:
    body: Any = answer.json()
    if not isinstance(body, dict):
        words = "The instance's answer is not the document that was asked for."
        raise (Ambiguous if answer.write else Transient)(words, code="unreadable_answer")
    return dict(body)
