"""Routing: which accounts play which role for a subject, chosen once when it is first seen and kept for its life."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from config.reader import Route, config


def roles(kind: str, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The roles of the first route that takes a subject with these facts; None when none does."""
    return next((route.roles for route in config().routes if route.kind == kind and _takes(route, facts)), None)


def _takes(route: Route, facts: Mapping[str, Any]) -> bool:
    return all(_matches(key, wanted, facts) for key, wanted in route.when.items())


def _matches(key: str, wanted: Any, facts: Mapping[str, Any]) -> bool:
    """Equality, membership in a list, or a stable share of all subjects."""
    if key == "share":
        return _share(str(facts.get("id", ""))) < float(wanted)
    return facts.get(key) in wanted if isinstance(wanted, list) else facts.get(key) == wanted


def _share(name: str) -> float:
    """A number from 0 to 1 that is the same for a name for ever."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest()) / 2**32
