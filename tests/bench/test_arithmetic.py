"""The load lab's arithmetic: what it says of figures that anyone can check by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench import load, measure, pacing, page, table
from bench.measure import Pair


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 101)]
    assert measure.percentile(values, 0.5) == 50
    assert measure.percentile(values, 0.99) == 99
    assert measure.percentile(list(reversed(values)), 1) == 100
    assert measure.percentile([7.0], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        measure.percentile([], 0.5)


def test_a_rate_counts_the_gaps() -> None:
    assert measure.rate([0.0, 0.5, 1.0]) == 2
    assert measure.rate([3.0]) == 0


def test_pairs_drift_together() -> None:
    """A machine that halves its speed between pairs changes no ratio; one disturbed pair changes no median."""
    assert measure.ratio([Pair(80, 100), Pair(40, 50), Pair(10, 100)]) == 0.8


def test_what_a_vendor_counts() -> None:
    assert measure.over_bucket([(0.0, 1)] * 5, rate=1, burst=5) == 0
    assert measure.over_bucket([(0.0, 1)] * 6, rate=1, burst=5) == 1
    assert measure.over_bucket([(0.0, 1)] * 5 + [(1.0, 1), (2.0, 1)], rate=1, burst=5) == 0
    assert measure.over_bucket([(0.0, 4), (1.0, 2), (2.0, 1)], rate=1, burst=5) == 0
    assert measure.over_bucket([(0.0, 4), (1.0, 3)], rate=1, burst=5) == 1
    assert measure.over_window([0.0, 0.1, 0.2, 59.9], burst=3, seconds=60) == 1
    assert measure.over_window([0.0, 0.1, 0.2, 60.0], burst=3, seconds=60) == 0


def test_dearer_calls_spend_what_they_cost() -> None:
    """Seven points for one call of two: what was used is points, and the burst ends where the next call would not have fitted."""
    at_once = [(100.0, 1.0), (100.1, 7.0)] * 6 + [(100.5, 1.0)]
    told = pacing._told(pacing.VENDORS["points"], [*at_once, (160.0, 7.0)], 10)
    assert (told["calls"], told["dearer"], told["used"], told["over"]) == (13, 6, 0.49, 0)
    assert told["burst_seconds"] == 0.5
    assert pacing.VENDORS["points"].price("/points/v1/requests") == 7
    assert pacing.VENDORS["points"].price("/points/token") == pacing.VENDORS["bucket"].price("/x/requests") == 1


def test_a_process_and_its_memory() -> None:
    assert os.getpid() in measure.family(os.getpid())
    assert measure.resident(os.getpid()) > 5_000_000
    assert measure.processor_seconds(os.getpid()) > 0
    assert measure.processor_seconds(2**22 + 1) == 0  # gone


def test_a_row_that_was_not_measured_does_not_hold() -> None:
    figures = {"intake": 0.79, "intake_p99": 1.5}
    verdicts = {row.name: verdict for row, _, verdict in table.judged(table.BENCH, figures)}
    assert verdicts["intake"] == "MISSES"
    assert verdicts["intake_p99"] == "holds"
    assert verdicts["orders_floor"] == "not measured"
    assert "| `intake` |" in table.markdown(table.BENCH, figures)


def test_only_the_table_on_the_page_is_written(tmp_path: Path) -> None:
    kept = tmp_path / "page.md"
    kept.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    page.put("bench", "new \\1", kept)
    assert kept.read_text() == "before\n<!-- bench -->\nnew \\1\n<!-- /bench -->\nafter\n"


def test_deliveries_are_what_both_receivers_want() -> None:
    from datetime import UTC, datetime

    from connectors.acme import webhook
    from connectors.kit.receiver import Incoming, Secret

    head, body = load.delivery("17").split(b"\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    incoming = Incoming("POST", "http://127.0.0.1/hooks/shop", {}, headers, body)
    assert webhook.prove(incoming, [Secret("S", load.SECRET, None)], datetime.now(UTC)) == "S"
    assert int(headers["content-length"]) == len(body)


def test_what_was_acknowledged_is_noted_by_the_id_that_the_hub_keeps() -> None:
    told = load.Told()
    load._note(told, load.delivery("17"), 0.0, 200, b"")
    load._note(told, load.delivery("18"), 0.0, 503, b"retry-after: 1")
    assert told.acknowledged == ["msg-17"]
    assert told.statuses == {200: 1, 503: 1}


def test_the_calm_is_the_less_disturbed_of_two() -> None:
    from bench.scenarios import rush

    assert rush._calmer([0.2] * 10, [0.1] * 10, 0.99) == [0.1] * 10
    assert rush._calmer([0.1] * 9 + [9.0], [0.2] * 10, 0.99) == [0.2] * 10
