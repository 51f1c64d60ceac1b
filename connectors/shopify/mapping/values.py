"""A place in a payload of Shopify's, whose identifiers may be global ones, and the versions that its times make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.kit.place import Place as KitPlace
from connectors.kit.versions import version


@dataclass(frozen=True, slots=True)
class Place(KitPlace):
    """As the kit's, with Shopify's identifiers."""

    def id(self) -> str:
        """An identifier as text; a GraphQL global id (gid://shopify/Order/1) without its prefix."""
        return KitPlace.id(self).rpartition("/")[2].partition("?")[0]


def order_version(updated: datetime, cancelled: bool, refunds: int, fulfilments: int) -> str:
    """An order's version. Shopify's updated_at has whole seconds, and much can happen in one: what never goes back
    (cancelled, refunds, fulfilments) fills the microseconds, so that a cancellation is never older than its order. A list
    of changed orders counts up to 50 of each, so no more are counted."""
    rank = 500_000 * cancelled + 1_000 * min(refunds, 50) + min(fulfilments, 50)
    return version(updated.replace(microsecond=rank))


def pairs(place: Place, key: str) -> tuple[tuple[str, str], ...]:
    """Named values ([{name, value}]) in their order."""
    return tuple((item.at(key).text(), item.at("value").text()) for item in place.items())
