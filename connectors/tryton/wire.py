"""Tryton's clothes for what JSON does not know: decimals and dates."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any


def dressed(value: Any) -> Any:
    """A value as Tryton reads it: {"__class__": "Decimal", "decimal": "19.90"} and the like; aware times become UTC."""
    if isinstance(value, dict):
        return {key: dressed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [dressed(one) for one in value]
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, date) and not isinstance(value, datetime):
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
    return {key: undressed(one) for key, one in value.items()}
