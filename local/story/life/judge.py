"""What must be true of the marketplace's orders beside what is true of every channel's: each house sent its part, none was sold twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from local.story import outsiders
from local.story.catalogue import CHAIR, RUSH, RUSH_STOCK
from local.story.channels import CHANNELS
from local.story.desk import Desk
from local.story.facts import Books, Outside, Sold
from local.story.judge import DOUBLED, LOST, WRONG, Finding
from local.story.life.scenes import FILES, PRICES, REFUSED, SPLITS, TOLD

Json = dict[str, Any]
ORIGINS = ("shipbob-main", "maker-main", "store-koeln")  # who tells of a shipment


def findings(outside: Outside, desks: Mapping[str, Desk]) -> list[Finding]:
    orders = desks["marketplace"].get("state").get("orders", {})
    sold = {one.id: one for one in outside.sold}
    return [
        *(finding for one in outside.sold for finding in _sent(one, orders[one.id], outside)),
        *_bought(sold, desks),
        *_not_oversold(outside, desks),
        *_prices(desks),
    ]


def _sent(one: Sold, order: Json, outside: Outside) -> Iterator[Finding]:
    """All that was ordered is told to the marketplace as sent, by whichever house, and each parcel stands once in the books."""
    wanted, told = Counter[str](), Counter[str]()
    for line in order["lines"]:
        wanted[line["sku"]] += int(line["quantity"])
    for parcel in one.sent:
        told.update(parcel.pieces)
    if told != wanted:
        kind = DOUBLED if sum((told - wanted).values()) else LOST
        yield Finding(
            kind, "marketplace", one.name, f"{one.name} ({one.kind}): {dict(wanted)} ordered, {dict(told)} told as sent"
        )
    booked = _booked(outside.books, f"{outside.channel}-{one.id}", [parcel.id for parcel in one.sent])
    if booked != len(one.sent):
        kind = DOUBLED if booked > len(one.sent) else LOST
        yield Finding(kind, "erp", one.name, f"{one.name}: {len(one.sent)} parcels told, {booked} in the books")
    if one.kind == "split" and 0 < len(one.sent) < 3:
        yield Finding(
            WRONG, "marketplace", one.name, f"{one.name} was to come from three houses, {len(one.sent)} parcels came"
        )


def _booked(books: Books, key: str, parcels: list[str]) -> int:
    """Shipments of the order in the books; who names no order there names who told of it."""
    named = sum(count for (order, _), count in books.fulfilments.items() if order == key)
    held = books.fulfilments
    return named + sum(
        held.get(("", name), 0) for one in parcels for name in (one, *(f"{origin}-{one}" for origin in ORIGINS))
    )


def _bought(sold: Mapping[str, Sold], desks: Mapping[str, Desk]) -> Iterator[Finding]:
    """One purchase order at the supplier for each order with a piece of his."""
    rows = desks["maker"].get("state").get("purchases", {}).values()
    living = Counter(line["sku"] for row in rows if row["state"] != "cancelled" for line in row["body"]["lines"])
    wanted = sum(one.kind == "split" for one in sold.values())
    if set(living) - {CHAIR.sku}:
        yield Finding(WRONG, "maker", "", f"the supplier was asked for what is not his: {dict(living)}")
    if living[CHAIR.sku] != wanted or wanted < SPLITS:
        kind = DOUBLED if living[CHAIR.sku] > wanted else LOST
        yield Finding(kind, "maker", "", f"{living[CHAIR.sku]} purchase orders at the supplier instead of {wanted}")


def _not_oversold(outside: Outside, desks: Mapping[str, Desk]) -> Iterator[Finding]:
    """The rush: as many were granted as there are, no piece more was sold. Where one was cut off, some were granted to who never ordered."""
    notes = desks["marketplace"].get("state").get("notes", {}).values()
    cut_off = any("granted" not in one for one in notes)
    bought = sum(one.kind == "rush" for one in outside.sold)
    left = outside.shelf.get(RUSH.sku, 0)
    granted = RUSH_STOCK - left if cut_off else sum(int(one["granted"]) for one in notes)
    if granted != RUSH_STOCK - left or bought != granted or left < 0 or (left and not cut_off):
        kind = DOUBLED if granted > RUSH_STOCK or left < 0 else LOST
        words = f"of {RUSH_STOCK} {RUSH.sku} {granted} were granted, {bought} ordered; {left} are left at the warehouse"
        yield Finding(kind, "hub", RUSH.sku, words)


def _asked(desks: Mapping[str, Desk], sku: str) -> Iterator[tuple[str, Decimal | None]]:
    """What the web shop and each channel that takes prices ask for an article."""
    yield "shopify", outsiders.asks(desks["shopify"].get("state")).get(sku)
    for channel in CHANNELS:
        if channel.priced is not None and channel.system in desks:
            yield channel.system, channel.priced(desks[channel.system], sku)


def _prices(desks: Mapping[str, Desk]) -> Iterator[Finding]:
    """The file's and the ERP's prices are those of the channels; the file's bad line is in the report beside it, by name."""
    for sku, price in TOLD.items():
        for system, told in _asked(desks, sku):
            if told != Decimal(price):
                teller = "the file" if sku in PRICES else "the ERP"
                yield Finding(LOST, system, sku, f"{system} sells {sku} for {told}, {teller} says {price}")
    reports = "".join(file.read_text() for file in (FILES / "prices" / "reports").glob("*.csv"))
    if REFUSED not in reports:
        yield Finding(LOST, "files", REFUSED, f"no report says that {REFUSED} was refused")
