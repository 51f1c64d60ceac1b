"""Authority over prices: one account may say what a list's articles cost (config/authority.toml); two feeds never change one price in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from config.reader import config

LISTS = text("SELECT DISTINCT price_list FROM price_lines WHERE run_id = :run AND state <> 'refused'")


def declared(price_list: str) -> str:
    """The account, or the role, that owns a list's prices; empty where nobody is declared: then whoever told a price first goes on telling it."""
    told = config().authority.get("price", {})
    return str(told.get("lists", {}).get(price_list) or told.get("owner") or "")


def owns(account: str, price_list: str) -> bool:
    """Whether the account, or a role that it plays, is the list's declared owner."""
    owner = declared(price_list)
    return bool(owner) and (account == owner or owner in _roles(account))


def other(account: str, price_list: str, source: str = "") -> str:
    """Who owns the price, where that is not this account: the list's declared owner, else the feed (`source`) that told the price in force.
    A feed that is not configured any more owns nothing."""
    owner = declared(price_list)
    if owner:
        return "" if owns(account, price_list) else owner
    return source if source not in ("", account) and source in config().accounts else ""


def owned(tx: Connection, run: int, account: str) -> Sequence[str]:
    """Those of a run's lists that its account is the declared owner of: what another told of them is its to change."""
    return [name for name in tx.execute(LISTS, {"run": run}).scalars() if owns(account, name)]


def _roles(account: str) -> set[str]:
    return {role for route in config().routes for role, who in route.roles.items() if account in _listed(who)}


def _listed(value: Any) -> Iterator[str]:
    yield from value if isinstance(value, list | tuple) else [value]
