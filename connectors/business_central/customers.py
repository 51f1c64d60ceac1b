"""A customer is found by the account's rule before one is made; what Business Central holds of them is not overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.business_central import errors
from connectors.business_central.client import Ask, Client, Row, text
from connectors.business_central.mapping.policy import Policy
from connectors.kit.errors import Rejected, Transient
from connectors.kit.writes import ExternalId


class Customers:
    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    def create_or_find(self, body: Mapping[str, Any]) -> ExternalId:
        """The customer's SystemId. Two at once make one: the number is unique, whoever comes second finds the first.

        Raises Transient while the first one's cannot be seen yet.
        """
        found = self.find(body)
        if found is not None:
            return found
        try:
            return str(self._client.create("customers", body)["id"])
        except Rejected as refused:
            if refused.code != errors.SAME_KEY:
                raise
            found = self._numbered(body)
            if found is None:
                raise Transient(
                    "Somebody makes this customer just now; it cannot be seen yet.", code="not_seen_yet"
                ) from refused
            return found

    def find(self, body: Mapping[str, Any]) -> ExternalId | None:
        """By our number; under the rule "email" also by address, the one that was there first."""
        found = self._numbered(body)
        if found is None and self._policy.customer_match == "email" and body.get("email"):
            return self._mailed(str(body["email"]))
        return found

    def _numbered(self, body: Mapping[str, Any]) -> ExternalId | None:
        if not body.get("number"):
            return None
        rows = self._client.rows("customers", f"number eq {text(str(body['number']))}")
        return str(rows[0]["id"]) if rows else None

    def _mailed(self, email: str) -> ExternalId | None:
        """An address never stands in a URL: the question goes in the body of a $batch."""
        where = f"customers?$filter=email eq {text(email)}&$orderby=number"
        told = self._client.batch([Ask("GET", where)], "customer")[0]
        rows: list[Row] = [one for one in told.get("value", ()) if one.get("blocked") != "All"]
        return str(rows[0]["id"]) if rows else None
