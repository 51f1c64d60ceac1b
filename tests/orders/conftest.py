"""The world of the stories about an order's life."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World, world


def places(made: World) -> None:
    """What the books call the places where returns are counted, and of whom we buy."""
    for place in ("main", "store", "dc"):
        made.code("erp", "location", place, place.upper())
    made.code("erp", "supplier", "maker", "V-MAKER")


@pytest.fixture
def acme(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    """Acme in every role, SKUs mapped at the ERP."""
    with world(tmp_path / "config", database_url, redis_url) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        places(made)
        yield made


@pytest.fixture
def many(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    """Beside Acme in every role a maker who sends by himself, and the rules of tests/orders/places.py in force."""
    from tests.orders.places import in_force, text

    with world(tmp_path / "config", database_url, redis_url, more=("maker",)) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        places(made)
        in_force(text())
        yield made
