"""What became of the story: printed for people, and kept as var/run.json for whoever checks it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.kept import keep as keep_whole
from local.story.channels import CHANNELS
from local.story.facts import Books, Inside, Outside
from local.story.judge import DOUBLED, LOST, WRONG, Finding

STATES = ("applied", "echo", "superseded", "ignored", "quarantined", "parked", "dead", "in_flight")
MOST = 25
WAYS = (
    "placed",
    "changed",
    "cancelled there",
    "cancelled by the hub",
    "tracked",
    "refunded there",
    "refunded by the hub",
    "stock",
    "price",
)


@dataclass(frozen=True)
class Judged:
    """One channel's case, and what the judge found in it."""

    outside: Outside
    findings: tuple[Finding, ...]

    def steps(self) -> dict[str, int]:
        """How often each way was gone."""
        sold = self.outside.sold
        ours = sum(len(one.by_hub) for one in sold)
        return {
            "placed": len(sold),
            "changed": sum(one.changed for one in sold),
            "cancelled there": sum(one.cancelled and not one.called_off for one in sold),
            "cancelled by the hub": sum(one.called_off for one in sold),
            "tracked": sum(bool(parcel.numbers) for one in sold for parcel in one.sent),
            "refunded there": sum(len(one.refunds) for one in sold) - ours,
            "refunded by the hub": ours,
            "stock": self.tally()["counts_told"],
            "price": self.outside.priced,
        }

    def tally(self) -> dict[str, int]:
        """What it sold and what became of it, counted at the systems."""
        sold, books = self.outside.sold, self.outside.books
        booked = [books.orders.get(f"{self.outside.channel}-{one.id}", 0) for one in sold]
        kinds = Counter(finding.kind for finding in self.findings)
        return {
            "accepted": len(sold),
            "booked_once": booked.count(1),
            **{kind: kinds[kind] for kind in (LOST, DOUBLED, WRONG)},
            "never_booked": booked.count(0),
            "numbers_told": sum(bool(one.number) for one in sold),
            "parcels_told": sum(len(one.sent) for one in sold),
            "cancelled": sum(one.cancelled for one in sold),
            "refunds": sum(len(one.refunds) for one in sold),
            "counts_told": sum(self.outside.shelf.get(sku) == told for sku, told in self.outside.offered.items()),
        }


@dataclass(frozen=True)
class Outcome:
    """The end of a story: the web shop's case, then that of each channel beside it."""

    judged: tuple[Judged, ...]
    inside: Inside
    seconds: float
    addresses: Mapping[str, str]
    held: Mapping[str, Books]  # by the ERP that holds it

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for one in self.judged for finding in one.findings)

    def count(self, kind: str) -> int:
        return sum(1 for finding in self.findings if finding.kind == kind)

    @property
    def whole(self) -> bool:
        """Every accepted event is accounted for."""
        return not self.findings and not self.inside.states["in_flight"]

    def systems(self) -> dict[str, dict[str, int]]:
        """The effects that each system holds, counted there."""
        sold = self.judged[0].outside.sold
        asked = [request for one in self.judged for request in one.outside.asked]
        return {
            "shopify-main": {
                "orders": len(sold),
                "cancelled": sum(one.cancelled for one in sold),
                "erp_numbers": sum(bool(one.number) for one in sold),
                "fulfilments": sum(len(one.sent) for one in sold),
                "refunds": sum(len(one.refunds) for one in sold),
            },
            **{
                erp: {
                    "sales_orders": sum(books.orders.values()),
                    "cancelled": len(books.cancelled),
                    "fulfilments": sum(books.fulfilments.values()),
                    "refunds": len(books.refunds),
                }
                for erp, books in self.held.items()
            },
            "shipbob-main": {
                "orders": len(asked),
                "cancelled": sum(one.cancelled for one in asked),
                "parcels": sum(len(one.parcels) for one in asked),
            },
            "mail": {"mails": sum(self.judged[0].outside.mails.values())},
        }

    def record(self) -> dict[str, Any]:
        """The states sum to `accepted`; duplicates and rejected deliveries stand outside it."""
        return {
            "accepted": self.inside.states.total(),
            "duplicates": self.inside.duplicates,
            "rejected": self.inside.rejected,
            **{name: self.inside.states[name] for name in STATES},
            "lost": self.count(LOST),
            "doubled": self.count(DOUBLED),
            "wrong": self.count(WRONG),
            "seconds": round(self.seconds, 1),
            "systems": self.systems(),
            "channels": {one.outside.channel: one.tally() for one in self.judged},
            "addresses": dict(self.addresses),
        }


def keep(outcome: Outcome, file: Path) -> None:
    keep_whole(file, json.dumps(outcome.record(), indent=1) + "\n")


def show(outcome: Outcome, cases: Iterable[tuple[str, str, str, int]], console: Console) -> None:
    record = outcome.record()
    table = Table(title="What became of every delivery", title_justify="left", show_header=False, box=None)
    words = {
        "accepted": "accepted once, however often they came",
        "duplicates": "came again, answered and not repeated",
        "rejected": "refused at the door: forged or unreadable",
        "applied": "done in every system",
        "echo": "our own changes coming back",
        "superseded": "said nothing new, or were overtaken",
        "ignored": "topics that the hub has no use for",
        "quarantined": "set aside: they do not add up",
        "parked": "wait for a mapping",
        "dead": "wait for a person",
        "in_flight": "still under way",
        "lost": "lost",
        "doubled": "doubled",
        "wrong": "not as the shop's own books say",
    }
    for name, meaning in words.items():
        bad = name in ("lost", "doubled", "wrong", "in_flight") and record[name]
        table.add_row(str(record[name]), name.replace("_", " "), meaning, style="bold red" if bad else None)
    console.print(table)
    counted = Table(title="Counted at the systems themselves", title_justify="left", show_header=False, box=None)
    for system, effects in outcome.systems().items():
        counted.add_row(system, ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in effects.items()))
    console.print(counted)
    _channels(outcome, console)
    _steps(outcome, console)
    _kinds(outcome, console)
    for finding in outcome.findings[:MOST]:
        console.print(f"{finding.kind}: {finding.sentence}", style="red", highlight=False)
    waiting = Table(title="What waits for people", title_justify="left", box=None)
    for heading in ("owner", "kind", "what", "how many"):
        waiting.add_column(heading)
    for owner, kind, sentence, members in cases:
        waiting.add_row(owner, kind, sentence, str(members))
    console.print(waiting)


def _channels(outcome: Outcome, console: Console) -> None:
    title = "Each channel, counted at its own system, the ERP and the warehouse"
    table = Table(title=title, title_justify="left", show_header=False, box=None)
    for one in outcome.judged:
        tally = one.tally()
        bad = any(tally[kind] for kind in (LOST, DOUBLED, WRONG))
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in tally.items())
        table.add_row(one.outside.channel, told, style="bold red" if bad else None)
    console.print(table)


def _steps(outcome: Outcome, console: Console) -> None:
    """How often each channel went each way; what its API cannot do is a number, with the reason below."""
    title = "Each channel's ways, counted at its own system"
    table = Table(title=title, title_justify="left", show_header=False, box=None)
    channels = {one.account: one for one in CHANNELS}
    notes: dict[str, str] = {}
    for one in outcome.judged:
        channel = channels.get(one.outside.channel)
        absent = channel.absent if channel else {}
        steps = one.steps()
        ways = [f"{way} {_step(steps.get(way, 0), absent.get(way, ''), notes)}" for way in WAYS]
        table.add_row(one.outside.channel, ", ".join(ways))
    console.print(table)
    for why, number in notes.items():
        console.print(f"({number}) absent: {why}", highlight=False)


def _step(count: int, why: str, notes: dict[str, str]) -> str:
    """A count, or the number of the note that says why there is none."""
    return f"({notes.setdefault(why, str(len(notes) + 1))})" if why else str(count)


def _kinds(outcome: Outcome, console: Console) -> None:
    kinds = Counter(one.kind for each in outcome.judged for one in each.outside.sold)
    console.print(
        f"Orders by kind: {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}", highlight=False
    )
