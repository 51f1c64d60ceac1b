"""Items as products, prices and stock levels, and what a webhook says of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote

import simplejson

from connectors.canonical.money import Money
from connectors.canonical.product import Price, Product, ProductKind
from connectors.canonical.snapshot import Ignored, Pointer, Reading, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Unreadable

HOOK, DOCUMENT = "items", "items.document"
ENTITY = re.compile(r"/(\w+)\(([0-9a-fA-F-]{36})\)/?$")
COLLECTION = re.compile(r"/(\w+)\?\$filter=last\w+ gt ([0-9T:.Z+-]+)$")
KINDS = {
    "Inventory": (ProductKind.GOODS, True),
    "Non-Inventory": (ProductKind.GOODS, False),
    "Service": (ProductKind.SERVICE, False),
}


def read(account: Account, message: Message) -> tuple[Reading, ...]:
    """A webhook's notifications as pointers, items as products. Raises Unreadable naming the field."""
    if message.topic == DOCUMENT:
        return tuple(_snapshot(account, row, f"value[{n}]") for n, row in enumerate(_values(message.body)))
    if message.topic.split(",")[0] != HOOK and HOOK not in message.topic.split(","):
        return (Ignored(f"Business Central's {message.topic or 'unnamed'} are not used."),)
    return tuple(_notified(one, n) for n, one in enumerate(_values(message.body)))


def _values(body: bytes) -> list[Mapping[str, Any]]:
    try:
        told = simplejson.loads(body, use_decimal=True)
    except ValueError:
        raise Unreadable("The delivery is not JSON.") from None
    values = told.get("value") if isinstance(told, Mapping) else None
    if not isinstance(values, list) or not all(isinstance(one, Mapping) for one in values):
        raise Unreadable("The delivery has no list of values.", field="value")
    return values


# ---- a webhook


def _notified(one: Mapping[str, Any], index: int) -> Reading:
    """Which item changed; or, of very many, since when to look."""
    resource = unquote(_text(one, "resource", f"value[{index}]"))
    change = _text(one, "changeType", f"value[{index}]")
    at = _time(_text(one, "lastModifiedDateTime", f"value[{index}]"), f"value[{index}].lastModifiedDateTime")
    entity, several = ENTITY.search(resource), COLLECTION.search(resource)
    if entity is not None and entity[1] == HOOK:
        return Pointer("product", entity[2].lower(), version(at)) if change != "deleted" else _gone(entity[2])
    if several is not None and several[1] == HOOK and change == "collection":
        since = _time(several[2], f"value[{index}].resource")
        return Pointer("product", f"since:{since.isoformat()}", version(at))
    if entity is None and several is None:
        raise Unreadable("A notification names no entity.", field=f"value[{index}].resource")
    return Ignored(f"Business Central's {(entity or several)[1]} are not used.")  # type: ignore[index]


def _gone(item: str) -> Ignored:
    return Ignored(f"The item {item} was deleted in Business Central: what was sold of it keeps its name.")


# ---- an item


def _snapshot(account: Account, row: Mapping[str, Any], where: str) -> Snapshot:
    at = _time(_text(row, "lastModifiedDateTime", where), f"{where}.lastModifiedDateTime")
    found = product(row, str(row.get("number", "")), str(account.settings.get("base_currency", "")), where)
    return Snapshot("product", found.id, version(at), found)


def product(row: Mapping[str, Any], sku: str, currency: str, where: str = "", unit: str = "") -> Product:
    """An item. `sku` is ours, the item's number where nobody mapped it. Its price only where the currency is known."""
    kind, tracked = KINDS.get(str(row.get("type") or "Inventory"), (ProductKind.GOODS, True))
    _text(row, "number", where)
    cost = _decimal(row, "unitCost", where)
    at = _time(_text(row, "lastModifiedDateTime", where), _path(where, "lastModifiedDateTime"))
    return Product(
        id=_text(row, "id", where).lower(),
        sku=sku,
        title=str(row.get("displayName") or row["number"]),
        kind=kind,
        barcode=str(row.get("gtin") or ""),
        unit=unit or str(row.get("baseUnitOfMeasureCode") or "each"),
        tax_code=str(row.get("taxGroupCode") or ""),
        active=not row.get("blocked", False),
        price=price(row, sku, currency, where),
        updated_at=at,
        cost=Money(cost, currency) if currency and cost else None,
        tracked=tracked,
    )


def price(row: Mapping[str, Any], sku: str, currency: str, where: str = "") -> Price | None:
    """The item's own unit price, in the company's currency; None where that is not told, or nobody has entered one: then it is 0."""
    amount = _decimal(row, "unitPrice", where)
    if not currency or not amount:
        return None
    included = row.get("priceIncludesTax")
    return Price(sku, Money(amount, currency), taxes_included=included if isinstance(included, bool) else None)


def level(row: Mapping[str, Any], sku: str, location: str, as_of: datetime) -> StockLevel:
    """What is on hand. What is free is not told: reservations and orders stand in other tables."""
    return StockLevel(sku, location, on_hand=_decimal(row, "inventory"), item_id=str(row.get("id", "")), as_of=as_of)


# ---- parts


def version(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def document(rows: list[Mapping[str, Any]]) -> Message:
    """Items as a message that `read` understands; the same state is the same delivery."""
    kept = [{name: value for name, value in row.items() if not name.startswith("@")} for row in rows]
    body = simplejson.dumps({"value": kept}, use_decimal=True, sort_keys=True).encode()
    first = kept[0] if len(kept) == 1 else {}
    seen = hashlib.sha256(json.dumps(body.decode()).encode()).hexdigest()[:24]
    parts = (str(first.get("id", "items")), str(first.get("lastModifiedDateTime", len(kept))), seen)
    return Message(DOCUMENT, ":".join(parts), body)


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    if row.get(name) in (None, "") or not isinstance(row[name], str):
        raise Unreadable(f"{name} is missing.", field=_path(where, name))
    return str(row[name])


def _decimal(row: Mapping[str, Any], name: str, where: str = "") -> Decimal | None:
    if row.get(name) in (None, ""):
        return None
    try:
        return Decimal(str(row[name]))
    except InvalidOperation:
        raise Unreadable(f"{row[name]!r} is no number.", field=_path(where, name)) from None


def _time(told: str, field: str) -> datetime:
    try:
        at = datetime.fromisoformat(told.replace("Z", "+00:00"))
    except ValueError:
        raise Unreadable(f"{told!r} is no time.", field=field) from None
    if at.tzinfo is None:
        raise Unreadable(f"{told!r} does not say its time zone.", field=field)
    return at.astimezone(UTC)
