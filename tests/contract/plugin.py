"""`--live NAME` tries a connector against a running system instead of its simulator (LIVE=NAME does the same)."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "try this connector against a running system (tests/connectors/NAME/live.py)"
    parser.addoption("--live", metavar="NAME", default=None, help=words)
