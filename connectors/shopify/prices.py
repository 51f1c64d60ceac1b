"""Prices told to Shopify: each SKU's variant is looked up, priced where the account wants it, and has its own verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connectors.canonical.money import minor_unit
from connectors.canonical.product import Price
from connectors.kit.account import Connection
from connectors.kit.board import Board
from connectors.kit.errors import Rejected
from connectors.kit.writes import BatchItem
from connectors.shopify import documents
from connectors.shopify.client import Client, Row
from connectors.shopify.price_places import Asked, Catalogue, Place, PriceList, Tag
from connectors.shopify.stock import AT_ONCE, by_sku

Variants = Mapping[str, Sequence[Row]]


class Shown(NamedTuple):
    """Variants by SKU, and what each costs by its id, in one currency."""

    variants: Variants
    currency: str
    prices: Mapping[str, Asked]


@dataclass(frozen=True)
class Tags:
    """Prices of one account."""

    client: Client
    connection: Connection

    @property
    def board(self) -> Board[Price, str, Shown, Tag]:
        """There when Shopify shows the very price, and the very former price or none."""
        return Board("price", self._sku, self._look, _tag, self._put)

    def _put(self, tags: Sequence[Tag]) -> list[Rejected | None]:
        bad = self._place.put(tags)
        return [bad.get(one.id) for one in tags]

    @property
    def _place(self) -> Place:
        named = str(self.connection.account.settings.get("price_list", ""))
        return PriceList(self.client, named) if named else Catalogue(self.client)

    # ---- from our SKUs to their variants

    def _sku(self, price: Price) -> str:
        return self.connection.codes.theirs("sku", price.sku)

    def _look(self, skus: Sequence[str]) -> Shown:
        variants = self._variants(skus)
        rows = [row for some in variants.values() for row in some]
        return Shown(variants, *(self._place.read(rows) if rows else ("", {})))

    def _variants(self, skus: Sequence[str]) -> Variants:
        """Variants by SKU, compared exactly: Shopify's search is not, and a SKU may stand on several."""
        found: dict[str, list[Row]] = {}
        unique = list(dict.fromkeys(skus))
        for start in range(0, len(unique), AT_ONCE):
            some = unique[start : start + AT_ONCE]
            query = by_sku(some)
            for row in self.client.changed(documents.VARIANT_PRICES, "productVariants", query=query, first=100):
                if row["sku"] in some:
                    found.setdefault(row["sku"], []).append(row)
        return found


def _tag(item: BatchItem[Price], sku: str, shown: Shown) -> Tag | Rejected:
    price, found = item.document, shown.variants.get(sku, ())
    if len(found) != 1:
        return _not_one(sku, len(found))
    unfit = _unfit(price, shown.currency)
    if unfit is not None:
        return unfit
    (row,) = found
    asked = (price.amount.amount, None if price.compare_at is None else price.compare_at.amount)
    return Tag(row["id"], row["product"]["id"], asked, shown.currency, shown.prices.get(row["id"]))


def _not_one(sku: str, found: int) -> Rejected:
    code, words = (
        ("ambiguous_sku", f"{found} articles in Shopify have the SKU {sku}.")
        if found
        else ("unknown_sku", f"Shopify has no article with the SKU {sku}.")
    )
    remedy = "Mend the article's SKU in Shopify, or its cross reference here."
    return Rejected(words, code=code, field="sku", remedy=remedy, owner="catalogue")


def _unfit(price: Price, currency: str) -> Rejected | None:
    """What no call can tell."""
    if price.min_quantity != 1:
        words = "A quantity break is not published yet."
        return Rejected(words, code="quantity_break", field="min_quantity", owner="catalogue")
    if price.amount.currency != currency:
        words = f"{price.amount} cannot be told: prices there are in {currency}."
        remedy = f"Send it in {currency}, or name a price list of its currency (settings.price_list)."
        return Rejected(words, code="currency", field="amount", remedy=remedy, owner="catalogue")
    told = [one.amount for one in (price.amount, price.compare_at) if one is not None]
    if any(one % minor_unit(currency) for one in told):
        words = f"{price.amount} is no price in whole minor units."
        return Rejected(words, code="fraction", field="amount", owner="catalogue")
    return None
