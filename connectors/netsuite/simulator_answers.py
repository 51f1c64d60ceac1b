"""Requests and answers as NetSuite writes them: JSON with exact numbers, and a record's whereabouts without a body."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import simplejson
from flask import Response, request

from connectors.netsuite.simulator_books import SUBLISTS
from connectors.netsuite.simulator_errors import Refused, ns_error
from connectors.netsuite.simulator_lines import SHIPS
from connectors.netsuite.simulator_sums import number, sums

RECORD = "/services/rest/record/v1"
COUNTS = frozenset(
    "quantity rate amount quantityFulfilled quantityBilled quantityReceived shippingCost discountRate payment taxAmount taxBasis taxRate "
    "refundedAmountTotalBox applied total adjustQtyBy".split()
)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = simplejson.dumps(body, use_decimal=True)
    return Response(
        text, status, headers, content_type="application/vnd.oracle.resource+json; type=singular; charset=UTF-8"
    )


def body() -> Any:
    return parsed(request.get_data(as_text=True))


def parsed(text: str) -> Any:
    try:
        return simplejson.loads(text, use_decimal=True)
    except ValueError:
        raise Refused("Invalid content in the request body: it is not JSON.", "INVALID_CONTENT") from None


def located(kind: str, record: Mapping[str, Any]) -> Response:
    """A create or update answers 204, no body, and where the record is."""
    return Response(status=204, headers={"Location": f"{request.url_root.rstrip('/')}{RECORD}/{kind}/{record['id']}"})


def refusal(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    return answer(ns_error(refused), refused.status, headers)


def shown_record(kind: str, record: Mapping[str, Any], expand: bool, more: Mapping[str, Any]) -> dict[str, Any]:
    """A record as a GET tells it: numbers as numbers; its sublists only when they are asked for, else a link
    to each.
    """
    shown = {k: _numeric(k, v) for k, v in record.items() if k not in SUBLISTS.values() and k != "status"}
    if kind in ("salesOrder", "creditMemo", "invoice", "cashSale", "returnAuthorization"):
        unknown = ("shippingCost", "giftCertApplied") if kind == "returnAuthorization" else ()
        shown |= {name: one for name, one in sums(record).items() if name not in unknown}
    if record.get("status"):
        shown["status"] = {"id": record["status"]}
    for name, kept in SUBLISTS.items():
        if record.get(kept) is not None:
            # a refund's deposits are told as applications, and never by this sublist (article_0830082954)
            rows = [_shown_line(row) for row in record[kept] if name != "deposit"]
            envelope = {
                "links": [],
                "count": len(rows),
                "hasMore": False,
                "items": rows,
                "offset": 0,
                "totalResults": len(rows),
            }
            shown[name] = envelope if expand else {"links": [{"rel": "self", "href": f"{request.base_url}/{name}"}]}
    return {"links": [], **shown, **more}


def _shown_line(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {k: _numeric(k, v) for k, v in row.items()}
    if "itemType" in shown:
        shown["itemType"] = {"id": shown["itemType"], "refName": shown["itemType"]}
        shown.setdefault("quantityFulfilled", Decimal(0) if row["itemType"] in SHIPS else None)
        shown.setdefault("isClosed", False)
    return {k: v for k, v in shown.items() if v is not None}


def _numeric(name: str, value: Any) -> Any:
    return number(value) if name in COUNTS and value is not None else value
