"""Offering: a step is laid out where its account plays what it needs; elsewhere it is skipped, and says so."""

from __future__ import annotations

from app.accounts import entries


def lacking(account: str | None, role: str, plays: type) -> str:
    """Why nobody does it; empty where the account's manifest offers the capability."""
    if not account:
        return f"no account plays the role {role} for this order"
    manifest = entries.manifest(account)
    if plays.__name__ in manifest.offers:
        return ""
    instead = alternative(account, plays)
    return f"not offered: {account} plays no {plays.__name__}" + (f": {instead}" if instead else "")


def alternative(account: str, plays: type) -> str:
    """Why its vendor's published API cannot do it, and the way instead, as the manifest says ([capabilities.absent]); empty where it says nothing."""
    absent = entries.manifest(account).absent
    return next((absent[method] for method in vars(plays) if method in absent), "")
