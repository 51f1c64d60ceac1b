"""BigCommerce's published contracts, and whether a request or an answer keeps to them. They lie beside the repository;
tests say when they do not.

Two liberties, for defects of the published files: oneOf is read as anyOf (a sum refunded at the order fits two alternatives
word for word), and a list may be empty (a store without hooks would be impossible).
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
import yaml
from jsonschema import Draft202012Validator

SHARED = Path(__file__).parents[4] / "shared"
SPECS = SHARED / "specs" / "bigcommerce"
needs_spec = pytest.mark.skipif(not SPECS.exists(), reason=f"{SPECS} is not here")
# Which file publishes an address below /stores/{hash}.
FILES = (
    (re.compile(r"/v2/orders"), "orders.v2.oas2.yml"),
    (re.compile(r"/v3/orders"), "orders.v3.yml"),
    (re.compile(r"/v3/inventory"), "inventory.v3.yml"),
    (re.compile(r"/v3/catalog/variants"), "product-variants_catalog.v3.yml"),
    (re.compile(r"/v3/catalog/products"), "products_catalog.v3.yml"),
    (re.compile(r"/v3/pricelists"), "price_lists.v3.yml"),
    (re.compile(r"/v3/hooks"), "webhooks.v3.yml"),
)
# What may be answered whatever the operation: the files list few refusals (status codes: docs/start/about/status-codes).
ALWAYS = (400, 401, 403, 404, 406, 409, 413, 422, 429, 499, 500, 502, 503)  # 499: the simulator hung up
EMPTY = 204  # v2 answers an empty list so (docs/start/about/status-codes)


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
    loaded: dict[str, Any] = _json_schema(
        yaml.load((SPECS / file).read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    )
    return loaded


def _json_schema(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema."""
    if isinstance(node, list):
        return [_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {
        ("anyOf" if name == "oneOf" else name): _json_schema(one) for name, one in node.items() if name not in LEFT_OUT
    }
    return _nullable(made) if made.pop("nullable", False) is True else made


LEFT_OUT = frozenset(("example", "examples", "x-examples", "description", "discriminator", "minItems"))


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        told = {**schema, "type": [schema["type"], "null"]}
        return {**told, "enum": [*schema["enum"], None]} if "enum" in schema else told
    return {"anyOf": [schema, {"type": "null"}]}


@dataclass(frozen=True)
class Published:
    """An operation and the file that publishes it."""

    file: str
    told: Mapping[str, Any]
    shared: tuple[Any, ...]

    def parameters(self) -> Iterator[Mapping[str, Any]]:
        for one in (*self.shared, *self.told.get("parameters", ())):
            yield self.resolved(one)

    def answers(self) -> dict[str, Any]:
        """By status, as text: the files write some as numbers."""
        return {str(code): one for code, one in self.told["responses"].items()}

    def resolved(self, node: Any) -> Any:
        while isinstance(node, Mapping) and "$ref" in node:
            found: Any = spec(self.file)
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node


def operation(method: str, path: str) -> Published:
    """The operation of a request. Fails for one that BigCommerce does not publish."""
    below = re.sub(r"^/stores/[^/]+", "", path)
    file = next((name for pattern, name in FILES if pattern.match(below)), None)
    assert file is not None, f"{path} belongs to no contract"
    bare = below[3:]  # without /v2 or /v3, which the server's address has
    paths = spec(file)["paths"]
    found = [one for one in paths if re.fullmatch(re.sub(r"\\\{[^}]+\\\}", r"[^/]+", re.escape(one)), bare)]
    exact = [one for one in found if "{" not in one] or found
    assert exact, f"{bare} is not in {file}"
    assert method.lower() in paths[exact[0]], f"{method} {exact[0]} is not in {file}"
    return Published(file, paths[exact[0]][method.lower()], tuple(paths[exact[0]].get("parameters", ())))


def complaints(spoken: Spoken) -> Iterator[str]:
    """Everything about this request and its answer that the contract does not allow."""
    published, name = operation(spoken.method, spoken.path), f"{spoken.method} {spoken.path}"
    if spoken.status < 400:
        yield from _parameters(name, published, spoken)
        yield from _schema(f"{name} request", published, published.told.get("requestBody"), spoken.body)
    yield from _answer(name, published, spoken)


def _parameters(name: str, published: Published, spoken: Spoken) -> Iterator[str]:
    known = list(published.parameters())
    for one in known:
        there = {"header": spoken.headers, "query": spoken.query}.get(one["in"])
        if there is not None and one.get("required") and one["name"].lower() not in there and not _idle(one, spoken):
            yield f"{name}: {one['in']} {one['name']} is required"
    asked = {one["name"] for one in known if one["in"] == "query"}
    yield from (f"{name}: there is no parameter {one}" for one in spoken.query if one not in asked)


def _idle(parameter: Mapping[str, Any], spoken: Spoken) -> bool:
    """Some lists ask for a content type although they take no body."""
    return parameter["name"].lower() == "content-type" and not spoken.body


def _answer(name: str, published: Published, spoken: Spoken) -> Iterator[str]:
    listed = published.answers()
    if spoken.faulty or (str(spoken.status) not in listed and spoken.status in ALWAYS):
        return
    if spoken.status == EMPTY and not spoken.answer and "/v2/" in spoken.path:
        return
    if str(spoken.status) not in listed:
        yield f"{name}: the status {spoken.status} is not in the contract"
        return
    if spoken.status != EMPTY:
        yield from _schema(f"{name} {spoken.status}", published, listed[str(spoken.status)], spoken.answer)


def _schema(name: str, published: Published, holder: Any, body: bytes) -> Iterator[str]:
    content = (published.resolved(holder) or {}).get("content") or {}
    schema = next((one.get("schema") for kind, one in content.items() if "json" in kind), None)
    if schema is None or (not body and "request" not in name):
        return
    try:
        value = json.loads(body)
    except ValueError:
        yield f"{name}: is not JSON"
        return
    for error in validator(published.file, schema).iter_errors(value):
        yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def validator(file: str, schema: Mapping[str, Any]) -> Draft202012Validator:
    """A validator of one schema whose references point into the whole contract."""
    return Draft202012Validator({**schema, "components": spec(file).get("components", {})})
