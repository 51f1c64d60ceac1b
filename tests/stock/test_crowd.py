"""Pain 15: a crowd in four processes wants the last pieces; exactly as many are granted as there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

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
