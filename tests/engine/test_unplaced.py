"""What was claimed before anyone had placed the article: it leaves from where it is, and is never counted off twice."""

from __future__ import annotations

from decimal import Decimal

from tests.engine.test_flows import shipped
from tests.world import World


def counted(world: World, sku: str, available: str, at: str) -> None:
    level = {"id": f"lev-{sku}", "sku": sku, "location": "main", "available": available, "on_hand": available}
    world.deliver("stock.changed", {**level, "updated_at": at}, account="warehouse", at=at)
    world.pump()


def test_pieces_that_left_before_their_place_was_known(acme: World) -> None:
    """An order comes first, its parcel leaves, and only then does the warehouse say what it has."""
    from app.database import transaction
    from app.stock import drift

    order = acme.order()
    acme.pump()
    shipped(acme, order)
    acme.pump()
    for sku in {line["sku"] for line in order["lines"]}:
        counted(acme, sku, "40", "2030-01-01T00:00:00.000000Z")
        assert acme.one("SELECT sum(free) FROM shelves WHERE sku = :sku", sku=sku) == Decimal(40)
    with transaction() as tx:
        assert drift.check_short(tx) == 0
