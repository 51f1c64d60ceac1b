"""Offering: a step is laid out where its account plays what it needs; elsewhere it is skipped, and says so."""

from __future__ import annotations

from app.accounts import entries


def lacking(account: str | None, role: str, plays: type) -> str:
    """Why nobody does it; empty where the account's manifest offers the capability."""
    if not account:
        return f"no account plays the role {role} for this order"
    offers = entries.manifest(account).offers
    return "" if plays.__name__ in offers else f"not offered: {account} plays no {plays.__name__}"
