"""Drift."""

from __future__ import annotations


def run() -> str:
    return ""
