"""Products and their list prices as Tryton keeps them, in the company's own currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.canonical.money import Money
from connectors.canonical.product import Price, Product, ProductKind
from connectors.kit.account import Connection
from connectors.kit.articles import code_of, sku_of
from connectors.kit.errors import Missing
from connectors.kit.paging import walk
from connectors.tryton.client import Client, Row
from connectors.tryton.ledger import as_kept, zone_of
from connectors.tryton.lines import SERVICES

PRODUCT = "product.product"
KEPT_IN = ("", "template.")  # a list price, too: writing one dates the record that it was written at
STAMPS = ("create_date", "write_date")
FIELDS = (
    *(
        "code",
        "template",
        "template.name",
        "template.active",
        "type",
        "consumable",
        "active",
        "salable",
        "default_uom.symbol",
    ),
    *(f"{where}{stamp}" for where in KEPT_IN for stamp in STAMPS),
)
EVERYTHING = {"active_test": False}  # else what nobody sells any more is not listed at all


class Catalogue:
    connection: Connection
    client: Client

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        """All products that have a code, or those of which something changed since; what is not for sale any more is not active. The services
        that orders are booked with are none. One without a cross reference bears its code as SKU."""
        where = [["code", "!=", None], ["code", "not in", sorted(SERVICES)]]
        since_then = [_changed(as_kept(since, zone_of(self.connection)))] if since else []
        for row in self._pages([*where, *since_then], FIELDS, EVERYTHING):
            code = str(row["code"])
            yield self._product(row, sku_of(self.connection.codes, code, code))

    def code_of(self, product: Product) -> str:
        """A product's code."""
        return code_of(self.connection.codes, product.sku)

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """The list price of each that is active (a variant's own, else its product's), net of tax as a sale's own unit price is; of one unit as
        stock is counted. Price lists are a module that not everybody has."""
        ours = {self.connection.codes.theirs("sku", sku): sku for sku in skus}
        currency = self._currency() if ours else ""
        for row in self._pages([["code", "in", sorted(ours)]], ("code", "list_price_used")) if ours else ():
            if row["list_price_used"] is not None:
                amount = Money(_plain(row["list_price_used"]), currency)
                yield Price(ours[str(row["code"])], amount, taxes_included=False)

    # ---- how they are asked for

    def _pages(self, domain: Sequence[Any], fields: Sequence[str], context: Row | None = None) -> Iterator[Row]:
        """By id after the last row."""
        size = int(self.connection.account.settings.get("page", 200))

        def page(after: str | None) -> tuple[Sequence[Row], str | None]:
            asked = [*domain, ["id", ">", int(after or 0)]]
            rows = self.client.rows(PRODUCT, asked, *fields, context=context, limit=size)
            return rows, str(rows[-1]["id"]) if len(rows) == size else None

        return walk(page)

    def _currency(self) -> str:
        (row,) = self.client.rows("company.company", [["id", "=", self.client.company()]], "currency.code")
        return str(row["currency."]["code"])

    # ---- in our words

    def _product(self, row: Row, sku: str) -> Product:
        goods, template = row["type"] != "service", row["template."]
        return Product(
            id=str(row["id"]),
            sku=sku,
            title=str(template["name"] or row["code"]),
            kind=ProductKind.GOODS if goods else ProductKind.SERVICE,
            parent_id=str(row["template"]),
            unit=self._unit(str(row["default_uom."]["symbol"])),
            active=bool(row["active"] and template["active"] and row["salable"]),
            tracked=goods and not row["consumable"],
            updated_at=_latest(row, zone_of(self.connection)),
        )

    def _unit(self, theirs: str) -> str:
        try:
            return self.connection.codes.ours("unit", theirs)
        except Missing:
            return "each" if theirs == "u" else theirs


def _changed(since: datetime) -> list[Any]:
    return ["OR", *([f"{where}{stamp}", ">=", since] for where in KEPT_IN for stamp in STAMPS)]


def _latest(row: Row, zone: ZoneInfo) -> datetime:
    """Of the product and of what it is a variant of."""
    stamps: list[datetime] = [
        told[stamp] for told in (row, row["template."]) for stamp in STAMPS if told[stamp] is not None
    ]
    return max(one.replace(tzinfo=zone) for one in stamps).astimezone(UTC)


def _plain(amount: Decimal) -> Decimal:
    """Without the digits that are noughts beyond the cents: Tryton keeps four."""
    return amount.quantize(Decimal("0.01")) if amount == round(amount, 2) else amount.normalize()
