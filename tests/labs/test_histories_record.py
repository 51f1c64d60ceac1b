"""What a run of the histories leaves behind: a record, and a line on the page between its marks."""

from __future__ import annotations

import json
from pathlib import Path

from labs import histories

RESULTS = """<testsuites><testsuite>
<testcase classname="tests.stock.test_histories" name="any" /><testcase classname="tests.stock.test_histories" name="oracle" />
<testcase classname="tests.orders.test_histories" name="any"><failure message="falsified" /></testcase>
<testcase classname="tests.orders.test_interleavings" name="a" /><testcase classname="tests.orders.test_interleavings" name="b" />
</testsuite></testsuites>"""


def test_the_record_counts_each_oracle_and_what_it_found(tmp_path: Path) -> None:
    told = histories.record(RESULTS, "10000")
    page, kept = tmp_path / "page.md", tmp_path / "var" / "record.json"
    page.write_text("before\n<!-- lab-histories -->\nold\n<!-- /lab-histories -->\nafter\n")
    for _ in range(2):
        histories.keep(told, kept, page)
    assert json.loads(kept.read_text())["oracles"]["stock histories"] == {
        "histories": 10000,
        "tests": 2,
        "counterexamples": 0,
    }
    line = page.read_text()
    assert line.startswith("before\n")
    assert line.endswith("\nafter\n")
    assert "old" not in line
    for words in (
        "stock histories: 10,000 histories, 0 counterexamples",
        "orders histories: 10,000 histories, 1 counterexamples",
        "orders interleavings: 2 worlds, 0 counterexamples",
    ):
        assert words in line


def test_the_page_has_the_marks() -> None:
    page = histories.PAGE.read_text()
    assert 0 < page.index("<!-- lab-histories -->") < page.index("<!-- /lab-histories -->")
