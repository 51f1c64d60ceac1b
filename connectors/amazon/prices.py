"""Prices of a listing: our_price of its purchasable_offer to everybody, in the marketplaces of the price's currency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.amazon.client import Client, Row
from connectors.amazon.listings import PRODUCT, Board, Value, product_type
from connectors.canonical.product import Price
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected

EVERYBODY = "ALL"  # audience; B2B has prices of its own


@dataclass(frozen=True)
class Tags:
    """Prices of one seller."""

    client: Client
    connection: Connection

    @property
    def board(self) -> Board[Price]:
        return Board(self.client, self.connection, self._value, lambda price: price.sku)

    def _value(self, price: Price, sku: str, listing: Row) -> Value | Exception:
        currency, amount = price.amount.currency, price.amount.amount
        marketplaces = [one for one in self.client.marketplaces if self._currency(one) == currency]
        refused = self._unfit(price, marketplaces)
        if refused is not None:
            return refused
        shown = {(name, told) for name, code, told in _offers(listing) if code == currency}
        return Value(
            id=f"{sku}@{currency}",
            sku=sku,
            product_type=product_type(listing, str(self._settings.get("product_type", PRODUCT))),
            path="purchasable_offer",
            value=[_offer(one, currency, amount) for one in marketplaces],
            there={(one, amount) for one in marketplaces} <= shown,
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


def _offer(marketplace: str, currency: str, amount: Decimal) -> Row:
    schedule = [{"schedule": [{"value_with_tax": amount}]}]
    return {"marketplace_id": marketplace, "currency": currency, "audience": EVERYBODY, "our_price": schedule}


def _offers(listing: Row) -> Iterator[tuple[str, str, Decimal]]:
    """Marketplace, currency and price of every offer to everybody; an offer without an audience is for everybody."""
    told = (listing.get("attributes") or {}).get("purchasable_offer") or ()
    for offer in [told] if isinstance(told, dict) else told:
        if offer.get("audience", EVERYBODY) != EVERYBODY:
            continue
        for price in offer.get("our_price") or ():
            for row in price.get("schedule") or ():
                if row.get("value_with_tax") is not None:
                    amount = Decimal(str(row["value_with_tax"]))
                    yield str(offer.get("marketplace_id", "")), str(offer.get("currency", "")), amount
