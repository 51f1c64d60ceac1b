"""A version of a subject, where the source orders its states by time."""

from __future__ import annotations

from datetime import UTC, datetime


def version(at: datetime) -> str:
    """An instant as a version: UTC, microseconds, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
