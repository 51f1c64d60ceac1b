"""Commerce Cloud's published contracts, and whether a request or an answer keeps to them. They lie beside the repository;
tests say when they do not.

Liberties, for defects of the published files: a closed schema that is made of others (ProductSearchRequest, -Result) allows
what those have; the body of a job's start is published as a bare string, though system jobs take an object, so it is only JSON;
OCAPI's 404s name no body, so its own fault is held against `default`. Open SCAPI schemas take c_ properties only, as their own
description says. Account Manager and WebDAV publish no contract: what is sent to them is held against facts (test_access).
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
import xmlschema
import yaml
from jsonschema import Draft202012Validator, FormatChecker

SHARED = Path(__file__).parents[4] / "shared"
SPECS = SHARED / "specs" / "salesforce-commerce"
needs_spec = pytest.mark.skipif(not SPECS.exists(), reason=f"{SPECS} is not here")
# An address's beginning and the file that publishes it.
FILES = (
    ("/checkout/orders/v1", "orders-oas-1.5.2.yaml"),
    ("/product/products/v1", "products-oas-1.2.0.yaml"),
    ("/s/-/dw/data/v25_6", "ocapi-data-api.json"),
)
UNPUBLISHED = ("/dwsso/", "/on/demandware.servlet/webdav/")
# What may be answered whatever the operation (guide/error-response-codes.html); 499: the simulator hung up.
ALWAYS = (400, 401, 403, 404, 409, 429, 499, 500, 503, 504)


FORMATS = FormatChecker(())
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(RFC3339.fullmatch(value))


@FORMATS.checks("uri")
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[a-z][a-z0-9+.-]*:\S+", value))


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
def spec(file: str) -> dict[str, Any]:
    text = (SPECS / file).read_text()
    raw = json.loads(text) if file.endswith(".json") else yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    loaded: dict[str, Any] = _json_schema(raw)
    return loaded


@cache
def xsd(name: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SPECS / "xsd" / f"{name}.xsd"))


def _json_schema(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema."""
    if isinstance(node, list):
        return [_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _json_schema(one) for name, one in node.items() if name not in LEFT_OUT}
    more = node.get("additionalProperties")
    if isinstance(more, dict) and more.get("title") == "Additional Property Support":
        made = {**made, "patternProperties": {"^c_": {}}, "additionalProperties": False}
    if "allOf" in node and more is False:
        made.pop("additionalProperties")
    if made.get("items") and isinstance(made.get("items"), dict) and made["items"].get("type") == "object":
        made["items"].pop("additionalProperties", None)
    return made


LEFT_OUT = frozenset(("example", "examples", "discriminator", "readOnly"))


@dataclass(frozen=True)
class Published:
    """An operation and the file that publishes it."""

    file: str
    told: Mapping[str, Any]
    shared: tuple[Any, ...]

    def parameters(self) -> Iterator[Mapping[str, Any]]:
        for one in (*self.shared, *self.told.get("parameters", ())):
            yield self.resolved(one)

    def resolved(self, node: Any) -> Any:
        while isinstance(node, Mapping) and "$ref" in node:
            found: Any = spec(self.file)
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node


def published(path: str) -> bool:
    return not path.startswith(UNPUBLISHED)


def operation(method: str, path: str) -> Published:
    """The operation of a request. Fails for one that Commerce Cloud does not publish."""
    root, file = next(((root, name) for root, name in FILES if path.startswith(root)), ("", ""))
    assert file, f"{path} belongs to no contract"
    bare, paths = path.removeprefix(root), spec(file)["paths"]
    found = [one for one in paths if re.fullmatch(re.sub(r"\\\{[^}]+\\\}", r"[^/]+", re.escape(one)), bare)]
    exact = min(found, key=lambda one: one.count("{"), default="")
    assert exact, f"{bare} is not in {file}"
    assert method.lower() in paths[exact], f"{method} {exact} is not in {file}"
    return Published(file, paths[exact][method.lower()], tuple(paths[exact].get("parameters", ())))


def complaints(spoken: Spoken) -> Iterator[str]:
    """Everything about this request and its answer that the contract does not allow."""
    if not published(spoken.path):
        return
    found, name = operation(spoken.method, spoken.path), f"{spoken.method} {spoken.path}"
    if spoken.status < 400:
        if not spoken.headers.get("authorization", "").startswith("Bearer "):
            yield f"{name}: no bearer token"
        yield from _parameters(name, found, spoken)
        yield from _request(name, found, spoken)
    yield from _answer(name, found, spoken)


def _parameters(name: str, found: Published, spoken: Spoken) -> Iterator[str]:
    known = {one["name"]: one for one in found.parameters() if one["in"] == "query"}
    yield from (
        f"{name}: query {key} is required"
        for key, one in known.items()
        if one.get("required") and key not in spoken.query
    )
    for key, value in spoken.query.items():
        if key not in known:
            yield f"{name}: there is no parameter {key}"
            continue
        schema = found.resolved(known[key].get("schema") or {"type": "string"})
        for error in _validator(found.file, schema).iter_errors(_typed(schema, value)):
            yield f"{name}: {key}: {error.message[:200]}"


def _typed(schema: Mapping[str, Any], value: str) -> Any:
    """A query's text as what its schema wants; lists are joined by commas (style form, not exploded)."""
    if schema.get("type") == "integer":
        return int(value) if value.lstrip("-").isdigit() else value
    return value.split(",") if schema.get("type") == "array" else value


def _request(name: str, found: Published, spoken: Spoken) -> Iterator[str]:
    holder = found.resolved(found.told.get("requestBody"))
    if holder is None:
        if spoken.body:
            yield f"{name} request: takes no body"
        return
    yield from _schema(f"{name} request", found, holder, spoken.body)


def _answer(name: str, found: Published, spoken: Spoken) -> Iterator[str]:
    listed = {str(code): found.resolved(one) for code, one in found.told["responses"].items()}
    if spoken.faulty or (str(spoken.status) not in listed and spoken.status in ALWAYS and "default" not in listed):
        return
    told = listed.get(str(spoken.status)) or listed.get("default" if spoken.status in ALWAYS else "")
    if told is None:
        yield f"{name}: the status {spoken.status} is not in the contract"
        return
    if not told.get("content") and spoken.answer:
        if "default" not in listed:
            yield f"{name} {spoken.status}: has no body"
            return
        told = listed["default"]
    yield from _schema(f"{name} {spoken.status}", found, told, spoken.answer)


def _schema(name: str, found: Published, holder: Any, body: bytes) -> Iterator[str]:
    content = (holder or {}).get("content") or {}
    schema = next((one.get("schema") for kind, one in content.items() if "json" in kind), None)
    if schema is None:
        return
    try:
        value = json.loads(body)
    except ValueError:
        yield f"{name}: is not JSON"
        return
    if schema == {"$ref": "#/components/schemas/string"}:
        return
    for error in _validator(found.file, schema).iter_errors(value):
        yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def _validator(file: str, schema: Mapping[str, Any]) -> Draft202012Validator:
    """A validator of one schema whose references point into the whole contract."""
    whole = {**schema, "components": spec(file).get("components", {})}
    return Draft202012Validator(whole, format_checker=FORMATS)


def schema_errors(file: str, name: str, value: Any) -> list[str]:
    """What is wrong with a document by a schema of a file."""
    asked = _validator(file, {"$ref": f"#/components/schemas/{name}"})
    return [f"{'.'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in asked.iter_errors(value)]
