"""What the simulated site's operations share: bodies read, documents said, fields checked as the contract has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import simplejson
from flask import Response, request

from connectors.kit.http import dump_json
from connectors.salesforce_commerce.simulator_refusal import Refused

Json = dict[str, Any]


def said(document: Any, status: int = 200) -> Response:
    return Response(dump_json(document), status, content_type="application/json")


def nothing(status: int = 204) -> Response:
    return Response(status=status)


def body() -> Json:
    """The request's JSON object, with exact decimals."""
    try:
        found = simplejson.loads(request.get_data(), use_decimal=True)
    except ValueError as error:
        raise Refused(400, "The body is no JSON.", "bad-request") from error
    if not isinstance(found, dict):
        raise Refused(400, "The body is no JSON object.", "bad-request")
    return found


def only(document: Mapping[str, Any], known: Collection[str], needed: Collection[str] = (), path: str = "$") -> None:
    """Refuses what the schema does not have, and what it needs and is not there."""
    for name in document:
        if name not in known:
            raise Refused(
                400, f"Decoding of the property with path '{path}.{name}' failed: it is unknown.", "bad-request"
            )
    for name in needed:
        if document.get(name) in (None, "", []):
            raise Refused(
                400, f"Decoding of the property with path '{path}.{name}' failed: it is required.", "bad-request"
            )


def number(name: str, default: int, least: int, most: int) -> int:
    """A number of the query."""
    text = request.args.get(name, str(default))
    if not text.isdigit() or not least <= int(text) <= most:
        raise Refused(400, f"The parameter {name} must be between {least} and {most}.", "bad-request")
    return int(text)
