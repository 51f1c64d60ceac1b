"""What stays of an earlier measurement: a row that was not asked for keeps its line, one that was asked for and broke keeps nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import kept, lab, table
from bench.scenarios import rabbit
from bench.table import Row

ROWS = (
    Row("one", "the one", ">= 1", lambda x: x >= 1, "first"),
    Row("other", "the other", "<= 50", lambda x: x <= 50, "second", "other_ratio"),
)


def verdict(name: str, figures: dict[str, object]) -> str:
    return next(said for row, _, said in table.judged(ROWS, figures) if row.name == name)


def test_a_row_that_is_not_measured_again_keeps_its_line() -> None:
    first = table.markdown(ROWS, {"one": 2, "ran": {"first": "2026-11-27 06:00, load 1.0 to 2.0, 0.5 min"}})
    assert "| `one` | the one | 2 | >= 1 | holds | 2026-11-27 06:00, load 1.0 to 2.0, 0.5 min |" in first
    later = table.markdown(ROWS, {"other": 7, "ran": {"second": "later"}}, table.stay(ROWS, ["second"], first))
    assert "| `one` | the one | 2 | >= 1 | holds | 2026-11-27 06:00, load 1.0 to 2.0, 0.5 min |" in later
    assert "| `other` | the other | 7 | <= 50 | holds | later |" in later
    again = table.markdown(ROWS, {}, table.stay(ROWS, ["first"], later))
    assert "| `one` | the one | None | >= 1 | not measured |  |" in again


def test_a_measurement_that_breaks_keeps_no_old_figure(tmp_path: Path) -> None:
    file, figures = tmp_path / "f.json", kept.Figures()
    kept.measure(figures, "first", ROWS, lambda: {"one": 2, "beside": 3}, file)
    assert verdict("one", kept.read(file)) == "holds"
    assert "load" in kept.read(file)["ran"]["first"]

    def breaks() -> kept.Figures:
        assert "one" not in json.loads(file.read_text())  # one that is killed meanwhile keeps nothing either
        return {"first_broke": "it fell"}

    kept.measure(figures, "first", ROWS, breaks, file)
    assert kept.read(file) == {"first_broke": "it fell", "names": {"first": ["first_broke"]}, "ran": {}}
    kept.measure(figures, "first", ROWS, lambda: {"one": 2}, file)
    assert "first_broke" not in kept.read(file)


def test_what_was_skipped_once_and_runs_now_is_skipped_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # figures and page are found from where it runs
    monkeypatch.setattr(lab, "_apart", lab._measured)

    def cannot() -> kept.Figures:
        raise rabbit.Cannot("no such server")

    monkeypatch.setitem(lab.SCENARIOS, "rabbitmq", cannot)
    lab.main(["rabbitmq"])
    assert kept.read(lab.FIGURES)["rabbitmq_skipped"] == "no such server"
    monkeypatch.setitem(lab.SCENARIOS, "rabbitmq", lambda: {"rabbitmq_story": 0})
    lab.main(["rabbitmq"])
    told = kept.read(lab.FIGURES)
    assert told["rabbitmq_story"] == 0
    assert "rabbitmq_skipped" not in told


def test_each_row_says_which_measurement_takes_it() -> None:
    assert {row.by for row in table.BENCH} == {*bench.ROWS, *bench.ALONE, "floors"}
    assert {row.by for row in lab.ROWS} == set(lab.SCENARIOS)


def test_a_calm_that_was_none_proves_nothing() -> None:
    assert verdict("other", {"other": -200, "other_ratio": 0.14}) == "calm disturbed"
    assert verdict("other", {"other": 60, "other_ratio": 1.2}) == "holds"
    assert verdict("other", {"other": 60, "other_ratio": 1.3}) == "MISSES"


def test_the_slowest_floor_is_a_row_once_all_three_are_known() -> None:
    shares = {"receiver_of_bare": 0.2416, "steps_of_bare": 0.0433, "chain_of_bare": 0.0181}
    assert bench.floors_hold(shares) == {
        "floors_of_ground": {"receiver": 1.0, "steps": 0.9, "chain": 1.0},
        "floors_least": 0.9,
    }
    assert bench.floors_hold({"steps_of_bare": 0.02})["floors_least"] is None
    figures = {**bench.floors_hold({**shares, "steps_of_bare": 0.0337}), "sink_cpu_ms": {"ours": 2.1}}
    assert {row.name: said for row, _, said in table.judged(table.BENCH, figures)}["floors_least"] == "MISSES"
    assert bench.beside(figures) == (
        "`floors_of_ground`: receiver 1.0, steps 0.7, chain 1.0. `sink_cpu_ms`, an order: ours 2.1."
    )
