"""A row of NetSuite's stock by location as the hub knows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import simplejson

from connectors.canonical.snapshot import Ignored, Reading, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable

COLUMNS = (
    "ail.item AS item, item.itemid AS sku, ail.location AS location, ail.quantityavailable AS available, "
    "ail.quantityonhand AS onhand, ail.quantityonorder AS incoming, ail.quantitycommitted AS committed"
)
TABLES = "aggregateItemLocation ail JOIN item ON item.id = ail.item"
KEY = ("item", "location")


def query(items: tuple[str, ...] = ()) -> str:
    """SuiteQL for the stock of items (internal ids, numbers only) at every location; of all items when none
    are named.
    """
    wanted = ", ".join(str(int(item)) for item in items)
    where = f" WHERE ail.item IN ({wanted})" if items else ""
    return f"SELECT {COLUMNS} FROM {TABLES}{where} ORDER BY ail.item, ail.location"  # noqa: S608 - numbers only


def level(row: Mapping[str, Any], sku: str, location: str, as_of: datetime | None = None) -> StockLevel:
    """A level in our SKU and location. A column that NetSuite leaves out (it leaves out nulls) is not known,
    not zero.
    """
    return StockLevel(
        sku,
        location,
        available=_number(row, "available"),
        on_hand=_number(row, "onhand"),
        reserved=_number(row, "committed"),
        incoming=_number(row, "incoming"),
        item_id=str(row["item"]),
        as_of=as_of,
    )


def _number(row: Mapping[str, Any], name: str) -> Decimal | None:
    """SuiteQL gives numbers as text."""
    if row.get(name) in (None, ""):
        return None
    try:
        return Decimal(str(row[name]))
    except InvalidOperation:
        raise Unreadable(f"{row[name]!r} is not a quantity.", field=name) from None


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """NetSuite sends nothing by itself; rows of stock are read where a poll or a file brings them."""
    if message.topic != "stock":
        return (Ignored(f"NetSuite's {message.topic} is not used."),)
    row = _object(message.body)
    for name in ("item", "location", "asof"):
        if row.get(name) in (None, ""):
            raise Unreadable(f"A row of stock has no {name}.", field=name)
    at = _time(str(row["asof"]))
    found = level(row, str(row.get("sku", "")), str(row["location"]), at)
    return (Snapshot("stock", f"{row['item']}@{row['location']}", at.isoformat(timespec="microseconds"), found),)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        row = simplejson.loads(body, use_decimal=True)
    except ValueError:
        raise Unreadable("A row of stock is not JSON.") from None
    if not isinstance(row, Mapping):
        raise Unreadable("A row of stock is not a JSON object.")
    return row


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"{text!r} is no time.", field="asof") from None
    if at.tzinfo is None:
        raise Unreadable(f"{text!r} does not say its time zone.", field="asof")
    return at.astimezone(UTC)
