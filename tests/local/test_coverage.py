"""docs/connectors/coverage.md leaves no connector out, and a test that counts otherwise than it says fails."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from connectors import registry
from local import coverage
from local.coverage import BAR, LEFT_OUT, NO_CONTRACT, NO_PAYLOADS, OPERATIONS, PAYLOADS, REFUSALS, VERDICTS, Count
from tests.connectors.counting import tell

KEPT = coverage.kept()
CARDS = registry.cards()


def test_every_connector_is_counted_or_said_not_to_be() -> None:
    for kind, reasons in ((OPERATIONS, NO_CONTRACT), (PAYLOADS, NO_PAYLOADS)):
        counted = {one.connector for one in KEPT if one.counts == kind}
        assert counted | set(reasons) == set(CARDS), kind
        assert not counted & set(reasons), "a reason why nothing is counted, of what is counted"


def test_figures_are_of_connectors_and_more_than_nothing() -> None:
    assert {one.connector for one in KEPT} <= set(CARDS)
    assert all(one.number > 0 for one in KEPT)
    assert {one.what for one in KEPT if one.counts == PAYLOADS} <= set(VERDICTS)
    assert len({(one.connector, one.counts, one.what) for one in KEPT}) == len(KEPT)


def test_the_page_adds_up() -> None:
    text, sums = coverage.page(CARDS), defaultdict(int)
    for one in KEPT:
        sums[one.connector] += one.number if one.counts == PAYLOADS else 0
    for name, number in sums.items():
        rows = [line for line in text.splitlines() if line.startswith(f"| {CARDS[name].manifest.title} |")]
        assert not number or any(line.endswith(f"| {number} |") for line in rows), name


def test_what_is_refused_or_left_out_is_told_one_by_one() -> None:
    """With field and reason, and as many as the sums say."""
    text = coverage.page(CARDS)
    for verdict, kind in (("refused", REFUSALS), ("not ours", LEFT_OUT)):
        sums, told = defaultdict(int), defaultdict(int)
        for one in KEPT:
            sums[one.connector] += one.number if (one.counts, one.what) == (PAYLOADS, verdict) else 0
            told[one.connector] += one.number if one.counts == kind else 0
        assert {name: number for name, number in sums.items() if number} == {k: n for k, n in told.items() if n}
    for one in KEPT:
        if one.counts in (REFUSALS, LEFT_OUT):
            assert one.what.split(BAR)[-1] in text


def test_what_nobody_counts_is_said_to_be_so() -> None:
    text = coverage.page(CARDS, ())
    assert text.count("no test counts them") == 2 * len(CARDS) - len(NO_CONTRACT) - len(NO_PAYLOADS)
    assert "## Stored payloads" not in text


def test_other_figures_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the connectors' tests do with what they counted: the same is right, anything else is not."""
    monkeypatch.delenv(coverage.COUNTED, raising=False)
    own = {one.what: one.number for one in KEPT if (one.connector, one.counts) == ("square", PAYLOADS)}
    tell("square", PAYLOADS, own)
    first = next(iter(own))
    for wrong in ({**own, first: own[first] + 1}, {**own, "more": 1}, {first: own[first]}, {}):
        with pytest.raises(AssertionError):
            tell("square", PAYLOADS, wrong)


def test_figures_are_kept_as_they_were_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "counted.jsonl"
    monkeypatch.setenv(coverage.COUNTED, str(told))
    tell("square", PAYLOADS, {"read": 3, "refused": 0})
    tell("square", OPERATIONS, {"api, v2": 7})
    monkeypatch.delenv(coverage.COUNTED)
    found = coverage.told(told)
    assert found == [Count("square", PAYLOADS, "read", 3), Count("square", OPERATIONS, "api, v2", 7)]
    coverage.write(found, tmp_path / "kept.csv")
    assert set(coverage.kept(tmp_path / "kept.csv")) == set(found)
