"""What a test counts of its connector is held against docs/connectors/coverage.csv, or told to `make coverage`."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from pathlib import Path

from connectors.kit.errors import Rejected, Trouble, Unauthorized
from local import coverage
from local.coverage import BAR, COUNTED, LEFT_OUT, REFUSALS, Count


def tell(connector: str, counts: str, figures: Mapping[str, int]) -> None:
    """`figures` of one connector, whole: what -> number. Fails where the CSV says otherwise."""
    found = [Count(connector, counts, what, number) for what, number in figures.items() if number]
    assert found, "nothing was counted"
    if told := os.environ.get(COUNTED):
        with Path(told).open("a") as file:
            file.writelines(json.dumps(astuple(one)) + "\n" for one in found)
        return
    kept = {one for one in coverage.kept() if (one.connector, one.counts) == (connector, counts)}
    assert set(found) == kept, "docs/connectors/coverage.csv says otherwise: run make coverage"


def reasons(counted: Counted, table: Iterable[tuple[str, str, str, str]]) -> None:
    """Tells what was refused and what is not ours: rows of topic, file, verdict, and words ("field: why" of a refusal, else why)."""
    refused: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for topic, file, kind, words in table:
        if kind == "refused":
            field, _, why = words.partition(": ")
            refused[BAR.join((topic, file, field, why))] += 1
        elif kind == "not ours":
            left[words] += 1
    for counts, found in ((REFUSALS, refused), (LEFT_OUT, left)):
        if found:
            counted(counts, found)


def explained(found: Trouble) -> None:
    """A refusal that a person must act on says what happened and what to do. Whose it is stands with an Unauthorized; a Rejected without an owner of
    its own is given to whom config/owners.toml names for its code and role."""
    if isinstance(found, Rejected | Unauthorized):
        assert (bool(found.sentence), bool(found.remedy)) == (True, True), found
    if isinstance(found, Unauthorized):
        assert found.owner, found


Counted = Callable[[str, Mapping[str, int]], None]
# The tests' own words for what became of a payload -> the words of the page; others are the page's.
VERDICTS = {"mapped": "read", "trouble": "sorted"}
