"""Every mutant still fits the source that it cuts, and a scenario is there to catch it."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.failure.book import CASTS, SCENARIOS
from labs.failure.cuts import Cut, Gone
from labs.failure.mutants import MUTANTS, Mutant
from local.servers import CHECKOUT

SAFEGUARDS = (
    "delivery-key write-key fence lease-check look-up settles-after sweep commit-before-answer "
    "shared-limiter order-per-subject parked-re-read echo-filter"
).split()


def test_every_safeguard_has_its_mutant() -> None:
    assert set(SAFEGUARDS) <= set(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=list(MUTANTS))
def test_a_mutant_fits_and_is_still_python(mutant: Mutant) -> None:
    changed: dict[str, str] = {}
    for cut in mutant.cuts:
        before = changed.get(cut.file) or Path(CHECKOUT / cut.file).read_text()
        changed[cut.file] = cut.applied(before)
        assert changed[cut.file] != before
    for name, source in changed.items():
        if name.endswith(".py"):
            compile(source, name, "exec")
    assert mutant.scenario in SCENARIOS
    assert mutant.caught_as


def test_a_text_that_is_gone_or_there_twice_is_said_loudly() -> None:
    for source in ("nothing", "x x"):
        with pytest.raises(Gone, match="holds"):
            Cut("app/any.py", "x", "y").applied(source)


def test_every_scenario_wants_successes_and_fits() -> None:
    for scenario in SCENARIOS.values():
        for cut in scenario.lab.cuts:
            assert cut.applied((CHECKOUT / cut.file).read_text())
            assert cut.file.endswith("manifest.toml"), "a scenario may have another vendor, not another engine"
        assert scenario.least, f"{scenario.name} would be content with nothing"
        assert scenario.cast in CASTS
        assert scenario.play.__doc__ or scenario.about
