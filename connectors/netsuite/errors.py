"""What NetSuite says when it refuses is sorted by its own error code, never by the status alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.kit.errors import Ambiguous, Owner, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first detail of an nsError: what, under which code, about which part of the request."""

    code: str
    detail: str
    field: str


# What each code makes the hub do. The rest of the 4xx are refusals that a person must look at.
BUSY = frozenset(
    "CONCURRENCY_LIMIT_EXCEEDED REQUEST_LIMIT_EXCEEDED SSS_REQUEST_LIMIT_EXCEEDED WS_REQUEST_BLOCKED "
    "WS_CONCUR_SESSION_DISALLWD EXCEEDED_CONCURRENCY_LIMIT EXCEEDED_REQUEST_LIMIT TOO_MANY_REQUESTS".split()
)
LOCKED_OUT = frozenset(
    "INVALID_LOGIN INVALID_LOGIN_ATTEMPT INVALID_LOGIN_CREDENTIALS LOGIN_DISABLED "
    "SESSION_TIMED_OUT TOKEN_REVOKED".split()
)
LATER = frozenset(
    "RCRD_HAS_BEEN_CHANGED RECORD_IN_USE RCRD_LOCKED_BY_WF WS_EXCEEDED_MAX_CONCURRENT SERVER_UNAVAILABLE".split()
)
ABSENT = frozenset("NONEXISTENT_ID RCRD_DSNT_EXIST RECORD_NOT_FOUND".split())
SAME_KEY = "IDEMPOTENCY_ERROR"

# code -> (what it means to support staff, what to do, who)
KNOWN: dict[str, tuple[str, str, Owner]] = {
    "USER_ERROR": (
        "NetSuite refuses this {what}: {detail}",
        "Correct the record in NetSuite or the order's data as it says, then retry.",
        "finance",
    ),
    "INVALID_CONTENT": (
        "NetSuite does not accept a value of this {what}: {detail}",
        "Look at the named field: an id that NetSuite does not know is usually a wrong or outdated cross reference.",
        "catalogue",
    ),
    "NONEXISTENT_ID": (
        "NetSuite does not know the {what} that was named: {detail}",
        "Look whether it was deleted in NetSuite; if so, book it again.",
        "finance",
    ),
    "INSUFFICIENT_PERMISSION": (
        "The integration's role may not do this with a {what}: {detail}",
        "Give the role of the certificate's mapping the permission that is named.",
        "integration desk",
    ),
    "INVALID_PARAMETER": (
        "NetSuite does not understand a parameter: {detail}",
        "Report it to the developers.",
        "integration desk",
    ),
    "INVALID_HEADER": (
        "NetSuite does not accept a header: {detail}",
        "Report it to the developers.",
        "integration desk",
    ),
}
KNOWN["RCRD_DSNT_EXIST"] = KNOWN["NONEXISTENT_ID"]
OTHER: tuple[str, str, Owner] = (
    "NetSuite refuses this {what}: {detail}",
    "Read what NetSuite says and correct it there or in the order.",
    "finance",
)
PATHS = ("o:errorPath", "o:errorQueryParam", "o:errorHeader")
EMAIL = re.compile(r"[^\s@<>()'\"]+@[^\s@<>()'\"]+")


def refusal(answer: Answer) -> Refusal | None:
    """What the body of an error says; None where it is no nsError (a proxy's page, say)."""
    if answer.status < 400 or not answer.body.strip().startswith(b"{"):
        return None
    return read(answer.json())


def read(body: Any) -> Refusal | None:
    details = body.get("o:errorDetails") if isinstance(body, Mapping) else None
    if not isinstance(details, list) or not details or not isinstance(details[0], Mapping):
        return None
    first = details[0]
    field = next((str(first[name]) for name in PATHS if first.get(name)), "")
    return Refusal(str(first.get("o:errorCode", "")), EMAIL.sub("(e-mail)", str(first.get("detail", ""))), field)


def sorted_trouble(answer: Answer, what: str) -> Trouble | None:
    """The trouble of an answer about a `what` ("sales order"); None below 400."""
    said = refusal(answer)
    if said is None or answer.status < 400:
        return trouble(answer)
    return of(said, answer, what)


def of(said: Refusal, answer: Answer, what: str) -> Trouble:
    if said.code in BUSY or answer.status == 429:
        wait = retry_after(answer.headers)
        return Throttled(
            "NetSuite is at its limit of requests at a time.", code=said.code or "throttled", retry_after=wait
        )
    if said.code in LOCKED_OUT or answer.status == 401:
        return Unauthorized(
            "NetSuite does not accept the access token.", code=said.code or "unauthorized", owner="integration desk"
        )
    if said.code in LATER:
        return Transient(f"Somebody else is changing this {what} in NetSuite.", code=said.code)
    if answer.status >= 500:
        later = answer.status == 503 or not answer.write
        sentence = f"NetSuite failed at this {what}: {said.detail}"
        return (Transient if later else Ambiguous)(sentence, code=said.code or f"http_{answer.status}")
    return rejected(said, what)


def rejected(said: Refusal, what: str) -> Rejected:
    """A refusal in words for support staff, with the field it is about."""
    sentence, remedy, owner = KNOWN.get(said.code, OTHER)
    words = sentence.format(what=what, detail=said.detail or said.code or "no reason given")
    return Rejected(words, code=said.code or "rejected", field=said.field, remedy=remedy, owner=owner)


def gone(what: str, ref: str) -> Rejected:
    """The refusal of a step whose record somebody deleted meanwhile."""
    return Rejected(
        f"The {what} {ref} is no longer in NetSuite.",
        code="gone",
        remedy="Look in NetSuite who deleted it, then retry.",
        owner="finance",
    )
