"""Pieces that came back with their money: authorized, received into stock, credited, each record out of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Refund
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Writes
from connectors.netsuite.client import Client
from connectors.netsuite.errors import gone
from connectors.netsuite.making import made
from connectors.netsuite.mapping import draft, names, returning
from connectors.netsuite.mapping.policy import Policy

REPLACED = ("taxDetails",)


class Returns:
    """The returns of one account's orders, where it wants them authorized (`returns`)."""

    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    def credited(
        self, order: Order, refund: Refund, record: Mapping[str, Any], memo: Mapping[str, Any]
    ) -> Writes | None:
        """The credit memo, by way of a return authorization and its receipt; None where nothing came back that had left."""
        if self._policy.returns != "authorization":
            return None
        returned = returning.back(order, refund, record, self._policy)
        if not returned:
            return None
        body = returning.authorization(order, refund, record, memo, returned, self._policy)
        places = {row.number: self._place(refund, index) for index, row in returned.items()}
        return self._chain(order, refund, str(record["id"]), memo, body, places)

    def _place(self, refund: Refund, index: int) -> str:
        place = refund.lines[index].location
        return self._policy.codes.theirs("location", place) if place else ""

    def _chain(
        self,
        order: Order,
        refund: Refund,
        sales_order: ExternalId,
        memo: Mapping[str, Any],
        body: Mapping[str, Any],
        places: Mapping[int, str],
    ) -> Writes:
        client, name = self._client, str(body["externalId"])
        make = partial(client.transform, "salesOrder", sales_order, "returnAuthorization", body, replace=REPLACED)
        authorized = yield made(client, "return_authorization", "returnAuthorization", name, make)
        receipt = names.of_receipt(order, refund.id)
        receive = partial(self._receive, authorized, receipt, places)
        yield made(client, "item_receipt", "itemReceipt", receipt, receive)
        credit = returning.credit(memo)
        give = partial(client.transform, "returnAuthorization", authorized, "creditMemo", credit, replace=REPLACED)
        check = partial(self._check, memo)
        links = (("refund", refund.id),)
        return (yield made(client, "credit_memo", "creditMemo", str(credit["externalId"]), give, links, check))

    def _receive(self, authorized: ExternalId, name: str, places: Mapping[int, str]) -> ExternalId:
        told = self._client.get("returnAuthorization", authorized, lines=True)
        if told is None:
            raise gone("return authorization", authorized)
        body = {"externalId": name, **returning.receipt(told, places, self._policy)}
        return self._client.transform("returnAuthorization", authorized, "itemReceipt", body)

    def _check(self, memo: Mapping[str, Any], found: ExternalId) -> None:
        """Holds the credit memo that NetSuite made against the refund. Raises Rejected(code="total_differs")."""
        told = self._client.get("creditMemo", found)
        if told is None:
            raise gone("credit memo", found)
        wanted, credited = draft.total(memo), Decimal(str(told.get("total", 0)))
        if credited != wanted:
            raise Rejected(
                f"{told.get('tranId') or found} in NetSuite credits {credited}, but {wanted} went back: "
                f"{wanted - credited:+} differ.",
                code="total_differs",
                field="total",
                remedy="Correct that credit memo in NetSuite, then retry: it is not made again.",
                owner="finance",
            )
