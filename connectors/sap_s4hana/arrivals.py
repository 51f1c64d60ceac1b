"""Goods that came back are received in SAP: a returns delivery with reference to the customer return, put away whole, its goods receipt posted.

Later, what was held back and looked at is moved by a material document. Sources: ../shared/specs/sap_s4hana
API_CUSTOMER_RETURNS_DELIVERY_SRV_0002.json and API_MATERIAL_DOCUMENT_SRV.json.
"""

from __future__ import annotations

from datetime import date
from functools import partial

from connectors.canonical.order import Order
from connectors.canonical.returns import Return
from connectors.kit import names
from connectors.kit.errors import NotOffered, Transient
from connectors.kit.writes import ExternalId, Write, Writes, one_of
from connectors.sap_s4hana.client import ARRIVALS, MOVEMENTS, RETURNS, Client
from connectors.sap_s4hana.mapping import coming
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import Row, text
from connectors.sap_s4hana.papers import Papers


class Arrivals:
    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy
        self._papers = Papers(client, ARRIVALS, "A_ReturnsDeliveryHeader")

    def receive(self, back: ExternalId, name: str) -> Writes:
        """Customer return `back` comes into stock. Nothing where the warehouse posts its receipts in SAP by itself (`goods_receipt`)."""
        if self._policy.goods_receipt != "hub":
            return ""
        number = yield Write(
            "returns_delivery",
            send=partial(self._create, back, name),
            find=lambda: one_of(self._papers.named(name)),
        )
        yield self._papers.step("putaway", number, "PutawayAllItems", "OverallPickingStatus")
        yield self._papers.step("goods_receipt", number, "PostGoodsReceipt", "OverallGoodsMovementStatus")
        return number

    def _create(self, back: ExternalId, name: str) -> ExternalId:
        found = one_of(self._papers.named(name))
        if found is not None:
            return found
        record = self._client.get(RETURNS, f"A_CustomerReturn({text(back)})", "to_Item")
        if record is None:
            raise Transient("The customer return cannot be seen yet.", code="not_seen_yet")
        return str(
            self._client.create(ARRIVALS, "A_ReturnsDeliveryHeader", coming.delivery(record, name))["DeliveryDocument"]
        )

    # ---- what was looked at

    def dispose(self, order: Order, returned: Return, key: str, today: date) -> Writes:
        """A material document for each kind of movement. Raises NotOffered where the receipt was not the hub's to post."""
        if self._policy.goods_receipt != "hub":
            raise NotOffered(
                "What becomes of returned pieces is decided in SAP, by whoever receives them there (`goods_receipt`)."
            )
        held = self._held(order, returned)
        moves = coming.moves(order, returned, held, self._policy)
        first: ExternalId = ""
        for index, (code, items) in enumerate(moves.items()):
            name = coming.mark(order, returned, code, key)
            body = coming.document(order, name, code, items, today)
            made = yield Write(
                "disposition" if not index else "disposition_2",
                send=partial(self._move, body),
                find=partial(self._moved, name),
            )
            first = first or made
        return first

    def _held(self, order: Order, returned: Return) -> list[Row]:
        """Items of the returns delivery: they say where SAP has put the pieces."""
        number = one_of(self._papers.named(names.of_return(order, returned)))
        return self._papers.items(number) if number is not None else []

    def _move(self, body: Row) -> ExternalId:
        found = self._moved(str(body["ReferenceDocument"]))
        return found or _number(self._client.create(MOVEMENTS, "A_MaterialDocumentHeader", body))

    def _moved(self, name: str) -> ExternalId | None:
        where = f"ReferenceDocument eq {text(name)}"
        found = self._client.rows(MOVEMENTS, "A_MaterialDocumentHeader", where, order="MaterialDocument")
        return one_of([_number(one) for one in found if one.get("ReferenceDocument") == name])


def _number(record: Row) -> ExternalId:
    """A number is one within its year."""
    return f"{record['MaterialDocument']}-{record['MaterialDocumentYear']}"
