"""Lots: what has run out is not offered, the first to expire leaves first, and sourcing sees what the shelves say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.stock.lots import Lot, Moved, left
from tests.orders.conftest import many as many  # noqa: PLC0414 - a fixture
from tests.orders.places import shelves
from tests.orders.test_fulfilment import requests
from tests.world import World

TODAY = datetime.now(UTC).date()
YESTERDAY, NEXT = TODAY - timedelta(days=1), TODAY + timedelta(days=30)


def moved(*told: tuple[str, int, str, date | None, int]) -> None:
    """(number, pieces, lot, expires, hours ago) of tees at the store."""
    from app.database import transaction
    from app.stock import movements
    from app.stock.movements import Movement

    with transaction() as tx:
        for number, pieces, lot, expires, ago in told:
            at = datetime.now(UTC) - timedelta(hours=ago)
            kind = "receipt" if pieces > 0 else "sale"
            one = Movement("pos", number, kind, "WB-TEE", "store", Decimal(pieces), at, lot=lot, lot_expires=expires)
            movements.record(tx, [one])


def told(world: World) -> Decimal:
    return Decimal(world.one("SELECT told FROM shelves WHERE sku = 'WB-TEE' AND location = 'store'"))


def test_what_has_run_out_is_taken_off_once_and_somebody_is_told(many: World) -> None:
    from tasks.feeds import lots

    moved(("1", 5, "OLD", YESTERDAY, 90), ("2", 4, "NEW", NEXT, 80), ("3", -2, "", None, 70))
    assert told(many) == 7
    for _ in range(3):
        lots.run()
    assert told(many) == 4, "two of the old lot were sold before; three had run out"
    assert many.one("SELECT sentence FROM cases WHERE code = 'lot_expired'").startswith(
        "3 of WB-TEE at store are of lot OLD"
    )
    assert many.one("SELECT owner FROM cases WHERE code = 'lot_expired'") == "logistics"
    moved(("4", 2, "OLD", YESTERDAY, 60))
    lots.run()
    assert told(many) == 4, "more of it came to light, and goes too"
    assert many.one("SELECT count(*) FROM movements WHERE kind = 'expired'") == 2


def test_an_owner_who_counted_after_it_ran_out_has_taken_it_off_himself(many: World) -> None:
    from app.database import transaction
    from app.stock import positions
    from config.reader import config
    from connectors.canonical.stock import StockLevel
    from tasks.feeds import lots

    (many.folder / "authority.toml").write_text('[stock]\nowner = "warehouse"\n[stock.locations]\nstore = "pos"\n')
    config.cache_clear()
    moved(("1", 5, "OLD", YESTERDAY, 90), ("2", 4, "NEW", NEXT, 80))
    with transaction() as tx:
        positions.set_level(tx, "pos", StockLevel("WB-TEE", "store", on_hand=Decimal(4), as_of=datetime.now(UTC)), "9")
    lots.run()
    assert told(many) == 4


def test_orders_are_sourced_from_what_the_shelves_say_now(many: World) -> None:
    """A till sale since the last count, a partner's reservation and a lot that ran out are not there to be sent."""
    from app.database import transaction
    from app.stock import ledger
    from app.stock.claims import Wanted
    from tasks.feeds import lots

    shelves(many, store_WB_TEE=3, dc_WB_MUG=9, maker_WB_TEE=9)
    moved(("1", -1, "", None, 0))
    with transaction() as tx:
        ledger.reserve(tx, "partner:1", [Wanted("WB-TEE", Decimal(1), "1", "store")], holder="market")
    many.order()
    many.pump()
    assert set(requests(many)) == {"dc", "maker"}, "of three tees in the store one is left: not the two that are wanted"
    moved(("2", 5, "OLD", YESTERDAY, 48))
    lots.run()
    many.order()
    many.pump()
    assert "store" not in requests(many)


def test_a_supplier_that_tells_no_stock_is_still_believed(many: World) -> None:
    from app.database import transaction
    from app.orders import supply
    from app.orders.sourcing_rules import read
    from tests.orders.places import text

    rules = read(text())
    with transaction() as tx:
        assert supply.stock(tx, rules, ["WB-TEE"]) == {}


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-5, 5), st.sampled_from(["", "A", "B", "C"]), st.integers(0, 20)), max_size=25))
def test_lots_sum_to_what_is_there_and_the_first_to_expire_leaves_first(story: list[tuple[int, str, int]]) -> None:
    """Held against a shelf of single pieces, each with its own date, as days go by."""
    dates = {"A": date(2026, 1, 10), "B": date(2026, 2, 1), "C": date(2026, 3, 1)}
    pieces: list[str] = []
    day, told_so_far = date(2026, 1, 1), []
    for number, lot, days in story:
        day += timedelta(days=days)
        told_so_far.append(Moved("m", lot, dates.get(lot), Decimal(number), day))
        if number >= 0:
            pieces += [lot] * number
        for _ in range(-number):
            fresh = sorted((dates.get(name, date.max), name) for name in pieces if dates.get(name, date.max) >= day)
            stale = sorted((dates[name], name) for name in pieces if dates.get(name, date.max) < day)
            named = [(date.min, lot)] if lot and lot in pieces else []
            if pieces:
                pieces.remove([*named, *fresh, *stale][0][1])
    found = left(told_so_far)
    assert {name: int(one.left) for name, one in found.items() if one.left} == {
        name: pieces.count(name) for name in set(pieces)
    }
    assert all(isinstance(one, Lot) and one.left >= 0 for one in found.values())
