"""Shopify names things by global ids in GraphQL and by numbers elsewhere; the hub keeps the numbers."""

from __future__ import annotations


def gid(kind: str, number: str) -> str:
    """gid://shopify/<kind>/<number>; a global id stays as it is."""
    return number if number.startswith("gid://") else f"gid://shopify/{kind}/{number}"


def short(name: str) -> str:
    return str(name).rpartition("/")[2].partition("?")[0]
