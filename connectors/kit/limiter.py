"""One limiter for all workers: leave for every call is asked in Redis, atomically, by Redis's own clock."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from typing import Any, Protocol, cast

import redis

from connectors.kit.errors import Throttled, Transient
from connectors.kit.line import Line
from connectors.kit.manifest import Limit
from connectors.kit.shares import Shares, pace_of, worth_telling

# A block only ever grows, and a recount never overwrites what was counted since.
HOLD = """
local ends, lasts = tonumber(ARGV[1]), tonumber(ARGV[2])
if ends > tonumber(redis.call('HGET', KEYS[1], 'until') or '0') then redis.call('HSET', KEYS[1], 'until', ARGV[1]) end
if redis.call('PTTL', KEYS[1]) < lasts then redis.call('PEXPIRE', KEYS[1], lasts) end
"""
RECOUNT = "if redis.call('HEXISTS', KEYS[1], 'day') == 0 then redis.call('HSET', KEYS[1], 'day', ARGV[1], 'used', ARGV[2]) end"
TRUSTED = 0.98  # of a rate that the vendor reports: calls may arrive closer together than they left
PATIENCE = 2.0  # seconds a worker's slot may wait for leave; a longer wait goes back to the journal


class Limits(Protocol):
    """What the kit's http asks before and tells after each call."""

    def leave(self, account: str, operation: str, cost: float) -> Any:
        """A context in which the call may be made. Raises Throttled when the wait is too long, Transient without Redis."""

    def report(self, account: str, left: float) -> None:
        """The vendor's own word on the calls or points that are left of what counts for all calls, which corrects ours."""

    def refused(self, account: str, operation: str, seconds: float) -> None:
        """The vendor said 429 to a call that had leave so many seconds ago: perhaps other software uses the account too."""

    def block(self, account: str, seconds: float) -> None:
        """The vendor said 429: nobody calls this account for so long."""

    def told(self, account: str, operation: str, rate: float) -> None:
        """The vendor's own word on the rate a second of one operation's buckets."""


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
        self._line = Line(client)
        self._shares = Shares(client, prefix)
        self._rates: dict[tuple[str, str], float] = {}  # as the vendor told this process: it tells every caller

    @contextmanager
    def leave(self, account: str, operation: str, cost: float = 1) -> Iterator[None]:
        holder = uuid.uuid4().hex
        limits = self._counting(account, operation)
        self._wait_for(account, limits, holder, cost)
        try:
            yield
        finally:
            for limit in limits:
                if limit.kind == "concurrency":
                    self._forgive(lambda key: self._line.tell("ZREM", key, holder), self._key(account, limit.name))

    def _counting(self, account: str, operation: str) -> list[Limit]:
        return [limit for limit in self._limits_of(account) if not limit.operations or operation in limit.operations]

    def _wait_for(self, account: str, limits: Sequence[Limit], holder: str, cost: float) -> None:
        """Waits for leave in place for as long as patience lasts."""
        deadline = time.monotonic() + self._patience
        while (wait := self._ask(account, limits, holder, cost)) > 0:
            if time.monotonic() + wait > deadline:
                raise Throttled(f"{account} has used what its limits allow for now.", retry_after=wait)
            time.sleep(wait)

    def _ask(self, account: str, limits: Sequence[Limit], holder: str, cost: float) -> float:
        """Seconds to wait, 0 when leave was taken."""
        keys = [pace_of(self._prefix, account), *(self._key(account, limit.name) for limit in limits)]
        args: list[Any] = [holder]
        for limit in limits:
            spent = cost if limit.kind == "points" else 1
            args += [limit.name, limit.kind, self._rate(account, limit), limit.burst, _seconds(limit), spent]
        try:
            wait, which = self._granted(keys, args)
            if wait < 0:
                self._recount(account, limits[which])
                return self._ask(account, limits, holder, cost)
        except redis.RedisError as error:
            raise Transient("The limiter (Redis) does not answer, so no call is made.", code="limiter_away") from error
        return wait / 1000

    def _granted(self, keys: Sequence[str], args: Sequence[Any]) -> tuple[float, int]:
        """What limiter.lua answers: milliseconds to wait, and which limit it is about."""
        try:
            wait, which = self._line.ask("EVALSHA", self._script.sha, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            wait, which = self._script(keys=keys, args=args)
        return float(wait), int(which)

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
        heard = [limit for limit in self._limits_of(account) if not limit.operations and worth_telling(limit, left)]
        if heard:
            self._forgive(lambda key: self._shares.left(key, self._ruled(account, heard), left), account)

    def refused(self, account: str, operation: str, seconds: float) -> None:
        limits = [limit for limit in self._counting(account, operation) if limit.kind != "daily"]
        if limits:
            self._forgive(lambda key: self._shares.refused(key, self._ruled(account, limits), seconds), account)

    def _ruled(self, account: str, limits: Sequence[Limit]) -> list[Limit]:
        """As they are in force: at the rate that the vendor told."""
        return [replace(limit, rate=self._rate(account, limit)) for limit in limits]

    def shares(self, accounts: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
        """Our share, by limit, where other software was met at an account. Raises redis.RedisError."""
        return self._shares.of(accounts)

    def told(self, account: str, operation: str, rate: float) -> None:
        for limit in self._limits_of(account):
            if limit.kind == "bucket" and operation in limit.operations and rate > 0:
                self._rates[account, limit.name] = rate * TRUSTED

    def block(self, account: str, seconds: float) -> None:
        self._forgive(lambda key: self._hold(key, seconds), pace_of(self._prefix, account))

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
