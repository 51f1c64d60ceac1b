"""The lab's page keeps what no new result speaks of: other rows, their lines about windows, and every word of people."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labs.failure import __main__ as lab
from labs.failure import one, page
from labs.failure.book import SCENARIOS
from labs.failure.mutants import MUTANTS

EVERYTHING = [*SCENARIOS, *(f"mutants/{name}" for name in MUTANTS)]
AT = "2031-01-02T03:04:05Z"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lab, "FIGURES", tmp_path / "figures.json")
    made = tmp_path / "page.md"
    made.write_text(lab.PAGE.read_text())
    return made


def publish(copy: Path, monkeypatch: pytest.MonkeyPatch, *results: dict[str, Any]) -> page.Page:
    monkeypatch.setattr(lab, "_results", lambda _: results)
    lab.publish(EVERYTHING, copy)
    return page.read(copy)


def result(name: str, **more: Any) -> dict[str, Any]:
    counted = {"orders": 7, "events": 9, "kills": 0, "lost": 0, "doubled": 0, "windows_found": 1}
    return {
        "name": name,
        "passed": True,
        **counted,
        "seconds": 5.0,
        "at": AT,
        "commit": "abc1234",
        "machine": "M",
        **more,
    }


def test_what_is_published_twice_is_the_same(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(copy, monkeypatch)
    assert copy.read_text() == lab.PAGE.read_text()


def test_one_new_result_changes_its_own_row_and_nothing_else(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = page.read(copy)
    after = publish(copy, monkeypatch, result("index-too-late", windows=["window: one of two"]))
    assert after.windows["index-too-late"] == ["window: one of two"]
    assert (after.scenarios["index-too-late"]["commit"], after.scenarios["index-too-late"]["windows"]) == (
        "abc1234",
        "1",
    )
    for told in (before, after):
        told.scenarios.pop("index-too-late")
        told.windows.pop("index-too-late")
    assert after == before
    assert _prose(copy) == _prose(lab.PAGE)


def test_an_older_result_does_not_take_a_newer_row(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = page.read(copy)
    assert publish(copy, monkeypatch, result("short", at="2020-01-01T00:00:00Z")) == before


def test_the_sums_in_the_headline_are_those_of_the_rows(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = publish(copy, monkeypatch, result("calm")).scenarios.values()
    told = copy.read_text().partition("<!-- lab figures -->")[2]
    for words, name in (
        ("orders", "orders"),
        ("acknowledged events", "events"),
        ("kills", "kills"),
        ("within", "windows"),
    ):
        assert f"{sum(int(row[name] or 0) for row in rows)} {words}" in told


def test_what_could_not_be_played_says_so_with_its_reason(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = publish(
        copy,
        monkeypatch,
        {"name": "disk-full", "passed": False, "skipped": "no | root", "seconds": 1.0, "at": AT, "machine": "M"},
    ).scenarios["disk-full"]
    assert (row["ended"], row["also"]) == ("SKIPPED", "skipped no / root")
    assert "neither whole nor failed: disk-full" in copy.read_text()


def _prose(file: Path) -> str:
    return re.sub(r"<!-- (lab \w+) -->.*?<!-- /\1 -->", "", file.read_text(), flags=re.DOTALL)


def test_a_scenario_that_its_time_limit_ended_takes_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one, "HOME", tmp_path)
    monkeypatch.setitem(lab.SCENARIOS, "short", replace(lab.SCENARIOS["short"], longest=0.01))
    (tmp_path / "short.json").write_text('{"passed": true}')
    assert not lab._one("short")
    assert not lab.passed("short")
    told = page.Page()
    told.take(lab._result("short"))
    assert told.scenarios["short"]["ended"] == "NOT WHOLE"
