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
from connectors.kit.errors import Missing, Rejected
from connectors.kit.writes import BatchItem, ExternalId
from connectors.square.articles import by_sku, the_one
from connectors.square.client import Client, Row

MOST = 200
Item = BatchItem[Price]
Verdict = ExternalId | Exception
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

    def publish(self, items: Sequence[Item]) -> Sequence[Verdict]:
        """Sets every price; each has its own verdict."""
        wanted = self._wanted(items)
        tags = {one.id: one for one in wanted if isinstance(one, Tag)}
        due = [one for one in tags.values() if not one.there]
        refused = each(due, self._put, MOST)
        bad = {one.id: no for one, no in zip(due, refused, strict=True) if no is not None}
        return [one if isinstance(one, Exception) else bad.get(one.id, one.id) for one in wanted]

    def find(self, item: Item) -> ExternalId | None:
        tag = self._wanted([item])[0]
        return tag.id if isinstance(tag, Tag) and tag.there else None

    def _put(self, some: Sequence[Tag]) -> None:
        """The key is that of the versions too: what was changed meanwhile is another request."""
        told = " ".join(
            f"{one.id}@{one.location}:{one.article.get('version')}={one.minor} {one.currency}" for one in some
        )
        self.client.put_articles([one.changed() for one in some], hashlib.sha256(told.encode()).hexdigest())

    def _wanted(self, items: Sequence[Item]) -> list[Tag | Exception]:
        names = [self._named(item.document) for item in items]
        articles = by_sku(self.client, [one for one in names if isinstance(one, str)])
        return [
            self._tag(item.document, the_one(articles, one)) if isinstance(one, str) else one
            for item, one in zip(items, names, strict=True)
        ]

    def _named(self, price: Price) -> str | Exception:
        try:
            return self.connection.codes.theirs("sku", price.sku)
        except Missing as missing:
            return missing

    def _tag(self, price: Price, article: Row | Rejected) -> Tag | Exception:
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
