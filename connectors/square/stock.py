"""Sellable quantities go out as physical counts IN_STOCK, absolutely and many in one call; counts are read by location."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.batches import each
from connectors.kit.board import Board
from connectors.kit.errors import Missing, Rejected
from connectors.kit.storing import stored_at
from connectors.kit.writes import BatchItem, ExternalId
from connectors.square.articles import Articles, by_sku, the_one
from connectors.square.client import Client, Row, stamp

MOST = 100  # changes of one request
PLACES = 5  # digits after the point of a quantity
Named = tuple[str, str]  # their SKU, their location


class Shown(NamedTuple):
    """Articles by SKU, and counts by article and location."""

    articles: Articles
    counts: Mapping[str, Decimal]


@dataclass(frozen=True)
class Quantity:
    """One count to set, and what Square shows (None: never counted there)."""

    article: str
    location: str
    quantity: Decimal
    before: Decimal | None
    key: str

    @property
    def id(self) -> ExternalId:
        return f"{self.article}@{self.location}"

    @property
    def there(self) -> bool:
        return self.before == self.quantity


@dataclass(frozen=True)
class Shelf:
    """Stock of one seller."""

    client: Client
    connection: Connection

    @property
    def board(self) -> Board[StockLevel, Named, Shown, Quantity]:
        """There when Square shows the very quantity."""
        return Board("stock", self._named, self._look, _row, lambda due: each(due, self._count, MOST))

    def _count(self, some: Sequence[Quantity]) -> None:
        """A count is of an instant: counted again it is another request, so the instant is part of the key."""
        at = stamp(self.connection.now())
        key = hashlib.sha256(" ".join((at, *(f"{one.id}={one.quantity}" for one in some))).encode()).hexdigest()
        self.client.count([_change(one, at) for one in some], key)

    def _named(self, level: StockLevel) -> Named:
        return self.connection.codes.theirs("sku", level.sku), stored_at(self.connection, level.location)

    def _look(self, named: Sequence[Named]) -> Shown:
        articles = by_sku(self.client, [sku for sku, _ in named])
        return Shown(articles, self._shown(articles, sorted({place for _, place in named})))

    def _shown(self, articles: Articles, places: Sequence[str]) -> dict[str, Decimal]:
        ids = sorted(str(row["id"]) for rows in articles.values() for row in rows)
        rows = self.client.counts(ids, places) if ids else iter(())
        return {f"{one['catalog_object_id']}@{one['location_id']}": Decimal(one["quantity"]) for one in rows}

    # ---- reading

    def levels(self, skus: Sequence[str]) -> Iterator[StockLevel]:
        """Levels in our SKUs and locations. A location or SKU that the code tables do not name is none of ours."""
        asked_at = self.connection.now()
        if skus:
            articles = by_sku(self.client, [self.connection.codes.theirs("sku", sku) for sku in skus])
            ids = {str(row["id"]): sku for sku, rows in articles.items() for row in rows}
            rows: list[Row] = list(self.client.counts(sorted(ids), ())) if ids else []
        else:
            rows = list(self.client.counts((), ()))
            ids = self._skus(sorted({str(one["catalog_object_id"]) for one in rows}))
        for row in rows:
            yield from self._level(row, ids.get(str(row["catalog_object_id"]), ""), asked_at)

    def _skus(self, ids: Sequence[str]) -> dict[str, str]:
        found = self.client.articles(ids) if ids else []
        return {str(one["id"]): str((one.get("item_variation_data") or {}).get("sku") or "") for one in found}

    def _level(self, row: Row, theirs: str, asked_at: datetime) -> Iterator[StockLevel]:
        try:
            sku = self.connection.codes.ours("sku", theirs)
            location = self.connection.codes.ours("location", str(row["location_id"]))
        except Missing:
            return
        quantity = Decimal(row["quantity"])
        yield StockLevel(
            sku,
            location,
            available=quantity,
            on_hand=quantity,
            item_id=str(row["catalog_object_id"]),
            as_of=asked_at,  # the list is read while the stock moves: no word of it is newer than the question
        )


def _row(item: BatchItem[StockLevel], named: Named, shown: Shown) -> Quantity | Exception:
    level, (sku, place) = item.document, named
    article = the_one(shown.articles, sku)
    if isinstance(article, Rejected):
        return article
    if level.available is None or level.available < 0 or level.available != round(level.available, PLACES):
        words = f"{level.available} of {level.sku} cannot be published: Square counts from 0 with {PLACES} digits after the point."
        return Rejected(words, code="no_quantity", field="available", owner="logistics")
    name = f"{article['id']}@{place}"
    return Quantity(str(article["id"]), place, level.available, shown.counts.get(name), item.key)


def _change(one: Quantity, at: str) -> dict[str, Any]:
    count = {
        "catalog_object_id": one.article,
        "location_id": one.location,
        "state": "IN_STOCK",
        "quantity": f"{one.quantity.normalize():f}",
        "occurred_at": at,
        "reference_id": one.key[:255],
    }
    return {"type": "PHYSICAL_COUNT", "physical_count": count}
