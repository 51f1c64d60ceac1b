"""Sellable quantities are set in Shopify by compare-and-swap, many SKUs in one keyed call, and read by location."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.board import Board
from connectors.kit.errors import Missing, Rejected, Transient
from connectors.kit.storing import stored_at
from connectors.kit.writes import BatchItem, ExternalId
from connectors.shopify import documents
from connectors.shopify.client import OWNER, Client, Row, refused
from connectors.shopify.ids import gid, short

MOST = 250  # rows of one call
AT_ONCE = 50  # SKUs of one look-up
RETRYABLE = ("CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE", "IDEMPOTENCY_CONCURRENT_REQUEST")
Named = tuple[str, str]  # their SKU, their location
Shown = Mapping[Named, Row]  # inventory items


@dataclass(frozen=True)
class Quantity:
    """One quantity to set: where, how many, and how many Shopify showed before (None: not stocked there)."""

    item_id: str
    location_id: str
    quantity: int
    before: int | None

    @property
    def id(self) -> ExternalId:
        return f"{short(self.item_id)}@{short(self.location_id)}"

    @property
    def there(self) -> bool:
        return self.before == self.quantity


@dataclass(frozen=True)
class Shelf:
    """Stock of one account."""

    client: Client
    connection: Connection

    @property
    def board(self) -> Board[StockLevel, Named, Shown, Quantity]:
        """There when Shopify shows the very quantity."""
        return Board("stock", self._named, self._look, _row, self._put)

    def _put(self, rows: Sequence[Quantity]) -> list[Exception | None]:
        bad: dict[str, Exception] = {}
        for start in range(0, len(rows), MOST):
            bad |= self._set(rows[start : start + MOST])
        return [bad.get(one.id) for one in rows]

    def _set(self, rows: Sequence[Quantity]) -> dict[str, Exception]:
        """One call refuses all for one bad row: the bad ones are taken out by their index and the rest set again."""
        refusals: dict[str, Exception] = {}
        while rows:
            errors = self._call(rows)
            bad = {index: error for error in errors if (index := _index(error)) is not None and index < len(rows)}
            if errors and not bad:
                return refusals | {row.id: refused(errors[0], "the stock levels") for row in rows}
            if not errors:
                return refusals
            refusals |= {rows[n].id: _verdict(error, rows[n]) for n, error in bad.items()}
            rows = [row for n, row in enumerate(rows) if n not in bad]
        return refusals

    def _call(self, rows: Sequence[Quantity]) -> Sequence[Row]:
        quantities = [
            {
                "inventoryItemId": row.item_id,
                "locationId": row.location_id,
                "quantity": row.quantity,
                "changeFromQuantity": row.before,
            }
            for row in rows
        ]
        wanted = {"name": "available", "reason": "correction", "quantities": quantities}
        answer = self.client.ask(documents.SET_QUANTITIES, input=wanted, key=fingerprint(wanted))
        errors: Sequence[Row] = answer["userErrors"]
        return errors

    # ---- from our SKUs and locations to theirs

    def _look(self, named: Sequence[Named]) -> Shown:
        shown: dict[Named, Row] = {}
        for location in dict.fromkeys(place for _, place in named):
            shown |= self._shown([sku for sku, place in named if place == location], location)
        return shown

    def _named(self, level: StockLevel) -> Named:
        return self.connection.codes.theirs("sku", level.sku), gid(
            "Location", stored_at(self.connection, level.location)
        )

    def _shown(self, skus: Sequence[str], location: str) -> dict[Named, Row]:
        """Inventory items by (SKU, location), compared exactly: Shopify's search is not."""
        found: dict[Named, Row] = {}
        unique = list(dict.fromkeys(skus))
        for start in range(0, len(unique), AT_ONCE):
            some = unique[start : start + AT_ONCE]
            answer = self.client.ask(documents.LEVELS_AT, query=by_sku(some), location=location, first=MOST)
            for node in answer["nodes"]:
                if node["sku"] in some:
                    found.setdefault((node["sku"], location), node)
        return found

    # ---- reading

    def levels(self, skus: Sequence[str]) -> Iterator[StockLevel]:
        """Levels in our SKUs and locations. A location or SKU that the code tables do not name is none of ours."""
        theirs = [self.connection.codes.theirs("sku", sku) for sku in skus]
        query = by_sku(theirs) if theirs else None
        for node in self.client.changed(documents.STOCK, "inventoryItems", query=query, first=MOST // 5):
            if not theirs or node["sku"] in theirs:
                yield from self._levels_of(node)

    def _levels_of(self, node: Row) -> Iterator[StockLevel]:
        rows = self.client.whole(dict(node["inventoryLevels"]), documents.ITEM_LEVELS, node["id"], "inventoryLevels")
        for row in rows:
            try:
                sku = self.connection.codes.ours("sku", node["sku"] or "")
                location = self.connection.codes.ours("location", short(row["location"]["id"]))
            except Missing:
                continue
            yield _level(row, sku, location, short(node["id"]))


def _level(row: Row, sku: str, location: str, item: str) -> StockLevel:
    held = {one["name"]: Decimal(one["quantity"]) for one in row["quantities"]}
    return StockLevel(
        sku,
        location,
        available=held.get("available"),
        on_hand=held.get("on_hand"),
        reserved=held.get("committed"),
        incoming=held.get("incoming"),
        item_id=item,
        as_of=datetime.fromisoformat(row["updatedAt"]),
    )


def _row(item: BatchItem[StockLevel], named: Named, shown: Shown) -> Quantity | Exception:
    level, node = item.document, shown.get(named)
    if node is None:
        sentence = f"Shopify has no article with the SKU {named[0]}."
        return Rejected(
            sentence, code="unknown_sku", field="sku", remedy="Add the article or its code.", owner="catalogue"
        )
    if level.available is None or level.available != int(level.available):
        sentence = f"{level.available} of {level.sku} cannot be published: Shopify counts whole pieces."
        return Rejected(sentence, code="no_quantity", field="available", owner="logistics")
    held = {one["name"]: one["quantity"] for one in (node["inventoryLevel"] or {}).get("quantities", ())}
    return Quantity(node["id"], named[1], int(level.available), held.get("available"))


def _index(error: Row) -> int | None:
    """Which row an error is about: ["input", "quantities", "<n>", ...]."""
    path: Any = error.get("field") or ()
    return int(path[2]) if len(path) > 2 and path[1] == "quantities" and str(path[2]).isdigit() else None


def _verdict(error: Row, row: Quantity) -> Exception:
    if error.get("code") in RETRYABLE:
        return Transient("Shopify's quantity changed while it was being set.", code=str(error["code"]).lower())
    found = refused(error, f"the stock level of {short(row.item_id)}")
    return Rejected(found.sentence, code=found.code, field=str((error.get("field") or [""])[-1]), owner=OWNER)


def fingerprint(wanted: Any) -> str:
    """The idempotency key of exactly this input: asked again after a lost answer it is the same call, and Shopify
    refuses one key with two inputs."""
    return "waybill-" + hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:32]


def by_sku(skus: Sequence[str]) -> str:
    """A search for SKUs; quotes and backslashes escaped (https://shopify.dev/docs/api/usage/search-syntax)."""
    escaped = (sku.replace("\\", "\\\\").replace("'", "\\'") for sku in skus)
    return " OR ".join(f"sku:'{sku}'" for sku in escaped)
