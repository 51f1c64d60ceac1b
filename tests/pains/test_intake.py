"""Intake: duplicates at one instant, an emptied broker, killed receivers, deliveries that never come (pains 1, 3, 7-10)."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import redis
import requests
from sqlalchemy import text

from tests.hub import Hub, hub, signed, until
from tests.pains.conftest import size
from tests.world import World, warm


def post(address: str, topic: str, data: dict, name: str) -> int:  # type: ignore[type-arg]
    body, headers = signed(topic, data, name)
    try:
        return requests.post(f"{address}/hooks/shop", data=body, headers=headers, timeout=10).status_code
    except requests.RequestException:
        return 0


def test_fifty_at_the_same_instant(acme: World, tmp_path: Path, redis_url: str, figure: Callable[..., None]) -> None:
    """Pain 1: 50 concurrent posts of one delivery to 4 receiver processes: one event, one run; also after FLUSHALL."""
    order = acme.place()
    with hub(tmp_path / "hub") as made:
        made.web(workers=4)
        answers = []
        for _ in range(2):
            with ThreadPoolExecutor(50) as crowd:
                answers += list(crowd.map(lambda _: post(made.address, "order.placed", order, "msg-one"), range(50)))
            redis.Redis.from_url(redis_url).flushall()
    assert set(answers) == {200}
    warm()  # no call is under way, which an emptied limiter cannot know: it would wait for the longest one to be over
    acme.pump(60)
    assert acme.one("SELECT count(*) FROM events") == 1
    assert acme.one("SELECT seen FROM deliveries") == 100
    assert acme.one("SELECT count(*) FROM runs") == 1
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
    figure("1", posts=100, events=1, bookings=1)


def test_deliveries_that_never_come_are_found_at_the_source(acme: World, figure: Callable[..., None]) -> None:
    """Pain 3: a share of the webhooks is never sent; one poll finds them, and says how many it recovered."""
    from tasks.feeds import poll

    many, dice = size(40, 1000), random.Random(3)
    dropped = 0
    for _ in range(many):
        order = acme.place()
        if dice.random() < 0.05 or dropped == 0:
            dropped += 1
        else:
            acme.deliver("order.placed", order)
    acme.pump(300)
    time.sleep(2.2)  # Acme's settling delay: the newest seconds are not listed yet
    poll.run()
    acme.pump(300)
    effects = acme.effects("erp")["bookings"]
    assert len(effects) == many
    assert set(effects.values()) == {1}
    recovered = acme.one("SELECT count(*) FROM events WHERE recovered AND state = 'applied' AND reason LIKE 'placed%'")
    assert recovered == dropped
    figure("3", orders=many, never_sent=dropped, recovered=recovered, lost=many - len(effects))


def test_a_poll_loses_nothing_at_its_edges(acme: World, figure: Callable[..., None]) -> None:
    """Pains 7, 8, 9: ties across a page edge, rows that move between pages, records that appear late."""
    from app.database import transaction
    from tasks.feeds import poll

    same = "2026-10-25T00:59:59.000000Z"  # the hour that Europe's clocks repeat
    placed = [acme.place(updated_at=same)["id"] for _ in range(size(7, 60))]
    acme.bad_day("shop", "page_shift")
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO cursors (account, kind, reached, at) VALUES ('shop', 'order', '2026-10-25T01:00:00Z', '2026-10-25T01:00:00Z')"
            )
        )
        tx.execute(
            text(
                "INSERT INTO cursors (account, kind, reached) VALUES ('shop', 'stock', now()), ('shop', 'product', now())"
            )
        )
    time.sleep(2.2)
    poll.run()
    acme.good_day("shop")
    acme.pump(120)
    assert set(acme.effects("erp")["bookings"]) == {f"shop-{name}" for name in placed}
    late = acme.place(updated_at=same)
    with transaction() as tx:
        tx.execute(
            text(
                "UPDATE cursors SET reached = '2026-10-25T01:01:00Z', at = '2026-10-25T01:01:00Z' WHERE account = 'shop' AND kind = 'order'"
            )
        )
    poll.run()
    acme.pump(60)
    assert acme.effects("erp")["bookings"][f"shop-{late['id']}"] == 1
    figure("7-9", ties=len(placed), found=len(placed), late_found=1)


def test_receivers_are_killed_while_they_accept(acme: World, tmp_path: Path, figure: Callable[..., None]) -> None:
    """Pain 10: kill -9 of the receivers under load, any number of times: what was acknowledged is there, and once."""
    rounds, dice, acknowledged = size(3, 200), random.Random(10), []
    with hub(tmp_path / "hub") as made:
        for n in range(rounds):
            made.web(workers=2)
            orders = [acme.place() for _ in range(6)]
            with ThreadPoolExecutor(6) as crowd:
                answers = [
                    crowd.submit(post, made.address, "order.placed", order, f"msg-{n}-{order['id']}")
                    for order in orders
                ]
                some = dice.randint(0, 4)
                until(20, lambda answers=answers, some=some: sum(answer.done() for answer in answers) >= some)
                made.kill("web")
            acknowledged += [
                order["id"] for order, answer in zip(orders, answers, strict=True) if answer.result() == 200
            ]
            if n % 20 == 19:
                acme.pump(60)
    acme.pump(120)
    bookings = acme.effects("erp")["bookings"]
    assert acknowledged, "killed before anything was acknowledged: nothing was proved"
    assert all(bookings.get(f"shop-{order}") == 1 for order in acknowledged)
    assert set(bookings.values()) <= {1}
    figure("10", kills=rounds, acknowledged=len(acknowledged), lost=0, doubled=0)


def test_the_sweep_does_not_lean_on_ids(acme: World, database_url: str) -> None:
    """Pain 10: an id taken before another's commit is not skipped: two overlapping transactions."""
    first, second = acme.place(), acme.place()
    from app.journal.accept import ACCEPT

    plain = database_url.replace("+psycopg", "")

    def row(order: dict, name: str) -> dict:  # type: ignore[type-arg]
        body = json.dumps({"type": "order.placed", "timestamp": "2026-11-20T10:00:00Z", "data": order}).encode()
        return {
            "account": "shop",
            "delivery_id": name,
            "topic": "order.placed",
            "head": "{}",
            "body": body,
            "door": "webhook",
            "proof": "",
            "lane": 0,
            "recovered": False,
        }

    with psycopg.connect(plain) as early, psycopg.connect(plain) as late:
        early.execute(ACCEPT, row(first, "early"))
        late.execute(ACCEPT, row(second, "late"))
        late.commit()
        acme.pump()
        assert len(acme.effects("erp")["bookings"]) == 1
        early.commit()
    acme.pump(until=lambda: len(acme.effects("erp")["bookings"]) == 2)


def test_the_broker_is_emptied(acme: World, running: Hub, redis_url: str, figure: Callable[..., None]) -> None:
    """FLUSHALL in the middle: the journal knows, the sweep rings again, the limiter starts empty."""
    many = size(10, 200)
    for _ in range(many):
        order = acme.place()
        assert post(running.address, "order.placed", order, f"msg-{order['id']}") == 200
        if order["id"][-1] == "5":
            redis.Redis.from_url(redis_url).flushall()
    redis.Redis.from_url(redis_url).flushall()
    took = until(120, lambda: len(acme.effects("erp")["bookings"]) == many, acme)
    until(60, acme.settled, acme)
    assert set(acme.effects("erp")["bookings"].values()) == {1}
    figure("broker emptied", orders=many, seconds=round(took, 1), lost=0, doubled=0)
