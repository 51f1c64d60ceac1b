"""Drift: both sides are kept, a case opens after patience, repair is proposed and dry first, and agreement closes it."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import text

from connectors.canonical.stock import StockLevel
from tests.stock.conftest import Stock, at


def test_a_lost_word_of_the_warehouse_is_taken(stock: Stock) -> None:
    from app.stock import drift

    stock.tell("TEE", 7)
    level = StockLevel("TEE", "main", available=Decimal(5), as_of=at(60))
    for looks in (1, 2):
        assert stock.do(drift.compare, "warehouse", "wms", ["TEE"], [level]) == [("TEE", "main")]
        assert stock.one("SELECT count(*) FROM cases WHERE status = 'open'") == looks - 1, "patience first"
    number = stock.one("SELECT id FROM drifts WHERE closed_at IS NULL")
    proposed = stock.do(drift.repair, number, dry=True)
    assert (proposed.before, proposed.after, proposed.done) == (7, 5, False)
    assert stock.free("TEE") == 7
    assert stock.do(drift.repair, number, dry=False).done
    assert stock.free("TEE") == 5
    assert stock.do(drift.compare, "warehouse", "wms", ["TEE"], [level]) == []
    assert stock.one("SELECT count(*) FROM drifts WHERE closed_at IS NULL") == 0
    assert stock.one("SELECT status FROM cases WHERE code = 'stock_drift_warehouse'") == "resolved"
    assert stock.one("SELECT owner FROM cases WHERE code = 'stock_drift_warehouse'") == "logistics"


def test_a_channel_that_shows_something_else_is_told_once_more(stock: Stock) -> None:
    from app.stock import dirty, drift

    stock.tell("TEE", 7)
    (mark,) = stock.do(dirty.take, "shop", 10)
    stock.do(dirty.told, "shop", mark)
    shown = [StockLevel("TEE", "web", available=Decimal(9))]
    for _ in (1, 2):
        stock.do(drift.compare, "channel", "shop", ["TEE"], shown)
    assert stock.one("SELECT owner FROM cases WHERE code = 'stock_drift_channel'") == "e-commerce"
    stock.do(drift.repair, stock.one("SELECT id FROM drifts WHERE closed_at IS NULL"), dry=False)
    (again,) = stock.do(dirty.take, "shop", 10)
    assert (again.available, again.told, again.news) == (7, 7, True)
    assert stock.do(drift.compare, "channel", "shop", ["TEE"], shown) == [], "it is being told: no difference yet"


def test_claims_that_do_not_sum_up_are_added_up_anew(stock: Stock) -> None:
    from app.stock import drift

    stock.tell("TEE", 7)
    stock.reserve("k1", "TEE", 2)
    stock.do(lambda tx: tx.execute(text("UPDATE shelves SET reserved = 3 WHERE sku = 'TEE' AND location = 'main'")))
    assert stock.do(drift.check_ledger) == 1
    stock.do(drift.repair, stock.one("SELECT id FROM drifts WHERE closed_at IS NULL"), dry=False)
    stock.balanced()
    assert stock.do(drift.check_ledger) == 0
    assert stock.one("SELECT count(*) FROM cases WHERE status <> 'resolved'") == 0


def test_more_promised_than_there_is_becomes_a_case_and_closes_itself(stock: Stock) -> None:
    from app.stock import drift

    stock.tell("TEE", 1)
    stock.reserve("order:1", "TEE", 3, force=True)
    assert stock.do(drift.check_short) == 1
    assert stock.one("SELECT owner FROM cases WHERE code = 'oversold' AND status = 'open'") == "e-commerce"
    stock.tell("TEE", 5, when=60)
    assert stock.do(drift.check_short) == 0
    assert stock.one("SELECT status FROM cases WHERE code = 'oversold'") == "resolved"


def test_negative_stock_is_a_case(stock: Stock) -> None:
    from app.stock import drift

    stock.tell("TEE", -2)
    assert stock.do(drift.check_short) == 1
    assert stock.one("SELECT owner FROM cases WHERE code = 'negative_stock'") == "logistics"


def test_a_channel_that_is_told_too_late_is_alarmed(stock: Stock) -> None:
    from app.stock import drift

    stock.tell("TEE", 2)
    assert stock.do(drift.check_late, ["shop"]) == 0
    stock.do(lambda tx: tx.execute(text("UPDATE dirty SET since = now() - interval '1 hour'")))
    assert stock.do(drift.check_late, ["shop"]) == 1
    assert stock.one("SELECT count(*) FROM cases WHERE code = 'stock_stale' AND status = 'open'") == 1
    stock.do(lambda tx: tx.execute(text("DELETE FROM dirty")))
    stock.do(drift.check_late, ["shop"])
    assert stock.one("SELECT count(*) FROM cases WHERE code = 'stock_stale' AND status = 'open'") == 0
