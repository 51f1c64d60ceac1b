"""The kill matrix in small: a receiver, a whole worker, Redis and PostgreSQL die at a point each, and the judge finds everything once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.database import engine
from labs.failure import kills, points
from labs.failure.kills import Cell
from labs.failure.scenario import Scenario
from labs.failure.settle import settled
from labs.failure.stage import Stage, staged
from tests.world import fresh_process

# A server that is killed leaves the handle of whoever had started it; another has taken its place by then.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
FIELDS = [
    (Cell("web", ("accept.after",)), "accept.after"),
    (Cell("worker", ("conclude.before",), "group"), "conclude.before"),
    (Cell("worker", ("claim.committed",), "redis"), "claim.committed"),
    (Cell("worker", ("conclude.after",), "postgres"), "conclude.after"),
]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The lab's own stage, at whose end this process knows nothing of it."""
    scenario = Scenario(
        "kills-short",
        "four kills",
        kills.part("kill-servers"),
        {"booked": 4},
        kills.lab(tmp_path / "points"),
        patience=30,
    )
    was = dict(os.environ)
    fresh_process()
    try:
        with staged(scenario, tmp_path / "run") as made:
            yield made
    finally:
        for made_by in (engine(), engine(None)):  # the lab's own, and the migration's
            made_by.dispose()
        os.environ.clear()
        os.environ.update(was)
        fresh_process()


def test_four_kills_lose_and_double_nothing(stage: Stage) -> None:
    kills.play(stage, list(FIELDS), pause=0.3, seconds=120)
    verdict = settled(stage, stage.scenario)
    assert verdict.findings == ()
    assert stage.kills == len(FIELDS)
    assert {(one["role"], one["point"]) for one in points.taken(Path(os.environ[points.FOLDER]))} == {
        (cell.role, point) for cell, point in FIELDS
    }


def test_the_matrix_is_large_enough() -> None:
    """At least two hundred kills, at every point, of every kind of process; every point is one that exists."""
    fields = [(cell, point) for part in kills.PARTS.values() for cell in part for point in cell.points * cell.times]
    assert len(fields) >= 200
    assert {point for _, point in fields} == set(points.BY_NAME)
    assert {cell.role for cell, _ in fields} == {"web", "worker", "child", "beat"}
    assert {cell.target for cell, _ in fields} == {"self", "group", "redis", "postgres"}
