"""A manifest says what a connector is and can, read without loading its code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of the vendor, counted for each account by one limiter for all workers.

    kind "bucket": `rate` per second, `burst` at once; "window": `burst` in any `seconds`; "concurrency": `burst` at a time;
    "daily": `burst` a day, renewed at `resets` (HH:MM in UTC); "points": a bucket whose calls cost points, corrected by the
    vendor's own report. `operations` names the calls it counts (all when empty). `capped`: its rate is the operator's own word, above
    which no vendor's word on a rate is followed.
    """

    name: str
    kind: str
    burst: float
    rate: float = 0.0
    seconds: float = 0.0
    resets: str = "00:00"
    operations: tuple[str, ...] = ()
    capped: bool = False


@dataclass(frozen=True, slots=True)
class WriteRule:
    """How a write is made once: by a `key` the vendor honours, a `unique` field it refuses twice, or `neither`.

    `settles_after`: seconds after sending until a look-up that finds nothing counts as "not done". `window` names what remains.
    """

    once_by: str
    settles_after: float = 5.0
    window: str = ""


@dataclass(frozen=True, slots=True)
class Sunset:
    """An older version that an account may still be set to speak, and the day it is retired."""

    setting: str
    value: str
    on: date


@dataclass(frozen=True, slots=True)
class Manifest:
    name: str
    title: str
    roles: tuple[str, ...]
    version: str
    tier: str
    sunset: date | None
    credentials: tuple[str, ...]
    topics: Mapping[str, str]
    offers: tuple[str, ...]
    batch: tuple[str, ...]
    absent: Mapping[str, str]
    limits: tuple[Limit, ...]
    writes: Mapping[str, WriteRule]
    polls: Mapping[str, Mapping[str, Any]]
    sources: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    subscribes: tuple[str, ...] = ()
    renews: bool = False  # subscriptions run out by themselves: the watch renews them
    api: bool = False  # its deliveries come by our own API; it has no address of its own
    sunsets: tuple[Sunset, ...] = ()
    places: bool = False  # its stock can be told of each of its places by itself
    version_header: str = ""  # of an answer, lower case: in which the vendor names the version that it served

    def retired(self, settings: Mapping[str, Any]) -> tuple[date, str] | None:
        """When the vendor retires what an account with these settings speaks, and which version that is; None where no day is known."""
        known = [(self.sunset, self.version)] if self.sunset else []
        known += [(one.on, one.value) for one in self.sunsets if settings.get(one.setting) == one.value]
        return min(known, default=None)


def read_manifest(path: Path) -> Manifest:
    """The manifest.toml of a connector's folder. Raises ValueError naming the file and what is wrong with it."""
    raw = tomllib.loads(path.read_text())
    try:
        return Manifest(
            name=raw["name"],
            title=raw["title"],
            roles=tuple(raw["roles"]),
            version=str(raw.get("version", "")),
            tier=raw.get("tier", "bronze"),
            sunset=raw.get("sunset"),
            credentials=tuple(raw.get("auth", {}).get("credentials", ())),
            secrets=tuple(raw.get("auth", {}).get("webhook_secrets", ())),
            topics=raw.get("topics", {}),
            offers=tuple(raw["capabilities"]["offers"]),
            places=bool(raw["capabilities"].get("places", False)),
            batch=tuple(raw["capabilities"].get("batch", ())),
            absent=raw["capabilities"].get("absent", {}),
            limits=tuple(Limit(**_tuples(limit)) for limit in raw.get("limits", ())),
            writes={name: WriteRule(**rule) for name, rule in raw.get("writes", {}).items()},
            polls=raw.get("polls", {}),
            sources=tuple(raw.get("sources", ())),
            settings=raw.get("settings", {}),
            subscribes=tuple(raw.get("subscriptions", {}).get("topics", ())),
            sunsets=tuple(Sunset(**one) for one in raw.get("sunsets", ())),
            renews=bool(raw.get("subscriptions", {}).get("renews", False)),
            api=bool(raw.get("api", False)),
            version_header=str(raw.get("version_header", "")).lower(),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
