"""Goods that came back apart from money: authorized at no amount, received by condition, closed; later moved out of quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Return, ReturnLine
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.netsuite.client import Client
from connectors.netsuite.errors import gone
from connectors.netsuite.making import made, numbered
from connectors.netsuite.mapping import goods, lines, names
from connectors.netsuite.mapping.policy import Policy

REPLACED = ("taxDetails",)


class Goods:
    """The returned goods of one account's orders, where it has returns authorized (`returns`)."""

    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    def came_in(self, order: Order, returned: Return, record: Mapping[str, Any]) -> Writes:
        came = goods.counted(order, returned, record, self._policy)
        if self._policy.returns != "authorization" or not came:
            return ""
        places = {one: goods.place(one, returned.location, self._policy) for one in came}
        body = goods.authorization(order, returned, record, came, self._policy)
        name, source = str(body["externalId"]), str(record["id"])
        make = partial(self._client.transform, "salesOrder", source, "returnAuthorization", body, replace=REPLACED)
        links = (("return_receipt", returned.id),)
        authorized = yield made(self._client, "return_authorization", "returnAuthorization", name, make, links)
        for index, (condition, counts) in enumerate(came.items()):
            receipt = names.of_receipt(order, f"{returned.id}-{condition}")
            receive = partial(self._receive, authorized, receipt, counts, places[condition])
            yield made(self._client, numbered("item_receipt", index), "itemReceipt", receipt, receive)
        yield self._closing(authorized)
        return authorized

    def _receive(self, authorized: ExternalId, name: str, counts: goods.Counts, location: str) -> ExternalId:
        body = goods.receipt(self._authorization(authorized), counts, location, self._policy)
        return self._client.transform("returnAuthorization", authorized, "itemReceipt", {"externalId": name, **body})

    def _closing(self, authorized: ExternalId) -> Write:
        """Nothing of it will be credited: it is closed."""

        def open_lines() -> list[dict[str, Any]]:
            rows = lines.booked(self._authorization(authorized), self._policy)
            return [{"line": row.number, "isClosed": True} for row in rows if not row.closed]

        def send() -> ExternalId:
            rows = open_lines()
            if rows:
                self._client.update("returnAuthorization", authorized, {"item": {"items": rows}})
            return authorized

        return Write("return_closing", send=send, find=lambda: None if open_lines() else authorized)

    def _authorization(self, ref: ExternalId) -> dict[str, Any]:
        found = self._client.get("returnAuthorization", ref, lines=True)
        if found is None:
            raise gone("return authorization", ref)
        return found

    def looked_at(self, order: Order, returned: Return, record: Mapping[str, Any], key: str) -> Writes:
        """Out of quarantine: one transfer for each place that pieces go to."""
        matched = lines.match(order, lines.booked(record, self._policy), self._policy)
        items = {line_id: row.item for line_id, row in matched.items()}
        bodies = [
            goods.transfer(order, returned, goes, part, items, key, self._policy)
            for goes, part in _parted(returned, items)
        ]
        first: ExternalId = ""
        for index, body in enumerate(bodies):
            name = str(body["externalId"])
            make = partial(self._move, name, body)
            told = yield made(self._client, numbered("inventory_transfer", index), "inventoryTransfer", name, make)
            first = first or told
        return first

    def _move(self, name: str, body: Mapping[str, Any]) -> ExternalId:
        return str(self._client.upsert("inventoryTransfer", name, body))


def _parted(returned: Return, items: Mapping[str, str]) -> list[tuple[str, list[ReturnLine]]]:
    """Where pieces go -> the lines that go there. Raises Rejected for a line that the sales order does not have."""
    parts: dict[str, list[ReturnLine]] = {}
    for index, line in enumerate(returned.lines):
        if line.line_id not in items:
            raise Rejected(
                f"{line.sku or line.line_id} was looked at, but the sales order in NetSuite has no such line.",
                code="line_unknown",
                field=f"lines[{index}].line_id",
                owner="logistics",
            )
        parts.setdefault(line.condition or goods.SELLABLE, []).append(line)
    return sorted(parts.items())
