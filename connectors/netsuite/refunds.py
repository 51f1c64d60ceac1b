"""Money that went back: out of the deposits where nothing was billed for it, else by a credit and a refund of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Refund
from connectors.kit.amounts import ZERO
from connectors.kit.writes import ExternalId, Writes
from connectors.netsuite.bills import used_up
from connectors.netsuite.client import Client
from connectors.netsuite.making import made, numbered, upserted
from connectors.netsuite.mapping import credit, deposit_refund, names, tenders
from connectors.netsuite.mapping.credit import Due
from connectors.netsuite.mapping.policy import Policy
from connectors.netsuite.returns import Returns


class Refunds:
    """The refunds of one account's orders."""

    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy
        self._returns = Returns(client, policy)

    def of(self, order: Order, refund: Refund, record: Mapping[str, Any]) -> Writes:
        """`record` is the sales order as NetSuite holds it: its customer counts, as people may have merged customers since."""
        dues = credit.dues(order, refund)
        if not dues:
            return ""
        customer = str(record["entity"]["id"])
        shares = self._shares(order, refund, dues, record) if tenders.deposited(order, self._policy) else None
        if shares is not None:
            return (yield from self._out_of_deposits(order, refund, dues, shares, customer))
        return (yield from self._credited(order, refund, dues, customer, record))

    def _shares(
        self, order: Order, refund: Refund, dues: Sequence[Due], record: Mapping[str, Any]
    ) -> deposit_refund.Shares | None:
        """What the deposits give to each due; None where a credit is needed. What was begun is gone on with.

        The deposits are read before what was begun is looked up: what one of them lacks by then is found.
        """
        held = self._deposits(order)
        if self._client.id_of("creditMemo", names.of_refund(order, refund)) is not None:
            return None
        begun = [
            self._client.id_of("customerRefund", names.of_tender(order, refund, due.gateway)) is not None
            for due in dues
        ]
        if not any(begun) and not deposit_refund.unbilled(order, refund, record, self._policy):
            return None
        left = [Due(due.gateway, ZERO) if done else due for due, done in zip(dues, begun, strict=True)]
        return deposit_refund.shared(left, held)

    def _deposits(self, order: Order) -> list[deposit_refund.Held]:
        """The order's deposits that are not used up, with what was not yet given back of them."""
        held = []
        for payment in tenders.deposited(order, self._policy):
            told = self._client.get("customerDeposit", f"eid:{names.of_deposit(order, payment)}")
            if told is not None and not used_up(told):
                left = Decimal(str(told["payment"])) - Decimal(str(told.get("refundedAmountTotalBox") or 0))
                held.append(deposit_refund.Held(str(told["id"]), tenders.gateway(payment), left))
        return held

    def _out_of_deposits(
        self, order: Order, refund: Refund, dues: Sequence[Due], shares: deposit_refund.Shares, customer: str
    ) -> Writes:
        first: ExternalId = ""
        for index, (due, share) in enumerate(zip(dues, shares, strict=True)):
            body = deposit_refund.body(order, refund, due, share, customer, self._policy)
            name = str(body["externalId"])
            make = partial(self._insert, name, body)
            links = () if index else (("refund", refund.id),)
            told = yield made(self._client, numbered("customer_refund", index), "customerRefund", name, make, links)
            first = first or told
        return first

    def _insert(self, name: str, body: Mapping[str, Any]) -> ExternalId:
        return str(self._client.upsert("customerRefund", name, body))

    def _credited(
        self, order: Order, refund: Refund, dues: Sequence[Due], customer: str, record: Mapping[str, Any]
    ) -> Writes:
        """A credit memo and a customer refund for each tender; all is mapped before the first is sent."""
        body = credit.credit_memo(order, refund, customer, self._policy)
        for due in dues:
            credit.customer_refund(order, refund, due, customer, "", self._policy)
        links = (("refund", refund.id),)
        returned = self._returns.credited(order, refund, record, body)
        if returned is None:
            memo = yield upserted(self._client, "credit_memo", "creditMemo", body, credit.SUBLISTS, links)
        else:
            memo = yield from returned
        for index, due in enumerate(dues):
            payout = credit.customer_refund(order, refund, due, customer, memo, self._policy)
            yield upserted(self._client, numbered("customer_refund", index), "customerRefund", payout, ("apply",))
        return memo
