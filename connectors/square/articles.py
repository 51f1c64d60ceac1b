"""Square knows articles by ids of its own; a SKU is a word on them that nothing keeps unique."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.kit.errors import Rejected
from connectors.square.client import Client, Row

Articles = Mapping[str, Sequence[Row]]  # by their SKU


def by_sku(client: Client, skus: Sequence[str]) -> dict[str, list[Row]]:
    """Articles that are not deleted by their SKU, compared exactly (Square searches without case)."""
    wanted = sorted(set(skus))
    found: dict[str, list[Row]] = {}
    for row in client.variations(wanted) if wanted else ():
        sku = (row.get("item_variation_data") or {}).get("sku")
        if sku in wanted and not row.get("is_deleted"):
            found.setdefault(sku, []).append(row)
    return found


def the_one(articles: Articles, sku: str) -> Row | Rejected:
    """The article with this SKU, or why there is not one."""
    found = articles.get(sku) or ()
    if len(found) == 1:
        return found[0]
    code, words = (
        ("ambiguous_sku", f"{len(found)} articles in Square have the SKU {sku}.")
        if found
        else ("unknown_sku", f"Square has no article with the SKU {sku}.")
    )
    return Rejected(
        words,
        code=code,
        field="sku",
        remedy="Mend the article's SKU in Square, or its cross reference here.",
        owner="catalogue",
    )
