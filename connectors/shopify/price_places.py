"""Where prices stand: on the variants of the catalogue, in the shop's currency, or in a price list, in the list's.

Source: ../shared/specs/shopify/admin-2026-07.schema.graphql, productVariantsBulkUpdate and priceListFixedPricesAdd.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from connectors.kit.batches import each
from connectors.kit.errors import Rejected
from connectors.kit.writes import ExternalId
from connectors.shopify import documents
from connectors.shopify.client import Client, Row, accepted, refused
from connectors.shopify.ids import gid, short
from connectors.shopify.stock import AT_ONCE

MOST = 250  # rows of one call (https://shopify.dev/docs/api/usage/limits)
Asked = tuple[Decimal, Decimal | None]  # the price, and the former one that is shown beside it
OF_A_VARIANT = ("variants", "prices")  # what userErrors call the rows of either call


@dataclass(frozen=True)
class Tag:
    """A variant and what it is to cost; `shown` is what it costs there now, None where it has no price of its own."""

    variant: str
    product: str
    asked: Asked
    currency: str
    shown: Asked | None

    @property
    def id(self) -> ExternalId:
        return f"{short(self.variant)}@{self.currency}"

    @property
    def there(self) -> bool:
        return self.shown == self.asked


class Place(Protocol):
    """`read` (of one variant at least) tells the currency and what each costs, by its id; `put` sets, and tells whom Shopify refuses."""

    def read(self, rows: Sequence[Row]) -> tuple[str, dict[str, Asked]]: ...

    def put(self, tags: Sequence[Tag]) -> dict[ExternalId, Rejected]: ...


@dataclass(frozen=True)
class Catalogue:
    """Prices of the variants themselves."""

    client: Client

    def read(self, rows: Sequence[Row]) -> tuple[str, dict[str, Asked]]:
        """A variant's price names no currency: it is the shop's, which is asked for."""
        currency = str(self.client.ask(documents.SHOP_CURRENCY)["currencyCode"])
        return currency, {row["id"]: (Decimal(row["price"]), _former(row)) for row in rows}

    def put(self, tags: Sequence[Tag]) -> dict[ExternalId, Rejected]:
        """One call takes variants of one product."""
        bad: dict[ExternalId, Rejected] = {}
        for product in dict.fromkeys(one.product for one in tags):
            mine = [one for one in tags if one.product == product]
            for start in range(0, len(mine), MOST):
                bad |= self._set(product, mine[start : start + MOST])
        return bad

    def _set(self, product: str, tags: Sequence[Tag]) -> dict[ExternalId, Rejected]:
        """Valid rows *may* be set beside refused ones: what the answer does not show as set is set again without the refused."""
        bad: dict[ExternalId, Rejected] = {}
        while tags:
            wanted = [{"id": one.variant, **_amounts(one)} for one in tags]
            answer = self.client.ask(documents.SET_PRICES, product=product, variants=wanted)
            errors: Sequence[Row] = answer["userErrors"]
            if not errors:
                return bad
            done = {(row["id"], Decimal(row["price"]), _former(row)) for row in answer["productVariants"] or ()}
            named = {index: error for error in errors if (index := _index(error)) is not None and index < len(tags)}
            left = [(n, one) for n, one in enumerate(tags) if n in named or (one.variant, *one.asked) not in done]
            if not named:
                return bad | {one.id: refused(errors[0], "the prices") for _, one in left}
            bad |= {one.id: _verdict(named[n], one) for n, one in left if n in named}
            tags = [one for n, one in left if n not in named]
        return bad


@dataclass(frozen=True)
class PriceList:
    """Fixed prices of one list (setting `price_list`), which go before the catalogue's where the list holds."""

    client: Client
    list: str

    def read(self, rows: Sequence[Row]) -> tuple[str, dict[str, Asked]]:
        """Raises Rejected where there is no such list."""
        told: dict[str, Asked] = {}
        currency = ""
        for start in range(0, len(rows), AT_ONCE):
            query = " OR ".join(f"variant_id:{short(row['id'])}" for row in rows[start : start + AT_ONCE])
            answer = self.client.ask(documents.FIXED_PRICES, id=gid("PriceList", self.list), query=query, first=MOST)
            if answer is None:
                words = f"Shopify has no price list {self.list}."
                remedy = "Mend the account's settings.price_list."
                raise Rejected(words, code="price_list_not_found", field="settings.price_list", remedy=remedy)
            currency = str(answer["currency"])
            told |= dict(_fixed(answer["prices"]["nodes"]))
        return currency, told

    def put(self, tags: Sequence[Tag]) -> dict[ExternalId, Rejected]:
        """Whether the rest of a refused call is set is not said: it is halved until the refused stand alone."""
        verdicts = each(tags, self._put, MOST)
        return {one.id: no for one, no in zip(tags, verdicts, strict=True) if no is not None}

    def _put(self, tags: Sequence[Tag]) -> None:
        rows = [{"variantId": one.variant, **_monies(one)} for one in tags]
        answer = self.client.ask(documents.SET_FIXED_PRICES, list=gid("PriceList", self.list), prices=rows)
        accepted(answer, f"the price of {short(tags[0].variant)}")


def _fixed(rows: Sequence[Row]) -> Iterator[tuple[str, Asked]]:
    for row in rows:
        above = row["compareAtPrice"]
        yield row["variant"]["id"], (Decimal(row["price"]["amount"]), Decimal(above["amount"]) if above else None)


def _former(row: Row) -> Decimal | None:
    return None if row["compareAtPrice"] is None else Decimal(row["compareAtPrice"])


def _amounts(tag: Tag) -> dict[str, str | None]:
    """Without a former price there must be none: an old one is taken away by null."""
    price, above = tag.asked
    return {"price": f"{price:f}", "compareAtPrice": None if above is None else f"{above:f}"}


def _monies(tag: Tag) -> Mapping[str, Any]:
    told = _amounts(tag)
    return {
        name: None if amount is None else {"amount": amount, "currencyCode": tag.currency}
        for name, amount in told.items()
    }


def _index(error: Row) -> int | None:
    """Which row an error is about: ["variants", "<n>", "price"]."""
    path: Any = error.get("field") or ()
    return int(path[1]) if len(path) > 1 and path[0] in OF_A_VARIANT and str(path[1]).isdigit() else None


def _verdict(error: Row, tag: Tag) -> Rejected:
    return refused(error, f"the price of {short(tag.variant)}")
