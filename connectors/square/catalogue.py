"""Articles of the catalogue as products, and what they cost: at all locations, or at the one whose own prices the account names.

Source: ../shared/specs/square/api.json, SearchCatalogObjects and CatalogItemVariation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.canonical.money import Money, minor_unit
from connectors.canonical.product import Price, Product
from connectors.kit.account import Connection
from connectors.kit.articles import sku_of
from connectors.kit.errors import Unreadable
from connectors.square.articles import by_sku, the_one
from connectors.square.client import Client, Row

TICK = timedelta(milliseconds=1)  # "the timestamp is exclusive": what changed at the very instant is asked for as well


@dataclass(frozen=True)
class Catalogue:
    """What one seller sells."""

    client: Client
    connection: Connection

    def products(self, since: datetime | None) -> Iterator[Product]:
        """Every variation, or those that changed since then, the deleted ones too. One without a SKU bears none."""
        for row, parent in self.client.changed_articles(since - TICK if since else None):
            data = row.get("item_variation_data") or {}
            name = str(data.get("sku") or "")
            yield Product(
                id=_text(row, "id"),
                sku=sku_of(self.connection.codes, name, name) if name else "",
                title=_title(data, parent),
                parent_id=str(data.get("item_id") or ""),
                barcode=str(data.get("upc") or ""),
                active=not row.get("is_deleted"),
                updated_at=_time(row),
                tracked=data.get("track_inventory") is not False,
            )

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """Fixed prices, in our SKUs; an article without one, or whose price is said at the till, has none. Raises Rejected where several
        articles have one SKU."""
        ours = {self.connection.codes.theirs("sku", sku): sku for sku in skus}
        found = by_sku(self.client, list(ours))
        for theirs in found:
            article = the_one(found, theirs)
            if isinstance(article, Exception):
                raise article
            amount = self._money(article)
            if amount is not None:
                yield Price(ours[theirs], amount)

    def _money(self, article: Row) -> Money | None:
        data = article["item_variation_data"]
        place = str(self.connection.account.settings.get("price_location", ""))
        own = [one for one in data.get("location_overrides") or () if place and one.get("location_id") == place]
        shown = own[0] if own and own[0].get("pricing_type") else data
        told: Mapping[str, Any] | None = shown.get("price_money")
        if shown.get("pricing_type") != "FIXED_PRICING" or not told:
            return None
        amount, currency = told.get("amount"), _text(told, "currency")
        if not isinstance(amount, int):
            raise Unreadable("A price has no amount in minor units.", field="price_money.amount")
        return Money(Decimal(amount) * minor_unit(currency), currency)


def _title(data: Row, parent: Row) -> str:
    """The item's name with the variation's own, which is Regular where there is but one."""
    item, own = str((parent.get("item_data") or {}).get("name") or ""), str(data.get("name") or "")
    return f"{item}, {own}" if item and own and own != "Regular" else item or own


def _text(row: Row, name: str) -> str:
    if not isinstance(row.get(name), str) or not row[name]:
        raise Unreadable(f"{name} is missing.", field=name)
    return str(row[name])


def _time(row: Row) -> datetime | None:
    told = row.get("updated_at")
    try:
        return datetime.fromisoformat(str(told).replace("Z", "+00:00")) if told else None
    except ValueError:
        raise Unreadable(f"{told!r} is no time.", field="updated_at") from None
