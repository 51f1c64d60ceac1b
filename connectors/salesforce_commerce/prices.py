"""Prices are published as a price book file that the instance imports: laid by WebDAV, read by its import job.

Neither SCAPI nor OCAPI writes a price (updateProduct has it read-only); the import is the published way. One import of a kind
runs at a time, so a job that is running already makes the batch wait.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from connectors.canonical.product import Price
from connectors.kit.account import Connection
from connectors.kit.board import Board, nothing
from connectors.kit.errors import Ambiguous, Rejected
from connectors.kit.place import Place
from connectors.kit.writes import BatchItem, ExternalId
from connectors.salesforce_commerce.client import Client
from connectors.salesforce_commerce.instance import IMPORT, Instance, Row
from connectors.salesforce_commerce.mapping.products import price as read_price
from connectors.salesforce_commerce.pricebook import Entry, archive, pricebook

Book = tuple[str, str]  # its id, its currency
PATIENCE, EVERY = 20.0, 0.5  # seconds that an import is waited for, and between looks
OVER = ("finished", "aborted")


@dataclass(frozen=True)
class Tag:
    """One price, in one or two books. What it costs already is asked only where that is in doubt."""

    entries: tuple[Entry, ...]
    there: ClassVar[bool] = False

    @property
    def id(self) -> ExternalId:
        return f"{self.entries[0].product}@{self.entries[0].price.price_list}"


@dataclass(frozen=True)
class Tags:
    """Prices of one site, in price books."""

    client: Client
    instance: Instance
    connection: Connection

    @property
    def board(self) -> Board[Price, str, None, Tag]:
        """Quantity breaks and prices of other days stand side by side."""
        return Board(
            "price", self._product, nothing, self._tag, self._put, seen=self._seen, slot=lambda tag: tag.entries
        )

    def _put(self, tags: Sequence[Tag]) -> list[Rejected | None]:
        """One import for each price book and currency; each price has the verdict of its book. An import that is busy, lost or
        still running is raised: all of them are imported again later, which is one state."""
        named = [one for tag in tags for one in tag.entries]
        verdicts: dict[Book, Rejected | None] = {}
        for book in dict.fromkeys(_book(one) for one in named):
            verdicts[book] = self._import(*book, [one for one in named if _book(one) == book])
        return [_said(tag.entries, verdicts) for tag in tags]

    def _seen(self, tag: Tag) -> bool:
        """There when the site sells it for that now. What is not in force yet, and quantity breaks, cannot be seen: they
        are imported again, which is one state."""
        first = tag.entries[0]
        row = self.client.product(first.product)
        told = None if row is None else read_price(Place(row))
        return told is not None and told.amount == first.price.amount

    def _product(self, price: Price) -> str:
        return self.connection.codes.theirs("sku", price.sku)

    def _tag(self, item: BatchItem[Price], product: str, shown: None) -> Tag | Exception:
        """The price in its book, and what it was before in the account's book of list prices, where it names one."""
        price = item.document
        settings = self.connection.account.settings
        book, whole = price.price_list or str(settings.get("price_book", "")), str(settings.get("list_price_book", ""))
        if not book:
            words = "No price book is named to publish prices in."
            return Rejected(words, code="no_price_book", remedy="Name the account's price_book.", owner="finance")
        if price.amount.amount < 0:
            return Rejected(f"The price of {price.sku} is below 0.", code="no_price", field="amount", owner="finance")
        made = Entry(product, replace(price, price_list=book))
        if price.compare_at is None or not whole:
            return Tag((made,))
        return Tag((made, Entry(product, replace(price, amount=price.compare_at, price_list=whole))))

    # ---- the import

    def _import(self, book: str, currency: str, rows: Sequence[Entry]) -> Rejected | None:
        """None once the job has ended well. Raises Ambiguous while it still runs, Transient where another one does."""
        body = pricebook(book, currency, rows)
        name = f"waybill-{hashlib.sha256(body).hexdigest()[:20]}"
        self.instance.upload(f"{name}.zip", archive(name, book, body))
        execution = self.instance.start_import(f"{name}.zip")
        ended = self._awaited(execution)
        if ended is None:
            words = f"The import {execution.get('id')} of the price book {book} still runs."
            raise Ambiguous(words, code="still_runs")
        found = verdict_of(ended, book)
        if found is None:
            self.instance.remove(f"{name}.zip")
        return found

    def _awaited(self, execution: Row) -> Row | None:
        patience = float(self.connection.account.settings.get("import_patience", PATIENCE))
        until = time.monotonic() + patience
        while str(execution.get("execution_status")) not in OVER:
            if time.monotonic() > until:
                return None
            time.sleep(min(EVERY, patience))
            execution = self.instance.execution(str(execution["id"]))
        return execution


def verdict_of(execution: Row, book: str) -> Rejected | None:
    """None for an import that ended well, else its refusal with where its log is."""
    exit_status = execution.get("exit_status") or {}
    code = str(exit_status.get("code") or execution.get("status") or "")
    if execution.get("execution_status") == "finished" and code.upper() == "OK":
        return None
    words = f"The import of the price book {book} ended with {code or 'no word'}: {exit_status.get('message') or ''}"
    remedy = f"Read the job's log in Business Manager ({IMPORT}, execution {execution.get('id')})."
    return Rejected(words.strip(), code="import_failed", field="price_list", remedy=remedy, owner="finance")


def _said(entries: tuple[Entry, ...], verdicts: dict[Book, Rejected | None]) -> Rejected | None:
    return next((found for one in entries if (found := verdicts[_book(one)])), None)


def _book(entry: Entry) -> Book:
    return entry.price.price_list, entry.price.amount.currency
