"""Parts: bundles, kits and packs are sold as one SKU and taken from the shelves as what they are made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection, text

from connectors.canonical.product import Product

Parts = Sequence[tuple[str, Decimal]]
OF = text("SELECT bundle, sku, quantity FROM parts WHERE bundle = ANY(:skus) ORDER BY bundle, sku")
ABOVE = text("SELECT DISTINCT bundle FROM parts WHERE sku = ANY(:skus)")
FORGET = text("DELETE FROM parts WHERE bundle = :bundle")
KEEP = text(
    "INSERT INTO parts (bundle, sku, quantity, account) VALUES (:bundle, :sku, :quantity, :account) ON CONFLICT DO NOTHING"
)


def of(tx: Connection, skus: Collection[str]) -> Mapping[str, Parts]:
    """The parts of those that are bundles; quantities for one bundle. A SKU that is not there is taken as itself."""
    found: dict[str, list[tuple[str, Decimal]]] = {}
    for row in tx.execute(OF, {"skus": list(skus)}):
        found.setdefault(row.bundle, []).append((row.sku, row.quantity))
    return found


def above(tx: Connection, skus: Collection[str]) -> set[str]:
    """The bundles that hold any of these."""
    return set(tx.execute(ABOVE, {"skus": list(skus)}).scalars()) if skus else set()


def learn(tx: Connection, account: str, product: Product) -> bool:
    """The catalogue's owner says what a bundle is made of; True when that is news. A pack of six is a bundle of six of one SKU."""
    wanted = {part.sku: part.quantity for part in product.components if part.sku and part.quantity > 0}
    if not product.sku or wanted == dict(of(tx, [product.sku]).get(product.sku, ())):
        return False
    tx.execute(FORGET, {"bundle": product.sku})
    for sku in sorted(wanted):
        tx.execute(KEEP, {"bundle": product.sku, "sku": sku, "quantity": wanted[sku], "account": account})
    return True
