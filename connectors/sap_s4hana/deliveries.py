"""A shipment in SAP: an outbound delivery with reference to the order, picked whole, its goods issue posted."""

from __future__ import annotations

from functools import partial

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit import names
from connectors.kit.errors import Transient
from connectors.kit.writes import ExternalId, Write, Writes, one_of
from connectors.sap_s4hana.client import DELIVERIES, Client
from connectors.sap_s4hana.mapping import leaving
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import Row, etag, rows, text
from connectors.sap_s4hana.sales import Sales

DONE = "C"  # a status of SAP: completely processed


class Deliveries:
    def __init__(self, client: Client, policy: Policy, sales: Sales) -> None:
        self._client = client
        self._policy = policy
        self._sales = sales

    def record(self, order: Order, shipment: Shipment, known: str | None) -> Writes:
        """Three writes, each found by itself: the delivery by our name for it, the others by its statuses."""
        number = yield Write(
            "delivery",
            send=partial(self._create, order, shipment, known),
            find=lambda: one_of(self._named(order, shipment)),
            links=(("shipment", shipment.id),),
        )
        yield Write("picking", send=partial(self._pick, number), find=partial(self._at, number, "OverallPickingStatus"))
        yield Write(
            "goods_issue",
            send=partial(self._issue, number),
            find=partial(self._at, number, "OverallGoodsMovementStatus"),
        )
        return number

    def _create(self, order: Order, shipment: Shipment, known: str | None) -> ExternalId:
        found = one_of(self._named(order, shipment))
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

    def _named(self, order: Order, shipment: Shipment) -> list[ExternalId]:
        name = names.of_shipment(order, shipment)
        where = f"DeliveryDocumentBySupplier eq {text(name)}"
        found = self._client.rows(DELIVERIES, "A_OutbDeliveryHeader", where, order="DeliveryDocument")
        return [str(one["DeliveryDocument"]) for one in found if one.get("DeliveryDocumentBySupplier") == name]

    def _header(self, number: ExternalId) -> Row:
        found = self._client.get(DELIVERIES, f"A_OutbDeliveryHeader({text(number)})")
        if found is None:
            raise Transient("The outbound delivery cannot be seen yet.", code="not_seen_yet")
        return found

    def _at(self, number: ExternalId, status: str) -> ExternalId | None:
        return number if self._header(number).get(status) == DONE else None

    def _pick(self, number: ExternalId) -> ExternalId:
        """All of it: what was not packed is not in the delivery."""
        return self._act(number, "OverallPickingStatus", "PickAllItems")

    def _issue(self, number: ExternalId) -> ExternalId:
        """Stock leaves the books with this."""
        return self._act(number, "OverallGoodsMovementStatus", "PostGoodsIssue")

    def _act(self, number: ExternalId, status: str, action: str) -> ExternalId:
        header = self._header(number)
        if header.get(status) != DONE:
            self._client.act(DELIVERIES, action, etag(header), DeliveryDocument=number)
        return number
