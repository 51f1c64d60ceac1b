"""The reservation ledger: all or nothing, once under its key, closed once, and never more than there is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.stock.conftest import Stock, at


def ours() -> Any:
    from app.stock import ledger

    return ledger


def test_asking_again_claims_once(stock: Stock) -> None:
    stock.tell("TEE", 5)
    first, again = stock.reserve("k1", "TEE", 3), stock.reserve("k1", "TEE", 3)
    assert [piece.key for piece in first.pieces] == [piece.key for piece in again.pieces]
    assert again.repeated
    assert stock.free("TEE") == 2
    with pytest.raises(ours().KeyReused):
        stock.reserve("k1", "TEE", 4)
    stock.balanced()


def test_all_lines_or_none(stock: Stock) -> None:
    from app.stock.claims import Wanted

    stock.tell("TEE", 5)
    stock.tell("MUG", 1)
    lines = [Wanted("TEE", Decimal(2), "1"), Wanted("MUG", Decimal(2), "2")]
    refused = stock.do(ours().reserve, "k1", lines)
    assert [(lack.sku, lack.wanted, lack.available) for lack in refused.lacking] == [("MUG", 2, 1)]
    assert stock.one("SELECT count(*) FROM reservations") == 0
    assert stock.free("TEE") == 5


def test_a_claim_is_taken_from_several_places_when_none_has_it_all(stock: Stock) -> None:
    stock.tell("TEE", 2, "a")
    stock.tell("TEE", 3, "b")
    pieces = stock.reserve("k1", "TEE", 4).pieces
    assert {(piece.location, piece.quantity) for piece in pieces} == {("b", 3), ("a", 1)}
    stock.balanced()


def test_a_claim_closes_once(stock: Stock) -> None:
    """Pain 16: cancelled after it shipped, shipped after it was cancelled, twice each: compensated once."""
    stock.tell("TEE", 5)
    stock.reserve("k1", "TEE", 2)
    assert len(stock.do(ours().commit, "k1", "parcel-1")) == 1
    assert not stock.do(ours().commit, "k1", "parcel-1")
    assert not stock.do(ours().release, "k1")
    assert stock.free("TEE") == 3
    stock.reserve("k2", "TEE", 2)
    assert len(stock.do(ours().release, "k2")) == 1
    assert not stock.do(ours().release, "k2")
    assert not stock.do(ours().commit, "k2", "parcel-2")
    assert stock.free("TEE") == 3
    stock.balanced()


def test_a_claim_that_is_not_extended_expires(stock: Stock) -> None:
    from app.stock import claims
    from tasks.feeds import expire

    stock.tell("TEE", 5)
    stock.reserve("k1", "TEE", 2, seconds=0.0)
    stock.reserve("k2", "TEE", 1, seconds=0.0)
    stock.reserve("k3", "TEE", 1, seconds=600)
    assert stock.do(ours().extend, "k3", 900) is not None
    assert stock.do(ours().extend, "k1", 900) is None, "its time had run out"
    assert expire.run() == "2 claims ran out"
    assert stock.free("TEE") == 4
    assert {piece.state for piece in stock.do(claims.of, "k1")} == {"expired"}
    stock.balanced()


def test_what_was_extended_meanwhile_is_not_let_go(stock: Stock) -> None:
    """Whoever found it run out comes to it after its holder."""
    from app.stock import claims

    stock.tell("TEE", 5)
    stock.reserve("k1", "TEE", 2, seconds=600)
    assert not stock.do(ours().expire, "k1")
    assert {piece.state for piece in stock.do(claims.of, "k1")} == {"open"}
    assert stock.free("TEE") == 3


def test_the_database_itself_refuses_to_oversell(stock: Stock) -> None:
    from app.database import transaction

    stock.tell("TEE", 5)
    with pytest.raises(IntegrityError, match="never_oversold"), transaction() as tx:
        tx.execute(text("UPDATE shelves SET reserved = reserved + 6 WHERE sku = 'TEE'"))


def test_what_a_channel_sold_already_is_claimed_though_it_is_not_there(stock: Stock) -> None:
    stock.tell("TEE", 1)
    stock.reserve("order", "TEE", 3, force=True)
    assert stock.free("TEE") == -2
    assert stock.one("SELECT short FROM shelves WHERE sku = 'TEE' AND location = 'main'") == 2
    assert stock.reserve("k1", "TEE", 1).lacking
    stock.tell("TEE", 10, when=60)
    assert stock.free("TEE") == 7
    assert stock.one("SELECT sum(short) FROM shelves") == 0


def test_what_is_owed_at_no_place_is_not_promised_elsewhere(stock: Stock) -> None:
    stock.tell("TEE", 2, "a")
    stock.tell("TEE", 2, "b")
    stock.reserve("order", "TEE", 3, force=True)
    assert stock.one("SELECT reserved FROM shelves WHERE location = ''") == 3
    assert stock.reserve("k1", "TEE", 2, location="a").lacking[0].available == 1
    assert stock.reserve("k2", "TEE", 1, location="a").pieces
    assert stock.reserve("k3", "TEE", 1).lacking


def test_a_sourcing_decision_moves_a_claim(stock: Stock) -> None:
    from app.stock import claims

    stock.tell("TEE", 2, "a")
    stock.tell("TEE", 2, "b")
    stock.reserve("order", "TEE", 2, force=True)
    (piece,) = stock.do(claims.of, "order")
    assert stock.do(ours().place, "order", piece.key, "b")
    assert stock.one("SELECT free FROM shelves WHERE location = 'b'") == 0
    assert stock.one("SELECT short FROM shelves WHERE location = ''") == 0
    stock.reserve("more", "TEE", 1, force=True)
    (other,) = stock.do(claims.of, "more")
    with pytest.raises(IntegrityError, match="never_oversold"):
        stock.do(ours().place, "more", other.key, "b")
    stock.balanced()


def test_bundles_are_taken_apart_and_packs_are_bundles(stock: Stock) -> None:
    """Pain 16: a bundle's children are claimed once, and once let go."""
    from app.stock import availability, parts, rules
    from connectors.canonical.product import Component, Product

    gift = Product("1", "GIFT", "Gift box", components=(Component("TEE", Decimal(1)), Component("MUG", Decimal(2))))
    six = Product("2", "MUG-6", "Six mugs", components=(Component("MUG", Decimal(6)),))
    assert stock.do(parts.learn, "shop", gift)
    assert not stock.do(parts.learn, "shop", gift)
    stock.do(parts.learn, "shop", six)
    stock.tell("TEE", 5)
    stock.tell("MUG", 13)
    seen = stock.do(availability.read, ["GIFT", "MUG-6", "TEE"], rules.of("shop"))
    assert {sku: one.free for sku, one in seen.items()} == {"GIFT": 5, "MUG-6": 2, "TEE": 5}
    pieces = stock.reserve("k1", "GIFT", 3).pieces
    assert {(piece.sku, piece.quantity, piece.bundle) for piece in pieces} == {("TEE", 3, "GIFT"), ("MUG", 6, "GIFT")}
    assert stock.do(availability.read, ["MUG-6"], rules.of("shop"))["MUG-6"].free == 1
    assert {row.sku for row in stock.rows("SELECT sku FROM dirty")} == {"TEE", "MUG", "GIFT", "MUG-6"}
    stock.do(ours().release, "k1")
    stock.do(ours().release, "k1")
    assert (stock.free("TEE"), stock.free("MUG")) == (5, 13)


def test_partial_refund_after_partial_shipment_magento_2087(stock: Stock) -> None:
    """Pain 17, magento/inventory#2087: 100 there, 5 ordered, 3 invoiced, 2 shipped, 3 credited with return to the stock."""
    stock.tell("RED", 100)
    stock.reserve("order", "RED", 5, force=True)
    (piece,) = stock.reserve("order", "RED", 5, force=True).pieces
    stock.do(ours().commit, "order", "parcel-1", {piece.key: Decimal(2)})
    for _ in range(2):  # told twice
        stock.do(ours().credit, "order", "credit-1", "1", Decimal(3), restock=True)
    shelf = stock.rows("SELECT told, reserved, free FROM shelves WHERE sku = 'RED' AND location = 'main'")[0]
    assert (shelf.told, shelf.reserved, shelf.free) == (100, 2, 98)
    stock.balanced()


def test_partial_refund_without_return_to_the_stock(stock: Stock) -> None:
    """Pain 17: the same, and what came back is scrapped."""
    stock.tell("RED", 100)
    (piece,) = stock.reserve("order", "RED", 5, force=True).pieces
    stock.do(ours().commit, "order", "parcel-1", {piece.key: Decimal(2)})
    stock.do(ours().credit, "order", "credit-1", "1", Decimal(3), restock=False)
    shelf = stock.rows("SELECT told, reserved, free FROM shelves WHERE sku = 'RED' AND location = 'main'")[0]
    assert (shelf.told, shelf.reserved, shelf.free) == (98, 2, 96)


def test_what_the_warehouse_was_asked_for_is_not_taken_off_twice(stock: Stock) -> None:
    """Its `available` leaves an order out from when it was asked for it; until it says so, we do."""
    from datetime import UTC, datetime, timedelta

    from app.database import transaction
    from app.stock import positions
    from connectors.canonical.stock import StockLevel

    def word(available: int, later: float) -> None:
        now = datetime.now(UTC) + timedelta(seconds=later)
        level = StockLevel("TEE", "main", available=Decimal(available), as_of=now)
        with transaction() as tx:
            positions.set_level(tx, "wms", level, now.isoformat())

    word(10, -5)
    stock.reserve("order:7", "TEE", 1, force=True, subject=7)
    assert stock.free("TEE") == 9
    with transaction() as tx:
        tx.execute(
            text("INSERT INTO links (account, kind, ours, theirs, subject_id) VALUES ('wms', 'request', '7', 'r7', 7)")
        )
    assert stock.free("TEE") == 9, "asked for, but its word is older than that"
    word(9, 0)
    assert stock.free("TEE") == 9, "it leaves the order out by itself now"
    stock.balanced()
    stock.do(ours().commit, "order:7", "parcel")
    assert stock.free("TEE") == 9
    word(9, 0)
    assert stock.free("TEE") == 9
    stock.balanced()


def test_a_cancelled_request_raises_what_is_told_once(stock: Stock) -> None:
    """Pain 19: what is free rises when the owner says that it has let go, not before, and only once."""
    from datetime import UTC, datetime

    from app.database import transaction

    now = datetime.now(UTC)
    stock.tell("TEE", 10)
    stock.reserve("order:7", "TEE", 1, force=True, subject=7)
    with transaction() as tx:
        tx.execute(
            text("INSERT INTO links (account, kind, ours, theirs, subject_id) VALUES ('wms', 'request', '7', 'r7', 7)")
        )
    seconds = (now - at(0)).total_seconds()
    stock.tell("TEE", 9, when=seconds + 5)
    told = [stock.free("TEE")]
    stock.do(ours().release, "order:7")
    told.append(stock.free("TEE"))
    stock.tell("TEE", 10, when=seconds + 60)
    told.append(stock.free("TEE"))
    assert told == [9, 9, 10]


def test_a_word_that_did_not_change_covers_what_was_asked_for_before_it_was_looked_at(stock: Stock) -> None:
    """One piece came in and one was allocated between two polls: the warehouse has nothing new to say, and is right."""
    from app.database import transaction
    from app.stock import positions

    stock.tell("TEE", 10)
    stock.reserve("order:7", "TEE", 1, force=True, subject=7)
    with transaction() as tx:
        tx.execute(
            text("INSERT INTO links (account, kind, ours, theirs, subject_id) VALUES ('wms', 'request', '7', 'r7', 7)")
        )
        tx.execute(
            text("INSERT INTO cursors (account, kind, reached) VALUES ('wms', 'stock', now() - interval '1 minute')")
        )
    assert stock.do(positions.catch_up, "wms") == 0, "it was asked after the last look"
    with transaction() as tx:
        tx.execute(text("UPDATE cursors SET reached = now() + interval '1 second'"))
        tx.execute(text("INSERT INTO events (account, door, topic, delivery_id) VALUES ('wms', 'poll', 'stock', 'd1')"))
    assert stock.do(positions.catch_up, "wms") == 0, "something that came is not read yet"
    stock.do(lambda tx: tx.execute(text("UPDATE events SET state = 'applied'")))
    assert stock.do(positions.catch_up, "wms") == 1
    assert stock.free("TEE") == 10
    stock.balanced()


def test_each_fact_is_kept_from_its_owner_only(stock: Stock) -> None:
    """The ERP owns what is in transit, even when the warehouse spoke later; of the rest it is not believed."""
    from app.database import transaction
    from app.stock import positions
    from connectors.canonical.stock import StockLevel

    stock.tell("TEE", 10, when=100)
    told = StockLevel("TEE", "main", available=Decimal(99), incoming=Decimal(7), reserved=Decimal(3), as_of=at(50))
    for _ in range(2):
        with transaction() as tx:
            positions.set_level(tx, "erp", told, at(50).isoformat())
    shelf = stock.rows("SELECT free, in_transit, allocated, account FROM shelves WHERE location = 'main'")[0]
    assert (shelf.free, shelf.in_transit, shelf.allocated, shelf.account) == (10, 7, None, "wms")


def test_of_an_on_hand_what_is_damaged_or_kept_for_safety_is_not_promised(stock: Stock) -> None:
    from app.database import transaction
    from app.stock import positions
    from connectors.canonical.stock import StockLevel

    def word(on_hand: int, damaged: int, safety: int, when: float) -> None:
        level = StockLevel(
            "TEE", "main", on_hand=Decimal(on_hand), unsellable=Decimal(damaged), safety=Decimal(safety), as_of=at(when)
        )
        with transaction() as tx:
            positions.set_level(tx, "wms", level, at(when).isoformat())

    word(10, 2, 1, 10)
    assert stock.free("TEE") == 7
    word(99, 0, 0, 5)
    assert stock.free("TEE") == 7, "an older word changes nothing"
    assert stock.reserve("k1", "TEE", 8).lacking[0].available == 7
    assert stock.reserve("k2", "TEE", 7).pieces
    word(10, 4, 1, 20)
    assert stock.free("TEE") == -2
    assert stock.one("SELECT short FROM shelves WHERE location = 'main'") == 2
    stock.balanced()
