"""Quantities and prices are attributes of a listing: patched one by one, or many in one JSON feed.

Every value is looked at first: what is there already needs no call, and a listing that Amazon fulfils is left alone, for a
quantity of ours would take it out of Amazon's warehouse. Sources: developer-docs.amazon.com/sp-api/docs/merge-a-listing,
.../listings-feed-type-values; ../shared/specs/amazon-spapi/models/listingsItems_2021-08-01.json.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from connectors.amazon.client import Client, Row
from connectors.amazon.feeds import Feed, Issue
from connectors.amazon.refusals import refused
from connectors.kit.account import Connection
from connectors.kit.board import Board
from connectors.kit.errors import Ambiguous, Owner, Rejected, Throttled
from connectors.kit.http import dump_json
from connectors.kit.writes import BatchItem, ExternalId, Job

T = TypeVar("T")
JSON_FEED, JSON = "JSON_LISTINGS_FEED", "application/json; charset=UTF-8"
PATCHES = 150  # that go out in place of a feed: half a minute at five a second
PRODUCT = "PRODUCT"  # the product type by which an offer is changed whatever its own
OWNER: Owner = "catalogue"


@dataclass(frozen=True)
class Value:
    """One attribute of one listing as it is to be; `there` says that it is so already."""

    id: ExternalId
    sku: str
    product_type: str
    path: str
    value: Sequence[Row]
    there: bool

    @property
    def body(self) -> dict[str, Any]:
        patch = {"op": "merge", "path": f"/attributes/{self.path}", "value": list(self.value)}
        return {"productType": self.product_type, "patches": [patch]}


Make = Callable[[T, str, Row], Value | Exception]  # document, their SKU, the listing as shown
Listed = Mapping[str, Row]  # by their SKU


@dataclass(frozen=True)
class Listings(Generic[T]):
    """Values of one kind, told under the write `write`. `make` says what a document wants of a listing; `sku` names the document's SKU."""

    write: str
    client: Client
    connection: Connection
    make: Make[T]
    sku: Callable[[T], str]

    @property
    def board(self) -> Board[T, str, Listed, Value]:
        """There when Amazon shows the very value."""
        return Board(self.write, self._name, self._look, self._want, self._put)

    # ---- from our SKUs to their listings

    def _name(self, document: T) -> str:
        return self.connection.codes.theirs("sku", self.sku(document))

    def _look(self, skus: Sequence[str]) -> Listed:
        return {str(row["sku"]): row for row in self.client.listings(skus)} if skus else {}

    def _want(self, item: BatchItem[T], name: str, shown: Listed) -> Value | Exception:
        if name not in shown:
            words = f"Amazon has no listing with the SKU {name}."
            return Rejected(words, code="unknown_sku", field="sku", remedy="Add the listing or its code.", owner=OWNER)
        return self.make(item.document, name, shown[name])

    # ---- the two roads

    def _put(self, due: Sequence[Value]) -> list[Rejected | None]:
        bad = self._set(due)
        return [bad.get(one.id) for one in due]

    def _set(self, due: Sequence[Value]) -> dict[ExternalId, Rejected]:
        """By feed where there are many; feeds are few (one in two minutes for long), so patches stand in as far as they go."""
        if len(due) < int(self.connection.account.settings.get("feed_from", 40)):
            return self._by_patches(due)
        feed = Feed(self.client, JSON_FEED, JSON)
        try:
            job = feed.submit(self._document(due))
        except Throttled:
            if len(due) > PATCHES:
                raise
            return self._by_patches(due)
        return self._told(due, self._report(feed, job))

    def _by_patches(self, due: Sequence[Value]) -> dict[ExternalId, Rejected]:
        bad = {}
        for one in due:
            try:
                self._patch(one)
            except Rejected as no:
                bad[one.id] = no
        return bad

    def _patch(self, one: Value) -> None:
        told = self.client.patch_listing(one.sku, one.body)
        if told["status"] not in ("ACCEPTED", "VALID"):
            first: Any = next(iter(told.get("issues") or ()), {})
            field = ", ".join(first.get("attributeNames") or ())
            raise refused(f"{one.sku}: {first.get('message') or told['status']}", str(first.get("code", "")), field)

    def _told(self, due: Sequence[Value], issues: Sequence[Issue]) -> dict[ExternalId, Rejected]:
        """The report's errors by value. Raises Rejected for one that is about the whole feed."""
        bad: dict[ExternalId, Rejected] = {}
        for one in issues:
            if one.error and not 1 <= one.message <= len(due):
                raise refused(one.sentence, one.code, one.field)
            if one.error:
                value = due[one.message - 1]
                bad.setdefault(value.id, refused(f"{value.sku}: {one.sentence}", one.code, one.field))
        return bad

    def _report(self, feed: Feed, job: Job) -> list[Issue]:
        """It comes within our patience, or the values are in doubt and looked up later. Raises Ambiguous then."""
        patience = float(self.connection.account.settings.get("feed_patience", 15))
        until = time.monotonic() + patience
        while True:
            issues = feed.look(job.id)
            if issues is not None:
                return issues
            if time.monotonic() >= until:
                words = f"Amazon is still at the feed {job.id}; what came of it is looked up on the listings."
                raise Ambiguous(words, code="feed_open")
            time.sleep(min(2.0, patience / 10))

    def _document(self, due: Sequence[Value]) -> bytes:
        messages = [
            {"messageId": n, "sku": one.sku, "operationType": "PATCH", **one.body} for n, one in enumerate(due, 1)
        ]
        return dump_json({"header": {"sellerId": self.client.seller, "version": "2.0"}, "messages": messages})


def product_type(listing: Row, default: str) -> str:
    """The listing's own, where Amazon tells it."""
    return next((str(one["productType"]) for one in listing.get("summaries") or () if one.get("productType")), default)
