"""Authority over stock: which account may say how many of a SKU there are, and which may move them (config/authority.toml)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.reader import Route, config

QUANTITIES = ("available", "on_hand")
FACTS = ("allocated", "in_transit", "safety", "damaged")


def declared(fact: str, location: str) -> tuple[str, ...]:
    """Who owns a fact at a place: the place's own owner, else the fact's, else that of all stock."""
    stock = config().authority.get("stock", {})
    found = stock.get("locations", {}).get(location) or stock.get("facts", {}).get(fact) or stock.get("owner", "")
    return tuple(_listed(found))


def owns(account: str, fact: str, location: str) -> bool:
    """Whether the account, or a role that it plays, is the declared owner of the fact there."""
    owners = declared(fact, location)
    return account in owners or bool(roles(account) & set(owners))


def owns_product(account: str) -> bool:
    """Whether the account may say what a product is made of."""
    owners = set(_listed(config().authority.get("product", {}).get("owner", "")))
    return account in owners or bool(roles(account) & owners)


def roles(account: str) -> set[str]:
    """The roles that an account plays; who brings stock on a route for stock plays the role that owns all stock."""
    played = {role for route in config().routes if route.kind != "stock" for role in _roles(route, account)}
    general = set(_listed(config().authority.get("stock", {}).get("owner", "")))
    return (played - general) | (general if account in sources() else set())


def sources() -> list[str]:
    """Accounts that bring stock (routes of kind `stock`)."""
    return sorted({name for r in config().routes if r.kind == "stock" for name in _listed(r.when.get("account"))})


def _roles(route: Route, account: str) -> Iterator[str]:
    return (role for role, who in route.roles.items() if account in _listed(who))


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list | tuple) else [value] if value else []
