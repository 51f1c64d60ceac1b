"""How much of each connector is held against a published contract and published payloads: docs/connectors/coverage.md.

The figures are counted by the connectors' own contract and corpus tests (tests/connectors/counting.py). `python -m local.coverage`
(make coverage) runs those with ../shared beside the checkout, writes docs/connectors/coverage.csv and renders the page; any other run of
them fails where it counts otherwise than the CSV says.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from connectors.kit.card import Card
from local.markdown import code, joined, table, titled

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
COUNTS = ROOT / "docs" / "connectors" / "coverage.csv"
COUNTED = "WAYBILL_COUNTED"  # names the file that the tests write their figures to, a JSON list a line
HEAD = ("connector", "counts", "what", "number")
OPERATIONS, FACTS, PAYLOADS = "operations", "facts", "payloads"
REFUSALS, LEFT_OUT = "refusals", "left out"  # `what` of a refusal: topic, file, field and why, each after a BAR
BAR = " | "
VERDICTS = ("read", "refused", "sorted", "not ours")

# What no test can count, and why.
NO_CONTRACT = {
    "acme": "invented: its simulator is its contract",
    "direct": "its deliveries come by our own API, whose OpenAPI is ours; Standard Webhooks publishes no contract that a machine can read",
    "sftp": "a protocol (SFTP 3): a real server is asked in the tests",
    "smtp": "a protocol (RFC 5321): a real server is asked in the tests",
    "tryton": "Tryton publishes no contract of its RPC: the real Tryton 8.2 is asked in the tests",
}
NO_PAYLOADS = {
    "acme": "invented",
    "direct": "the shape is ours",
    "sftp": "files have no published payloads",
    "smtp": "mail has no published payloads",
    "tryton": "no payload of it is stored in ../shared/samples",
}


@dataclass(frozen=True, slots=True)
class Count:
    """One figure: `counts` is operations (held against the contract `what`), facts (against words only), payloads (`what`: a verdict),
    refusals (`what`: topic, file, field and why) or left out (`what`: why those payloads are not ours)."""

    connector: str
    counts: str
    what: str
    number: int


def kept(source: Path = COUNTS) -> tuple[Count, ...]:
    """The figures as they were last written."""
    if not source.exists():
        return ()
    with source.open(newline="") as lines:
        rows = csv.DictReader(lines)
        return tuple(Count(row["connector"], row["counts"], row["what"], int(row["number"])) for row in rows)


def page(cards: Mapping[str, Card], counts: Iterable[Count] | None = None) -> str:
    """The page out of the figures."""
    found = tuple(kept() if counts is None else counts)
    contracts = ("connector", "contract", "operations")
    facts = ("connector", "held against facts only (no contract is published for it)", "operations")
    refusals = ("connector", "topic or call", "payload", "field", "why")
    left_out = ("connector", "why", "payloads")
    verdicts = ("connector", "read", "refused by field", "errors sorted", "not ours (yet)", "of")
    return joined(
        (
            TOP,
            titled("Operations by contract", table(contracts, _operations(cards, found, OPERATIONS))),
            titled("Operations without a contract", table(facts, _operations(cards, found, FACTS))),
            titled("Stored payloads", table(verdicts, _payloads(cards, found))),
            titled("Payloads that are refused", table(refusals, _refusals(cards, found))),
            titled("Payloads that are not ours", table(left_out, _operations(cards, found, LEFT_OUT))),
            titled("Not derived", "\n".join(_underived(cards, found))),
        )
    )


TOP = """# What is held against published contracts

Rendered from [coverage.csv](coverage.csv), which `make coverage` writes from what the connectors' own tests counted (those marked `counting` in
`tests/connectors/*/`); the same tests fail where they count otherwise. An *operation* was sent by the real client over HTTP, and request and
simulator's answer were held against the contract. A *payload* is one of `../shared/samples`: read (mapped, an order's parts making its total
exactly), refused for a defect of its own by the field that is named, an error body sorted into what the hub must do, or not ours: no capability of
the connector asks for it, and the test says why of each."""


def _operations(cards: Mapping[str, Card], counts: Iterable[Count], kind: str) -> Iterator[tuple[str, ...]]:
    for one in counts:
        if one.counts == kind:
            yield cards[one.connector].manifest.title, one.what, str(one.number)


def _payloads(cards: Mapping[str, Card], counts: Iterable[Count]) -> Iterator[tuple[str, ...]]:
    rows: dict[str, dict[str, int]] = defaultdict(dict)
    for one in counts:
        if one.counts == PAYLOADS:
            rows[one.connector][one.what] = one.number
    for name, row in rows.items():
        told = [str(row.get(verdict, 0)) for verdict in VERDICTS]
        yield cards[name].manifest.title, *told, str(sum(row.values()))


def _refusals(cards: Mapping[str, Card], counts: Iterable[Count]) -> Iterator[tuple[str, ...]]:
    for one in counts:
        if one.counts == REFUSALS:
            topic, file, field, why = one.what.split(BAR, 3)
            yield cards[one.connector].manifest.title, code(topic), file, code(field) if field else "", why


def _underived(cards: Mapping[str, Card], counts: Iterable[Count]) -> Iterator[str]:
    """Every connector of which a figure is missing, with the reason, or that nobody gave one."""
    counted = {(one.connector, one.counts) for one in counts}
    for kind, reasons in ((OPERATIONS, NO_CONTRACT), (PAYLOADS, NO_PAYLOADS)):
        for name, card in cards.items():
            if (name, kind) not in counted:
                yield f"- {card.manifest.title}, {kind}: {reasons.get(name, 'no test counts them')}"
    yield from (f"- {one}" for one in LIMITS)


LIMITS = (
    (
        "What is saved of NetSuite is a digest of Oracle's help pages, with the fields of a sales order only: all else is held against addresses, "
        "parameters and envelopes."
    ),
    (
        "The machine-readable contract of Business Central is of API v1.0; fields are held against our table of the manual's pages of v2.0. Making "
        "and renewing its subscriptions is tried, and not counted."
    ),
    "Webhooks are held against published topics, and against schemas where there are any (Amazon's notifications); they are not counted.",
    "How many of the operations that a vendor publishes the hub uses is not counted: only those that the client sends.",
    "A row says that each operation was asked at least once, not that every variant of its body was.",
    f"Systems in {code('../shared/samples')} without a connector are not counted.",
)


def write(counts: Iterable[Count], target: Path = COUNTS) -> None:
    """Keeps the figures, sorted."""
    with target.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(HEAD)
        rows.writerows(astuple(one) for one in sorted(counts, key=_rank))


def _rank(one: Count) -> tuple[str, str, int, str]:
    return one.connector, one.counts, VERDICTS.index(one.what) if one.what in VERDICTS else 0, one.what


def count() -> list[Count]:
    """Runs the tests that count, one after the other; every figure that they gave. Exits where one fails, or would be skipped."""
    if missing := [one for one in (SHARED / "specs", SHARED / "samples") if not one.is_dir()]:
        raise SystemExit(f"{missing[0]} is not here: without it nothing can be counted, and what was is kept.")
    file = ROOT / "var" / "counted.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    run = [sys.executable, "-m", "pytest", "-n", "0", "-m", "counting", "tests/connectors"]
    ended = subprocess.run(run, cwd=ROOT, env={**os.environ, COUNTED: str(file)}, check=False)
    if ended.returncode:
        raise SystemExit(ended.returncode)
    return told(file)


def told(file: Path) -> list[Count]:
    """What the tests wrote."""
    return [Count(*json.loads(line)) for line in file.read_text().splitlines()]


def main() -> None:
    from local import cards

    write(count())
    cards.main()


if __name__ == "__main__":
    main()
