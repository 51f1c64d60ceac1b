"""An exchange as it is read: the request, the answer, their headers and bodies, masked where they must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app import scrub
from app.journal.reading.exchanges import Payload
from app.web.admin import showing


@dataclass(frozen=True, slots=True)
class Exchanged:
    operation: str
    method: str
    url: str
    status: int
    seconds: float
    error: str
    request_headers: Mapping[str, Any]
    answer_headers: Mapping[str, Any]
    request: str
    answer: str


def exchanged(payload: Payload, personal: bool) -> Exchanged:
    """What the engine kept of one call: its head, and one body: the request, then the answer (from `split` on)."""
    head, kept = payload.head, bytes(payload.body or b"")
    split = int(head.get("split", len(kept)))
    return Exchanged(
        operation=str(head.get("operation", "")),
        method=str(head.get("method", "")),
        url=address(str(head.get("url", "")), personal),
        status=int(head.get("status", 0)),
        seconds=float(head.get("seconds", 0)),
        error=str(head.get("error", "")),
        request_headers=head.get("request_headers", {}),
        answer_headers=head.get("answer_headers", {}),
        request=showing.body(kept[:split], personal),
        answer=showing.body(kept[split:], personal),
    )


def address(url: str, personal: bool) -> str:
    """A URL with the values in its query masked as fields are."""
    parts = urlsplit(url)
    query = showing.masked(dict(parse_qsl(parts.query)), personal)
    masked = parts._replace(netloc=parts.netloc.rpartition("@")[2], query=urlencode(query, safe="*:/"))
    return urlunsplit(masked) if personal else scrub.EMAIL.sub(scrub.MASK, urlunsplit(masked))
