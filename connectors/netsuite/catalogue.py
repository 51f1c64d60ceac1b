"""Items, their prices and how many there are, as NetSuite's SuiteQL lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.canonical.product import Price, Product
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.articles import sku_of
from connectors.kit.errors import Missing
from connectors.netsuite.client import Client
from connectors.netsuite.mapping import items, stock
from connectors.netsuite.mapping.policy import Policy

ITEMS_A_QUERY = 500  # SuiteQL takes up to 1,000 values in a list


class Catalogue:
    """What one account knows of its items."""

    def __init__(self, client: Client, policy: Policy, connection: Connection) -> None:
        self._client = client
        self._policy = policy
        self._connection = connection

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        """All items that can be sold, or those changed since; one without a cross reference bears its name as SKU."""
        for row in self._client.suiteql(items.query(self._policy, since), items.KEY, self._policy.page_size):
            sku = sku_of(self._connection.codes, str(row["id"]), str(row["itemid"]))
            yield items.product(row, sku, self._policy)

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """The prices at the account's `price_level` in its base currency, each from a quantity on."""
        code = self._policy.base_currency
        number = self._policy.currencies.get(code)
        if not code or not number:
            raise self._policy.lacking(
                f"currencies.{code or 'EUR'}", "NetSuite's id of the base currency, which prices are asked in"
            )
        ours = self._theirs(skus)
        for part in _slices(tuple(sorted(ours)), ITEMS_A_QUERY):
            asked = items.prices(part, str(number), self._policy.price_level)
            for row in self._client.suiteql(asked, items.PRICE_KEY, self._policy.page_size):
                found = items.price(row, ours[str(row["item"])], code)
                if found is not None:
                    yield found

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        """Levels by location, in our SKUs and locations; items and locations without a cross reference are not ours."""
        ours = self._theirs(skus)
        for part in _slices(tuple(sorted(ours)), ITEMS_A_QUERY) if skus else [()]:
            at = self._connection.now()
            for row in self._client.suiteql(stock.query(part), stock.KEY, self._policy.page_size):
                sku = ours.get(row["item"]) or self._ours("sku", row["item"])
                location = self._ours("location", row["location"])
                if sku and location:
                    yield stock.level(row, sku, location, at)

    def _theirs(self, skus: Sequence[str]) -> dict[str, str]:
        return {self._connection.codes.theirs("sku", sku): sku for sku in skus}

    def _ours(self, kind: str, theirs: str) -> str:
        try:
            return self._connection.codes.ours(kind, str(theirs))
        except Missing:
            return ""


def _slices(values: tuple[str, ...], size: int) -> list[tuple[str, ...]]:
    return [values[start : start + size] for start in range(0, len(values), size)]
