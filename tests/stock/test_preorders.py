"""What is sold before it is there: offered up to its limit and labelled, claimed by a crowd no further, and owed from its day on."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from tests.stock.conftest import Stock
from tests.stock.test_api import app as app  # noqa: PLC0414 - a fixture
from tests.stock.test_api import partner

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)


def declare(at: datetime, most: int) -> None:
    from config.reader import HERE, config
    from tasks.feeds import preorders

    shipped = (Path(HERE) / "availability.toml").read_text()
    said = f'{shipped}\n[preorders."NEW"]\nfrom = {at.isoformat()}\nmost = {most}\n'
    (Path(os.environ["WAYBILL_CONFIG"]) / "availability.toml").write_text(said)
    config.cache_clear()
    preorders.run()


def test_a_preorder_is_offered_up_to_its_limit_and_owed_from_its_day_on(app: Flask, stock: Stock) -> None:
    stock.tell("NEW", 9)
    declare(SOON, 4)
    mine = partner(app, stock)
    shown = mine.ask("GET", "/availability?sku=NEW").json["items"][0]
    assert (shown["available"], shown["quality"], shown["source"]) == (4, "fresh", "preorder")
    assert shown["preorder"]["available"] == 4
    assert datetime.fromisoformat(shown["preorder"]["from"]) == SOON
    assert mine.reserve(5, sku="NEW").status_code == 409, "nine on the shelf are not to be had"
    held = mine.reserve(3, sku="NEW")
    assert held.status_code == 201
    assert [piece["location"] for piece in held.json["pieces"]] == ["~ahead"]
    early = mine.ask("POST", f"/reservations/{held.json['id']}/commits", {"number": "sale-1"})
    assert (early.status_code, early.json["type"].rpartition(":")[2]) == (409, "preorder")
    assert mine.ask("GET", "/availability?sku=NEW").json["items"][0]["available"] == 1
    stock.do(_release, held.json["id"])
    assert mine.ask("GET", "/availability?sku=NEW").json["items"][0]["available"] == 4
    assert mine.reserve(4, sku="NEW").status_code == 201
    declare(SOON - timedelta(days=60), 4)
    stock.do(lambda tx: tx.execute(text("UPDATE shelves SET as_of = now() WHERE account <> ''")))
    shown = mine.ask("GET", "/availability?sku=NEW").json["items"][0]
    assert shown["preorder"] is None
    assert shown["available"] == stock.free("NEW") == 5, "nine less the four that were sold ahead"
    stock.balanced()


def _release(tx: object, name: str) -> None:
    from app.stock import ledger

    ledger.release(tx, name)  # type: ignore[arg-type]


def test_a_crowd_gets_the_limit_and_no_piece_more(stock: Stock) -> None:
    from app.stock import ledger, quick
    from app.stock.claims import Wanted

    stock.tell("NEW", 100)
    declare(SOON, 20)

    def claim(n: int) -> bool:
        line = Wanted("NEW", Decimal(1), "1")
        if n % 2 and quick.claim(f"c{n}", line, "crowd", 600, ledger.ANY) is not None:
            return True
        return isinstance(stock.reserve(f"c{n}", "NEW", 1, seconds=600), ledger.Granted)

    with ThreadPoolExecutor(6) as crowd:
        assert sum(crowd.map(claim, range(40))) == 20
    assert stock.one("SELECT reserved FROM shelves WHERE sku = 'NEW' AND location = '~ahead'") == 20
    assert stock.one("SELECT sum(reserved) FROM shelves WHERE location <> '~ahead'") == 0
    stock.balanced()
    declare(SOON, 30)
    assert claim(101)
    declare(SOON - timedelta(days=60), 30)
    assert stock.free("NEW") == 79
    stock.balanced()
