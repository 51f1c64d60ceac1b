"""A small executor of GraphQL documents over plain data: aliases, fragments, variables, connections, and their cost.

It knows no schema: an object is a dict, a connection a Connection, a field with arguments a function of them. In tests
its answers are checked against Shopify's schema.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, sqrt
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    parse,
    value_from_ast_untyped,
)

Json = dict[str, Any]
# Sums and page details cost nothing (recorded costs of 2026-04 calls).
FREE = ("pageInfo", "nodes", "edges", "node", "shopMoney", "presentmentMoney", "price", "userErrors", "extensions")


class Fault(Exception):
    """A top-level error: Shopify answers 200 with `errors`."""

    def __init__(self, message: str, code: str = "", path: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.body: Json = {"message": message, **({"path": list(path)} if path else {})}
        if code:
            self.body["extensions"] = {"code": code}


@dataclass(frozen=True)
class Connection:
    """Rows that are paged by cursor; `place(row)` is what the cursor remembers, so that it survives changes."""

    rows: Sequence[Any]
    place: Callable[[Any], Any] = lambda row: row["id"]
    node: Callable[[Any], Any] = lambda row: row
    overlap: int = 0  # a bad day: so many rows of the page before come again

    def page(self, arguments: Mapping[str, Any]) -> Json:
        first = arguments.get("first")
        if first is None:
            raise Fault("you must provide one of first or last", "BAD_REQUEST")
        if not 0 < int(first) <= 250:
            raise Fault(f"first: must be between 1 and 250 (was {first})", "BAD_REQUEST")
        rows = self._after(arguments.get("after"))
        shown = rows[: int(first)]
        return {
            "nodes": [self.node(row) for row in shown],
            "edges": [],
            "pageInfo": {
                "hasNextPage": len(rows) > len(shown),
                "hasPreviousPage": bool(arguments.get("after")),
                "startCursor": self._cursor(shown[0]) if shown else None,
                "endCursor": self._cursor(shown[-1]) if shown else None,
            },
        }

    def _cursor(self, row: Any) -> str:
        return base64.urlsafe_b64encode(repr(self.place(row)).encode()).decode()

    def _after(self, cursor: str | None) -> Sequence[Any]:
        if cursor is None:
            return self.rows
        try:
            after = base64.urlsafe_b64decode(cursor).decode()
        except ValueError:
            raise Fault("Invalid cursor for current pagination sort.", "BAD_REQUEST") from None
        marks = [repr(self.place(row)) for row in self.rows]
        if after in marks:
            return self.rows[max(1, marks.index(after) + 1 - self.overlap) :]
        return [row for row, mark in zip(self.rows, marks, strict=True) if mark > after]


@dataclass
class Request:
    """A parsed request: its operation, fragments and variables."""

    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: Json
    spent: float = 0.0
    roots: list[FieldNode] = field(default_factory=list)

    @property
    def write(self) -> bool:
        return self.operation.operation is OperationType.MUTATION

    @property
    def name(self) -> str:
        return self.roots[0].name.value if self.roots else ""


@lru_cache(maxsize=128)
def _document(text: str) -> DocumentNode:
    """The same few documents come again and again."""
    return parse(text)


def parsed(text: str, variables: Json) -> Request:
    """The request of a document with one operation. Raises Fault for a syntax error or a missing variable."""
    try:
        document = _document(text)
    except GraphQLSyntaxError as error:
        raise Fault(str(error.message)) from None
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    if len(operations) != 1:
        raise Fault("An operation name is required")
    for wanted in operations[0].variable_definitions or ():
        name = wanted.variable.name.value
        if wanted.default_value is not None:
            variables.setdefault(name, value_from_ast_untyped(wanted.default_value))
        if wanted.type.kind == "non_null_type" and variables.get(name) is None:
            raise Fault(f"Variable ${name} of type was provided invalid value", "INVALID_VARIABLE")
    for directive in operations[0].directives or ():
        raise Fault(f"'@{directive.name.value}' can't be applied to operations", "directiveCannotBeApplied")
    request = Request(operations[0], fragments, variables)
    request.roots = [one for one in operations[0].selection_set.selections if isinstance(one, FieldNode)]
    return request


def arguments(node: FieldNode, variables: Json) -> Json:
    """A field's arguments; one given as a variable that was not sent is absent."""
    given = ((a.name.value, a.value) for a in node.arguments or ())
    return {
        name: value_from_ast_untyped(value, variables)
        for name, value in given
        if not isinstance(value, VariableNode) or value.name.value in variables
    }


def directive(node: FieldNode, name: str, variables: Json) -> Json | None:
    """The arguments of a directive on a field; None where it is not there."""
    for one in node.directives or ():
        if one.name.value == name:
            return {a.name.value: value_from_ast_untyped(a.value, variables) for a in one.arguments or ()}
    return None


def selected(request: Request, value: Any, selections: SelectionSetNode | None, kind: str) -> Any:
    """The chosen fields of a value, with what they cost added up."""
    if value is None or selections is None:
        return value
    if isinstance(value, list | tuple):
        return [selected(request, item, selections, kind) for item in value]
    if kind not in FREE and not kind.endswith("Set"):
        request.spent += 1
    chosen: Json = {}
    for one in _flat(request, value, selections):
        name = one.name.value
        chosen[one.alias.value if one.alias else name] = _field(request, value, one, name)
    return chosen


def _field(request: Request, value: Json, node: FieldNode, name: str) -> Any:
    if name not in value:
        if name == "__typename":
            raise Fault("This simulator does not know the type here", "undefinedField")
        raise Fault(f"Field '{name}' doesn't exist on type '{value.get('__typename', '?')}'", "undefinedField")
    found = value[name]
    given = arguments(node, request.variables)
    if isinstance(found, Connection):
        request.spent += 2
        found = found.page(given)
        return selected(request, found, node.selection_set, "edges")
    if callable(found):
        found = found(given)
        if isinstance(found, Connection):
            request.spent += 2
            return selected(request, found.page(given), node.selection_set, "edges")
    if isinstance(found, list) and "first" in given:
        found = found[: int(given["first"])]
    return selected(request, found, node.selection_set, name if name not in ("nodes", "node") else "row")


def _flat(request: Request, value: Json, selections: SelectionSetNode) -> list[FieldNode]:
    """The fields chosen here, with those of every fragment that fits the object's type."""
    fields: list[FieldNode] = []
    for one in selections.selections:
        if isinstance(one, FieldNode):
            fields.append(one)
        elif isinstance(one, FragmentSpreadNode):
            fields += _flat(request, value, request.fragments[one.name.value].selection_set)
        elif isinstance(one, InlineFragmentNode):
            wanted = one.type_condition.name.value if one.type_condition else None
            if wanted is None or value.get("__typename") in (None, wanted):
                fields += _flat(request, value, one.selection_set)
    return fields


def requested_cost(request: Request) -> int:
    """What the request may cost at most: 10 for a mutation, 1 for an object, and a connection by about the root of its
    page size times what a row costs (fitted to recorded costs of 2026-04; Shopify's own formula is not published)."""
    base = 10.0 if request.write else 0.0
    return ceil(base + sum(_price(request, root) for root in request.roots))


def _price(request: Request, node: FieldNode) -> float:
    if node.selection_set is None:
        return 0.0
    name = node.name.value
    inner = sum(_price(request, one) for one in _every(request, node.selection_set))
    own = 0.0 if name in FREE or name.endswith("Set") else 1.0
    size = arguments(node, request.variables).get("first")
    if size is not None:
        return 2 + ceil(max(1.0, inner) * sqrt(int(size)))
    return own + inner


def _every(request: Request, selections: SelectionSetNode) -> list[FieldNode]:
    fields: list[FieldNode] = []
    for one in selections.selections:
        if isinstance(one, FieldNode):
            fields.append(one)
        elif isinstance(one, FragmentSpreadNode):
            fields += _every(request, request.fragments[one.name.value].selection_set)
        elif isinstance(one, InlineFragmentNode):
            fields += _every(request, one.selection_set)
    return fields
