"""Orders that come out of order, batches with a bad item in them, and products that are gone (pains 5, 13, 20)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from tests.pains.conftest import size
from tests.world import World

OPEN = "SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled')"
HISTORY = ("placed", "paid", "edited", "shipped")
PERMUTATIONS = tuple(itertools.permutations(HISTORY))
AT_ONCE = 48  # orders under way together


def test_any_order_of_deliveries_ends_the_same(acme: World, figure: Callable[..., None]) -> None:
    """Pain 5: all 24 orders of {placed, paid, edited, fulfilled}, many orders at once, 500 seeds of what else happens: some are told twice, the
    workers come in between or not. The ends are equal, and no effect happens twice."""
    seeds, orders = size(len(PERMUTATIONS), 500), 0
    for first in range(0, seeds, AT_ONCE):
        batch = range(first, min(first + AT_ONCE, seeds))
        dice = random.Random(first)
        _all_told(acme, [_deliveries(acme, seed) for seed in batch], dice)
        orders += len(batch)
    effects = acme.effects("erp")
    assert len(effects["bookings"]) == len(effects["deliveries"]) == orders
    assert set(effects["bookings"].values()) == set(effects["deliveries"].values()) == {1}
    assert not acme.one(OPEN)
    noted = "d.body->'body'->>'note' AS note, d.body->'body'->>'payment_status' AS paid"
    known = "subjects s JOIN documents d ON d.id = s.document_id WHERE s.kind = 'order'"
    last = acme.rows(f"SELECT {noted}, count(*) FROM {known} GROUP BY 1, 2")
    assert [tuple(row) for row in last] == [("edited", "paid", orders)]
    told = acme.one("SELECT count(*) FROM events")
    figure("5", seeds=orders, deliveries=told, permutations=min(orders, len(PERMUTATIONS)), doubled=0, other_ends=0)


def _deliveries(acme: World, seed: int) -> list[tuple[str, dict[str, Any], str]]:
    """An order's own deliveries in the seed's order, each perhaps repeated."""
    dice = random.Random(f"order {seed}")
    order = acme.place(payment_status="pending")
    states = dict(zip(HISTORY, _life(order), strict=True))
    told = [
        ("order.placed" if name == "placed" else "order.changed", states[name], f"{seed}-{name}")
        for name in PERMUTATIONS[seed % 24]
    ]
    return told + [one for one in told if dice.random() < 0.2]


def _all_told(acme: World, deliveries: list[list[tuple[str, dict[str, Any], str]]], dice: random.Random) -> None:
    """The orders' deliveries mixed, each order's own in turn; workers come in between as the dice fall."""
    while any(deliveries):
        for mine in dice.sample(deliveries, len(deliveries)):
            if mine:
                acme.deliver(*mine.pop(0))
        if dice.random() < 0.5:
            acme.turn()
    acme.pump(120)


def _life(order: dict[str, Any]) -> list[dict[str, Any]]:
    """The order as it is after each thing that happened to it."""
    at = "2030-01-01T00:00:0{}.000000Z"
    paid = {**order, "payment_status": "paid", "updated_at": at.format(1)}
    edited = {**paid, "note": "edited", "updated_at": at.format(2)}
    parcel = {
        "id": f"par-{order['id']}",
        "status": "shipped",
        "lines": [{"line_id": line["id"], "sku": line["sku"], "quantity": line["quantity"]} for line in order["lines"]],
        "trackings": [{"number": f"T{order['id']}", "carrier": "dhl"}],
        "updated_at": at.format(3),
        "shipped_at": at.format(3),
    }
    return [order, paid, edited, {**edited, "shipments": [parcel], "updated_at": at.format(3)}]


def test_a_batch_with_refused_items_writes_the_others_once(acme: World, figure: Callable[..., None]) -> None:
    """Pain 20: of 250 SKUs three are refused: 247 are written, three issues with their reasons, and the next run does not send the 247 again."""
    from app.database import transaction
    from tasks.feeds import publish

    many, bad = size(60, 250), 3
    skus = [f"B-{n:04d}" for n in range(many)]
    for sku in skus[bad:]:
        acme.ask("shop", "POST", "/_sim/products", json={"sku": sku})  # the first three the shop has deleted
    with transaction() as tx:
        shelf = """INSERT INTO shelves (sku, location, account, told, as_of) SELECT sku, 'main', 'warehouse', 9, now()
            FROM unnest(CAST(:skus AS text[])) AS sku"""
        tx.execute(text(shelf), {"skus": skus})
        from app.stock import dirty

        dirty.mark(tx, set(skus))
    for _ in range(2):
        publish.run()
        acme.pump()
    written = acme.effects("shop")["stock"]
    assert len(written) == many - bad
    calls = acme.calls("shop", "stock.set")
    issues = acme.rows(
        "SELECT m.member, c.sentence FROM case_members m JOIN cases c ON c.id = m.case_id WHERE m.closed_at IS NULL"
    )
    assert len(issues) == bad
    assert all(row.sentence for row in issues)
    publish.run()
    acme.pump()
    again = acme.calls("shop", "stock.set") - calls
    assert acme.effects("shop")["stock"] == written, "what was taken is not sent again"
    figure(
        "20",
        skus=many,
        refused=bad,
        written=len(written),
        issues=len(issues),
        calls=calls,
        calls_again=again,
        sent_again=0,
    )


def test_a_deleted_product_keeps_its_line(acme: World, figure: Callable[..., None]) -> None:
    """Pain 13: the article is gone from the shop and from the ERP's mapping when its order comes, or right after: the line keeps title, SKU and
    price, the order waits under `missing_sku` with the others untouched, and goes on by itself once somebody maps it."""
    from app.database import transaction

    order = acme.place()
    with transaction() as tx:
        tx.execute(text("DELETE FROM codes WHERE ours = 'WB-MUG'"))
    gone = [
        {**line, "product_id": "", "variant_id": ""} if line["sku"] == "WB-MUG" else line for line in order["lines"]
    ]
    acme.deliver("order.placed", {**order, "lines": gone})
    beside = acme.place(lines=[order["lines"][0]])
    acme.deliver("order.placed", beside)
    acme.pump()
    parked = acme.rows("SELECT state, code FROM steps WHERE name = 'book_order' AND state = 'parked'")
    assert [(row.state, row.code) for row in parked] == [("parked", "missing_sku")]
    assert acme.effects("erp")["bookings"] == {f"shop-{beside['id']}": 1}, "nobody else waits for it"
    kept = _lines(acme, order["id"])
    assert kept == [(line["title"], line["sku"], Decimal(line["unit_price"])) for line in order["lines"]]
    acme.code("erp", "sku", "WB-MUG", "WB-MUG")
    acme.pump()
    assert acme.effects("erp")["bookings"][f"shop-{order['id']}"] == 1
    assert _lines(acme, order["id"]) == kept
    figure("13", lines=len(kept), kept=len(kept), waited=1, others_held_up=0)


def _lines(acme: World, order: str) -> list[tuple[str, str, Decimal]]:
    from connectors.canonical.codec import decode

    body = acme.one(
        "SELECT d.body FROM subjects s JOIN documents d ON d.id = s.document_id WHERE s.external_id = :id", id=order
    )
    return [(line.title, line.sku, line.unit_price.shop.amount) for line in decode(body).lines]
