"""Payloads as a vendor may change them: with a new field everywhere, or with one field gone."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

NEW = {"x_waybill_new": {"seen": ["never", 1, None, True]}}
PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def grown(value: Any, maps: Collection[str] = (), path: str = "") -> Any:
    """Every object has one field more, except those whose keys are data."""
    if isinstance(value, dict):
        inside = {name: grown(one, maps, f"{path}.{name}" if path else name) for name, one in value.items()}
        return inside if path in maps else {**inside, **NEW}
    if isinstance(value, list):
        return [grown(one, maps, f"{path}[{n}]") for n, one in enumerate(value)]
    return value


def without(value: Any, path: str) -> Any:
    """The payload less what stands at the path. Raises KeyError or IndexError where nothing stands there."""
    steps = [int(number) if number else name for number, name in PART.findall(path)]
    return _less(value, steps)


def _less(value: Any, steps: list[Any]) -> Any:
    first, rest = steps[0], steps[1:]
    _ = value[first]  # raises where nothing stands there
    if isinstance(value, list):
        return [_less(one, rest) if n == first else one for n, one in enumerate(value)]
    if not rest:
        return {name: one for name, one in value.items() if name != first}
    return {name: _less(one, rest) if name == first else one for name, one in value.items()}
