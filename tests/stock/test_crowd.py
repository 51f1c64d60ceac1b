"""Pain 15: a crowd in four processes wants the last pieces; exactly as many are granted as there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.orders.return_requests import ReturnLine
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus
from tests.contract.samples import ORDER
from tests.stock.conftest import Stock

# 50 claims of this process, alternately by the API's quick way and by the ledger's own, a bundle among them; one piece each.
CROWD = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from app.database import transaction
from app.stock import ledger, quick
from app.stock.claims import Wanted

me, sys.argv = sys.argv[1], sys.argv[:1]

def claim(n):
    name, line = f"{me}-{n}", Wanted("ONE" if n % 5 == 4 else "TEE", Decimal(1), "1")
    if n % 2 and quick.claim(name, line, me, 600, ledger.ANY) is not None:
        return True
    with transaction() as tx:
        return isinstance(ledger.reserve(tx, name, [line], holder=me, seconds=600), ledger.Granted)

claim(1000)
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(8) as crowd:
    print(json.dumps(sum(crowd.map(claim, range(50)))))
"""


def test_two_hundred_claims_over_a_hundred_pieces(stock: Stock) -> None:
    from app.stock import parts
    from connectors.canonical.product import Component, Product

    stock.do(parts.learn, "shop", Product("1", "ONE", "One in a box", components=(Component("TEE", Decimal(1)),)))
    stock.tell("TEE", 104)  # four of them go while the processes warm up
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", CROWD, f"p{n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
            cwd=Path(__file__).parents[2],
        )
        for n in range(4)
    ]
    for one in crowd:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in crowd:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    granted = [json.loads(one.communicate(timeout=120)[0]) for one in crowd]
    assert sum(granted) == 100, granted
    assert stock.free("TEE") == 0
    assert stock.one("SELECT count(*) FROM reservations WHERE state = 'open'") == 104
    assert stock.one("SELECT sum(short) FROM shelves") == 0
    stock.balanced()


def test_a_count_of_goods_and_a_telling_of_stock_do_not_wait_for_each_other(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order's parcels are taken off in the order in which they left, while a channel concludes what it was told of the same articles."""
    from app.database import transaction
    from app.orders import disposing
    from app.stock import dirty, reservations

    for sku in ("MUG", "TEE"):
        stock.tell(sku, 10)
    order = sold_and_sent(stock, 1, ("TEE", "MUG"))
    marks = sorted(stock.do(dirty.take, "shop", 10), key=lambda mark: mark.sku)
    shipped = reservations.ship

    def slowly(*given: Any) -> None:
        shipped(*given)
        time.sleep(0.4)

    monkeypatch.setattr(reservations, "ship", slowly)

    def count() -> None:
        lines = tuple(ReturnLine(one.id, Decimal(1), received=Decimal(1), disposition="restock") for one in order.lines)
        row: Any = SimpleNamespace(subject_id=1, number="R1", lines=lines, location="main")
        with transaction() as tx:
            disposing.move(tx, row, order)

    def conclude() -> None:
        time.sleep(0.2)
        with transaction() as tx:
            for mark in marks:
                dirty.told(tx, "shop", mark)
                time.sleep(0.4)

    with ThreadPoolExecutor(2) as people:
        for one in [people.submit(count), people.submit(conclude)]:
            one.result(timeout=30)
    assert (stock.free("MUG"), stock.free("TEE")) == (10, 10)
    stock.balanced()


def sold_and_sent(stock: Stock, subject: int, skus: tuple[str, str]) -> Order:
    """An order of a piece of each, claimed, and sent in a parcel each that nobody has noted yet."""
    from app.stock import reservations

    lines = tuple(replace(ORDER.lines[0], id=f"{subject}-{sku}", sku=sku, quantity=Decimal(1)) for sku in skus)
    sent = tuple(
        Shipment(f"P-{one.id}", ShipmentStatus.SHIPPED, (ShipmentLine(Decimal(1), one.sku, one.id),)) for one in lines
    )
    order = replace(ORDER, lines=tuple(replace(one, current_quantity=Decimal(1)) for one in lines), shipments=sent)
    stock.do(reservations.reserve, subject, order)
    return order
