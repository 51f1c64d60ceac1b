"""Prices are set in a price list where the account names one, else on the catalogue's variants; and read there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from connectors.bigcommerce.client import Client, Row
from connectors.bigcommerce.mapping.products import record_price
from connectors.canonical.money import parse
from connectors.canonical.product import Price
from connectors.kit.account import Connection
from connectors.kit.batches import each
from connectors.kit.board import Board
from connectors.kit.errors import Rejected
from connectors.kit.place import Place
from connectors.kit.writes import BatchItem, ExternalId

IN_LIST, IN_CATALOGUE = 1000, 50  # rows of one call: PUT pricelists/{id}/records, PUT catalog/variants
Variants = Mapping[str, int]  # their ids by SKU


@dataclass(frozen=True)
class Tag:
    """One price to set: `key` is what its row is known by, `list` and `sale` the prices with and without reduction. What it costs already is
    asked only where that is in doubt."""

    sku: str
    key: dict[str, Any]
    list: Decimal
    sale: Decimal
    currency: str
    there: ClassVar[bool] = False

    @property
    def id(self) -> ExternalId:
        return f"{self.sku}@{self.currency}"

    @property
    def row(self) -> dict[str, Any]:
        """Without a reduction the sale price is the price: an old sale price must not stay."""
        return {**self.key, "price": self.list, "sale_price": self.sale}


@dataclass(frozen=True)
class Tags:
    """Prices of one store."""

    client: Client
    connection: Connection

    @property
    def _list(self) -> str:
        return str(self.connection.account.settings.get("price_list", ""))

    @property
    def _currency(self) -> str:
        return str(self.connection.account.settings.get("currency", ""))

    @property
    def board(self) -> Board[Price, str, Variants, Tag]:
        most = IN_LIST if self._list else IN_CATALOGUE
        return Board("price", self._sku, self._look, self._tag, lambda due: each(due, self._put, most), seen=self._seen)

    def _seen(self, tag: Tag) -> bool:
        """There when BigCommerce shows the very prices."""
        row = self._shown(tag)
        if row is None:
            return False
        told = tuple(None if row.get(name) is None else Decimal(row[name]) for name in ("price", "sale_price"))
        return told == (tag.list, tag.sale)

    def _put(self, tags: Sequence[Tag]) -> None:
        rows = [one.row for one in tags]
        self.client.set_price_records(self._list, rows) if self._list else self.client.set_variant_prices(rows)

    def _shown(self, tag: Tag) -> Row | None:
        if not self._list:
            return self.client.variant(tag.sku)
        rows = self.client.price_records(self._list, [tag.sku], tag.currency)
        return next((row for row in rows if row.get("sku") == tag.sku), None)

    # ---- from our SKUs to their rows

    def _sku(self, price: Price) -> str:
        return self.connection.codes.theirs("sku", price.sku)

    def _look(self, skus: Sequence[str]) -> Variants:
        """Many in one call; a price list knows them by SKU."""
        rows = self.client.stock(skus) if skus and not self._list else iter(())
        return {row["identity"]["sku"]: row["identity"]["variant_id"] for row in rows}

    def _tag(self, item: BatchItem[Price], sku: str, variants: Variants) -> Tag | Exception:
        price = item.document
        refused = self._unfit(price)
        if refused is not None:
            return refused
        if not self._list and sku not in variants:
            words = f"BigCommerce has no article with the SKU {sku}."
            return Rejected(words, code="unknown_sku", field="sku", owner="catalogue")
        currency = price.amount.currency
        key = {"sku": sku, "currency": currency.lower()} if self._list else {"id": variants[sku]}
        whole = price.compare_at or price.amount
        return Tag(sku, key, whole.amount, price.amount.amount, currency)

    def _unfit(self, price: Price) -> Rejected | None:
        if price.min_quantity != 1:
            return Rejected("A quantity break is not published yet.", code="quantity_break", field="min_quantity")
        if not self._list and price.amount.currency != self._currency:
            words = f"The catalogue's prices are in {self._currency or 'a currency that is not configured'}."
            remedy = "Name the store's currency (settings.currency) or a price list (settings.price_list)."
            return Rejected(words, code="currency", field="amount", remedy=remedy, owner="catalogue")
        return None

    # ---- reading

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """The list's prices where one is named, else the catalogue's in the store's currency. Raises Rejected without
        either."""
        ours = {self.connection.codes.theirs("sku", sku): sku for sku in skus}
        if self._list:
            rows = self.client.price_records(self._list, list(ours), self._currency.lower())
            yield from (record_price(Place(row), ours[row["sku"]]) for row in rows if row.get("sku") in ours)
            return
        if not self._currency:
            raise Rejected("The store's currency is not configured.", code="no_currency", field="settings.currency")
        for theirs, sku in ours.items():
            row = self.client.variant(theirs)
            if row is not None:
                yield self._price(row, sku)

    def _price(self, row: Row, sku: str) -> Price:
        """`calculated_price` is what the storefront shows; a variant without a price has its product's."""
        shown = parse(row["calculated_price"], self._currency)
        whole = parse(row["price"], self._currency) if row.get("price") is not None else shown
        return Price(sku, shown, whole if shown < whole else None)
