"""An order is asked for once, whatever happens to the answer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.kit.errors import Ambiguous, Missing, NotOffered, Rejected, Throttled, Unauthorized
from tests.connectors.shipbob.conftest import MakeHouse, SameCodes, line, order, run


def test_asked_once(house: MakeHouse) -> None:
    warehouse = house()
    made = run(warehouse.shipbob.request(order(), key="k1", reference="WB-1"))
    assert warehouse.effects()["WB-1"] == {
        "count": 1, "ids": [int(made)], "status": "Processing", "cancelled": False, "lines": {"MUG-1": 2, "MUG-2": 1}, "shipments": [],
    }  # fmt: skip
