"""Refusals of the simulated site, in the shape of the door at which they are met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ERRORS = "https://api.commercecloud.salesforce.com/documentation/error/v1/errors/"
KINDS = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    409: "conflict",
    429: "too-many-requests",
    500: "internal-server-error",
    503: "service-unavailable",
}


class Refused(Exception):
    """`kind` is the last part of SCAPI's problem type, or OCAPI's fault type; `arguments` OCAPI's."""

    def __init__(self, status: int, detail: str, kind: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind, self.headers = status, detail, kind, dict(headers or {})


def shape(path: str, status: int, detail: str, kind: str = "") -> dict[str, Any]:
    """Problem details at SCAPI, a fault at OCAPI, an OAuth error at Account Manager."""
    if path.startswith("/dwsso/"):
        return {"error": kind or "invalid_client", "error_description": detail}
    if path.startswith("/s/"):
        return {"_v": "25.6", "fault": {"type": kind or f"Http{status}Exception", "message": detail, "arguments": {}}}
    named = kind or KINDS.get(status, "error")
    return {"title": named.replace("-", " ").title(), "type": f"{ERRORS}{named}", "detail": detail}
