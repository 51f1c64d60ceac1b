"""A connector's card: what its manifest and README say, in the sentences that docs and admin both show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from connectors.kit.capabilities import CAPABILITIES
from connectors.kit.gaps import Gaps, gaps
from connectors.kit.manifest import Limit, Manifest, WriteRule

FURTHER = re.compile(r"(?P<first>.+)_(?P<n>\d+)$")
ONCE_BY = {
    "key": "a key that the vendor honours",
    "unique": "a unique field, or a state that is set",
    "neither": "neither (it is looked up)",
}
DOORS = {
    "Subscriber": "webhooks",
    "Poller": "polls",
    "QueueFed": "a queue",
    "FileSource": "files",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A capability that is offered: its methods, which of them are done in batches, which are absent and by what source."""

    name: str
    says: str
    methods: tuple[str, ...]
    batch: tuple[str, ...]
    absent: Mapping[str, str]

    @property
    def extent(self) -> str:
        """ "all", "part" or "none" of its methods."""
        left = [one for one in self.methods if one not in self.absent]
        return "all" if len(left) == len(self.methods) else "part" if left else "none"


@dataclass(frozen=True, slots=True)
class WriteRow:
    """A write, or several that differ by number only: how it is made once, seconds until a look-up counts, what window remains."""

    name: str
    once_by: str
    settles_after: float
    window: str


@dataclass(frozen=True, slots=True)
class Ending:
    """A day on which the vendor retires a version; `speaks` says which accounts it meets."""

    on: date
    speaks: str


@dataclass(frozen=True, slots=True)
class Card:
    """All that there is to say of a connector; `limits` are (name, sentence, operations it counts)."""

    manifest: Manifest
    offers: tuple[Offer, ...]
    doors: tuple[str, ...]
    endings: tuple[Ending, ...]
    limits: tuple[tuple[str, str, tuple[str, ...]], ...]
    writes: tuple[WriteRow, ...]
    gaps: tuple[Gaps, ...]


def card(manifest: Manifest, readme: str) -> Card:
    """The card of a connector out of its manifest and the text of its README. Pure."""
    return Card(
        manifest=manifest,
        offers=tuple(_offer(manifest, name) for name in CAPABILITIES if name in manifest.offers),
        doors=_doors(manifest),
        endings=tuple(_endings(manifest)),
        limits=tuple((limit.name, sentence(limit), limit.operations) for limit in manifest.limits),
        writes=tuple(_writes(manifest.writes)),
        gaps=gaps(readme),
    )


def methods(capability: str) -> tuple[str, ...]:
    """The names of a capability's methods, as its protocol has them."""
    return tuple(name for name in vars(CAPABILITIES[capability]) if not name.startswith("_"))


def _offer(manifest: Manifest, name: str) -> Offer:
    own = methods(name)
    return Offer(
        name=name,
        says=(CAPABILITIES[name].__doc__ or "").split("\n", maxsplit=1)[0],
        methods=own,
        batch=tuple(one for one in own if one in manifest.batch),
        absent={one: manifest.absent[one] for one in own if one in manifest.absent},
    )


def _doors(manifest: Manifest) -> tuple[str, ...]:
    """How its deliveries come in."""
    found = [door for name, door in DOORS.items() if name in manifest.offers]
    return tuple(["our own API", *found] if manifest.api else found)


def _endings(manifest: Manifest) -> Iterator[Ending]:
    if manifest.sunset:
        yield Ending(manifest.sunset, "every account")
    for one in manifest.sunsets:
        yield Ending(one.on, f'accounts with `{one.setting} = "{one.value}"`')


def sentence(limit: Limit) -> str:
    """A limit in words. Raises KeyError for a kind that the limiter does not know either."""
    burst = f"{limit.burst:,g}" if limit.burst < 1_000_000 else f"{limit.burst:,.0f}"
    return {
        "bucket": f"{limit.rate:g} a second, {burst} at once",
        "points": f"{limit.rate:g} points a second, {burst} at once, corrected by the vendor's report",
        "window": f"{burst} in any {limit.seconds:g} s",
        "concurrency": f"{burst} at a time",
        "daily": f"{burst} a day, renewed at {limit.resets} UTC",
    }[limit.kind]


def _writes(rules: Mapping[str, WriteRule]) -> Iterator[WriteRow]:
    """Numbered ones (shipment, shipment_2 ...) that are made once in the same way are one row, with the first one's window."""
    for name, rule in rules.items():
        if _first(rules, name) is None:
            last = max((number for other, number in _numbered(rules) if other == name), default=0)
            shown = f"{name} to {name}_{last}" if last else name
            yield WriteRow(shown, rule.once_by, rule.settles_after, rule.window)


def _first(rules: Mapping[str, WriteRule], name: str) -> str | None:
    """The write whose further one this is, None where it stands by itself."""
    found = FURTHER.fullmatch(name)
    first = found["first"] if found else ""
    alike = first in rules and _way(rules[first]) == _way(rules[name])
    return first if alike else None


def _way(rule: WriteRule) -> tuple[str, float]:
    return rule.once_by, rule.settles_after


def _numbered(rules: Mapping[str, WriteRule]) -> Iterator[tuple[str, int]]:
    for name in rules:
        if first := _first(rules, name):
            yield first, int(name.rpartition("_")[2])
