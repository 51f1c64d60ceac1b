"""Tryton has no simulator: the counterpart is the real thing (live.py), so the suite tries it with `--live tryton`."""

from tests.contract.contract import PARTS, Contract

REASON = "no simulator: the real Tryton is tried with --live tryton"
CONTRACT = Contract(steps=("live only",), exempt=dict.fromkeys(PARTS, REASON))
