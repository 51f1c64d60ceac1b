"""Tills that were offline for days: every sale once, in the till's own order, whatever the order in which it was told."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any

from tests.api.conftest import Market, money, order

POSTED = """
SELECT e.delivery_id FROM events e WHERE e.topic = 'till.sale' ORDER BY e.id
"""


def sale(sequence: int, at: str = "2026-11-20T10:00:00+01:00", zone: str = "", **more: Any) -> dict[str, Any]:
    whole = order("x")
    for gone in ("id", "number", "placed_at", "shipping", "shipping_lines"):
        whole.pop(gone)
    whole["totals"] |= {"shipping": money("0"), "total": money("48.30")}
    whole["payments"][0]["amount"] = money("48.30")
    return {"sequence": sequence, "at": at, "order": {**whole, **more}, **({"zone": zone} if zone else {})}


def tell(market: Market, *sales: dict[str, Any], **more: Any) -> Any:
    answer = market.mine.ask("POST", "/tills/T1/sales", {"sales": list(sales), **more})
    assert answer.status_code == 200, answer.json
    return answer.json


def verdicts(answer: Any) -> dict[int, str]:
    return {one["sequence"]: one["verdict"] for one in answer["results"]}


def test_sales_come_in_any_order_and_are_posted_in_theirs(market: Market) -> None:
    dice = random.Random(5)
    told = [sale(n, f"2026-11-20T10:{n:02}:00+01:00") for n in range(1, 31)]
    shuffled = [*told, *dice.sample(told, 15)]
    dice.shuffle(shuffled)
    tell(market, told[0], first=1)
    for n in range(0, len(shuffled), 7):
        tell(market, *shuffled[n : n + 7])
    assert [row.delivery_id for row in market.world.rows(POSTED)] == [f"till:T1:{n}" for n in range(1, 31)]
    at = market.mine.ask("GET", "/tills/T1").json
    assert at == {"till": "T1", "posted": 30, "waiting": 0, "missing": None}
    market.world.pump()
    assert set(market.world.effects("erp")["bookings"].values()) == {1}
    assert len(market.world.effects("erp")["bookings"]) == 30
    assert not market.world.effects("warehouse")["requests"]  # carried home
    assert not market.world.one("SELECT count(*) FROM reservations")


def test_a_missing_number_holds_those_after_it_until_it_comes(market: Market) -> None:
    from app.database import transaction
    from app.orders import tills

    answer = tell(market, sale(1), sale(2), sale(5), sale(6), first=1)
    assert verdicts(answer) == {1: "posted", 2: "posted", 5: "waiting", 6: "waiting"}
    assert (answer["missing"]["first"], answer["missing"]["last"], answer["waiting"]) == (3, 4, 2)
    with transaction() as tx:
        tills.open_cases(tx, 0)
    assert "numbers 3 to 4" in market.world.one("SELECT sentence FROM cases WHERE code = 'till_gap'")
    assert verdicts(tell(market, sale(4))) == {4: "waiting"}
    gone = market.mine.ask("POST", "/tills/T1/voids", {"sequences": [3, 1]}).json
    assert verdicts(gone) == {3: "void", 1: "refused"}
    assert (gone["posted"], gone["missing"]) == (6, None)
    assert [row.delivery_id for row in market.world.rows(POSTED)] == [f"till:T1:{n}" for n in (1, 2, 4, 5, 6)]
    assert market.world.one("SELECT status FROM cases WHERE code = 'till_gap'") == "resolved"


def test_sales_after_very_many_void_numbers_are_posted(market: Market) -> None:
    """As many numbers are void as are passed in one go: nobody would tell these sales again, and no gap would show them."""
    assert verdicts(tell(market, sale(1), sale(502), first=1)) == {1: "posted", 502: "waiting"}
    gone = market.mine.ask("POST", "/tills/T1/voids", {"sequences": list(range(2, 502))}).json
    assert (gone["posted"], gone["waiting"], gone["missing"]) == (502, 0, None)
    assert [row.delivery_id for row in market.world.rows(POSTED)] == [f"till:T1:{n}" for n in (1, 502)]


def test_a_number_that_is_told_otherwise_is_refused_by_itself(market: Market) -> None:
    tell(market, sale(1), first=1)
    off = sale(3)
    off["order"]["totals"]["total"] = money("48.31")
    answer = tell(market, sale(1), sale(1, note="another"), off, sale(2))
    results = [(one["sequence"], one["verdict"]) for one in answer["results"]]
    assert results == [(1, "known"), (1, "refused"), (3, "refused"), (2, "posted")]
    assert "otherwise" in answer["results"][1]["reason"]
    assert "48.31" in answer["results"][2]["reason"]
    assert answer["posted"] == 2
    early = tell(market, sale(0))
    assert verdicts(early) == {0: "refused"}
    assert "before the first" in early["results"][0]["reason"]
    assert not market.world.one("SELECT count(*) FROM till_sales WHERE state = 'waiting'")
    far = tell(market, sale(900_000))
    assert verdicts(far) == {900_000: "refused"}


def test_local_times_are_instants_also_in_the_hour_that_comes_twice(market: Market) -> None:
    """2026-10-25, Berlin: 02:00 to 03:00 comes twice. The till sold at 02:50, then the clock went back, and it sold at 02:10."""
    told = [
        sale(1, "2026-10-25T02:50:00", "Europe/Berlin"),
        sale(2, "2026-10-25T02:10:00", "Europe/Berlin"),
        sale(3, "2026-10-25T03:05:00", "Europe/Berlin"),
        sale(4, "2026-03-29T12:00:00+02:00"),
    ]
    tell(market, told[2], told[1], first=1)
    tell(market, told[3], told[0])
    market.world.pump()
    rows = market.world.rows("SELECT external_id, placed_at FROM subjects WHERE kind = 'order' ORDER BY id")
    at = {row.external_id: row.placed_at.astimezone(UTC) for row in rows}
    assert at["T1-1"] == datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    assert at["T1-2"] == datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert at["T1-3"] == datetime(2026, 10, 25, 2, 5, tzinfo=UTC)
    assert at["T1-4"] == datetime(2026, 3, 29, 10, 0, tzinfo=UTC)
    assert verdicts(tell(market, sale(5, "2026-10-25T02:50:00"))) == {5: "refused"}
    assert verdicts(tell(market, sale(5, "2026-10-25T02:50:00", "Berlin/Mitte"))) == {5: "refused"}


def test_two_posters_at_once_post_each_sale_once(market: Market) -> None:
    from concurrent.futures import ThreadPoolExecutor

    tell(market, sale(1), first=1)
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda n: tell(market, sale(n), sale(n + 1)), [n for n in range(2, 14) for _ in range(2)]))
    assert [row.delivery_id for row in market.world.rows(POSTED)] == [f"till:T1:{n}" for n in range(1, 15)]


def test_a_till_says_with_which_number_it_begins(market: Market) -> None:
    """Its first words may be of its last hour: what it sold before comes later, and is taken."""
    early = market.mine.ask("POST", "/tills/T1/sales", {"sales": [sale(5), sale(6)]})
    assert (early.status_code, early.json["type"]) == (422, "urn:waybill:problem:first")
    assert market.mine.ask("GET", "/tills/T1").status_code == 404
    tell(market, sale(5), sale(6), first=1)
    assert tell(market, *(sale(n) for n in range(1, 5)))["posted"] == 6


def test_a_gap_that_is_closed_this_moment_opens_no_case(market: Market) -> None:
    """The missing sale is being posted while somebody looks for gaps: he waits for it, and finds none."""
    from threading import Thread

    from app.database import transaction
    from app.orders import tills

    tell(market, sale(1), sale(3), first=1)

    def look() -> None:
        with transaction() as tx:
            tills.open_cases(tx, 0)

    looking = Thread(target=look)
    with transaction() as tx:
        tills.begin(tx, "market", "T1", 0)
        tills.tell(tx, "market", "T1", tills.Sale(2, "2026-11-20T10:00:00+01:00", "", sale(2)["order"]))
        tills.post(tx, "market", "T1", lambda number, body: number)
        looking.start()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        until(lambda: not looking.is_alive() or market.world.one(waits))
    looking.join()
    assert not market.world.one("SELECT count(*) FROM cases WHERE code = 'till_gap' AND status <> 'resolved'")


def until(reached: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not reached() and time.monotonic() < end:
        time.sleep(0.01)


def test_what_was_carried_home_comes_back_and_is_not_cancelled_by_the_piece(market: Market) -> None:
    """A tee of two comes back over the counter: back on its shelf once, and the sale cannot be voided on top of it."""
    tell(market, sale(1, datetime.now(UTC).isoformat(), location="store"), first=1)
    market.world.pump()
    waybill = market.world.one("SELECT waybill FROM subjects WHERE kind = 'order'")
    tee = next(line["id"] for line in sale(1)["order"]["lines"] if line["sku"] == "WB-TEE")
    one = {"lines": [{"line_id": tee, "quantity": "1"}]}
    by_piece = market.mine.ask("POST", f"/orders/{waybill}/cancellations", one)
    assert (by_piece.status_code, by_piece.json["type"]) == (409, "urn:waybill:problem:not_that_many")
    asked = market.mine.ask("POST", f"/returns/of/{waybill}", one).json
    assert (asked["state"], asked["refused"]) == ("authorised", "")
    desk = market.partner("returns desk", "market", locations=("store",))
    counted = {"location": "store", "lines": [{"line_id": tee, "quantity": "1", "disposition": "restock"}]}
    done = desk.ask("POST", f"/returns/{asked['number']}/receipt", counted)
    assert (done.status_code, done.json["state"]) == (200, "restocked"), done.json
    market.world.pump()
    assert market.world.one("SELECT sum(quantity) FROM movements WHERE sku = 'WB-TEE'") == -1
    too_many = market.mine.ask("POST", f"/returns/of/{waybill}", {"lines": [{"line_id": tee, "quantity": "2"}]}).json
    assert too_many["state"] == "declined"
    void = market.mine.ask("POST", f"/orders/{waybill}/cancellations", {})
    assert (void.status_code, void.json["type"]) == (409, "urn:waybill:problem:returned")


def test_what_the_hub_counts_at_a_store_is_not_counted_again_by_the_stores_own_word(market: Market) -> None:
    """The till's sale took a tee off the shelf; the stockroom's system tells the same sale as a movement. Somebody is told."""
    from config.reader import config

    owners = '[stock]\nowner = "warehouse"\n[stock.locations]\nstore = "stockroom"\n'
    (market.world.folder / "authority.toml").write_text(owners)
    config.cache_clear()
    told = {"kind": "sale", "location": "store", "quantity": "1", "at": "2026-11-20T09:00:00Z"}
    desk = market.partner("stockroom", "", locations=("store",))

    def move(*rows: dict[str, str]) -> list[str]:
        answer = desk.ask("POST", "/movements", {"movements": [{**told, **row} for row in rows]})
        assert answer.status_code == 200, answer.json
        return [row["verdict"] for row in answer.json["results"]]

    assert move({"number": "before", "sku": "WB-CAP"}, {"number": "early", "sku": "WB-TEE"}) == ["counted", "counted"]
    tell(market, sale(1, datetime.now(UTC).isoformat(), location="store"), first=1)
    market.world.pump()
    rows = ({"number": "m1", "sku": "WB-TEE"}, {"number": "m2", "sku": "WB-CAP"}, {"number": "early", "sku": "WB-TEE"})
    assert move(*rows) == ["refused", "counted", "known"]
    assert move({"number": "m3", "sku": "WB-TEE", "kind": "receipt"}) == ["counted"]
    assert market.world.one("SELECT sum(quantity) FROM movements WHERE sku = 'WB-TEE'") == -2
    assert "count twice" in market.world.one(
        "SELECT sentence FROM cases WHERE status <> 'resolved' AND code = 'not_the_owner'"
    )


def test_a_sale_of_long_ago_is_not_taken_back(market: Market) -> None:
    tell(market, sale(1, at="2026-01-05T10:00:00+01:00"), first=1)
    market.world.pump()
    waybill = market.world.one("SELECT waybill FROM subjects WHERE kind = 'order'")
    line = sale(1)["order"]["lines"][0]["id"]
    asked = market.mine.ask("POST", f"/returns/of/{waybill}", {"lines": [{"line_id": line, "quantity": "1"}]}).json
    assert asked["state"] == "declined"
    assert "days ago" in asked["refused"]
