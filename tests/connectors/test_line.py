"""The limiter's line to Redis: what was told is heard, in turn, and once more where the line broke."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from connectors.kit.limiter import Limiter
from connectors.kit.line import Line
from connectors.kit.manifest import Limit

NAME = "test:line"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, socket_timeout=2) as made:
        yield made
        made.delete(NAME)


def test_questions_and_what_is_told_keep_their_turn(client: redis.Redis) -> None:
    line = Line(client)
    for n in range(3):
        line.tell("ZADD", NAME, n, f"call {n}")
        line.tell("ZREM", NAME, "nobody")
    assert line.ask("ZCARD", NAME) == 3
    line.tell("HGET", NAME, "not a hash")  # refused: no answer to what is asked next
    assert line.ask("ZSCORE", NAME, "call 2") in (2.0, b"2")
    with pytest.raises(redis.ResponseError):
        line.ask("HGET", NAME, "not a hash")
    assert line.ask("ZCARD", NAME) == 3


def test_a_line_that_broke_says_again_what_was_told(client: redis.Redis) -> None:
    line = Line(client)
    client.zadd(NAME, {"one": 1, "two": 2})
    line.ask("CLIENT", "SETNAME", "line")
    client.client_kill_filter(_id=next(str(one["id"]) for one in client.client_list() if one["name"] == "line"))
    line.tell("ZREM", NAME, "one")  # perhaps not noticed yet
    line.tell("ZREM", NAME, "two")
    assert line.ask("ZCARD", NAME) == 0
    assert line.ask("ECHO", "in turn") == b"in turn"


def test_who_was_interrupted_takes_no_other_answer_for_his(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(client)
    line.ask("PING")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(line, "_read_told", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            line.ask("ECHO", "for nobody")
    assert line.ask("ECHO", "for us") == b"for us"


def _interrupted(held: object) -> None:
    raise KeyboardInterrupt


def test_a_redis_that_forgot_its_scripts_is_told_them_again(client: redis.Redis) -> None:
    limiter = Limiter(
        client, lambda account: (Limit("at_once", "concurrency", burst=1, seconds=5),), patience=0.1, prefix=NAME
    )
    limiter.warm("shop")
    client.script_flush()
    for _ in range(3):  # one at a time, and each gives its place back
        with limiter.leave("shop", "book"):
            pass
    client.delete(f"{NAME}:shop:at_once", f"{NAME}:shop:pace")
