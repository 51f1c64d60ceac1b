"""Accounts as configured, with their secrets from the environment and their limits from manifest, configuration and people."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import Connection, text

from app.database import at_once
from config.reader import AccountEntry, config
from connectors import registry
from connectors.kit.account import Account
from connectors.kit.manifest import Limit, Manifest
from connectors.kit.receiver import Secret

TEMPORARY = text("SELECT limits FROM account_state WHERE account = :account AND limits_until > now()")
FRESH = 2.0  # seconds a temporary limit may be late


def entry(name: str) -> AccountEntry:
    """The account's entry. Raises KeyError for one that the configuration does not know."""
    return config().accounts[name]


@cache
def account(name: str) -> Account:
    """What a connector is handed."""
    found = entry(name)
    credentials = {key: os.environ.get(env, "") for key, env in found.credentials.items()}
    return Account(
        found.name,
        found.connector,
        found.base_url,
        credentials,
        found.settings,
        found.timeout,
        found.settles_after,
    )


def manifest(name: str) -> Manifest:
    return registry.manifests()[entry(name).connector]


def secrets(name: str) -> list[Secret]:
    """The webhook secrets that the environment holds for an account."""
    named = ((secret, os.environ.get(secret.env, "")) for secret in entry(name).webhook_secrets)
    return [Secret(secret.env, value, secret.expires_at) for secret, value in named if value]


_seen: dict[str, tuple[float, tuple[Limit, ...]]] = {}


def limits_of(name: str, tx: Connection | None = None) -> Sequence[Limit]:
    """The account's limits now: the manifest's, the configuration's changes, and what a person set until a date.

    `tx`: the caller's transaction, if one is open; a second connection beside it could wait for the first.
    """
    at, known = _seen.get(name, (0.0, ()))
    if time.monotonic() - at < FRESH and at:
        return known
    with nullcontext(tx) if tx is not None else at_once() as asked:
        temporary = asked.execute(TEMPORARY, {"account": name}).scalar() or {}
    changes = {**entry(name).limits, **temporary}
    known = tuple(_changed(limit, changes.get(limit.name, {})) for limit in manifest(name).limits)
    _seen[name] = (time.monotonic(), known)
    return known


def _changed(limit: Limit, change: Mapping[str, Any]) -> Limit:
    return replace(limit, **change, capped=limit.capped or "rate" in change)


def ahead(name: str, tx: Connection | None = None) -> int:
    """How many steps an account's queue is fed ahead: what its limits allow in the next seconds, within its share of the slots."""
    engine_settings = config().settings["engine"]
    share = (entry(name).share if name in config().accounts else None) or float(engine_settings["share"])
    most = max(1, int(float(engine_settings["slots"]) * share))
    if name not in config().accounts:
        return most * 4  # the hub's own steps are short and never wait for the world
    limits = limits_of(name, tx)
    rates = [r for limit in limits if (r := _per_second(limit)) is not None]
    soon = float(engine_settings["feed_seconds"]) * min(rates) if rates else most
    holds = [int(limit.burst) for limit in limits if limit.kind == "concurrency"]
    return max(
        1,
        min(most, *holds, max(int(soon), int(engine_settings["feed_floor"])))
        if holds
        else min(most, max(int(soon), int(engine_settings["feed_floor"]))),
    )


def allowed(name: str, tx: Connection | None = None) -> float | None:
    """Calls a second that the limits on all calls of an account allow; None where none of them says so."""
    if name not in config().accounts:
        return None
    return min((rate for limit in limits_of(name, tx) if (rate := _per_second(limit)) is not None), default=None)


def _per_second(limit: Limit) -> float | None:
    """A limit on all calls as calls a second; None for one that says nothing about pace."""
    if limit.operations or limit.kind in ("concurrency", "daily", "points"):
        return None
    return limit.rate if limit.kind == "bucket" else limit.burst / limit.seconds
