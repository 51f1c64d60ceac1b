"""A system under test as one can ask it over HTTP: what it holds, which calls it got, its bad days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests


@dataclass(frozen=True)
class System:
    """A running simulator (or a live system, `upstream`, behind a proxy that plays the bad days) and its address."""

    address: str
    upstream: str = ""

    @property
    def live(self) -> bool:
        return bool(self.upstream)

    def get(self, path: str) -> Any:
        return self._asked("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self._asked("POST", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        return self._asked("PUT", path, body)

    def bad_day(self, kind: str, **how: Any) -> None:
        """Switches one fault on (connectors/kit/simulator.py FAULTS): bad_day("throttle", value=7, times=1)."""
        self.put("/_sim/faults", [{"kind": kind, **how}])

    def good_day(self) -> None:
        self._asked("DELETE", "/_sim/faults")

    def calls(self, operation: str = "") -> list[dict[str, Any]]:
        return [call for call in self.get("/_sim/calls") if operation in ("", call["operation"])]

    def _asked(self, method: str, path: str, body: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, self.address + path, json=body, timeout=20)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def told_effects(system: System) -> Mapping[str, Any]:
    """GET /_sim/effects, {"sales_order": {"shop-1001": 1}}: counts by business identity, a double shows as 2."""
    effects: Mapping[str, Any] = system.get("/_sim/effects")
    return effects
