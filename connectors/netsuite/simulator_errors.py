"""Errors in NetSuite's own shape (nsError), raised where a rule of its books is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RFC = "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html"
TITLES = {
    400: ("Bad Request", "#sec10.4.1"),
    401: ("Unauthorized", ""),
    403: ("Forbidden", "#sec10.4.4"),
    404: ("Not Found", "#sec10.4.5"),
    405: ("Method Not Allowed", "#sec10.4.6"),
    429: ("Too Many Requests", ""),
    500: ("Internal Server Error", "#sec10.5.1"),
    503: ("Service Unavailable", "#sec10.5.4"),
}
CODES = {
    401: "INVALID_LOGIN",
    404: "NONEXISTENT_ID",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "UNEXPECTED_ERROR",
    503: "UNEXPECTED_ERROR",
}


@dataclass
class Refused(Exception):
    """A request that NetSuite refuses: what is told, under which code, about which part of the request."""

    detail: str
    code: str = "USER_ERROR"
    path: str = ""
    status: int = 400
    part: str = "o:errorPath"
    title: str = ""


def ns_error(refused: Refused) -> dict[str, Any]:
    title, anchor = TITLES.get(refused.status, ("Error", ""))
    detail = {"detail": refused.detail, "o:errorCode": refused.code}
    if refused.path:
        detail[refused.part] = refused.path
    return {"type": RFC + anchor, "title": refused.title or title, "status": refused.status, "o:errorDetails": [detail]}


def plain(status: int, sentence: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What the switches of bad days answer."""
    return ns_error(Refused(sentence, CODES.get(status, "USER_ERROR"), status=status)), {}


def value(path: str, given: object) -> Refused:
    field = path.rsplit(".", 1)[-1]
    return Refused(
        f"Error while accessing a resource. You have entered an Invalid Field Value {given} "
        f"for the following field: {field}",
        "INVALID_CONTENT",
        path,
    )


def wanting(*labels: str) -> Refused:
    return Refused(f"Error while accessing a resource. Please enter value(s) for: {', '.join(labels)}.")


def nobody(record: str, ref: str) -> Refused:
    return Refused(
        f"The record instance does not exist. Provide a valid record instance ID. ({record} {ref})",
        "NONEXISTENT_ID",
        status=404,
    )
