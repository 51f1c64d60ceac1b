"""The inherited suite against the running Tryton, as `pytest tests/contract --live tryton` runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from local.servers import CHECKOUT, Servers

SUITE = ("-p", "tests.contract.plugin", "tests/contract", "--ignore", "tests/contract/test_new_connector.py")
# Tryton books a document or two in a second: here the bad days of a booking that its own records decide are tried, and with a booking alone that
# hosts are ours, versions are named and secrets are masked, which one client sees to for all; everything in `make lab-live`.
OF_A_BOOKING = "test_bad_days or test_version or test_masking or test_own_host"
SHORT = () if os.environ.get("WAYBILL_LIVE") == "whole" else ("-k", f"not ({OF_A_BOOKING}) or book")
LEAST = 30  # tests of the suite that a system with books, but without webhooks, cannot skip


@pytest.mark.timeout(2400)
def test_the_suite_is_green_with_the_real_one(real_servers: Servers, tmp_path: os.PathLike[str]) -> None:
    own = {"REDIS_URL": real_servers.redis_url, "DATABASE_URL": real_servers.database_url}
    cache = f"cache_dir={os.fspath(tmp_path)}/cache"  # not the failures of the run around this one
    outcome = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *SUITE,
            *SHORT,
            "--live",
            "tryton",
            "-o",
            cache,
            "-p",
            "no:xdist",
            "-rN",
            "--no-header",
        ],
        cwd=CHECKOUT,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}, **own},
        check=False,
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout[-6000:] + outcome.stderr[-2000:]
    marks = "".join(line.partition(" ")[0] for line in outcome.stdout.splitlines() if line.endswith("%]"))
    assert marks.count(".") >= LEAST, outcome.stdout[-2000:]
