"""Places in Tryton: a warehouse with its zones, where goods wait that are looked at, and where they go that are thrown away."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.tryton.client import Client, Row


@dataclass(frozen=True)
class Places:
    client: Client
    connection: Connection

    def warehouse(self, ours: str = "") -> Row:
        """{"id", "input_location", "storage_location"} of a place of ours, or of the account's own warehouse."""
        own = str(self.connection.account.settings.get("warehouse", "WH"))
        code = self.connection.codes.theirs("location", ours) if ours else own
        return self._row(code, "input_location", "storage_location")

    def of(self, condition: str, ours: str) -> int:
        """Where goods that came back lie: on the shelf, in quarantine, or out of stock."""
        if condition == "sellable":
            return int(self.warehouse(ours)["storage_location"])
        name = {"quarantined": "quarantine", "scrapped": "scrap"}.get(condition, "")
        code = str(self.connection.account.settings.get(name, "")) if name else ""
        if not code:
            raise Rejected(
                f"The account names no place for goods that are {condition}.",
                code="not_configured",
                field=f"settings.{name}",
                remedy=f"Set `{name}` to the code of a location in Tryton, then retry.",
                owner="integration desk",
            )
        return int(self._row(code)["id"])

    def _row(self, code: str, *fields: str) -> Row:
        row = self.client.first("stock.location", [["code", "=", code]], *fields)
        if row is None:
            raise Rejected(f"Tryton has no location {code}.", code="location", remedy=f"Add {code} in Tryton.")
        return row
