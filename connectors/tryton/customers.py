"""The buyer of an order and where it is sent and billed to, found in Tryton or made there."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.party import Address
from connectors.kit import regions
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId, Write
from connectors.tryton import parties
from connectors.tryton.client import Client


@dataclass(frozen=True, slots=True)
class Buyer:
    """Ids of party.party and of its party.address records."""

    party: int
    billing: int
    shipping: int


@dataclass(frozen=True)
class Customers:
    client: Client

    def buyer(self, order: Order) -> Generator[Write, ExternalId, Buyer]:
        """Create-or-find the party, then each of its two addresses."""
        shipping = self._values(order.shipping or order.billing)
        billing = self._values(order.billing or order.shipping)
        first = [shipping] if parties.same(shipping, billing) else [shipping, billing]
        find = self._finder(order)
        party = yield Write("customer", send=lambda: find() or self._create(order, first), find=find)
        sent = yield self._address("shipping_address", int(party), shipping)
        billed = yield self._address("billing_address", int(party), billing)
        return Buyer(int(party), int(billed), int(sent))

    def _finder(self, order: Order) -> Any:
        """By e-mail, whoever made the party; else by our code. Both are compared exactly."""

        def find() -> str | None:
            domain: list[Any] = ["OR", ["code", "=", parties.code(order)]]
            if order.email:
                written = [["type", "=", "email"], ["value", "=", order.email.strip().lower()]]
                domain.append(["contact_mechanisms", "where", written])
            row = self.client.first("party.party", [domain])
            return str(row["id"]) if row else None

        return find

    def _create(self, order: Order, addresses: list[Any]) -> str:
        """Another worker may be quicker with the same buyer: then the code is taken, and the party is there."""
        try:
            return str(self.client.create("party.party", parties.party(order, addresses))[0])
        except Rejected as refused:
            found = self._finder(order)() if refused.code == "not_unique" else None
            if found is None:
                raise
            return str(found)

    def _address(self, name: str, party: int, wanted: dict[str, Any]) -> Write:
        def find() -> str | None:
            rows = self.client.rows("party.address", [["party", "=", party]], *parties.FIELDS)
            return next((str(row["id"]) for row in rows if parties.same(row, wanted)), None)

        def send() -> str:
            return find() or str(self.client.create("party.address", {**wanted, "party": party})[0])

        return Write(name, send=send, find=find)

    def _values(self, given: Address | None) -> dict[str, Any]:
        if given is None:
            return parties.address(Address(), None, None)
        if not given.country:
            return parties.address(given, None, None)
        country = self.client.first("country.country", [["code", "=", given.country]])
        if country is None:
            sentence = f"Tryton knows no country {given.country}."
            raise Rejected(sentence, code="country", field="shipping.country", remedy="Add the country in Tryton.")
        code = regions.region(given.country, given.region) or regions.region(given.country, given.region_name)
        where = [["country", "=", country["id"]], ["code", "=", f"{given.country}-{code or given.region}"]]
        region = self.client.first("country.subdivision", where) if code or given.region else None
        return parties.address(given, int(country["id"]), int(region["id"]) if region else None)
