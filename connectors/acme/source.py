"""Acme as a source: what it tells of by queue, what can be fetched, polled and subscribed to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from connectors.acme import mapping
from connectors.acme.client import Client, Row
from connectors.canonical.product import Price, Product
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.articles import code_of, sku_of
from connectors.kit.capabilities import Message
from connectors.kit.errors import NotOffered
from connectors.kit.http import dump_json
from connectors.kit.paging import walk

HIDDEN = 30.0  # seconds that a received message is hidden from other readers of the queue
LISTINGS = {"order": "orders", "stock": "stock", "product": "products", "shipment": "parcels", "return": "goods_back"}
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


class Source:
    connection: Connection
    client: Client

    def fetch(self, pointer: Pointer) -> Message | None:
        """Acme's thin webhooks are about orders only."""
        if pointer.kind != "order":
            raise NotOffered(f"Acme tells no {pointer.kind} thinly, so there is nothing to fetch.")
        row = self.client.order(pointer.id)
        return None if row is None else _message("order", row)

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Acme pages by (updated_at, id) after the last row, so rows that move while we walk come twice, never not."""
        return (_message(kind, row) for row in self._rows(kind, since, until))

    def _rows(self, kind: str, since: datetime, until: datetime) -> Iterator[Row]:
        def page(after: str | None) -> tuple[Sequence[Row], str | None]:
            told = self.client.changed(LISTINGS[kind], mapping.told(since), mapping.told(until), after, self._page)
            return told["rows"], told["next"]

        return walk(page)

    @property
    def _page(self) -> int:
        return int(self.connection.account.settings.get("page", 50))

    def receive(self, limit: int) -> Sequence[Message]:
        """A queue's body is what a webhook's would be."""
        rows = self.client.receive(limit, HIDDEN)
        return [Message(row["topic"], row["id"], row["body"].encode(), receipt=row["receipt"]) for row in rows]

    def settle(self, receipts: Iterable[str]) -> None:
        self.client.settle(list(receipts))

    def subscriptions(self) -> dict[str, bool]:
        return {row["topic"]: bool(row["alive"]) for row in self.client.subscriptions()}

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        self.client.subscribe(topics, address)

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        codes = self.connection.codes
        theirs = [codes.theirs("sku", sku) for sku in skus]

        def page(after: str | None) -> tuple[Sequence[Row], str | None]:
            told = self.client.stock(theirs, after, self._page)
            return told["rows"], told["next"]

        return (mapping.level(row, codes) for row in walk(page))

    def products(self, since: datetime | None = None) -> Iterator[Product]:
        rows = self._rows("product", since or BEGINNING, self.connection.now())
        return (self._named(mapping.product(row)) for row in rows)

    def _named(self, product: Product) -> Product:
        return replace(product, sku=sku_of(self.connection.codes, product.sku, product.sku))

    def code_of(self, product: Product) -> str:
        return code_of(self.connection.codes, product.sku)

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        rows = self.client.prices([self.connection.codes.theirs("sku", sku) for sku in skus])["rows"]
        return (mapping.price(row, self.connection.codes) for row in rows)


def _message(kind: str, row: Row) -> Message:
    """A polled or fetched object as a delivery of its own: recognised by id, version and content."""
    body = dump_json({"type": f"{kind}.document", "timestamp": row["updated_at"], "data": row})
    name = f"{kind}:{row['id']}:{row['updated_at']}:{hashlib.sha256(body).hexdigest()[:16]}"
    return Message(f"{kind}.document", name, body)
