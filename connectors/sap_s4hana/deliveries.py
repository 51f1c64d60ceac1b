"""A shipment in SAP: an outbound delivery with reference to the order, picked whole, its goods issue posted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import partial

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit import names
from connectors.kit.capabilities import Delivered
from connectors.kit.writes import ExternalId, Write, Writes, one_of
from connectors.sap_s4hana.client import DELIVERIES, Client
from connectors.sap_s4hana.mapping import leaving
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import literal, rows, text
from connectors.sap_s4hana.papers import DONE, ITEMS, Papers
from connectors.sap_s4hana.sales import Sales


class Deliveries:
    def __init__(self, client: Client, policy: Policy, sales: Sales) -> None:
        self._client = client
        self._policy = policy
        self._sales = sales
        self._papers = Papers(client, DELIVERIES, "A_OutbDeliveryHeader")

    def record(self, order: Order, shipment: Shipment, known: str | None) -> Writes:
        """Three writes, each found by itself: the delivery by our name for it, the others by its statuses. All of it is picked: what was
        not packed is not in the delivery. Stock leaves the books with the goods issue.
        """
        name = names.of_shipment(order, shipment)
        number = yield Write(
            "delivery",
            send=partial(self._create, order, shipment, known),
            find=lambda: one_of(self._papers.named(name)),
            links=(("shipment", shipment.id),),
        )
        yield self._papers.step("picking", number, "PickAllItems", "OverallPickingStatus")
        yield self._papers.step("goods_issue", number, "PostGoodsIssue", "OverallGoodsMovementStatus")
        return number

    def made_between(self, first: date, last: date) -> Iterator[Delivered]:
        """Every outbound delivery made on these days, by number; `booking` is the sales order of its first item."""
        made = f"CreationDate ge {literal(first)} and CreationDate le {literal(last)}"
        for row in self._client.after(DELIVERIES, "A_OutbDeliveryHeader", made, "DeliveryDocument", expand=ITEMS):
            booking = next((str(item.get("ReferenceSDDocument") or "") for item in rows(row.get(ITEMS))), "")
            yield Delivered(str(row["DeliveryDocument"]), str(row.get("DeliveryDocumentBySupplier") or ""), booking)

    def left(self, order: Order, known: str | None) -> Mapping[str, Decimal]:
        """Line id -> its pieces whose goods issue was posted; nothing of an order that was never booked."""
        record = self._sales.found(order, known)
        if record is None:
            return {}
        where = f"ReferenceSDDocument eq {text(str(record['SalesOrder']))} and GoodsMovementStatus eq '{DONE}'"
        told = self._client.rows(DELIVERIES, "A_OutbDeliveryItem", where, order="DeliveryDocument")
        return leaving.pieces_left(order, rows(record.get("to_Item")), told)

    def _create(self, order: Order, shipment: Shipment, known: str | None) -> ExternalId:
        found = one_of(self._papers.named(names.of_shipment(order, shipment)))
        if found is not None:
            return found
        record = self._sales.booked(order, known)
        asked = leaving.moves(order, shipment, str(record["SalesOrder"]), rows(record.get("to_Item")), self._policy)
        if asked:
            self._sales.chain(asked)
            record = self._sales.booked(order, str(record["SalesOrder"]))
        items = rows(record.get("to_Item"))
        body = leaving.delivery(order, shipment, str(record["SalesOrder"]), items, self._policy)
        return str(self._client.create(DELIVERIES, "A_OutbDeliveryHeader", body)["DeliveryDocument"])
