"""ShipBob's published contract, and whether a request or an answer keeps to it. Lies beside the repository; tests
say when it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SHARED = Path(__file__).parents[4] / "shared"
SPEC = SHARED / "specs" / "shipbob" / "shipbob-openapi.json"
needs_spec = pytest.mark.skipif(not SPEC.exists(), reason=f"{SPEC} is not here")
# What the gateway in front of ShipBob answers, whatever the operation; the OpenAPI does not list them.
GATEWAY = (429, 499, 500, 502, 503)  # 499: the simulator hung up, nobody saw an answer


@dataclass(frozen=True)
class Spoken:
    """One request and its answer as the simulator's HTTP server saw them."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer: bytes
    faulty: bool


@cache
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SPEC.read_text())
    return loaded


@cache
def _paths() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(re.sub(r"\\\{[^}]+\\\}", r"[^/:]+", re.escape(path))), path) for path in spec()["paths"])


def operation(method: str, path: str) -> dict[str, Any]:
    """The operation of a request. Fails for one that ShipBob does not publish."""
    found = [template for pattern, template in _paths() if pattern.fullmatch(path)]
    exact = [template for template in found if template == path] or found
    assert exact, f"{path} is not in the contract"
    operations: dict[str, Any] = spec()["paths"][exact[0]]
    assert method.lower() in operations, f"{method} {path} is not in the contract"
    told: dict[str, Any] = operations[method.lower()]
    return told


def complaints(spoken: Spoken) -> Iterator[str]:
    """Everything about this request and its answer that the contract does not allow."""
    told, name = operation(spoken.method, spoken.path), f"{spoken.method} {spoken.path}"
    good = spoken.status < 400
    if good:
        for parameter in told.get("parameters", ()):
            where = spoken.headers if parameter["in"] == "header" else spoken.query
            if (
                parameter.get("required")
                and parameter["in"] in ("header", "query")
                and parameter["name"].lower() not in where
            ):
                yield f"{name}: {parameter['in']} {parameter['name']} is required"
        yield from _schema(f"{name} request", told.get("requestBody"), spoken.body)
    if spoken.faulty or (spoken.status in GATEWAY and str(spoken.status) not in told["responses"]):
        return
    if str(spoken.status) not in told["responses"]:
        yield f"{name}: the status {spoken.status} is not in the contract"
        return
    yield from _schema(f"{name} {spoken.status}", told["responses"][str(spoken.status)], spoken.answer)


def _schema(name: str, holder: Mapping[str, Any] | None, body: bytes) -> Iterator[str]:
    schema = ((holder or {}).get("content") or {}).get("application/json", {}).get("schema")
    if schema is None or (not body and schema.get("properties") is None):
        return
    if not body and name.endswith("204"):
        return
    for error in validator(schema).iter_errors(json.loads(body)):
        yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """A validator of one schema whose references point into the whole contract."""
    return Draft202012Validator({**schema, "components": spec()["components"]})
