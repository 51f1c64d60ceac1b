"""The types of a vendor's published contract, each with its fields: enough to see whether a path exists."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml  # type: ignore[import-untyped]

# type name -> field name -> the field's own type name (None for a plain value);
# the field "*" names the types that it is built on
Types = dict[str, dict[str, Any]]
DEEPEST = 14


def has(types: Types, path: str) -> bool:
    """Whether a path (Type.field.field) can be walked from its type to its last field."""
    roots = [name for name in types if path.startswith(name + ".")]
    if not roots:
        return False
    here: str | None = max(roots, key=len)
    for step in path[len(here or "") + 1 :].split("."):
        known = fields(types, here)
        if step not in known:
            return False
        here = known[step]
    return True


def fields(types: Types, name: str | None, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """A type's fields with those of the types it is built on."""
    own = dict(types.get(name or "", {}))
    for base in own.pop("*", ()):
        if base not in seen:
            own = {**fields(types, base, (*seen, base)), **own}
    return own


def openapi(*files: Path) -> Types:
    """OpenAPI 2 and 3, AsyncAPI: every schema by its name, every good answer and body by its operation's."""
    types: Types = {}
    for file in files:
        for name, schema in named(document(file)):
            merge(types, name, schema)
    return types


def document(file: Path) -> dict[str, Any]:
    text = file.read_text()
    loaded: dict[str, Any] = json.loads(text) if file.suffix == ".json" else yaml.load(text, yaml.CSafeLoader)
    return loaded


def named(doc: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    components = doc.get("components") or {}
    yield from (doc.get("definitions") or {}).items()
    yield from (components.get("schemas") or {}).items()
    for name, response in {**(doc.get("responses") or {}), **(components.get("responses") or {})}.items():
        yield f"resp_{name}", body(response)
    for name, request in (components.get("requestBodies") or {}).items():
        yield f"req_{name}", body(request)
    for methods in (doc.get("paths") or {}).values():
        for operation in methods.values():
            if isinstance(operation, dict) and "operationId" in operation:
                yield from exchanged(operation)


def exchanged(operation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    name = operation["operationId"]
    for code, response in (operation.get("responses") or {}).items():
        if str(code).startswith("2"):
            yield name, body(response)
    yield f"{name}_request", body(operation.get("requestBody"))
    for parameter in operation.get("parameters") or []:
        if parameter.get("in") == "body":
            yield f"{name}_request", parameter.get("schema")


def body(message: Any) -> Any:
    """The schema of a response or request body."""
    if not isinstance(message, dict) or "$ref" in message:
        return message
    contents = [content for content in (message.get("content") or {}).values() if "schema" in content]
    return contents[0]["schema"] if contents else message.get("schema")


def merge(types: Types, name: str, schema: Any, depth: int = 0) -> None:
    """Add a schema's fields to the type of that name."""
    known = types.setdefault(name, {})
    if not isinstance(schema, dict) or depth > DEEPEST:
        return
    if "$ref" in schema:
        known.setdefault("*", set()).add(referred(schema["$ref"]))
    parts = [part for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key) or []]
    for part in (*parts, schema.get("items"), schema.get("additionalProperties")):
        merge(types, name, part, depth + 1)
    for field, inner in (schema.get("properties") or {}).items():
        known[field] = f"{name}/{field}"
        merge(types, f"{name}/{field}", inner, depth + 1)


def referred(reference: str) -> str:
    *_, kind, name = reference.split("/")
    return {"responses": "resp_", "requestBodies": "req_"}.get(kind, "") + name


def sdl(file: Path) -> Types:
    """GraphQL SDL, read by pattern: graphql-core needs half a minute for Shopify's."""
    text = re.sub(r'"""(?:.|\n)*?"""|(?<!\\)"(?:[^"\\\n]|\\.)*"|#.*', "", file.read_text())
    types: Types = {}
    for name, inside in re.findall(
        r"^(?:type|input|interface)\s+(\w+)[^{\n]*\{(.*?)^\}", text, re.DOTALL | re.MULTILINE
    ):
        while (bare := re.sub(r"\([^()]*\)", "", inside)) != inside:
            inside = bare
        pairs = re.findall(r"^\s*(\w+)\s*:\s*[\[]*(\w+)", inside, re.MULTILINE)
        types.setdefault(name, {}).update(pairs)
    return types


def xsd(*files: Path) -> Types:
    """XML schemas: a complex type by its name, a document's element as el:name."""
    space = "{http://www.w3.org/2001/XMLSchema}"
    types: Types = {}
    for file in files:
        for top in ElementTree.parse(file).getroot():
            name = ("el:" if top.tag == space + "element" else "") + top.get("name", "")
            for inner in top.iter():
                if inner.tag in (space + "element", space + "attribute"):
                    kind = inner.get("type") or inner.get("ref") or ""
                    types.setdefault(name, {})[inner.get("name") or inner.get("ref") or ""] = (
                        kind.split(":")[-1] or None
                    )
    return types


def seen(types: Types, name: str, value: Any) -> Types:
    """What a payload shows: its keys become the fields of a type."""
    known = types.setdefault(name, {})
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            for key, inner in item.items():
                known[key] = f"{name}/{key}"
                seen(types, f"{name}/{key}", inner)
    return types


def table(file: Path, name: str, delimiter: str) -> Types:
    """A flat file: its columns are the fields."""
    with file.open(newline="") as lines:
        return {name: dict.fromkeys(next(csv.reader(lines, delimiter=delimiter)))}


def listed(file: Path, name: str, pattern: str) -> Types:
    """A page of the vendor's manual: what the pattern finds are the fields."""
    return {name: dict.fromkeys(re.findall(pattern, file.read_text(), re.MULTILINE))}


def together(*several: Types) -> Types:
    """Types of several sources; a type that two name has the fields of both."""
    types: Types = {}
    for one in several:
        for name, known in one.items():
            types.setdefault(name, {}).update(known)
    return types
