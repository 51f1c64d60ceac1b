"""Purchase orders to suppliers who send to our customers: booked, brought down, given up, received, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.netsuite.client import Client
from connectors.netsuite.making import made
from connectors.netsuite.mapping import names, purchasing
from connectors.netsuite.mapping.policy import Policy


class Purchases:
    """The purchase orders of one account."""

    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    def buy(self, order: Order, supplier: str, reference: str) -> Writes:
        body = purchasing.purchase_order(order, supplier, reference, self._policy)
        name, links = str(body["externalId"]), (("purchase", order.id),)
        make = partial(self._insert, name, body)
        return (yield made(self._client, "purchase_order", "purchaseOrder", name, make, links))

    def _insert(self, name: str, body: Mapping[str, Any]) -> ExternalId:
        return str(self._client.upsert("purchaseOrder", name, body))

    def bring_down(self, order: Order, reference: str) -> Writes:
        return (yield self._change("purchase_amendment", reference, partial(self._towards, order)))

    def _towards(self, order: Order, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        return purchasing.towards(order, record, self._policy)

    def give_up(self, reference: str) -> Writes:
        return (yield self._change("purchase_cancellation", reference, purchasing.closing))

    def _change(
        self, write: str, reference: str, changes: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
    ) -> Write:
        def send() -> ExternalId:
            record = self._bought(reference)
            rows = changes(record)
            if rows:
                self._client.update("purchaseOrder", str(record["id"]), {"item": {"items": rows}})
            return str(record["id"])

        def find() -> ExternalId | None:
            record = self._bought(reference)
            return None if changes(record) else str(record["id"])

        return Write(write, send=send, find=find)

    def receive(self, order: Order, shipment: Shipment, reference: str) -> Writes:
        name, links = names.of_arrival(reference, shipment), (("purchase_receipt", shipment.id),)
        make = partial(self._receive, order, shipment, reference, name)
        return (yield made(self._client, "purchase_receipt", "itemReceipt", name, make, links))

    def _receive(self, order: Order, shipment: Shipment, reference: str, name: str) -> ExternalId:
        record = self._bought(reference)
        body = {"externalId": name, **purchasing.receipt(order, shipment, record, self._policy)}
        return self._client.transform("purchaseOrder", str(record["id"]), "itemReceipt", body)

    def _bought(self, reference: str) -> dict[str, Any]:
        record = self._client.get("purchaseOrder", f"eid:{names.of_purchase(reference)}", lines=True)
        if record is not None:
            return record
        raise Rejected(
            f"Purchase order {reference} is not in NetSuite.",
            code="not_booked",
            remedy="Retry the booking of the purchase order first; look whether it was deleted.",
            owner="finance",
        )
