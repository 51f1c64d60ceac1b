"""Reads the policy files into frozen values, and names file, line and remedy of whatever is wrong in them."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILES = (
    "settings",
    "accounts",
    "routes",
    "authority",
    "owners",
    "schedules",
    "availability",
    "holds",
    "customers",
    "prices",
    "money",
)


class Wrong(ValueError):
    """The configuration cannot be used; says where and what to do."""

    def __init__(self, file: str, line: int, sentence: str, remedy: str) -> None:
        super().__init__(f"{file}:{line}: {sentence} Remedy: {remedy}")
        self.file, self.line, self.sentence, self.remedy = file, line, sentence, remedy


@dataclass(frozen=True, slots=True)
class SecretName:
    """The environment variable that holds a webhook secret, and until when it is valid (both hold during a rotation)."""

    env: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """An account as configured; `credentials` maps the manifest's names to environment variables."""

    name: str
    connector: str
    base_url: str
    credentials: Mapping[str, str] = field(default_factory=dict)
    webhook_secrets: tuple[SecretName, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    polls: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    timeout: float = 10.0
    settles_after: float = 0.0
    share: float | None = None
    max_body: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    kind: str
    when: Mapping[str, Any]
    roles: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A window begins every `every` seconds, `at` seconds after midnight UTC where it is longer; beat looks every `tick` seconds for one."""

    name: str
    every: float
    policy: str
    tick: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class HoldRule:
    """Orders that must wait: why, who frees them, and after how many seconds that is overdue."""

    name: str
    reason: str
    when: Mapping[str, Any]
    owner: str
    deadline: float


@dataclass(frozen=True)
class Config:
    """All policy, read once for each process."""

    settings: Mapping[str, Mapping[str, Any]]
    accounts: Mapping[str, AccountEntry]
    routes: tuple[Route, ...]
    authority: Mapping[str, Any]
    owners: Mapping[str, Any]
    schedules: Mapping[str, Schedule]
    holds: tuple[HoldRule, ...]
    customers: Mapping[str, Any]
    folder: Path
    availability: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, Any] = field(default_factory=dict)
    money: Mapping[str, Any] = field(default_factory=dict)


@cache
def config() -> Config:
    """The policy of this process: the folder WAYBILL_CONFIG names, else the one shipped. Raises Wrong."""
    return read(Path(os.environ.get("WAYBILL_CONFIG", HERE)))


def read(folder: Path) -> Config:
    raw = {name: _load(folder, name) for name in FILES}
    return Config(
        settings=raw["settings"],
        accounts={name: _account(folder, name, table) for name, table in raw["accounts"].items()},
        routes=tuple(_route(folder, route) for route in raw["routes"].get("route", ())),
        authority=raw["authority"],
        owners=raw["owners"],
        schedules={name: _schedule(folder, name, table) for name, table in raw["schedules"].items()},
        holds=tuple(_hold(folder, rule) for rule in raw["holds"].get("rule", ())),
        customers=raw["customers"],
        folder=folder,
        availability=raw["availability"],
        prices=raw["prices"],
        money=raw["money"],
    )


def _load(folder: Path, name: str) -> dict[str, Any]:
    """A policy file; one that the folder lacks is taken from those shipped."""
    path = folder / f"{name}.toml"
    path = path if path.exists() else HERE / f"{name}.toml"
    try:
        loaded: dict[str, Any] = _expand(tomllib.loads(path.read_text()))
    except tomllib.TOMLDecodeError as error:
        line = int(found.group(1)) if (found := re.search(r"line (\d+)", str(error))) else 1
        raise Wrong(
            path.name, line, f"this is not TOML: {error}.", "mend the line; strings stand in double quotes"
        ) from error
    return loaded


def _expand(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: os.environ.get(m[1]) or m[2] or "", value)
    if isinstance(value, dict):
        return {key: _expand(item) for key, item in value.items()}
    return [_expand(item) for item in value] if isinstance(value, list) else value


ACCOUNT_KEYS = frozenset(AccountEntry.__dataclass_fields__) - {"name"}


def _account(folder: Path, name: str, table: Mapping[str, Any]) -> AccountEntry:
    for key in table:
        if key not in ACCOUNT_KEYS:
            raise wrong(
                folder,
                "accounts",
                key,
                f"account {name} has an unknown key {key!r}.",
                f"use one of: {', '.join(sorted(ACCOUNT_KEYS))}",
            )
    if "connector" not in table:
        raise wrong(
            folder,
            "accounts",
            f"[{name}]",
            f"account {name} names no connector.",
            'add connector = "<folder under connectors/>"',
        )
    secrets = tuple(_secret(folder, name, text) for text in table.get("webhook_secrets", ()))
    rest = {key: value for key, value in table.items() if key != "webhook_secrets"}
    return AccountEntry(name=name, webhook_secrets=secrets, **{"base_url": "", **rest})


def _secret(folder: Path, account: str, text: str) -> SecretName:
    """`NAME` or `NAME until 2026-12-01T00:00:00Z`."""
    env, _, until = text.partition(" until ")
    try:
        expires = datetime.fromisoformat(until.strip()) if until else None
    except ValueError:
        raise wrong(
            folder, "accounts", text, f"account {account}: {until!r} is no time.", "write it as 2026-12-01T00:00:00Z"
        ) from None
    return SecretName(env.strip(), expires.replace(tzinfo=expires.tzinfo or UTC) if expires else None)


def _route(folder: Path, table: Mapping[str, Any]) -> Route:
    missing = [key for key in ("name", "kind", "roles") if key not in table]
    if missing:
        raise wrong(
            folder,
            "routes",
            "[[route]]",
            f"a route lacks {', '.join(missing)}.",
            "give each route a name, a kind and its roles",
        )
    return Route(table["name"], table["kind"], table.get("when", {}), table["roles"])


LONGEST_TICK = 60.0  # beat counts from its own start: a tick as long as a day would come with the wrong hour, or never
POLICIES = ("catch_up", "latest", "skip")


def _schedule(folder: Path, name: str, table: Mapping[str, Any]) -> Schedule:
    if table.get("policy", "latest") not in POLICIES:
        raise wrong(
            folder,
            "schedules",
            str(table["policy"]),
            f"{name}: no such policy {table['policy']!r}.",
            f"use one of: {', '.join(POLICIES)}",
        )
    every = float(table["every"])
    tick = float(table.get("tick", min(every, LONGEST_TICK)))
    return Schedule(
        name, every, table.get("policy", "latest"), tick, _clock(folder, name, str(table.get("at", "00:00")))
    )


def _clock(folder: Path, name: str, word: str) -> float:
    """Seconds after midnight of HH:MM."""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", word)
    if found is None:
        raise wrong(folder, "schedules", word, f"{name}: {word!r} is no time of day.", 'write it as "02:30" (UTC)')
    return int(found[1]) * 3600.0 + int(found[2]) * 60


HOLDS = ("payment", "fraud", "address", "stock", "manual")


def _hold(folder: Path, table: Mapping[str, Any]) -> HoldRule:
    if table.get("reason") not in HOLDS or "owner" not in table or not table.get("when"):
        raise wrong(
            folder,
            "holds",
            str(table.get("name", "[[rule]]")),
            f"the hold rule {table.get('name')!r} is not complete.",
            f"give it a when, an owner and a reason of: {', '.join(HOLDS)}",
        )
    name = str(table.get("name", table["reason"]))
    return HoldRule(name, table["reason"], table["when"], table["owner"], float(table.get("deadline", 86400)))


def wrong(folder: Path, name: str, needle: str, sentence: str, remedy: str) -> Wrong:
    """A finding at the first line of the file that holds `needle`."""
    path = folder / f"{name}.toml"
    lines = (path if path.exists() else HERE / f"{name}.toml").read_text().splitlines()
    line = next((number for number, text in enumerate(lines, 1) if needle in text), 1)
    return Wrong(f"{name}.toml", line, sentence, remedy)
