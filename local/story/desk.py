"""Asking a simulator over HTTP what it holds, and moving its people."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import requests

Json = dict[str, Any]


class Desk:
    """The control desk of one simulator: /_sim/... of its address."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self._ask("PUT", path, body)

    def faults(self, *faults: Json) -> None:
        """Its bad days from now on; none for a good day."""
        self.put("faults", list(faults))

    def _ask(self, method: str, path: str, body: Any) -> Any:
        answer = self._session.request(method, f"{self._address}/_sim/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return json.loads(answer.text, parse_float=Decimal) if answer.text else None
