"""A customer is found by the account's rule before one is made; what NetSuite holds of them is not overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.kit.errors import Ambiguous
from connectors.kit.writes import ExternalId
from connectors.netsuite.client import Client
from connectors.netsuite.mapping.policy import Policy

KEY = ("id",)


class Customers:
    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    def create_or_find(self, name: str, body: Mapping[str, Any]) -> ExternalId:
        """The customer's id. Two at once make one: the external id is unique and the PUT inserts or updates."""
        found = self._search(name, body) if self._mailed(body) else self._client.id_of("customer", name)
        if found is not None:
            return found
        made = self._client.upsert("customer", name, body)
        if not isinstance(made, str):
            raise Ambiguous("NetSuite made a job of a customer, which was not asked for.", code="unreadable_answer")
        return made

    def find(self, name: str, body: Mapping[str, Any]) -> ExternalId | None:
        """By external id, which no search index delays; under the rule "email" also by address."""
        found = self._client.id_of("customer", name)
        return self._search(name, body) if found is None and self._mailed(body) else found

    def _mailed(self, body: Mapping[str, Any]) -> bool:
        return self._policy.customer_match == "email" and bool(body.get("email"))

    def _search(self, name: str, body: Mapping[str, Any]) -> ExternalId | None:
        """The customer of our external id, else the oldest active one with exactly this address."""
        rows = self._client.suiteql(by_email(name, str(body["email"])), KEY)
        ours = next((row for row in rows if row.get("externalid") == name), None)
        return str((ours or rows[0])["id"]) if rows else None


def by_email(name: str, email: str) -> str:
    """SuiteQL for the active customers of an address or external id, the oldest first; a quote in it is doubled."""
    quoted = email.replace("'", "''")
    wanted = f"(externalid = '{name}' OR LOWER(email) = '{quoted}')"
    return f"SELECT id, externalid FROM customer WHERE {wanted} AND isinactive = 'F' ORDER BY id"  # noqa: S608 - quoted
