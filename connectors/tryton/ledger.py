"""Sales as Tryton itself lists them, for those who hold its books against their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

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
        zone = zone_of(self.connection)
        first, last = (as_kept(at, zone) for at in (since, until))
        made = [["create_date", ">=", first], ["create_date", "<=", last], ["origin", "=", None]]

        def page(after: str | None) -> tuple[Sequence[Row], str | None]:
            domain = [*made, ["id", ">", int(after or 0)]]
            rows = self.client.rows("sale.sale", domain, *FIELDS, limit=size)
            return rows, str(rows[-1]["id"]) if len(rows) == size else None

        return (_booking(row, zone) for row in walk(page))

    def reference(self, order: Order) -> str:
        return reference(order)


def zone_of(connection: Connection) -> ZoneInfo:
    """The database server's (setting `time_zone`)."""
    return ZoneInfo(str(connection.account.settings.get("time_zone", "UTC")))


def as_kept(at: datetime, zone: ZoneInfo) -> datetime:
    """create_date and write_date are the database's CURRENT_TIMESTAMP without its zone (trytond/model/modelsql.py), sent as if it were UTC."""
    return at.astimezone(zone).replace(tzinfo=UTC)


def _booking(row: Row, zone: ZoneInfo) -> Booking:
    total = parse(row["total_amount"], str(row["currency."]["code"]))
    return Booking(str(row["id"]), str(row["reference"] or ""), total, row["create_date"].replace(tzinfo=zone))
