"""A business partner is found by the account's rule before one is made; what SAP holds of them is not overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, one_of
from connectors.sap_s4hana.client import PARTNERS, Client
from connectors.sap_s4hana.odata import Row, text


class Customers:
    """Partners bear a mark of who they are as their first search term: no address ever stands in a URL."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create_or_find(self, body: Mapping[str, Any]) -> ExternalId:
        return self.find(body) or _customer(self._client.create(PARTNERS, "A_BusinessPartner", body))

    def find(self, body: Mapping[str, Any]) -> ExternalId | None:
        """The customer number; a partner that is blocked is passed over."""
        where = f"SearchTerm1 eq {text(str(body['SearchTerm1']))}"
        rows = self._client.rows(PARTNERS, "A_BusinessPartner", where, order="BusinessPartner")
        return one_of([_customer(one) for one in rows if not one.get("BusinessPartnerIsBlocked")])


def _customer(record: Row) -> ExternalId:
    """A partner's number as a customer; SAP may number the two apart."""
    found = str(record.get("Customer") or record.get("BusinessPartner") or "")
    if not found:
        raise Rejected(
            "SAP made a business partner without a number.",
            code="no_customer",
            remedy="Look at the grouping of partners in SAP: it must number them and make customers of them.",
            owner="integration desk",
        )
    return found
