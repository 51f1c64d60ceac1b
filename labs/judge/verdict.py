"""The verdict: every finding of the story's rules and the lab's, what a vendor's named window explains apart, and enough successes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from labs.judge.evidence import Evidence
from labs.judge.rules import RESENT, RULES
from local.story.judge import DOUBLED, LOST, Finding, findings

TOO_FEW = "too few"
WINDOW = "window"
Bound = Callable[[Evidence, list[Finding]], list[Finding]]  # of findings beyond a window: those that it does explain


@dataclass(frozen=True)
class Verdict:
    """`findings` must be empty; `windows` are doubles or losses that a manifest names and that this weather was made to reach."""

    findings: tuple[Finding, ...]
    windows: tuple[Finding, ...]
    figures: Mapping[str, int] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        return sum(1 for finding in self.findings if finding.kind == kind)

    @property
    def whole(self) -> bool:
        return not self.findings

    def record(self) -> dict[str, Any]:
        """For a file: figures, and the first sentences of what was found."""
        return {
            **self.figures,
            "lost": self.count(LOST),
            "doubled": self.count(DOUBLED),
            "findings": [f"{one.kind}: {one.sentence}" for one in self.findings[:40]],
            "found": len(self.findings),
            "windows": [f"{one.kind}: {one.sentence}" for one in self.windows[:40]],
            "windows_found": len(self.windows),
        }


def judge(
    seen: Evidence, least: Mapping[str, float], beyond: Collection[str] = (), bound: Bound | None = None
) -> Verdict:
    """`least`: name of a figure -> how many there must be (below 1: the share of the orders that were not cancelled);
    `beyond`: systems whose weather is worse than their manifest's named window allows;
    `bound`: which of what is doubled or lost there that weather does explain (all, where nothing says)."""
    found = [*findings(seen.outside, seen.inside), *(one for rule in RULES for one in rule(seen))]
    found += [one for outside, inside in seen.beside for one in findings(outside, inside)]
    apart = [one for one in found if one.system in beyond and one.kind in (DOUBLED, LOST, RESENT)]
    apart = bound(seen, apart) if bound else apart
    told = figures(seen)
    rest = list((Counter(found) - Counter(apart)).elements())  # of equal ones as many as were not explained
    return Verdict((*rest, *_too_few(told, least)), tuple(replace(one, kind=WINDOW) for one in apart), told)


def figures(seen: Evidence) -> dict[str, int]:
    """What was counted at the outsiders, at all channels together; `beside` are the orders of those beside the web shop."""
    every = (seen.outside, *(outside for outside, _ in seen.beside))
    sold = [order for outside in every for order in outside.sold]
    asked = [one for outside in every for one in outside.asked]
    deliveries = [one for outside in every for one in outside.deliveries]
    standing = sum(not one.cancelled for one in sold)
    return {
        "orders": len(sold),
        **({"beside": len(sold) - len(seen.outside.sold)} if seen.beside else {}),
        "standing": standing,
        "sound": standing - seen.inside.states["dead"],
        "events": sum(one.taken for one in deliveries if not one.forged),
        "tries": len(seen.log),
        "forgeries": sum(one.forged for one in deliveries),
        "booked": sum(sum(outside.books.orders.values()) for outside in every),
        "acknowledged": sum(bool(one.number) for one in sold),
        "requested": len(asked),
        "parcels": sum(len(one.parcels) for one in asked),
        "delivered": sum(sum(outside.books.fulfilments.values()) for outside in every),
        "refunded": sum(len(outside.books.refunds) for outside in every),
        "cancelled": sum(len(outside.books.cancelled) for outside in every),
        "mails": sum(seen.outside.mails.values()),
        "calls": len(seen.calls),
        "faults": sum(bool(call.fault) for call in seen.calls),
        "parked": seen.inside.states["parked"],
        "dead": seen.inside.states["dead"],
        "quarantined": seen.inside.states["quarantined"],
    }


def _too_few(told: Mapping[str, int], least: Mapping[str, float]) -> Iterator[Finding]:
    """A run in which nothing succeeds proves nothing."""
    for name, wanted in least.items():
        count = wanted if wanted >= 1 else wanted * told["standing"]
        if told[name] < count:
            yield Finding(TOO_FEW, "lab", name, f"only {told[name]} {name}, at least {count:g} were to be")
