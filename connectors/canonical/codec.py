"""Canonical documents as JSON and back, under a schema version with upcasters for older ones.

A new field with a default needs no new version: an older body is read with the default, and older code leaves out what
it does not know. The version rises when a stored body would be *misread* (a renamed field, another unit), with an
upcaster from the version before.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, cast

from connectors.canonical import SCHEMA_VERSION
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, Settlement
from connectors.canonical.product import Price, Product
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Document
from connectors.canonical.stock import StockLevel

TYPES: dict[str, type[Document]] = {
    t.__name__: t for t in (Order, Shipment, Refund, StockLevel, Product, Return, Payment, Settlement, Price)
}
# version n -> a function that turns a stored body of version n into one of n + 1
UPCASTERS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def dump(value: Any) -> Any:
    """JSON-ready: decimals and times as text, empty fields left out."""
    if dataclasses.is_dataclass(value):
        pairs = ((f, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {f.name: dump(v) for f, v in pairs if v != f.default}
    if isinstance(value, tuple | list):
        return [dump(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


def encode(document: Document) -> dict[str, Any]:
    """A document with its type and schema version, ready for the store."""
    return {"type": type(document).__name__, "schema": SCHEMA_VERSION, "body": dump(document)}


def decode(stored: Mapping[str, Any]) -> Document:
    """The document that was stored, brought up to this schema version. Raises KeyError for an unknown type."""
    body = dict(stored["body"])
    for version in range(int(stored["schema"]), SCHEMA_VERSION):
        body = UPCASTERS[version](body)
    return cast(Document, load(TYPES[stored["type"]], body))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def load(kind: Any, value: Any) -> Any:
    """A value of a canonical type out of its JSON form."""
    if value is None:
        return None
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return load(next(a for a in typing.get_args(kind) if a is not type(None)), value)
    if origin is tuple:
        inner = typing.get_args(kind)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(load(inner[0], item) for item in value)
        return tuple(load(a, item) for a, item in zip(inner, value, strict=True))
    if dataclasses.is_dataclass(kind):
        hints = _hints(cast(type, kind))
        return cast(type, kind)(**{name: load(hints[name], item) for name, item in value.items() if name in hints})
    return SCALARS[kind](value) if kind in SCALARS else kind(value)


SCALARS: dict[Any, Callable[[Any], Any]] = {
    Decimal: lambda text: Decimal(str(text)),
    datetime: datetime.fromisoformat,
    bool: bool,
    str: str,
    int: int,
}
