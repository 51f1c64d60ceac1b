"""Each channel's share of what the outsiders hold, so that the judge can try one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from local.story import outsiders
from local.story.channels import Channel
from local.story.desk import Desk
from local.story.facts import Books, Outside
from local.story.life.scenes import TOLD


def outsides(desks: Mapping[str, Desk], books: Books, channels: Iterable[Channel]) -> tuple[Outside, ...]:
    """The web shop's case and that of each channel beside it."""
    asked = outsiders.asks(desks["shopify"].get("state"))
    priced = sum(asked.get(sku) == Decimal(price) for sku, price in TOLD.items())
    shop = replace(outsiders.outside(desks, books), priced=priced)
    return divided(shop, [_told(one, desks[one.system]) for one in channels])


def _told(channel: Channel, desk: Desk) -> Outside:
    """What the channel itself says."""
    nothing = Books({}, {}, frozenset(), {}, {})
    deliveries = tuple(channel.deliveries(desk))
    priced = sum(_asks(channel, desk, sku) == Decimal(price) for sku, price in TOLD.items())
    return Outside(channel.sold(desk), nothing, (), {}, deliveries, {}, channel.offered(desk), priced, channel.account)


def _asks(channel: Channel, desk: Desk, sku: str) -> Decimal | None:
    return channel.priced(desk, sku) if channel.priced is not None else None


def divided(whole: Outside, channels: Iterable[Outside]) -> tuple[Outside, ...]:
    """Books, warehouse, mails and shelf, to each the share of its own orders. What is no channel's stays with the web shop, who never
    sold it.
    """
    parts = tuple(_part(whole, one) for one in channels)
    return (_rest(whole, parts), *parts)


def _part(whole: Outside, channel: Outside) -> Outside:
    names = {one.name for one in channel.sold}
    return replace(
        channel,
        books=_share(whole.books, lambda key: key.startswith(f"{channel.channel}-")),
        asked=tuple(one for one in whole.asked if one.name in names),
        mails=whole.mails,
        shelf=whole.shelf,
    )


def _rest(whole: Outside, parts: Iterable[Outside]) -> Outside:
    names = {one.name for part in parts for one in part.sold}
    others = tuple(f"{part.channel}-" for part in parts)
    return replace(
        whole,
        books=_share(whole.books, lambda key: not key.startswith(others)),
        asked=tuple(one for one in whole.asked if one.name not in names),
    )


def _share(books: Books, ours: Callable[[str], bool]) -> Books:
    """What the ERP holds of some orders; shipments that it names without their order (Tryton's) are everybody's."""
    return Books(
        orders={key: count for key, count in books.orders.items() if ours(key)},
        totals={key: amount for key, amount in books.totals.items() if ours(key)},
        cancelled=frozenset(key for key in books.cancelled if ours(key)),
        fulfilments={key: count for key, count in books.fulfilments.items() if not key[0] or ours(key[0])},
        refunds={key: tenders for key, tenders in books.refunds.items() if ours(key[0])},
    )
