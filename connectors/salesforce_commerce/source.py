"""Commerce Cloud as a source: orders that changed, orders that wait to be exported, one order whole, its products."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.canonical.product import Price, Product
from connectors.canonical.snapshot import Pointer
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import NotOffered
from connectors.kit.http import dump_json
from connectors.kit.place import Place
from connectors.salesforce_commerce.client import Client, Row
from connectors.salesforce_commerce.mapping import ORDER
from connectors.salesforce_commerce.mapping.products import price, product
from connectors.salesforce_commerce.walking import instant

WAITING = "not_exported,ready,failed"  # no more than three are allowed
DAYS = 14


@dataclass(frozen=True)
class Source:
    """What one site tells when asked."""

    client: Client
    connection: Connection

    def fetch(self, pointer: Pointer) -> Message | None:
        """An order whole; None when there is none of this number."""
        if pointer.kind != "order":
            raise NotOffered(f"Commerce Cloud tells no {pointer.kind} thinly, so there is nothing to fetch.")
        found = self.client.order(pointer.id)
        return None if found is None else message(found)

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Orders modified in [since, until]; then those before it that we never acknowledged, should the list have been
        late with one: an order is `exported` once it is booked (setting `export_days`, 0 for none)."""
        if kind != "order":
            raise NotOffered(f"Commerce Cloud lists no {kind} by its change.")
        for row in self.client.orders_changed(since, until):
            if _tick(since) <= instant(row) <= until:
                yield message(row)
        days = int(self.connection.account.settings.get("export_days", DAYS))
        before = since - timedelta(milliseconds=1)
        if days:
            left = self.client.orders_changed(since - timedelta(days=days), before, exportStatus=WAITING)
            yield from (message(row) for row in left)

    def products(self, since: datetime | None) -> Iterator[Product]:
        found = (product(Place(row)) for row in self.client.products(since))
        return (one for one in found if one is not None)

    def prices(self, skus: Sequence[str]) -> Iterator[Price]:
        """What the site sells each for now, in our SKUs. One that it does not know has no price."""
        for sku in skus:
            row = self.client.product(self.connection.codes.theirs("sku", sku))
            told = None if row is None else price(Place(row))
            if told is not None:
                yield Price(sku, told.amount)


def _tick(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def message(row: Row) -> Message:
    """An order as a message; its delivery id is its number, version and content."""
    raw = dump_json(row)
    content = hashlib.sha256(raw).hexdigest()[:16]
    return Message(ORDER, f"order:{row['orderNo']}:{row.get('lastModified', '')}:{content}", raw)
