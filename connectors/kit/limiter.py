"""One limiter for all workers: leave for every call is asked in Redis, atomically, by Redis's own clock."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Protocol, cast

import redis

from connectors.kit.errors import Throttled, Transient
from connectors.kit.manifest import Limit

# A block only ever grows, and a recount never overwrites what was counted since.
HOLD = """
local ends = tonumber(ARGV[1])
if ends > tonumber(redis.call('GET', KEYS[1]) or '0') then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
"""
# The vendor's word on what is left is of its answer's moment: what a bucket had gained since its last call is part of it.
LOWER = """
local saved = redis.call('HMGET', KEYS[1], 'level', 'at')
if not saved[1] then return end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + tonumber(clock[2]) / 1000
local level = math.min(tonumber(ARGV[3]), tonumber(saved[1]) + math.max(0, now - tonumber(saved[2])) * tonumber(ARGV[2]) / 1000)
if level > tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'level', ARGV[1], 'at', now) end
"""
RECOUNT = "if redis.call('HEXISTS', KEYS[1], 'day') == 0 then redis.call('HSET', KEYS[1], 'day', ARGV[1], 'used', ARGV[2]) end"
TRUSTED = 0.98  # of a rate that the vendor reports: calls may arrive closer together than they left
PATIENCE = 2.0  # seconds a worker's slot may wait for leave; a longer wait goes back to the journal


class Limits(Protocol):
    """What the kit's http asks before and tells after each call."""

    def leave(self, account: str, operation: str, cost: float) -> Any:
        """A context in which the call may be made. Raises Throttled when the wait is too long, Transient without Redis."""

    def report(self, account: str, left: float) -> None:
        """The vendor's own word on the points that are left, which corrects ours."""

    def block(self, account: str, seconds: float) -> None:
        """The vendor said 429: nobody calls this account for so long."""

    def told(self, account: str, operation: str, rate: float | None, empty: bool) -> None:
        """The vendor's own word on the buckets of one operation: its rate a second (None: not said), and that it is empty."""


class Limiter:
    """Leave for calls, by the limits of each account (`limits_of`); `used_today` recounts a daily quota from the journal."""

    def __init__(
        self,
        client: redis.Redis,
        limits_of: Callable[[str], Sequence[Limit]],
        used_today: Callable[[str, Limit], int] = lambda account, limit: 0,
        patience: float = PATIENCE,
        prefix: str = "waybill:limit",
    ) -> None:
        self._redis = client
        self._limits_of = limits_of
        self._used_today = used_today
        self._patience = patience
        self._prefix = prefix
        self._script = client.register_script(files("connectors.kit").joinpath("limiter.lua").read_text())
        self._rates: dict[tuple[str, str], float] = {}  # as the vendor told this process: it tells every caller

    @contextmanager
    def leave(self, account: str, operation: str, cost: float = 1) -> Iterator[None]:
        holder = uuid.uuid4().hex
        limits = [limit for limit in self._limits_of(account) if not limit.operations or operation in limit.operations]
        self._wait_for(account, limits, holder, cost)
        try:
            yield
        finally:
            for limit in limits:
                if limit.kind == "concurrency":
                    self._forgive(lambda key: self._redis.zrem(key, holder), self._key(account, limit.name))

    def _wait_for(self, account: str, limits: Sequence[Limit], holder: str, cost: float) -> None:
        """Waits for leave in place for as long as patience lasts."""
        deadline = time.monotonic() + self._patience
        while (wait := self._ask(account, limits, holder, cost)) > 0:
            if time.monotonic() + wait > deadline:
                raise Throttled(f"{account} has used what its limits allow for now.", retry_after=wait)
            time.sleep(wait)

    def _ask(self, account: str, limits: Sequence[Limit], holder: str, cost: float) -> float:
        """Seconds to wait, 0 when leave was taken."""
        keys = [f"{self._prefix}:{account}:block", *(self._key(account, limit.name) for limit in limits)]
        args: list[Any] = [holder]
        for limit in limits:
            spent = cost if limit.kind == "points" else 1
            args += [limit.kind, self._rate(account, limit), limit.burst, _seconds(limit), spent]
        try:
            wait, which = self._script(keys=keys, args=args)
            if wait < 0:
                self._recount(account, limits[int(which)])
                return self._ask(account, limits, holder, cost)
        except redis.RedisError as error:
            raise Transient("The limiter (Redis) does not answer, so no call is made.", code="limiter_away") from error
        return float(wait) / 1000

    def _rate(self, account: str, limit: Limit) -> float:
        """What the vendor said last, but never more than the operator allows."""
        told = self._rates.get((account, limit.name), limit.rate)
        return min(told, limit.rate) if limit.capped else told

    def _recount(self, account: str, limit: Limit) -> None:
        """A daily quota that Redis has forgotten is counted again from the journal's attempts."""
        day = int(self._now() / 1000 - _seconds(limit)) // 86400
        used = self._used_today(account, limit)
        self._redis.eval(RECOUNT, 1, self._key(account, limit.name), str(day), str(used))

    def report(self, account: str, left: float) -> None:
        for limit in self._limits_of(account):
            if limit.kind == "points":
                self._lower(account, limit, left)

    def _lower(self, account: str, limit: Limit, left: float) -> None:
        args = (str(left), str(self._rate(account, limit)), str(limit.burst))
        self._forgive(lambda key: self._redis.eval(LOWER, 1, key, *args), self._key(account, limit.name))

    def told(self, account: str, operation: str, rate: float | None, empty: bool) -> None:
        for limit in self._limits_of(account):
            if limit.kind == "bucket" and operation in limit.operations:
                if rate is not None and rate > 0:
                    self._rates[account, limit.name] = rate * TRUSTED
                if empty:
                    self._lower(account, limit, 0)

    def block(self, account: str, seconds: float) -> None:
        self._forgive(lambda key: self._hold(key, seconds), f"{self._prefix}:{account}:block")

    def _hold(self, key: str, seconds: float) -> None:
        self._redis.eval(HOLD, 1, key, str(self._now() + seconds * 1000), str(max(1, int(seconds * 1000))))

    def _now(self) -> float:
        """Redis's own clock, in milliseconds."""
        seconds, micros = self._redis.time()
        return seconds * 1000 + micros / 1000

    def warm(self, account: str) -> None:
        """Say that no call is under way at this account: at a supervised start its buckets need not begin empty."""
        for limit in self._limits_of(account):
            key = self._key(account, limit.name)
            if not self._redis.exists(key):
                self._fill(key, limit)

    def _fill(self, key: str, limit: Limit) -> None:
        if limit.kind in ("window", "concurrency"):
            self._redis.zadd(key, {"kept": float("inf")})
        elif limit.kind in ("bucket", "points"):
            self._redis.hset(key, mapping={"level": limit.burst, "at": self._now()})

    def levels(self, account: str) -> dict[str, float]:
        """What is left of each limit now, for the screens."""
        return {limit.name: self._left(self._key(account, limit.name), limit) for limit in self._limits_of(account)}

    def _left(self, key: str, limit: Limit) -> float:
        if limit.kind in ("bucket", "points"):
            return float(cast(bytes, self._redis.hget(key, "level") or b"0"))
        if limit.kind == "daily":
            return limit.burst - float(cast(bytes, self._redis.hget(key, "used") or b"0"))
        return limit.burst - float(max(0, self._redis.zcard(key) - 1))

    def _key(self, account: str, name: str) -> str:
        return f"{self._prefix}:{account}:{name}"

    @staticmethod
    def _forgive(act: Callable[[str], Any], key: str) -> None:
        """Telling the limiter something afterwards must not fail a call that was made; keys expire or are corrected."""
        try:
            act(key)
        except redis.RedisError:
            return


def _seconds(limit: Limit) -> float:
    """A window's length, a slot's longest hold, or a daily quota's reset as seconds after midnight UTC."""
    if limit.kind == "daily":
        hours, minutes = limit.resets.split(":")
        return int(hours) * 3600 + int(minutes) * 60
    return limit.seconds or 30.0
