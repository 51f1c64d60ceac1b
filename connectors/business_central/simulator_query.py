"""OData's $filter, $expand, $count and pages over the simulator's tables, as far as an API page takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from connectors.business_central.simulator_books import ENTITY, LINES, Books, Record
from connectors.business_central.simulator_fields import FIELDS, shown
from connectors.business_central.simulator_refusals import Refused

TERM = re.compile(
    r"startswith\((?P<starts>\w+),'(?P<start>(?:[^']|'')*)'\)|(?P<name>\w+) (?P<how>eq|ge|gt|le|lt) (?P<value>'(?:[^']|'')*'|[^ ']+)"
)
MOST = 20_000  # entities of a page


def listed(
    books: Books, table: str, query: Mapping[str, str], root: str, path: str, size: int, within: str = ""
) -> dict[str, Any]:
    """A page of a list: rows, their count where it is asked for, and where the next page is."""
    where, entity = query.get("$filter", ""), ENTITY[table]
    found = [
        one
        for one in books.rows(table).values()
        if (not within or one.get("journalId") == within) and _seen(books, table, one)
    ]
    rows = [one for one in found if matches(entity, one, where)]
    start, limit = int(query.get("$skiptoken", 0)), min(size, MOST)
    fault = books.simulator.passive("page_shift")
    if fault is not None and start:
        if fault.times:
            fault.times -= 1
        start += 1  # a row that moved to the page before: whoever walks on misses it
    page = rows[start : start + limit]
    told: dict[str, Any] = {"@odata.context": f"{root}/$metadata#{table}"}
    if query.get("$count") == "true":
        told["@odata.count"] = len(rows)
    told["value"] = [told_record(table, one, query.get("$expand", "")) for one in page]
    if start + limit < len(rows):
        told["@odata.nextLink"] = f"{root}/{path}?{urlencode({**query, '$skiptoken': start + limit})}"
    return told


def _seen(books: Books, table: str, one: Record) -> bool:
    return books.simulator.indexed(table, str(one["id"]))


def told_record(table: str, record: Record, expand: str = "") -> dict[str, Any]:
    told = shown(ENTITY[table], record)
    lines, kind = LINES.get(table, ("", ""))
    if expand and expand != lines:
        raise Refused(
            f"Could not find a property named '{expand}' on type 'Microsoft.NAV.{ENTITY[table]}'.", "BadRequest"
        )
    if expand:
        told[lines] = [
            {**shown(kind, line), "documentId": record["id"], "@odata.etag": record["etag"]} for line in record["lines"]
        ]
    return told


def matches(entity: str, record: Mapping[str, Any], where: str) -> bool:
    """`and` of any fields; `or` of one field only, as Business Central takes it."""
    if not where:
        return True
    if " or " in where and " and " not in where:
        terms = [_term(entity, one) for one in where.split(" or ")]
        if len({name for name, _, _ in terms}) > 1:
            raise Refused(
                "Filters of different fields cannot be combined with 'or'.", "BadRequest_MethodNotImplemented"
            )
        return any(_holds(entity, record, *term) for term in terms)
    return all(_holds(entity, record, *_term(entity, one)) for one in where.split(" and "))


def _term(entity: str, text: str) -> tuple[str, str, str]:
    found = TERM.fullmatch(text.strip())
    if found is None:
        raise Refused(f"Syntax error in the filter '{text}'.", "BadRequest")
    name = found["starts"] or found["name"]
    if name not in FIELDS[entity]:
        raise Refused(f"Could not find a property named '{name}' on type 'Microsoft.NAV.{entity}'.", "BadRequest")
    if found["starts"]:
        return name, "startswith", found["start"].replace("''", "'")
    value = found["value"]
    return name, found["how"], value[1:-1].replace("''", "'") if value.startswith("'") else value


def _holds(entity: str, record: Mapping[str, Any], name: str, how: str, value: str) -> bool:
    told = str(record.get(name) or "")
    if FIELDS[entity][name][0].startswith("c"):
        told, value = told.upper(), value.upper()
    return {
        "eq": told == value, "startswith": told.startswith(value), "ge": told >= value, "gt": told > value,
        "le": told <= value, "lt": told < value,
    }[how]  # fmt: skip
