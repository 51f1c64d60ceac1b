"""The canonical model as shapes of the API: each dataclass of connectors.canonical a schema of the same fields."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, is_dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

from marshmallow import Schema, fields, validate

NUMBER = r"^-?\d{1,15}(\.\d{1,6})?$"
NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]*$"
MOST, LONGEST = 500, 2000  # members of a list, characters of a text
# Stamped by the hub, or read from elsewhere.
OURS = frozenset(("channel", "origin"))
# What the hub can tell by itself where it is left out.
DEFAULTED = {"Line": frozenset(("current_quantity",))}
NAMED = frozenset(("id", "sku", "number"))  # empty names name nothing
CURRENCIES = frozenset(("currency",))

PLAIN: Mapping[Any, Callable[..., fields.Field[Any]]] = {
    Decimal: lambda **how: fields.String(validate=validate.Regexp(NUMBER), **how),
    datetime: fields.AwareDateTime,
    bool: lambda **how: fields.Boolean(truthy={True}, falsy={False}, **how),
}


@cache
def shape(
    kind: type, name: str = "", optional: frozenset[str] = frozenset(), without: frozenset[str] = OURS
) -> type[Schema]:
    """The schema of a dataclass. Amounts and quantities are decimal text: a JSON number has often been a float on its way.

    `optional` are fields that may be left out here though the model needs them, `without` those that are not taken.
    """
    hints = typing.get_type_hints(kind)
    free = optional | DEFAULTED.get(kind.__name__, frozenset())
    taken = [one for one in fields_of(kind) if one.name not in without]
    made = {one.name: _field(hints[one.name], one, free) for one in taken}
    return Schema.from_dict(typing.cast("Any", made), name=name or f"Canonical{kind.__name__}")


def _field(hint: Any, one: Field[Any], optional: frozenset[str]) -> fields.Field[Any]:
    inner, nullable = _without_none(hint)
    return _made(
        inner, one.name, {"required": one.default is MISSING and one.name not in optional, "allow_none": nullable}
    )


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(kind for kind in typing.get_args(hint) if kind is not type(None)), True
    return hint, False


def _made(hint: Any, name: str, how: dict[str, Any]) -> fields.Field[Any]:
    if typing.get_origin(hint) is tuple:
        return _list(typing.get_args(hint), how)
    if is_dataclass(hint):
        return fields.Nested(shape(typing.cast(type, hint)), **how)
    if hint in PLAIN:
        return PLAIN[hint](**how)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return fields.String(validate=validate.OneOf([one.value for one in hint]), **how)
    return fields.String(validate=_words(name, how["required"]), **how)


def _words(name: str, needed: bool) -> list[validate.Validator]:
    if name in CURRENCIES and needed:
        return [validate.Regexp(r"^[A-Z]{3}$")]
    least = 1 if needed and name in NAMED else 0
    return [validate.Length(least, 200 if name in NAMED else LONGEST), validate.Regexp(NO_CONTROLS)]


def _list(kinds: tuple[Any, ...], how: dict[str, Any]) -> fields.Field[Any]:
    many = len(kinds) == 2 and kinds[1] is Ellipsis
    inner = _made(kinds[0], "", {"required": True, "allow_none": False})
    least = 1 if many and how["required"] else 0
    size = validate.Length(least, MOST) if many else validate.Length(equal=len(kinds))
    return fields.List(inner, validate=size, **how)
