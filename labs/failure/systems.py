"""Acme's four systems over HTTP, each of which may go away altogether and come back at the same address."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import requests
from werkzeug.serving import BaseWSGIServer

from connectors.acme.simulator_limits import LIMITS
from connectors.kit.simulator import Fault, Simulator, serve
from labs.failure.policy import ACCOUNT, ROLES
from labs.judge import acme
from labs.judge.evidence import Call, Published
from local.ports import LOCALHOST, pick

LONGEST_CALL = 40.0  # seconds; no weather of the lab makes an answer take longer


class Systems:
    """Shop, ERP, warehouse and letter writer. The judge asks them over HTTP, as anybody may."""

    def __init__(self, settings: Mapping[str, Mapping[str, Any]], mailroom: str, secret: str) -> None:
        create = import_module("connectors.acme.simulator").create
        common = {"secrets": [secret], "client_id": "lab", "client_secret": "lab-secret"}
        told = {role: {**common, "webhook_url": f"{mailroom}/{role}"} for role in ("shop", "warehouse")}
        self._made: dict[str, Simulator] = {
            role: create({**common, **told.get(role, {}), **settings.get(role, {})}) for role in ROLES
        }
        self._limits = {role: settings.get(role, {}).get("limits", LIMITS) for role in ROLES}
        self._ports = {role: pick() for role in ROLES}
        self._servers: dict[str, BaseWSGIServer] = {}
        self._session = requests.Session()
        self._session.trust_env = False
        for role in ROLES:
            self.back(role)

    @property
    def addresses(self) -> dict[str, str]:
        return {role: f"http://{LOCALHOST}:{port}" for role, port in self._ports.items()}

    # ---- weather

    def faults(self, role: str, *faults: Fault) -> None:
        """Its bad days from now on; none for a good day."""
        self._made[role].faults[:] = list(faults)

    def away(self, role: str) -> None:
        """Gone: what is connected is cut, nobody can connect."""
        self.faults(role, Fault("drop"))
        server = self._servers.pop(role, None)
        if server is not None:
            server.shutdown()
            server.server_close()

    def back(self, role: str) -> None:
        """Here again, at the same address, with all that it knew."""
        if role not in self._servers:
            server = serve(self._made[role].app, LOCALHOST, self._ports[role])
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            self._servers[role] = server
        self.faults(role)

    def good(self) -> None:
        """A good day everywhere."""
        for role in ROLES:
            self.back(role)

    def stop(self) -> None:
        for role in list(self._servers):
            self.away(role)

    # ---- cheap looks, for scenarios that wait for a moment; the judge asks over HTTP

    def rows(self, role: str, table: str) -> list[dict[str, Any]]:
        memory = self._made[role].memory
        with memory.lock:
            return list(memory.table(table).values())

    def arrived(self, role: str, operation: str) -> int:
        """How many calls of an operation have arrived, those that are still being answered included."""
        return sum(1 for call in list(self._made[role].calls) if call.operation == operation)

    def hit(self, role: str) -> int:
        """How many calls have met a bad day."""
        return sum(1 for call in list(self._made[role].calls) if call.fault)

    def busy(self) -> bool:
        """Whether a call is still being answered: what it does is yet to come."""
        since = time.time() - LONGEST_CALL
        return any(call.status == 0 and call.at > since for made in self._made.values() for call in list(made.calls))

    # ---- what anybody may ask

    def get(self, role: str, path: str) -> Any:
        return self._ask("GET", role, path, None)

    def post(self, role: str, path: str, body: Any) -> Any:
        return self._ask("POST", role, path, body)

    def put(self, role: str, path: str, body: Any) -> Any:
        return self._ask("PUT", role, path, body)

    def _ask(self, method: str, role: str, path: str, body: Any) -> Any:
        url = f"{self.addresses[role]}/_sim/{path}"
        answer = self._session.request(method, url, json=body, timeout=60)
        answer.raise_for_status()
        return json.loads(answer.text) if answer.text else None

    def records(self) -> acme.Records:
        return acme.Records(**{role: self.get(role, "state") for role in ROLES})

    def calls(self, role: str = "") -> tuple[Call, ...]:
        """Every call, of one role or of all, in the order of arrival."""
        found = [acme.call(name, row) for name in ([role] if role else ROLES) for row in self.get(name, "calls")]
        return tuple(sorted(found, key=lambda call: call.at))

    def published(self) -> tuple[Published, ...]:
        """The limits that each system was told to have: it refuses what is above, and the judge counts for itself."""
        return tuple(_published(role, limit) for role, limits in self._limits.items() for limit in limits)


def _published(role: str, limit: Mapping[str, Any]) -> Published:
    seconds = float(limit.get("renewed", limit.get("seconds", 0)))
    waits = float(ACCOUNT["timeout"])
    return Published(
        role, limit["kind"], limit["burst"], seconds, limit.get("rate", 0.0), tuple(limit.get("operations", ())), waits
    )
