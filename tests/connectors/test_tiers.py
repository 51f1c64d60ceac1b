"""Each system that is sold is silver at least; a connector that somebody adds begins as bronze."""

from __future__ import annotations

import pytest

from connectors import registry
from local import coverage

SOLD = sorted(registry.manifests())
BRONZE = {"sftp"}  # a folder of files: it maps what others lay down


@pytest.mark.parametrize("name", SOLD)
def test_a_system_that_is_sold_is_silver_at_least(name: str) -> None:
    """Bronze is what maps and books; silver is held against a contract: counted (coverage.csv), or what no test can count is named."""
    if registry.manifests()[name].tier == "bronze":
        assert name in BRONZE
        return
    counts = {one.connector for one in coverage.kept() if one.counts == coverage.OPERATIONS}
    assert name in counts | set(coverage.NO_CONTRACT)
