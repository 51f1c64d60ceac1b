"""A database of our own with a shelf or two, and the policy that says who owns what."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.world import fresh_process

POLICY = {
    "accounts.toml": '[wms]\nconnector = "acme"\nbase_url = "http://127.0.0.1:9"\n[shop]\nconnector = "acme"\n'
    '[erp]\nconnector = "acme"\n[other]\nconnector = "acme"\n',
    "routes.toml": '[[route]]\nname = "stock"\nkind = "stock"\nwhen = { account = "wms" }\nroles = { publish = ["shop"] }\n'
    '[[route]]\nname = "orders"\nkind = "order"\nwhen = { account = "shop" }\n'
    'roles = { channel = "shop", erp = "erp", warehouse = "wms" }\n',
    "authority.toml": '[stock]\nowner = "warehouse"\n[stock.facts]\nin_transit = "erp"\n'
    '[stock.locations]\nstore = "tills"\n[product]\nowner = "channel"\n',
}
START = datetime(2026, 11, 20, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Stock:
    """What a test does to the stock, and what it sees of it."""

    def tell(self, sku: str, available: int, location: str = "main", when: float = 0, account: str = "wms") -> bool:
        """The owner's word at a time of its own."""
        from app.database import transaction
        from app.stock import positions
        from connectors.canonical.stock import StockLevel

        level = StockLevel(sku, location, available=Decimal(available), as_of=at(when))
        with transaction() as tx:
            return positions.set_level(tx, account, level, at(when).isoformat())

    def do(self, act: Any, *given: Any, **named: Any) -> Any:
        """One call of the core in a transaction of its own."""
        from app.database import transaction

        with transaction() as tx:
            return act(tx, *given, **named)

    def reserve(self, claim: str, sku: str, quantity: int, **named: Any) -> Any:
        from app.stock import ledger
        from app.stock.claims import Wanted

        where = named.pop("location", None)
        return self.do(ledger.reserve, claim, [Wanted(sku, Decimal(quantity), "1", where)], **named)

    def free(self, sku: str) -> Decimal:
        return Decimal(self.one("SELECT coalesce(sum(free), 0) FROM shelves WHERE sku = :sku", sku=sku))

    def one(self, statement: str, **values: Any) -> Any:
        from app.database import engine

        with engine().connect() as tx:
            row = tx.execute(text(statement), values).first()
        return row[0] if row else None

    def rows(self, statement: str, **values: Any) -> Any:
        from app.database import engine

        with engine().connect() as tx:
            return tx.execute(text(statement), values).all()

    def balanced(self) -> None:
        """Claims sum to what is reserved, on every shelf; nothing is promised twice."""
        wrong = self.rows("""
            SELECT s.sku, s.location, s.reserved, coalesce(c.open, 0) AS open, s.covered, coalesce(c.covered, 0) AS known
            FROM shelves s LEFT JOIN (SELECT sku, location, sum(quantity - shipped) AS open,
                coalesce(sum(quantity - shipped) FILTER (WHERE covered), 0) AS covered
                FROM reservations WHERE state = 'open' GROUP BY 1, 2) c USING (sku, location)
            WHERE s.reserved <> coalesce(c.open, 0) OR s.covered <> coalesce(c.covered, 0)""")
        assert not wrong, wrong


def forget() -> None:
    from app.stock import rules

    fresh_process()
    rules.of.cache_clear()
    rules.places.cache_clear()
    rules.degraded.cache_clear()


@pytest.fixture
def stock(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Stock]:
    before = dict(os.environ)
    for name, words in POLICY.items():
        (tmp_path / name).write_text(words)
    os.environ.update(DATABASE_URL=database_url, REDIS_URL=redis_url, WAYBILL_CONFIG=str(tmp_path))
    forget()
    try:
        yield Stock()
    finally:
        from app.database import engine

        engine().dispose()
        forget()
        os.environ.clear()
        os.environ.update(before)
