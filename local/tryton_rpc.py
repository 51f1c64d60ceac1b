"""Tryton asked by its JSON-RPC, for what the supervisor does there: set it up, stock it, count in it."""

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests


class TrytonError(Exception):
    """Tryton refused a call; the message carries its own words."""


class Rpc:
    """One session of one user. Tryton answers HTTP 200 with an "error" for what it refuses, so both are looked at."""

    def __init__(self, url: str, database: str, user: str, password: str, timeout: float = 120.0) -> None:
        self._address = f"{url.rstrip('/')}/{database}/rpc/"
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._number = 0
        self.context: Mapping[str, Any] = {}
        number, token, _ = self._call("common.db.login", [user, {"password": password}])
        proof = base64.b64encode(f"{user}:{number}:{token}".encode()).decode()
        self._session.headers["Authorization"] = f"Session {proof}"
        self.user_id = int(number)
        self.refresh()

    def refresh(self) -> None:
        """Take the user's preferences (company, language) as the context of every further call."""
        self.context = self._call("model.res.user.get_preferences", [True, {}])

    def model(self, name: str, method: str, *arguments: Any, context: Mapping[str, Any] | None = None) -> Any:
        """`model.<name>.<method>` with the context as last parameter. Raises TrytonError."""
        return self._call(f"model.{name}.{method}", [*arguments, {**self.context, **(context or {})}])

    def create(self, name: str, *values: Mapping[str, Any]) -> list[int]:
        return [int(number) for number in self.model(name, "create", list(values))]

    def ids(self, name: str, *domain: Any) -> list[int]:
        return [int(number) for number in self.model(name, "search", list(domain), 0, None, [["id", "ASC"]])]

    def rows(
        self, name: str, domain: Sequence[Any], *fields: str, context: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        return list(
            self.model(name, "search_read", list(domain), 0, None, [["id", "ASC"]], list(fields), context=context)
        )

    def count(self, name: str, *domain: Any) -> int:
        return int(self.model(name, "search_count", list(domain)))

    def record_id(self, module: str, name: str) -> int:
        """The id of a record that a module brought along, by its name in the module."""
        return int(self.model("ir.model.data", "get_id", module, name))

    def wizard(self, name: str, *steps: tuple[str, Mapping[str, Any]]) -> None:
        """Walk through a wizard: each step is (state, {view: values})."""
        number = self._call(f"wizard.{name}.create", [self.context])[0]
        for state, data in steps:
            self._call(f"wizard.{name}.execute", [number, data, state, self.context])
        self._call(f"wizard.{name}.delete", [number, self.context])

    def _call(self, method: str, parameters: Sequence[Any]) -> Any:
        self._number += 1
        body = json.dumps({"id": self._number, "method": method, "params": list(parameters)}, default=dressed)
        answer = self._session.post(
            self._address, data=body, headers={"Content-Type": "application/json"}, timeout=self._timeout
        )
        if answer.status_code != requests.codes.ok:
            raise TrytonError(f"{method}: HTTP {answer.status_code} {answer.text[:300]}")
        said = json.loads(answer.text, object_hook=undressed)
        if "error" in said:
            raise TrytonError(f"{method}: {said['error']}")
        return said["result"]


def dressed(value: object) -> dict[str, Any]:
    """Tryton's clothes for what JSON does not know."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(f"{value!r} has no JSON form at Tryton")


def undressed(found: dict[str, Any]) -> Any:
    """Decimals and dates out of Tryton's clothes; anything else as it is."""
    kind = found.get("__class__")
    if kind == "Decimal":
        return Decimal(found["decimal"])
    if kind == "date":
        return dt.date(found["year"], found["month"], found["day"])
    return found
