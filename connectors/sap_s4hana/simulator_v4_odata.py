"""OData V4 at the other end: keys as segments of the address, plain lists, numbers for decimals, errors in V4's shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import simplejson
from flask import Response, request

from connectors.kit.http import dump_json
from connectors.sap_s4hana.simulator_odata import Record, Refused, chosen, paged

TERM = re.compile(r"(\w+) (eq|ne|ge|gt|le|lt) ('(?:[^']|'')*'|\d{4}-\d{2}-\d{2})")
# entity -> its keys, in the order of the address
KEYS = {
    "SalesOrder": ("SalesOrder",),
    "SalesOrderItem": ("SalesOrder", "SalesOrderItem"),
    "SalesOrderPricingElement": ("SalesOrder", "PricingProcedureStep", "PricingProcedureCounter"),
    "SalesOrderItemPricingElement": (
        "SalesOrder", "SalesOrderItem", "PricingProcedureStep", "PricingProcedureCounter",
    ),
    "SalesOrderPartner": ("SalesOrder", "PartnerFunction"),
    "SalesOrderText": ("SalesOrder", "Language", "LongTextID"),
}  # fmt: skip
EXPANDS = {
    "SalesOrder": ("_Item", "_Partner", "_PricingElement", "_Text"),
    "SalesOrderItem": ("_ItemPartner", "_ItemPricingElement", "_ItemText", "_SalesOrder", "_ScheduleLine"),
}


def address(path: str) -> tuple[str, dict[str, str], str]:
    """(entity, keys, navigation). Raises Refused(404)."""
    entity, *rest = path.split("/")
    names = KEYS.get(entity)
    if names is None or len(rest) not in (0, len(names), len(names) + 1):
        raise Refused(404, "/IWBEP/CM_V4_COS/020", f"Resource not found for the segment '{entity}'")
    keys = dict(zip(names, rest, strict=False))
    return entity, keys, rest[len(names)] if len(rest) > len(names) else ""


def body() -> Record:
    """What a write says, its decimals exact."""
    try:
        told = simplejson.loads(request.get_data(), use_decimal=True)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Refused(400, "/IWBEP/CM_V4_COS/066", "The request body is not valid")
    return told


def expands(entity: str) -> tuple[str, ...]:
    asked = tuple(one for one in request.args.get("$expand", "").split(",") if one)
    unknown = set(asked) - set(EXPANDS.get(entity, ()))
    if unknown:
        raise Refused(400, "/IWBEP/CM_V4_COS/021", f"Property {sorted(unknown)[0]} cannot be expanded")
    return asked


def listed(entity: str, rows: Iterable[Record], padded: Sequence[str], most: int) -> Response:
    """A page: no more rows than are asked for, and no more than the server gives at a time."""
    found = paged(chosen(rows, request.args.get("$filter", ""), padded, TERM), padded)
    told: Record = {"@odata.context": f"$metadata#{entity}", "value": found[:most]}
    if len(found) > most:
        told["@odata.nextLink"] = f"{entity}?$skiptoken={most}"
    return answer(told)


def answer(told: Mapping[str, Any], status: int = 200) -> Response:
    return Response(dump_json(told), status, content_type="application/json;odata.metadata=minimal")


def refusal(refused: Refused) -> Response:
    detail = {"code": refused.code, "message": refused.words, "@SAP__common.numericSeverity": 4}
    error: Record = {"code": refused.code, "message": refused.words, "details": [detail]}
    if refused.field:
        error["target"] = detail["target"] = refused.field
    return Response(dump_json({"error": error}), refused.status, content_type="application/json")
