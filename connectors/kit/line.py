"""A line to Redis for one thread: the limiter asks it at every call, and a client's pool, retries and meters would cost more than the question."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import redis

Words = tuple[Any, ...]


class Line:
    """One connection for each thread. What needs no answer is said at once and its answer read before the next; should the line break
    meanwhile, the client says it again."""

    def __init__(self, client: redis.Redis) -> None:
        self._client: Any = client  # its stubs name no words of a command
        self._kept = threading.local()

    def ask(self, *words: Any) -> Any:
        """The answer. Raises redis.RedisError; where the line is broken, the client asks once more with its own patience."""
        try:
            held = self._said(words)
            self._read_told(held)
            return held.read_response()
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            self._broke()
            return self._client.execute_command(*words)
        except redis.ResponseError:  # an answer like any other
            raise
        except BaseException:  # between question and answer: what is on the line now belongs to nobody
            self._hang_up()
            raise

    def tell(self, *words: Any) -> None:
        """Says what may be said twice (it is when the line breaks); whether it was heard shows at the next question. Raises redis.RedisError."""
        try:
            self._said(words)
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            self._broke()
            self._client.execute_command(*words)
        else:
            self._told().append(words)

    def _said(self, words: Words) -> Any:
        """Without redis-py's own look at the line, which would take another answer for its own."""
        held = self._held()
        held.send_command(*words, check_health=False)
        return held

    def _held(self) -> Any:
        if not hasattr(self._kept, "line"):
            pool: Any = self._client.connection_pool
            self._kept.line = pool.connection_class(**pool.connection_kwargs)
        return self._kept.line

    def _told(self) -> list[Words]:
        told: list[Words] = self._kept.__dict__.setdefault("told", [])
        return told

    def _read_told(self, held: Any) -> None:
        told = self._told()
        while told:
            with suppress(redis.ResponseError):  # to what was said then, and nothing of what is asked now
                held.read_response()
            del told[0]

    def _broke(self) -> None:
        """What was said and perhaps not heard is said again."""
        for words in self._hang_up():
            self._client.execute_command(*words)

    def _hang_up(self) -> list[Words]:
        """Answers what was said and not answered; the next question has a new connection."""
        told = list(self._told())
        self._told().clear()
        self._held().disconnect()
        return told
