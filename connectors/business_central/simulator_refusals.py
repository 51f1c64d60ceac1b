"""Errors in Business Central's own shape, raised where a rule of its pages or tables is broken."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

CODES = {
    401: "Authentication_InvalidCredentials",
    404: "BadRequest_ResourceNotFound",
    409: "Request_EntityChanged",
    429: "Application_TooManyRequests",
    500: "Internal_ServerError",
    503: "Internal_TenantUnavailable",
}


@dataclass
class Refused(Exception):
    """What is told, under which code and status."""

    message: str
    code: str = "Application_DialogException"
    status: int = 400


def body(refused: Refused) -> dict[str, Any]:
    words = f"{refused.message}  CorrelationId:  {uuid.uuid4()}."
    return {"error": {"code": refused.code, "message": words}}


def plain(status: int, sentence: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What the switches of bad days answer."""
    return body(Refused(sentence, CODES.get(status, "Unknown"), status)), {}


def nobody(kind: str, key: str) -> Refused:
    words = f"The {kind} does not exist. Identification fields and values: SystemId='{{{key}}}'"
    return Refused(words, "Internal_RecordNotFound", 404)


def changed() -> Refused:
    return Refused("Another user has already changed the record.", "Request_EntityChanged", 409)


def no_token() -> Refused:
    words = "Could not validate the client concurrency token required by the service. Please provide a valid token in the client request."
    return Refused(words, "BadRequest_InvalidToken")
