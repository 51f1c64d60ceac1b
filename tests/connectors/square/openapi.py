"""Square's published contract, and whether a request or an answer keeps to it. It lies beside the repository; tests say when it does not.

Stricter than the file: a request may hold no field that is not published or only read (Square ignores both without a word). Two liberties: the file
publishes only the answer 200, so an error may have any status of RFC 9110, and must have the published shape of errors; and codes that operations
list themselves (x-endpoint-errors) belong to ErrorCode, which leaves some out (VERSION_MISMATCH).
"""

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
SPEC = SHARED / "specs" / "square" / "api.json"
WEBHOOKS = SHARED / "specs" / "square" / "square-webhooks-asyncapi.yml"
needs_spec = pytest.mark.skipif(not SPEC.exists(), reason=f"{SPEC} is not here")
LEFT_OUT = frozenset(("example", "examples", "description", "title", "x-release-status", "enum-descriptions"))


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
def published() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(SPEC.read_text())
    return loaded


@cache
def schemas(request: bool) -> dict[str, Any]:
    """Every schema as JSON Schema; for requests without what is only read, and nothing else besides what is told."""
    found = {name: _json_schema(one, request) for name, one in published()["components"]["schemas"].items()}
    found["ErrorCode"]["enum"] = [*found["ErrorCode"]["enum"], *_listed_codes()]
    return found


def _listed_codes() -> list[str]:
    rows = [one for path in published()["paths"].values() for one in path.values() if isinstance(one, dict)]
    return sorted({told["error-code"] for one in rows for told in one.get("x-endpoint-errors", ())})


def _json_schema(node: Any, request: bool) -> Any:
    if isinstance(node, list):
        return [_json_schema(one, request) for one in node]
    if not isinstance(node, dict):
        return node
    made = {
        name: _json_schema(one, request) for name, one in node.items() if name not in LEFT_OUT or name == "properties"
    }
    if isinstance(node.get("properties"), dict):
        made["properties"] = {
            name: _json_schema(one, request)
            for name, one in node["properties"].items()
            if not (request and one.get("readOnly"))
        }
        if request:
            made["additionalProperties"] = False
    return _nullable(made) if made.pop("nullable", False) is True else made


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def operation(method: str, path: str) -> Mapping[str, Any]:
    """The operation of a request. Fails for one that Square does not publish."""
    paths = published()["paths"]
    found = [one for one in paths if re.fullmatch(re.sub(r"\\\{[^}]+\\\}", r"[^/]+", re.escape(one)), path)]
    exact = [one for one in found if "{" not in one] or found
    assert exact, f"{path} is not published"
    assert method.lower() in paths[exact[0]], f"{method} {exact[0]} is not published"
    told: Mapping[str, Any] = paths[exact[0]][method.lower()]
    return told


def complaints(spoken: Spoken) -> Iterator[str]:
    """Everything about this request and its answer that the contract does not allow."""
    told, name = operation(spoken.method, spoken.path), f"{spoken.method} {spoken.path}"
    if spoken.status < 400:
        yield from _parameters(name, told, spoken)
        yield from _checked(f"{name} request", told.get("requestBody"), spoken.body, request=True)
        yield from _headers(name, spoken)
    if spoken.faulty:
        return
    if spoken.status >= 400:
        yield from _errors(f"{name} {spoken.status}", spoken.answer)
    elif str(spoken.status) not in told["responses"]:
        yield f"{name}: the status {spoken.status} is not published"
    else:
        yield from _checked(
            f"{name} {spoken.status}", told["responses"][str(spoken.status)], spoken.answer, request=False
        )


def _headers(name: str, spoken: Spoken) -> Iterator[str]:
    """What the security scheme and x-fern-global-headers ask for."""
    if "square-version" not in spoken.headers:
        yield f"{name}: Square-Version is missing"
    if spoken.path != "/oauth2/token" and not spoken.headers.get("authorization", "").startswith("Bearer "):
        yield f"{name}: no bearer token"


def _parameters(name: str, told: Mapping[str, Any], spoken: Spoken) -> Iterator[str]:
    known = {one["name"]: one for one in told.get("parameters", ()) if one["in"] == "query"}
    yield from (f"{name}: there is no parameter {one}" for one in spoken.query if one not in known)
    yield from (
        f"{name}: {one} is required" for one, row in known.items() if row.get("required") and one not in spoken.query
    )


def _errors(name: str, body: bytes) -> Iterator[str]:
    schema = {
        "type": "object",
        "required": ["errors"],
        "properties": {"errors": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Error"}}},
    }
    yield from _valid(name, schema, body, request=False)


def _checked(name: str, holder: Any, body: bytes, request: bool) -> Iterator[str]:
    content = (holder or {}).get("content") or {}
    schema = content.get("application/json", {}).get("schema")
    if schema is None:
        yield from [f"{name}: has a body that is not published"] if body and request else []
        return
    yield from _valid(name, schema, body, request)


def _valid(name: str, schema: Mapping[str, Any], body: bytes, request: bool) -> Iterator[str]:
    try:
        value = json.loads(body)
    except ValueError:
        yield f"{name}: is not JSON"
        return
    for error in validator(schema, request).iter_errors(value):
        yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def validator(schema: Mapping[str, Any], request: bool = False) -> Draft202012Validator:
    """A validator of one schema whose references point into the whole contract."""
    return Draft202012Validator({**schema, "components": {"schemas": schemas(request)}})


def named(name: str) -> Draft202012Validator:
    """Of one of the published types, as answered."""
    return validator({"$ref": f"#/components/schemas/{name}"})
