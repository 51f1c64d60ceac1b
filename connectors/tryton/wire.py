"""Tryton's clothes for what JSON does not know: decimals, dates and times."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

# Its times bear no zone: they are UTC (trytond/protocols/jsonrpc.py and the server's own clock).
MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def dressed(value: Any) -> Any:
    """A value as Tryton reads it: {"__class__": "Decimal", "decimal": "19.90"} and the like; aware times become UTC."""
    if isinstance(value, dict):
        return {key: dressed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [dressed(one) for one in value]
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        at = value.astimezone(UTC)
        return {"__class__": "datetime", **{part: getattr(at, part) for part in MOMENT}}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    return value


def undressed(value: Any) -> Any:
    """A value as Tryton wrote it, in Python's own kinds; clothes that we do not know stay as they are."""
    if isinstance(value, list):
        return [undressed(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("__class__") == "Decimal":
        return Decimal(value["decimal"])
    if value.get("__class__") == "date":
        return date(int(value["year"]), int(value["month"]), int(value["day"]))
    if value.get("__class__") == "datetime":
        parts = {part: int(value.get(part, 0)) for part in MOMENT}
        return datetime(**parts, tzinfo=UTC)
    return {key: undressed(one) for key, one in value.items()}
