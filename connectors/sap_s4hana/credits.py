"""What goes back to the customer: a customer return for goods, a credit memo request for the money of each tender."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Refund, Return
from connectors.kit.tenders import dues
from connectors.kit.writes import ExternalId, Write, Writes, one_of
from connectors.sap_s4hana.arrivals import Arrivals
from connectors.sap_s4hana.client import CREDITS, RETURNS, Client
from connectors.sap_s4hana.mapping import credit
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import text


class Credits:
    def __init__(self, client: Client, policy: Policy, arrivals: Arrivals) -> None:
        self._client = client
        self._policy = policy
        self._arrivals = arrivals

    def record(self, order: Order, refund: Refund, customer: str, left: Mapping[str, Decimal]) -> Writes:
        """The return and its receipt first, then the requests; what moved no money yet is booked when it does. `left`: the pieces of
        each line that have left."""
        owed = dues(order, refund)
        if not owed:
            return ""
        back = credit.customer_return(order, refund, customer, left, self._policy)
        requests = credit.credit_memos(order, refund, owed, customer, self._policy)
        result = ""
        if back is not None:
            links = (("return", refund.return_id),) if refund.return_id else ()
            result = yield self._write("customer_return", RETURNS, "CustomerReturn", back, links)
            yield from self._arrivals.receive(result, str(back["PurchaseOrderByCustomer"]))
        for index, body in enumerate(requests):
            name = f"credit_memo_request_{index + 1}" if index else "credit_memo_request"
            links = () if index else (("refund", refund.id),)
            found = yield self._write(name, CREDITS, "CreditMemoRequest", body, links)
            result = found if not index else result
        return result

    def goods_back(self, order: Order, returned: Return, customer: str) -> Writes:
        """The return and its receipt alone: what came back without money."""
        body = credit.goods_back(order, returned, customer, self._policy)
        links = (("return_receipt", returned.id),)
        back = yield self._write("customer_return", RETURNS, "CustomerReturn", body, links)
        yield from self._arrivals.receive(back, str(body["PurchaseOrderByCustomer"]))
        return back

    def _write(
        self, name: str, service: str, key: str, body: Mapping[str, Any], links: tuple[tuple[str, str], ...]
    ) -> Write:
        find = partial(self._named, service, key, str(body["PurchaseOrderByCustomer"]))
        return Write(name, send=partial(self._create, service, key, body), find=find, links=links)

    def _create(self, service: str, key: str, body: Mapping[str, Any]) -> ExternalId:
        found = self._named(service, key, str(body["PurchaseOrderByCustomer"]))
        return found or str(self._client.create(service, f"A_{key}", body)[key])

    def _named(self, service: str, key: str, name: str) -> ExternalId | None:
        rows = self._client.rows(service, f"A_{key}", f"PurchaseOrderByCustomer eq {text(name)}", order=key)
        return one_of([str(one[key]) for one in rows if one.get("PurchaseOrderByCustomer") == name])
