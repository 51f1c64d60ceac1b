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
from datetime import UTC, date, datetime
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


AS_THEY_ARE = frozenset((str, int, bool, type(None)))


def dump(value: Any) -> Any:
    """JSON-ready: decimals and times as text, empty fields left out."""
    kind: Any = type(value)
    if kind in AS_THEY_ARE:
        return value
    if kind is tuple or kind is list:
        return [dump(item) for item in value]
    fields = _fields(kind)
    if fields is None:
        return _dumped(value)
    pairs = ((name, getattr(value, name), default) for name, default in fields)
    return {name: dump(item) for name, item, default in pairs if item != default}


def _dumped(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...] | None:
    """Names and defaults of a dataclass's fields; None for any other type."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple((field.name, field.default) for field in dataclasses.fields(kind))


def encode(document: Document) -> dict[str, Any]:
    """A document with its type and schema version, ready for the store."""
    return {"type": type(document).__name__, "schema": SCHEMA_VERSION, "body": dump(document)}


def decode(stored: Mapping[str, Any]) -> Document:
    """The document that was stored, brought up to this schema version. Raises KeyError for an unknown type."""
    body = dict(stored["body"])
    for version in range(int(stored["schema"]), SCHEMA_VERSION):
        body = UPCASTERS[version](body)
    return cast(Document, load(TYPES[stored["type"]], body))


def load(kind: Any, value: Any) -> Any:
    """A value of a canonical type out of its JSON form."""
    return _loader(kind)(value)


@cache
def _loader(kind: Any) -> Callable[[Any], Any]:
    """What reads values of a type, worked out once."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _optional(next(a for a in typing.get_args(kind) if a is not type(None)))
    if origin is tuple:
        return _tuple(typing.get_args(kind))
    if dataclasses.is_dataclass(kind):
        return _dataclass(cast(type, kind))
    read = SCALARS.get(kind, kind)
    return lambda value: None if value is None else read(value)


def _optional(kind: Any) -> Callable[[Any], Any]:
    read = _loader(kind)
    return lambda value: None if value is None else read(value)


def _tuple(inner: tuple[Any, ...]) -> Callable[[Any], Any]:
    if len(inner) == 2 and inner[1] is Ellipsis:
        read = _loader(inner[0])
        return lambda value: None if value is None else tuple([read(item) for item in value])
    reads = [_loader(kind) for kind in inner]
    return lambda value: None if value is None else tuple(read(item) for read, item in zip(reads, value, strict=True))


def _dataclass(kind: type) -> Callable[[Any], Any]:
    """Fields by name; what an older release does not know is left out. Their readers are looked up late: a type may hold itself."""
    hints = typing.get_type_hints(kind)
    reads: dict[str, Callable[[Any], Any]] = {}

    def read(value: Any) -> Any:
        if value is None:
            return None
        if not reads:
            reads.update({name: _loader(hint) for name, hint in hints.items()})
        return kind(**{name: reads[name](item) for name, item in value.items() if name in reads})

    return read


SCALARS: dict[Any, Callable[[Any], Any]] = {
    Decimal: lambda text: Decimal(str(text)),
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    bool: bool,
    str: str,
    int: int,
}
