"""A shape is how one account of a vendor tells of changes, and how it lets a record be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """`tells`: "fat" (the webhook holds the document), "thin" (only where to look), "queue" or "nothing" (poll only).

    `makes`: "keyed", "searched" (no key; the search index is late), "two_calls" or "job".
    """

    tells: str = "fat"
    makes: str = "keyed"


# A real vendor has one shape and needs no table: keep the row that is yours and delete the rest with what it needs.
SHAPES = {
    "fat": Shape(),
    "thin": Shape(tells="thin"),
    "poll": Shape(tells="nothing"),
    "queue": Shape(tells="queue"),
    "keyed": Shape(),
    "searched": Shape(makes="searched"),
    "two_calls": Shape(makes="two_calls"),
    "job": Shape(makes="job"),
    # What every account of Acme has, by the name under which one looks for it:
    "batch": Shape(),  # publish_stock: several SKUs in one call, each accepted or refused
    "quotas": Shape(),  # the manifest's [[limits]] with operations
    "rotating": Shape(),  # a handshake on subscribing, two webhook secrets at once
    "tokens": Shape(),  # access tokens that expire
}


def shape(settings: Mapping[str, Any]) -> Shape:
    """The shape that an account's settings name. Raises KeyError for one that Acme does not have."""
    return SHAPES[str(settings.get("shape", "fat"))]
