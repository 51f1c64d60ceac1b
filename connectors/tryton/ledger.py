"""Sales as Tryton itself lists them, for those who hold its books against their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.canonical.money import parse
from connectors.canonical.order import Order
from connectors.kit.account import Connection
from connectors.kit.capabilities import Booking
from connectors.kit.paging import walk
from connectors.tryton.client import Client, Row
from connectors.tryton.sales import reference

FIELDS = ("reference", "total_amount", "currency.code", "create_date")


class Ledger:
    connection: Connection
    client: Client

    def booked(self, since: datetime, until: datetime) -> Iterator[Booking]:
        """By id after the last row. What has an origin (a supplement, a return) was made out of another sale."""
        size = int(self.connection.account.settings.get("page", 200))
        made = [["create_date", ">=", since], ["create_date", "<=", until], ["origin", "=", None]]

        def page(after: str | None) -> tuple[Sequence[Row], str | None]:
            domain = [*made, ["id", ">", int(after or 0)]]
            rows = self.client.rows("sale.sale", domain, *FIELDS, limit=size)
            return rows, str(rows[-1]["id"]) if len(rows) == size else None

        return (_booking(row) for row in walk(page))

    def reference(self, order: Order) -> str:
        return reference(order)


def _booking(row: Row) -> Booking:
    total = parse(row["total_amount"], str(row["currency."]["code"]))
    return Booking(str(row["id"]), str(row["reference"] or ""), total, row["create_date"])
