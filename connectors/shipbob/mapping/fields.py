"""Fields of ShipBob's documents, taken out with their type checked and named by path when they are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.kit.errors import Unreadable


def identifier(row: Mapping[str, Any], name: str, path: str = "") -> str:
    """An id as text. Raises Unreadable where it is missing or no number or text."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise Unreadable(f"{path}{name} is missing or no identifier.", field=f"{path}{name}")
    return str(value)


def text(row: Mapping[str, Any], name: str, path: str = "") -> str:
    """Text, empty where absent or null."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{path}{name} is no text.", field=f"{path}{name}")
    return (value or "").strip()


def quantity(row: Mapping[str, Any], name: str, path: str = "") -> Decimal:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        raise Unreadable(f"{path}{name} is no quantity.", field=f"{path}{name}")
    return Decimal(value)


def moment(row: Mapping[str, Any], name: str, path: str = "") -> datetime | None:
    """A time in UTC, None where absent. ShipBob's times are UTC (an offset is honoured where one is written)."""
    value = row.get(name)
    if value is None or value == "":
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Unreadable(f"{path}{name} is no time.", field=f"{path}{name}") from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def part(row: Mapping[str, Any], name: str, path: str = "") -> Mapping[str, Any]:
    """An object, empty where absent or null."""
    value = row.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise Unreadable(f"{path}{name} is no object.", field=f"{path}{name}")
    return value or {}


def parts(row: Mapping[str, Any], name: str, path: str = "") -> list[Mapping[str, Any]]:
    """A list of objects, empty where absent or null."""
    value = row.get(name)
    if value is not None and not (isinstance(value, list) and all(isinstance(item, Mapping) for item in value)):
        raise Unreadable(f"{path}{name} is no list of objects.", field=f"{path}{name}")
    return value or []
