"""A vendor without key and unique field holds a thing twice: a look-up that meets both goes on with the first, and somebody is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.kit.writes import Doubled, one_of
from tests.world import world


def test_one_of_what_was_found() -> None:
    found = one_of(["boo-1", "boo-2", "boo-3"])
    assert one_of([]) is None
    assert one_of(["boo-1"]) == "boo-1"
    assert isinstance(found, Doubled)
    assert found == "boo-1"
    assert found.others == ("boo-2", "boo-3")


def test_a_double_that_a_look_up_finds_opens_a_case(tmp_path: Path, database_url: str, redis_url: str) -> None:
    """The booking's answer is lost, and before anybody looks there are two of it."""
    with world(tmp_path / "config", database_url, redis_url, {"erp": "searched"}) as acme:
        for sku in ("WB-TEE", "WB-MUG"):
            acme.code("erp", "sku", sku, sku)
        acme.bad_day("erp", "commit_then_drop", operations=("bookings.create",), times=1)
        acme.order()
        acme.pump(until=lambda: acme.outcomes("book_order") == ["unknown"])
        books = acme.simulators["erp"].memory
        first = next(iter(books.table("bookings").values()))
        books.put("bookings", "boo-other", {**first, "id": "boo-other"})
        acme.pump()
        assert acme.states()["order_placed.book_order"] == "done"
        assert acme.one("SELECT result FROM steps WHERE name = 'book_order'") == first["id"]
        case = acme.rows("SELECT kind, code, sentence, remedy, status FROM cases")[0]
        assert (case.kind, case.code, case.status) == ("drift", "doubled", "open")
        assert first["id"] in case.sentence
        assert "boo-other" in case.remedy
        if acme.calls("erp", "bookings.create") != 1:
            pytest.fail("it was made again although it was found")
