"""Prices of a listing: our_price of its purchasable_offer to everybody, in the marketplaces of the price's currency, and a sale's discounted_price.

A price that is reduced for a time is told as a sale: our_price is what it is reduced from, discounted_price what is asked between its dates, so
that it ends at Amazon by itself. A sale that is over early is given dates that have passed. Sources:
developer-docs.amazon.com/sp-api/docs/manage-purchasable-offer (sub-attributes by merge); names and dates of a sale: public code and forums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.amazon.client import Client, Row
from connectors.amazon.listings import PRODUCT, Listed, Listings, Value, product_type
from connectors.canonical.product import Price
from connectors.kit.account import Connection
from connectors.kit.board import Board
from connectors.kit.errors import Rejected, Unreadable

EVERYBODY = "ALL"  # audience; B2B has prices of its own


@dataclass(frozen=True)
class Tags:
    """Prices of one seller."""

    client: Client
    connection: Connection

    @property
    def board(self) -> Board[Price, str, Listed, Value]:
        return Listings("price", self.client, self.connection, self._value, lambda price: price.sku).board

    def _value(self, price: Price, sku: str, listing: Row) -> Value | Exception:
        currency, amount = price.amount.currency, price.amount.amount
        marketplaces = [one for one in self.client.marketplaces if self._currency(one) == currency]
        refused = self._unfit(price, marketplaces)
        if refused is not None:
            return refused
        sale = _sale(price)
        full = price.compare_at.amount if sale is not None and price.compare_at is not None else amount
        shown = {(name, told) for name, code, told in _offers(listing) if code == currency}
        running = _running(listing, currency, self.connection.now())
        told = sale or (_ended(running, self.connection.now()) if running else None)
        kept = all(running.get(one) == sale for one in marketplaces)
        return Value(
            id=f"{sku}@{currency}",
            sku=sku,
            product_type=product_type(listing, str(self._settings.get("product_type", PRODUCT))),
            path="purchasable_offer",
            value=[_offer(one, currency, full, told) for one in marketplaces],
            there={(one, full) for one in marketplaces} <= shown and kept,
        )

    def _unfit(self, price: Price, marketplaces: list[str]) -> Rejected | None:
        if price.min_quantity != 1:
            return Rejected("A quantity break is not published yet.", code="quantity_break", field="min_quantity")
        if not marketplaces:
            words = f"None of this account's marketplaces sells in {price.amount.currency}."
            remedy = "Name the marketplaces' currencies (settings.currency, settings.currencies)."
            return Rejected(words, code="currency", field="amount", remedy=remedy, owner="catalogue")
        return None

    def _currency(self, marketplace: str) -> str:
        named = self._settings.get("currencies", {})
        return str(named.get(marketplace, self._settings.get("currency", "")))

    @property
    def _settings(self) -> Any:
        return self.connection.account.settings


@dataclass(frozen=True, slots=True)
class Sale:
    """What is asked from one instant until another. Two are the same when they ask the same on the same days: Amazon may keep days only."""

    amount: Decimal
    since: datetime
    until: datetime

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sale) and self._days == other._days

    def __hash__(self) -> int:
        return hash(self._days)

    @property
    def _days(self) -> tuple[Decimal, date, date]:
        return self.amount, self.since.date(), self.until.date()

    @property
    def row(self) -> Row:
        return {"value_with_tax": self.amount, "start_at": _stamp(self.since), "end_at": _stamp(self.until)}


def _sale(price: Price) -> Sale | None:
    """Only what is reduced from another price and has its two dates."""
    if price.compare_at is None or price.effective_from is None or price.effective_until is None:
        return None
    return Sale(price.amount.amount, price.effective_from.astimezone(UTC), price.effective_until.astimezone(UTC))


def _ended(running: Mapping[str, Sale], now: datetime) -> Sale:
    """One of these sales, over since yesterday."""
    one = next(iter(running.values()))
    return Sale(one.amount, min(one.since, now - timedelta(days=2)), now.astimezone(UTC) - timedelta(days=1))


def _running(listing: Row, currency: str, now: datetime) -> dict[str, Sale]:
    """Sales to everybody that are not over, by marketplace."""
    found: dict[str, Sale] = {}
    for offer in _to_everybody(listing):
        for price in offer.get("discounted_price") or ():
            for row in price.get("schedule") or ():
                sale = _told(row)
                if offer.get("currency") == currency and sale is not None and sale.until > now:
                    found[str(offer.get("marketplace_id", ""))] = sale
    return found


def _told(row: Row) -> Sale | None:
    """A sale as a listing shows it; a date alone is its first instant, and the end's day is part of it. None without price or end."""
    if row.get("value_with_tax") is None or not row.get("end_at"):
        return None
    since, until = _instant(str(row.get("start_at") or "1970-01-01")), _instant(str(row["end_at"]))
    last = timedelta(hours=23, minutes=59) if len(str(row["end_at"])) == len("2026-12-01") else timedelta()
    return Sale(Decimal(str(row["value_with_tax"])), since, until + last)


def _instant(word: str) -> datetime:
    try:
        at = datetime.fromisoformat(word.replace("Z", "+00:00"))
    except ValueError:
        raise Unreadable(f"{word!r} is no date of a sale.", field="discounted_price") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _offer(marketplace: str, currency: str, amount: Decimal, sale: Sale | None = None) -> Row:
    schedule = [{"schedule": [{"value_with_tax": amount}]}]
    reduced = {"discounted_price": [{"schedule": [sale.row]}]} if sale is not None else {}
    named = {"marketplace_id": marketplace, "currency": currency, "audience": EVERYBODY}
    return {**named, "our_price": schedule, **reduced}


def _to_everybody(listing: Row) -> Iterator[Row]:
    """Offers to everybody; one without an audience is for everybody."""
    told = (listing.get("attributes") or {}).get("purchasable_offer") or ()
    return (one for one in ([told] if isinstance(told, dict) else told) if one.get("audience", EVERYBODY) == EVERYBODY)


def _offers(listing: Row) -> Iterator[tuple[str, str, Decimal]]:
    """Marketplace, currency and price of every offer to everybody."""
    for offer in _to_everybody(listing):
        for price in offer.get("our_price") or ():
            for row in price.get("schedule") or ():
                if row.get("value_with_tax") is not None:
                    amount = Decimal(str(row["value_with_tax"]))
                    yield str(offer.get("marketplace_id", "")), str(offer.get("currency", "")), amount
