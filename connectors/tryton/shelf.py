"""How many of each product Tryton says are in each warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count

from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.errors import Missing
from connectors.tryton.client import Client, Row

PAGE = 500


class Shelf:
    connection: Connection
    client: Client

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        """On hand today, and what is left of it after all that waits to be shipped; goods only, by warehouse.

        What has no cross reference is not sold through the hub and is left out. All is dated by when it was asked for.
        """
        asked = self.connection.now()
        wanted = {self.connection.codes.theirs("sku", sku): sku for sku in skus}
        for warehouse in self.client.rows("stock.location", [["type", "=", "warehouse"], ["code", "!=", None]], "code"):
            location = self._ours("location", str(warehouse["code"]))
            for row in self._rows(warehouse, list(wanted)) if location else ():
                sku = wanted.get(str(row["code"])) or self._ours("sku", str(row["code"]))
                if sku:
                    yield _level(row, sku, location, asked)

    def _rows(self, warehouse: Row, theirs: Sequence[str]) -> Iterator[Row]:
        """All pages. A forecast without an end date would count what is still to come from suppliers."""
        today = self.connection.now().date()
        context = {"locations": [warehouse["id"]], "stock_date_end": today, "with_childs": True}
        where = [["type", "=", "goods"], ["code", "in", list(theirs)] if theirs else ["code", "!=", None]]
        fields = ("code", "quantity", "forecast_quantity")
        for offset in count(0, PAGE):
            rows = self.client.rows("product.product", where, *fields, context=context, limit=PAGE, offset=offset)
            yield from rows
            if len(rows) < PAGE:
                return

    def _ours(self, kind: str, theirs: str) -> str:
        try:
            return self.connection.codes.ours(kind, theirs)
        except Missing:
            return ""


def _level(row: Row, sku: str, location: str, at: datetime) -> StockLevel:
    return StockLevel(
        sku, location, available=row["forecast_quantity"], on_hand=row["quantity"], item_id=str(row["id"]), as_of=at
    )
