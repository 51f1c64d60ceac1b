"""Amazon's published models (Swagger 2.0), and whether a request or an answer keeps to them. They lie beside the repository;
tests say when they do not.

Stricter than the models in one thing: a field that a model does not name is a complaint, so that a misspelt one is found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft7Validator, FormatChecker

SHARED = Path(__file__).parents[4] / "shared"
SPECS = SHARED / "specs" / "amazon-spapi"
needs_spec = pytest.mark.skipif(not SPECS.exists(), reason=f"{SPECS} is not here")
# Which model publishes an address.
FILES = (
    ("/orders/2026-01-01/", "orders_2026-01-01.json"),
    ("/orders/v0/", "ordersV0.json"),
    ("/feeds/2021-06-30/", "feeds_2021-06-30.json"),
    ("/listings/2021-08-01/", "listingsItems_2021-08-01.json"),
    ("/notifications/v1/", "notifications.json"),
    ("/tokens/2021-03-01/", "tokens_2021-03-01.json"),
    ("/finances/v0/", "financesV0.json"),
)
OUTSIDE = ("/auth/o2/token", "/stored/", "/")  # Login with Amazon, the store of documents, SQS: no model has them
HUNG_UP = 499
FORMATS = FormatChecker(())


@FORMATS.checks("date-time", raises=ValueError)
def _moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@dataclass(frozen=True)
class Spoken:
    """One request and its answer as the simulator's HTTP server saw them."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    status: int
    answer: bytes
    faulty: bool


@cache
def model(file: str) -> dict[str, Any]:
    found: dict[str, Any] = _closed(json.loads((SPECS / "models" / file).read_text()))
    return found


def _closed(node: Any) -> Any:
    """Objects take no field that they do not name."""
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _closed(one) for name, one in node.items() if name not in ("examples", "x-amzn-api-sandbox")}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


@dataclass(frozen=True)
class Published:
    """An operation and the model that publishes it."""

    file: str
    path: str
    told: Mapping[str, Any]
    shared: tuple[Any, ...]

    @property
    def name(self) -> str:
        return f"{self.file.removesuffix('.json')} {self.told['operationId']}"

    @property
    def plan(self) -> tuple[float, float] | None:
        """Rate a second and burst, out of the usage plan's table."""
        found = re.search(r"\|\s*([\d.]+)\s*\|\s*(\d+)\s*\|", self.told.get("description", ""))
        return (float(found[1]), float(found[2])) if found else None

    def parameters(self) -> Iterator[Mapping[str, Any]]:
        for one in (*self.shared, *self.told.get("parameters", ())):
            yield resolved(self.file, one)


def resolved(file: str, node: Any) -> Any:
    while isinstance(node, Mapping) and "$ref" in node:
        found: Any = model(file)
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def operation(method: str, path: str) -> Published:
    """The operation of a request. Fails for one that Amazon does not publish."""
    file = next((name for prefix, name in FILES if path.startswith(prefix)), None)
    assert file is not None, f"{path} belongs to no model"
    paths = model(file)["paths"]
    found = [one for one in paths if re.fullmatch(re.sub(r"\\\{[^}]+\\\}", r"[^/]+", re.escape(one)), path)]
    exact = [one for one in found if "{" not in one] or found
    assert exact, f"{path} is not in {file}"
    assert method.lower() in paths[exact[0]], f"{method} {exact[0]} is not in {file}"
    return Published(file, exact[0], paths[exact[0]][method.lower()], tuple(paths[exact[0]].get("parameters", ())))


def complaints(spoken: Spoken) -> Iterator[str]:
    """Everything about this request and its answer that the model does not allow."""
    published, name = operation(spoken.method, spoken.path), f"{spoken.method} {spoken.path}"
    if spoken.status < 400:
        yield from _query(name, published, spoken)
        yield from _request(name, published, spoken)
    if not spoken.faulty and spoken.status != HUNG_UP:
        yield from _answer(name, published, spoken)


def _query(name: str, published: Published, spoken: Spoken) -> Iterator[str]:
    known = {one["name"]: one for one in published.parameters() if one["in"] == "query"}
    for one in known.values():
        if one.get("required") and one["name"] not in spoken.query:
            yield f"{name}: {one['name']} is required"
    for asked, text in spoken.query.items():
        if asked not in known:
            yield f"{name}: there is no parameter {asked}"
            continue
        for error in Draft4Validator(_schema_of(known[asked]), format_checker=FORMATS).iter_errors(
            _typed(known[asked], text)
        ):
            yield f"{name}: {asked}: {error.message[:200]}"


def _schema_of(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameter.items() if name not in ("name", "in", "required", "description")}


def _typed(parameter: Mapping[str, Any], text: str) -> Any:
    """A parameter's text as its type; lists are separated by commas."""
    if parameter.get("type") == "array":
        return text.split(",")
    if parameter.get("type") == "integer":
        return int(text) if text.isdigit() else text
    return {"true": True, "false": False}.get(text, text) if parameter.get("type") == "boolean" else text


def _request(name: str, published: Published, spoken: Spoken) -> Iterator[str]:
    body = next((one for one in published.parameters() if one["in"] == "body"), None)
    if body is None:
        if spoken.body:
            yield f"{name}: takes no body"
        return
    yield from _schema(f"{name} request", published.file, body["schema"], spoken.body)


def _answer(name: str, published: Published, spoken: Spoken) -> Iterator[str]:
    listed = published.told["responses"]
    if str(spoken.status) not in listed:
        yield f"{name}: the status {spoken.status} is not in the model"
        return
    schema = listed[str(spoken.status)].get("schema")
    if schema is None:
        if spoken.answer:
            yield f"{name} {spoken.status}: has no body"
        return
    yield from _schema(f"{name} {spoken.status}", published.file, schema, spoken.answer)


def _schema(name: str, file: str, schema: Mapping[str, Any], body: bytes) -> Iterator[str]:
    try:
        value = json.loads(body)
    except ValueError:
        yield f"{name}: is not JSON"
        return
    whole = {**schema, "definitions": model(file)["definitions"]}
    if "$ref" in schema:
        whole = {"allOf": [schema], "definitions": model(file)["definitions"]}
    for error in Draft4Validator(whole, format_checker=FORMATS).iter_errors(value):
        yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def schema_complaints(file: str, value: Any) -> Iterator[str]:
    """Against a JSON schema of Amazon's (feeds, notifications), a path below schemas/."""
    schema = json.loads((SPECS / "schemas" / file).read_text())
    for error in Draft7Validator(schema).iter_errors(value):
        yield f"{file}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
