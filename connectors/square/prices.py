"""Prices are set on articles of the catalogue: read whole, changed, and put back under their versions.

An upsert replaces an object, so what was read goes back as it was but for the price; a version that moved meanwhile is refused and tried again.
Source: ../shared/specs/square/api.json, BatchUpsertCatalogObjects and CatalogItemVariation.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.canonical.money import minor_unit
from connectors.canonical.product import Price
from connectors.kit.account import Connection
from connectors.kit.batches import each
from connectors.kit.board import Board
from connectors.kit.errors import Rejected
from connectors.kit.writes import BatchItem, ExternalId
from connectors.square.articles import Articles, by_sku, the_one
from connectors.square.client import Client, Row

MOST = 200
OWN = ("updated_at", "created_at")  # Square's own fields, which it does not take back


@dataclass(frozen=True)
class Tag:
    """An article and what it is to cost, in minor units, at all locations or at one."""

    article: Row
    minor: int
    currency: str
    location: str

    @property
    def id(self) -> ExternalId:
        return str(self.article["id"])

    @property
    def money(self) -> dict[str, Any]:
        return {"amount": self.minor, "currency": self.currency}

    @property
    def there(self) -> bool:
        data = self.article["item_variation_data"]
        rows = [one for one in data.get("location_overrides") or () if one.get("location_id") == self.location]
        shown = rows[0] if self.location and rows else {} if self.location else data
        fixed = shown.get("pricing_type") == "FIXED_PRICING"
        return fixed and shown.get("price_money") == self.money

    def changed(self) -> dict[str, Any]:
        """The article as it goes back."""
        row = {name: copy.deepcopy(value) for name, value in self.article.items() if name not in OWN}
        data = row["item_variation_data"]
        priced = {"pricing_type": "FIXED_PRICING", "price_money": self.money}
        if not self.location:
            data.update(priced)
            return row
        others = data.get("location_overrides") or []
        known: dict[str, Any] = next(
            (one for one in others if one.get("location_id") == self.location), {"location_id": self.location}
        )
        data["location_overrides"] = [
            *(one for one in others if one.get("location_id") != self.location),
            {**known, **priced},
        ]
        return row


@dataclass(frozen=True)
class Tags:
    """Prices of one seller."""

    client: Client
    connection: Connection

    @property
    def board(self) -> Board[Price, str, Articles, Tag]:
        return Board("price", self._sku, self._look, self._tag, lambda due: each(due, self._put, MOST))

    def _put(self, some: Sequence[Tag]) -> None:
        """The key is that of the versions too: what was changed meanwhile is another request."""
        told = " ".join(
            f"{one.id}@{one.location}:{one.article.get('version')}={one.minor} {one.currency}" for one in some
        )
        self.client.put_articles([one.changed() for one in some], hashlib.sha256(told.encode()).hexdigest())

    def _sku(self, price: Price) -> str:
        return self.connection.codes.theirs("sku", price.sku)

    def _look(self, skus: Sequence[str]) -> Articles:
        return by_sku(self.client, skus)

    def _tag(self, item: BatchItem[Price], sku: str, articles: Articles) -> Tag | Exception:
        price, article = item.document, the_one(articles, sku)
        if isinstance(article, Rejected):
            return article
        if price.min_quantity != 1:
            return Rejected(
                "Square has no prices by quantity.", code="quantity_break", field="min_quantity", owner="catalogue"
            )
        minor = price.amount.amount / minor_unit(price.amount.currency)
        if minor < 0 or minor != int(minor):
            words = f"{price.amount} is no price in whole minor units."
            return Rejected(words, code="fraction", field="amount", owner="catalogue")
        return Tag(
            article, int(minor), price.amount.currency, str(self.connection.account.settings.get("price_location", ""))
        )
