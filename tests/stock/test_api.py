"""The API for partners without a connector: keys, scopes, limits, answers that can be asked for twice, and problems in words."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.stock.conftest import Stock, at

ALL = ("availability:read", "reservations:write", "movements:write")
_count = itertools.count(1)


class Partner:
    """Somebody who holds a key."""

    def __init__(self, app: Flask, token: str) -> None:
        self.client, self.token = app.test_client(), token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        told = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=told)

    def reserve(self, quantity: Any = 1, key: str = "", sku: str = "TEE", **more: Any) -> TestResponse:
        body = {"lines": [{"sku": sku, "quantity": quantity}], **more}
        return self.ask("POST", "/reservations", body, Idempotency_Key=key or f"k{next(_count)}")


@pytest.fixture
def app(stock: Stock) -> Iterator[Flask]:
    import redis

    from app.web import create_app, keys
    from app.web.api import door

    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()
    os.environ.update(SECRET_KEY="tests only", PLAIN_HTTP="1", ADMIN_PASSWORD="")
    keys.forget()
    door._script.cache_clear()
    yield create_app()
    keys.forget()
    door._script.cache_clear()


def partner(app: Flask, stock: Stock, name: str = "market", **more: Any) -> Partner:
    from app.web import keys

    token = stock.do(keys.make, name, "tests", **{"scopes": ALL, **more})
    return Partner(app, token)


def test_availability_tells_the_age_of_the_owners_word(app: Flask, stock: Stock) -> None:
    from app.stock import rules

    stock.tell("TEE", 12)
    stock.do(lambda tx: tx.execute(text("UPDATE shelves SET as_of = now() - interval '5 seconds'")))
    mine = partner(app, stock)
    answer = mine.ask("GET", "/availability?sku=TEE&sku=NOBODY")
    tee, nobody = answer.json["items"]
    assert (tee["available"], tee["quality"], tee["source"]) == (12, "fresh", "wms")
    assert 4 < tee["age_seconds"] < 60
    assert (nobody["available"], nobody["quality"], nobody["as_of"]) == (0, "unknown", None)
    assert "max-age" in answer.headers["Cache-Control"]
    assert mine.ask("GET", "/availability?sku=TEE&sku=NOBODY", If_None_Match=answer.headers["ETag"]).status_code == 304
    mine.reserve(2)
    changed = mine.ask("POST", "/availability", {"skus": ["TEE", "NOBODY"]}, If_None_Match=answer.headers["ETag"])
    assert changed.json["items"][0]["available"] == 10
    # The owner is away: for a while only the floor is promised, then nothing, and the answer says so.
    for age, quality, available in (("1 hour", "stale", 5), ("2 days", "unknown", 0)):
        stock.do(lambda tx, age=age: tx.execute(text(f"UPDATE shelves SET as_of = now() - interval '{age}'")))
        item = mine.ask("GET", "/availability?sku=TEE").json["items"][0]
        assert (item["quality"], item["available"]) == (quality, available)
    assert rules.degraded().floor * 10 == 5
    assert os.environ["WAYBILL_CONFIG"]


def test_a_channels_rule_bounds_what_it_sees_and_may_reserve(app: Flask, stock: Stock) -> None:
    from pathlib import Path

    from tests.stock.conftest import forget

    shipped = (Path(__file__).parents[2] / "config" / "availability.toml").read_text()
    rule = '\n[channels.market]\nallocation = 0.5\nbuffer = 1\nthreshold = 2\nexclude_locations = ["b"]\nexclude_skus = ["MUG"]\n'
    (Path(os.environ["WAYBILL_CONFIG"]) / "availability.toml").write_text(shipped + rule)
    forget()
    for sku in ("TEE", "MUG"):
        stock.tell(sku, 10, "a")
        stock.tell(sku, 10, "b")
    stock.do(lambda tx: tx.execute(text("UPDATE shelves SET as_of = now()")))
    mine, other = partner(app, stock), partner(app, stock, "rival")
    look = "/availability?sku=TEE&sku=MUG"
    assert [item["available"] for item in mine.ask("GET", look).json["items"]] == [4, 0]
    assert [item["available"] for item in other.ask("GET", look).json["items"]] == [20, 20]
    assert mine.reserve(5).status_code == 409
    assert mine.reserve(1, sku="MUG").status_code == 409
    assert mine.reserve(4).json["pieces"][0]["location"] == "a"
    assert [item["available"] for item in mine.ask("GET", look).json["items"]] == [2, 0]
    assert other.reserve(1, sku="MUG").status_code == 201


def test_a_reservation_lives_once(app: Flask, stock: Stock) -> None:
    stock.tell("TEE", 3)
    mine, other = partner(app, stock), partner(app, stock, "rival")
    first, again = mine.reserve(2, key="a"), mine.reserve(2, key="a")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"]
    assert mine.reserve(3, key="a").status_code == 422
    refused = mine.reserve(2)
    assert refused.status_code == 409
    assert refused.content_type == "application/problem+json"
    assert refused.json["lacking"] == [{"line": "1", "sku": "TEE", "wanted": "2", "available": "1"}]
    where = f"/reservations/{first.json['id']}"
    assert other.ask("GET", where).status_code == 404
    assert mine.ask("POST", f"{where}/extensions", {"hold_seconds": 99}).json["expires_at"] != first.json["expires_at"]
    assert mine.ask("POST", f"{where}/commits", {"number": "sale-1"}).json["state"] == "committed"
    assert mine.ask("POST", f"{where}/commits", {"number": "sale-1"}).json["state"] == "committed"
    assert mine.ask("DELETE", where).json["state"] == "committed", "sold is sold"
    assert stock.free("TEE") == 1
    second = mine.reserve(1)
    assert mine.ask("DELETE", f"/reservations/{second.json['id']}").json["state"] == "released"
    assert mine.ask("POST", f"/reservations/{second.json['id']}/commits", {"number": "s"}).status_code == 409
    stock.balanced()


def test_the_quick_way_and_the_ledgers_way_say_the_same(app: Flask, stock: Stock) -> None:
    from app.stock import quick, rules
    from app.stock.claims import Wanted

    stock.tell("TEE", 2, "a")
    stock.tell("TEE", 3, "b")
    rule = rules.of("market")
    assert quick.claim("q1", Wanted("TEE", Decimal(4)), "market", 60, rule) is None, "no place has all of it"
    found = quick.claim("q1", Wanted("TEE", Decimal(3)), "market", 60, rule)
    assert found is not None
    assert found[0] == "b"
    assert quick.claim("q1", Wanted("TEE", Decimal(1)), "market", 60, rule) is None, "this key is used"
    mine = partner(app, stock)
    assert mine.reserve(2).json["pieces"][0]["location"] == "a"
    assert mine.reserve(1).status_code == 409
    stock.balanced()
    assert {row.sku for row in stock.rows("SELECT sku FROM dirty")} == {"TEE"}


def test_movements_are_counted_once_each_by_itself(app: Flask, stock: Stock) -> None:
    mine = partner(app, stock, "tills", locations=["store"])
    stock.tell("TEE", 9)

    def tell(*movements: dict[str, Any], key: str = "") -> Any:
        return mine.ask("POST", "/movements", {"movements": movements}, Idempotency_Key=key or f"m{next(_count)}")

    def one(number: str, kind: str, quantity: Any, sequence: int, **more: Any) -> dict[str, Any]:
        told = {"number": number, "kind": kind, "sku": "TEE", "location": "store", "quantity": quantity}
        return {**told, "at": at(sequence).isoformat(), "sequence": sequence, **more}

    count, sale, late = one("c1", "count", 10, 5), one("s1", "sale", 2, 6), one("s0", "sale", 1, 4)
    answer = tell(count, sale, sale, one("x", "sale", 1, 7, location="main"), key="first")
    assert [result["verdict"] for result in answer.json["results"]] == ["counted", "counted", "known", "refused"]
    assert tell(count, sale, sale, one("x", "sale", 1, 7, location="main"), key="first").json == answer.json
    assert stock.one("SELECT free FROM shelves WHERE location = 'store'") == 8
    tell(late)
    assert stock.one("SELECT free FROM shelves WHERE location = 'store'") == 8, "the count of sequence 5 has it"
    assert tell({**sale, "quantity": 3}).json["results"][0]["verdict"] == "refused", "told otherwise before"
    tell(one("r1", "return", 1, 8), one("c0", "count", 50, 1))
    assert stock.one("SELECT free FROM shelves WHERE location = 'store'") == 9, "an older count changes nothing"
    assert stock.one("SELECT count(*) FROM cases WHERE code = 'not_the_owner'") == 2
    assert tell(one("t1", "transfer", 1, 9, to_location="main")).json["results"][0]["verdict"] == "refused"


def test_keys_have_scopes_limits_and_an_end(app: Flask, stock: Stock) -> None:
    from app.web import keys

    stock.tell("TEE", 3)
    assert Partner(app, "wb_00000000_nonsense").ask("GET", "/availability?sku=TEE").status_code == 401
    reader = partner(app, stock, "reader", scopes=["availability:read"], per_minute=2)
    assert reader.reserve(1).status_code == 403
    answers = [reader.ask("GET", "/availability?sku=TEE") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"]
    assert answers[0].headers["RateLimit-Remaining"] == "1"
    old = partner(app, stock, "kiosk")
    (key,) = [key for key in stock.do(keys.everyone) if key.name == "kiosk"]
    token, name = stock.do(keys.rotate, key.id, "tests", 3600)
    assert name == "kiosk"
    new = Partner(app, token)
    assert [one.ask("GET", "/availability?sku=TEE").status_code for one in (old, new)] == [200, 200], (
        "both, for a while"
    )
    assert stock.one("SELECT expires_at > now() FROM api_keys WHERE id = :id", id=key.id)
    assert stock.do(keys.revoke, key.id)
    assert [one.ask("GET", "/availability?sku=TEE").status_code for one in (old, new)] == [401, 200]
    assert stock.one("SELECT count(*) FROM api_keys WHERE digest::text LIKE '%' || :token || '%'", token=token) == 0


def test_a_wide_limit_is_taken_by_parts_and_never_passed(
    app: Flask, stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes take three requests at a time of a limit of twelve: both together are never given a thirteenth."""
    from app.web.api import door

    monkeypatch.setattr(door, "THOUSANDTHS", 4)
    if time.time() % 60 > 50:
        time.sleep(60 - time.time() % 60)  # not over the end of a minute
    stock.tell("TEE", 3)
    reader = partner(app, stock, "wide", scopes=["availability:read"], per_minute=12)
    processes: list[dict[str, door._Some]] = [{}, {}]
    statuses = []
    for n in range(20):
        monkeypatch.setattr(door, "_taken", processes[n % 2])
        statuses.append(reader.ask("GET", "/availability?sku=TEE").status_code)
    assert statuses.count(200) == 12
    assert statuses[:12] == [200] * 12, "nothing of it is lost while both are at it"
    assert set(statuses[12:]) == {429}


def test_what_is_wrong_is_said_as_a_problem(app: Flask, stock: Stock) -> None:
    mine = partner(app, stock)
    for answer, status in (
        (mine.ask("POST", "/reservations", {"lines": []}, Idempotency_Key="a"), 422),
        (
            mine.ask(
                "POST", "/reservations", {"lines": [{"sku": "A", "quantity": 1, "line": "\0"}]}, Idempotency_Key="a"
            ),
            422,
        ),
        (mine.ask("POST", "/reservations", {"lines": [{"sku": "A", "quantity": -1}]}, Idempotency_Key="a"), 422),
        (mine.ask("POST", "/reservations", {"lines": [{"sku": "A", "quantity": "NaN"}]}, Idempotency_Key="a"), 422),
        (mine.ask("POST", "/reservations", {"lines": [{"sku": "A", "quantity": 1}]}), 400),
        (mine.ask("GET", "/nothing"), 404),
        (mine.ask("PUT", "/availability"), 405),
        (mine.ask("GET", "/availability"), 422),
    ):
        assert answer.status_code == status
        assert answer.content_type == "application/problem+json", answer.data
        assert answer.json["status"] == status


def test_openapi_describes_what_is_answered(app: Flask, stock: Stock) -> None:
    from app.web.api import schemas

    told = app.test_client().get("/api/v1/openapi.json").json
    assert {"/api/v1/availability", "/api/v1/reservations", "/api/v1/movements"} <= set(told["paths"])
    stock.tell("TEE", 3)
    mine = partner(app, stock)
    assert not schemas.Availability().validate(mine.ask("GET", "/availability?sku=TEE").json)
    assert not schemas.Reservation().validate(mine.reserve(1).json)


def test_a_database_that_is_away_is_said_so(app: Flask, stock: Stock) -> None:
    """Nothing was done, and the same request may come again."""
    from app.database import engine

    mine = partner(app, stock)
    assert mine.ask("GET", "/availability?sku=TEE").status_code == 200
    engine().dispose()
    stock_url = os.environ["DATABASE_URL"]
    os.environ["DATABASE_URL"] = stock_url.rsplit("/", 1)[0] + "/nowhere"
    engine.cache_clear()
    try:
        for answer in (mine.ask("GET", "/availability?sku=TEE"), mine.reserve(1)):
            assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
            assert answer.headers["Retry-After"]
    finally:
        os.environ["DATABASE_URL"] = stock_url
        engine.cache_clear()
