"""OData V2 at the other end: addresses taken apart, filters, pages and envelopes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask import Response, request

Record = dict[str, Any]
DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
ADDRESS = re.compile(r"(\w+)(?:\((.*?)\))?(?:/(\w+))?")
KEY = re.compile(r"(?:(\w+)=)?'((?:[^']|'')*)'")
TERM = re.compile(r"(\w+) (eq|ne|ge|gt|le|lt) ('(?:[^']|'')*'|datetime(?:offset)?'[^']*')")
GROUP = re.compile(r"(.+) and \(([^()]+ or [^()]+|[^()]+)\)")
JOIN = re.compile(r"\s+(and|or)\s+")


class Refused(Exception):
    """A request that the service does not take: status, code, words, and the property that it is about."""

    def __init__(self, status: int, code: str, words: str, field: str = "") -> None:
        super().__init__(words)
        self.status, self.code, self.words, self.field = status, code, words, field


def refusal(refused: Refused) -> Response:
    detail = {"code": refused.code, "message": refused.words, "propertyref": refused.field, "severity": "error"}
    error = {
        "code": refused.code,
        "message": {"lang": "en", "value": refused.words},
        "innererror": {"errordetails": [detail]},
    }
    return Response(json.dumps({"error": error}), refused.status, content_type="application/json")


def plain(status: int, words: str) -> tuple[Any, Mapping[str, str]]:
    """An error of the gateway itself."""
    return {"error": {"code": f"/IWFND/CM_MGW/{status}", "message": {"lang": "en", "value": words}}}, {}


def address(path: str) -> tuple[str, dict[str, str], str]:
    """(entity or function, keys, navigation); a single key stands under ""."""
    found = ADDRESS.fullmatch(path)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", "Resource not found for the segment")
    keys = {name: value.replace("''", "'") for name, value in KEY.findall(found[2] or "")}
    return found[1], keys, found[3] or ""


# ---- filters


def chosen(
    records: Iterable[Record], where: str, padded: Sequence[str], grammar: re.Pattern[str] = TERM
) -> list[Record]:
    """The records that a filter takes: comparisons joined by `and` or by `or`, the last
    of them perhaps a group of its own in brackets. `padded` are numbers that compare as such."""
    if not where:
        return list(records)
    grouped = GROUP.fullmatch(where)
    if grouped is not None:
        return chosen(chosen(records, grouped[1], padded, grammar), grouped[2], padded, grammar)
    parts = JOIN.split(where)
    terms, joins = parts[::2], set(parts[1::2])
    if len(joins) > 1:
        raise Refused(400, "/IWBEP/CM_MGW_RT/176", "The filter is not supported here")
    tests = [_term(one, padded, grammar) for one in terms]
    every = all if joins != {"or"} else any
    return [one for one in records if every(test(one) for test in tests)]


def _term(term: str, padded: Sequence[str], grammar: re.Pattern[str]) -> Callable[[Record], bool]:
    found = grammar.fullmatch(term.strip())
    if found is None:
        raise Refused(400, "/IWBEP/CM_MGW_RT/176", f"The filter {term} is not supported")
    name, operator, literal = found[1], found[2], found[3]

    def test(record: Record) -> bool:
        if name not in record:
            raise Refused(400, "/IWBEP/CM_MGW_RT/021", f"Property {name} not found")
        mine, wanted = comparable(record[name], name in padded), _literal(literal, name in padded)
        return _compared(mine, operator, wanted)

    return test


def _literal(literal: str, padded: bool) -> str:
    if literal.startswith("datetime"):
        return literal.partition("'")[2][:-1].removesuffix("Z")
    if not literal.startswith("'"):
        return literal
    return comparable(literal[1:-1].replace("''", "'"), padded)


def comparable(value: Any, padded: bool) -> str:
    found = DATE.fullmatch(str(value or ""))
    if found:
        return datetime.fromtimestamp(int(found[1]) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return str(value or "").zfill(10) if padded else str(value or "")


def _compared(mine: str, operator: str, wanted: str) -> bool:
    order = (mine > wanted) - (mine < wanted)
    return {"eq": order == 0, "ne": order != 0, "ge": order >= 0, "gt": order > 0, "le": order <= 0, "lt": order < 0}[
        operator
    ]


def paged(records: list[Record], padded: Sequence[str]) -> list[Record]:
    """Order and window as the query asks for them."""
    order = request.args.get("$orderby", "")
    for name in reversed([one for one in order.split(",") if one]):
        records = sorted(records, key=lambda one: comparable(one.get(name), name in padded))
    skip, top = int(request.args.get("$skip", 0)), request.args.get("$top")
    return records[skip:] if top is None else records[skip : skip + int(top)]


# ---- envelopes


def answer(told: Any, status: int = 200) -> Response:
    return Response(json.dumps({"d": told}, default=str), status, content_type="application/json")


def etag(record: Mapping[str, Any]) -> str:
    """A mark of the state of a record."""
    seen = json.dumps({k: v for k, v in record.items() if not k.startswith("_")}, sort_keys=True, default=str)
    return f'W/"{hashlib.sha256(seen.encode()).hexdigest()[:20]}"'


def matched(record: Mapping[str, Any]) -> None:
    """The state that a change is asked for must be the one that stands."""
    told = request.headers.get("if-match")
    if told is None:
        raise Refused(428, "/IWFND/CM_MGW/428", "Precondition required")
    if told not in ("*", etag(record)):
        raise Refused(412, "/IWFND/CM_MGW/412", "Precondition failed")


def changed() -> Record:
    """The fields of a PATCH, which stand in `d`."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or set(body) != {"d"} or not isinstance(body["d"], dict):
        raise Refused(400, "/IWBEP/CM_MGW_RT/066", "The request body is not valid")
    return body["d"]


def created() -> Record:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(400, "/IWBEP/CM_MGW_RT/066", "The request body is not valid")
    return body


def inner(body: Mapping[str, Any], name: str) -> list[Record]:
    """The records of a deep insert."""
    told = body.get(name) or {"results": []}
    found = told.get("results") if isinstance(told, Mapping) else told
    if not isinstance(found, list):
        raise Refused(400, "/IWBEP/CM_MGW_RT/066", f"{name} is not a list of records")
    return found


def day(at: date | None = None) -> str:
    on = at or datetime.now(UTC).date()
    return f"/Date({int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp()) * 1000})/"


def kept(value: Decimal) -> str:
    return f"{value:f}"
