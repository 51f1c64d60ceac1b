"""The lab's policy files: the shipped ones with short leases, backoffs and polls, so that hours of bad weather pass in seconds."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labs.failure.scenario import Lab
from local.servers import CHECKOUT

ROLES = ("shop", "erp", "warehouse", "letters")
LEASE = 8.0
MOST = 2.0  # the longest backoff, seconds

SETTINGS: dict[str, dict[str, Any]] = {
    "engine": {
        "lease": LEASE,
        "rung_again": 4,
        "feed_seconds": 2,
        "feed_floor": 8,
        "share": 0.5,
        "slots": 16,
        "bulk_floor": 0.1,
    },
    "retry": {"first": 0.1, "factor": 1.7, "most": MOST, "tries": 60, "unexpected": 6, "budget": 200, "refill": 1.0},
    "breaker": {"failures": 8, "pause": 0.5, "most": 2, "probes": 2},
    "parked": {"case_after": 0, "try_again": 900},
    "intake": {"max_body": 2000000, "ring_patience": 0.2},
}
SCHEDULES = {"sweep": 1.0, "poll": 5.0, "publish": 1.0, "parked": 10.0, "watch": 600.0, "retain": 3600.0}
ACCOUNT: dict[str, Any] = {
    "connector": "acme",
    "timeout": 4.0,
    "credentials": {"client_id": "LAB_ID", "client_secret": "LAB_SECRET"},
    "webhook_secrets": ["LAB_HOOKS", "LAB_HOOKS_OLD"],
    "polls": {kind: {"every": 600} for kind in ("order", "stock", "product", "shipment")},
}
ROUTES = """
[[route]]
name = "orders"
kind = "order"
when = { account = "shop" }
roles = { channel = "shop", erp = "erp", warehouse = "warehouse", notify = "letters" }

[[route]]
name = "stock"
kind = "stock"
when = { account = "warehouse" }
roles = { publish = ["shop"] }
"""


def write(folder: Path, addresses: Mapping[str, str], lab: Lab) -> None:
    """Settings, accounts, routes and schedules for one scenario; what is not written here is as shipped."""
    folder.mkdir(parents=True, exist_ok=True)
    accounts = {role: _account(role, addresses[role], lab) for role in ROLES}
    settings = shipped(lab)
    schedules = scheduled({**SCHEDULES, **lab.schedules})
    for name, tables in (("accounts", accounts), ("settings", settings), ("schedules", schedules)):
        (folder / f"{name}.toml").write_text(toml(tables))
    (folder / "routes.toml").write_text(ROUTES)


def scheduled(every: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """The shipped schedules, with other seconds."""
    known = tomllib.loads((CHECKOUT / "config" / "schedules.toml").read_text())
    return {**known, **{job: {"every": seconds, "policy": "latest"} for job, seconds in every.items()}}


def shipped(lab: Lab) -> dict[str, dict[str, Any]]:
    """The shipped settings, with the lab's over them, and the scenario's over those."""
    known = tomllib.loads((CHECKOUT / "config" / "settings.toml").read_text())
    return {
        name: {**known.get(name, {}), **SETTINGS.get(name, {}), **lab.settings.get(name, {})}
        for name in {**known, **SETTINGS}
    }


def _account(role: str, address: str, lab: Lab) -> dict[str, Any]:
    own: dict[str, Any] = {"codes": {"sku": "mapped"}} if role == "erp" else {}
    shaped = {"base_url": address, "settings": {"shape": lab.shapes.get(role, "fat")}}
    return {**ACCOUNT, **own, **shaped, **lab.accounts.get(role, {})}


def toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables of plain values, as TOML."""
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value)
