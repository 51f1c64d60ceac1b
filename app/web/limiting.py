"""Limits as they are in force now: what is declared of each account, our share of it where other software uses it too, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import redis
from sqlalchemy import Connection

from app.accounts import entries
from app.web.broker import store
from connectors.kit.limiter import Limiter
from connectors.kit.manifest import Limit


@dataclass(frozen=True, slots=True)
class InForce:
    """`declared`: calls (points) a second, or at a time (kind concurrency); None of a daily quota. `share`: of it, 1 where nobody else
    was met. `left`: what is left now. Both None when Redis cannot be asked."""

    limit: Limit
    declared: float | None
    share: float | None
    left: float | None = None

    @property
    def effective(self) -> float | None:
        """What is used of the limit at the most."""
        return self.declared * self.share if self.declared is not None and self.share is not None else None


@cache
def _limiter() -> Limiter:
    return Limiter(store(), entries.limits_of)


def of_account(account: str) -> list[InForce]:
    """The limits of one account, with what is left of each."""
    limits = entries.limits_of(account)
    try:
        left, shares = _limiter().levels(account), _limiter().shares([account])
    except redis.RedisError:
        return [InForce(limit, _declared(limit), None) for limit in limits]
    return [InForce(limit, _declared(limit), _share(shares, account, limit), left[limit.name]) for limit in limits]


def of_all(tx: Connection, accounts: Sequence[str]) -> dict[tuple[str, str, str], InForce]:
    """The limits of many accounts, by account, limit and kind: one look into Redis for all."""
    try:
        shares = _limiter().shares(accounts)
    except redis.RedisError:
        shares = None
    return {
        (name, limit.name, limit.kind): InForce(limit, _declared(limit), _share(shares, name, limit))
        for name in accounts
        for limit in entries.limits_of(name, tx)
    }


def _declared(limit: Limit) -> float | None:
    if limit.kind == "window":
        return limit.burst / limit.seconds
    if limit.kind == "concurrency":
        return limit.burst
    return limit.rate if limit.kind in ("bucket", "points") else None


def _share(shares: Mapping[str, Mapping[str, float]] | None, account: str, limit: Limit) -> float | None:
    return shares[account].get(limit.name, 1.0) if shares is not None else None
