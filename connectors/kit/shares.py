"""Our share of each limit of an account that other software uses too: smaller at a refusal, greater with each call that passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import redis

from connectors.kit.manifest import Limit

HOUR = 3600.0  # seconds until a share is whole again by itself
LOW = 0.05  # of a limit: what the vendor says is left matters below it


def pace_of(prefix: str, account: str) -> str:
    """The key of an account's pace in Redis: until when nobody calls, and its shares."""
    return f"{prefix}:{account}:pace"


def worth_telling(limit: Limit, left: float) -> bool:
    """Whether a vendor's word on what is left changes anything: points are corrected at every word, calls where few are left."""
    return limit.kind == "points" or (limit.kind in ("bucket", "window") and left < LOW * limit.burst)


class Shares:
    """Additive increase, multiplicative decrease (limiter.lua and limiter_share.lua); never above what is declared."""

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._redis = client
        self._prefix = prefix
        self._script = client.register_script(files("connectors.kit").joinpath("limiter_share.lua").read_text())

    def refused(self, account: str, limits: Sequence[Limit], seconds: float) -> None:
        """A call counted by these limits had leave so many seconds ago and met 429."""
        self._tell(account, limits, "refused", seconds * 1000)

    def left(self, account: str, limits: Sequence[Limit], left: float) -> None:
        """So many calls or points are left of these limits, says the vendor."""
        self._tell(account, limits, "left", left)

    def _tell(self, account: str, limits: Sequence[Limit], what: str, value: float) -> None:
        args: list[Any] = [what, value]
        for limit in limits:
            args += [limit.name, limit.kind, limit.rate, limit.burst, limit.seconds or 30.0]
        names = (f"{self._prefix}:{account}:{limit.name}" for limit in limits)
        self._script(keys=[pace_of(self._prefix, account), *names], args=args)

    def of(self, accounts: Sequence[str]) -> dict[str, dict[str, float]]:
        """By account and limit, where it is less than the whole."""
        asked = self._redis.pipeline(transaction=False)
        for account in accounts:
            asked.hgetall(pace_of(self._prefix, account))
        seconds, micros = self._redis.time()
        now = seconds * 1000 + micros / 1000
        return {account: _shares(kept, now) for account, kept in zip(accounts, asked.execute(), strict=True)}


def _shares(kept: Mapping[bytes, bytes], now: float) -> dict[str, float]:
    """As limiter.lua reckons them."""
    figures = {name.decode(): float(value) for name, value in kept.items()}
    found = {name.removeprefix("share:"): value for name, value in figures.items() if name.startswith("share:")}
    grown = {name: share + (now - figures[f"at:{name}"]) / 1000 / HOUR for name, share in found.items()}
    return {name: share for name, share in grown.items() if share < 1}
