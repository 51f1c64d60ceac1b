"""Items, their prices, and how many there are: told by lists, by a webhook's pointer, or by a custom page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from connectors.business_central.client import GUID, Client, Row, text
from connectors.business_central.mapping import items
from connectors.business_central.mapping.policy import Policy
from connectors.business_central.mapping.rows import number
from connectors.canonical.product import Price, Product
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.articles import code_of, sku_of
from connectors.kit.capabilities import Message
from connectors.kit.errors import Missing

NUMBERS = 30  # item numbers that one filter names: its address must stay short


class Catalogue:
    connection: Connection
    client: Client
    policy: Policy

    # ---- products and prices

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        """All items, or those changed since; one without a cross reference bears its number as SKU."""
        for row in self.client.all_rows("items", f"lastModifiedDateTime ge {instant(since)}" if since else ""):
            sku = sku_of(self.connection.codes, str(row["number"]), str(row["number"]))
            yield items.product(row, sku, self.policy.base_currency, unit=self._measure(row))

    def code_of(self, product: Product) -> str:
        """An item's number."""
        return code_of(self.connection.codes, product.sku)

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """The items' own unit prices in the company's currency. Price lists are not in API v2.0."""
        currency = self.policy.wanted("base_currency", "the currency that items are priced in")
        for sku, row in self._items(skus):
            found = items.price(row, sku, currency)
            if found is not None:
                yield found

    def _items(self, skus: Sequence[str]) -> Iterator[tuple[str, Row]]:
        """Our SKU and the item of each that is there."""
        ours = {self.connection.codes.theirs("sku", sku).upper(): sku for sku in skus}
        wanted = sorted(ours)
        for start in range(0, len(wanted), NUMBERS):
            named = " or ".join(f"number eq {text(one)}" for one in wanted[start : start + NUMBERS])
            for row in self.client.rows("items", named):
                yield ours[str(row["number"]).upper()], row

    # ---- stock

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        """Where a custom page tells stock by location, that; else the items' total, as that of one location of ours."""
        if self.policy.stock_api:
            yield from self._by_location(skus)
            return
        place = self.policy.wanted("stock_location", "the location that items.inventory counts for")
        at = self.connection.now()
        rows = self._items(skus) if skus else self._all()
        yield from (
            items.level(row, sku, place, at) for sku, row in rows if row.get("type", "Inventory") == "Inventory"
        )

    def _all(self) -> Iterator[tuple[str, Row]]:
        for row in self.client.all_rows("items"):
            sku = self._ours("sku", row["number"])
            if sku:
                yield sku, row

    def _by_location(self, skus: Sequence[str]) -> Iterator[StockLevel]:
        at, wanted = self.connection.now(), set(skus)
        for row in self.client.custom(self.policy.stock_api):
            sku, place = (
                self._ours("sku", row.get("itemNumber", "")),
                self._ours("location", row.get("locationCode", "")),
            )
            if sku and place and (not wanted or sku in wanted):
                yield StockLevel(
                    sku, place, on_hand=number(row.get("inventory")), item_id=str(row["itemNumber"]), as_of=at
                )

    def _ours(self, kind: str, theirs: object) -> str:
        try:
            return self.connection.codes.ours(kind, str(theirs))
        except Missing:
            return ""

    def _measure(self, row: Row) -> str:
        return self._ours("unit", row.get("baseUnitOfMeasureCode", ""))

    # ---- what changed

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Items by their last change, both ends included, a message each."""
        where = f"lastModifiedDateTime ge {instant(since)} and lastModifiedDateTime le {instant(until)}"
        for row in self.client.all_rows("items", where):
            yield items.document([row])

    def fetch(self, pointer: Pointer) -> Message | None:
        """One item, or all that changed since an instant that a webhook named; None when it is gone."""
        if pointer.id.startswith("since:"):
            since = datetime.fromisoformat(pointer.id.removeprefix("since:"))
            rows = self.client.all_rows("items", f"lastModifiedDateTime gt {instant(since)}")
            return items.document([*rows]) if rows else None
        if pointer.kind != "product" or not GUID.fullmatch(pointer.id):
            return None
        found = self.client.get(f"items({pointer.id})")
        return items.document([found]) if found else None


def instant(at: datetime) -> str:
    """An OData instant in UTC; Business Central keeps milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
