"""What Business Central says when it refuses is sorted by its own error code, the status where it gives none."""

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
    """The code and message of an error, without the correlation id that ends each message."""

    code: str
    message: str


# https://learn.microsoft.com/en-us/dynamics365/business-central/dev-itpro/webservices/dynamics-error-codes
ABSENT = frozenset(
    "BadRequest_ResourceNotFound BadRequest_NotFound Internal_RecordNotFound Internal_DataNotFoundFilter".split()
)
CHANGED = "Request_EntityChanged"
SAME_KEY = "Internal_EntityWithSameKeyExists"
LATER = frozenset("Internal_TenantUnavailable Internal_ServerError".split())  # in a 4xx: nothing was done

# beginning of the code -> (what it means to support staff, what to do, who); the longest that fits is taken
KNOWN: dict[str, tuple[str, str, Owner]] = {
    "Application_StringExceededLength": (
        "A text of this {what} is too long for Business Central: {message}",
        "Shorten it in the channel or in Business Central, then retry.",
        "customer service",
    ),
    "Application_FieldValidation": (
        "Business Central lacks a setting for this {what}: {message}",
        "Set the field that is named (usually a posting group) in Business Central, then retry.",
        "finance",
    ),
    "Application_": (
        "Business Central refuses this {what}: {message}",
        "Correct the record in Business Central or the order's data as it says, then retry.",
        "finance",
    ),
    "Internal_InvalidTableRelation": (
        "Business Central does not know a value of this {what}: {message}",
        "Look at the cross references: a number that is not there is usually wrong or outdated.",
        "catalogue",
    ),
    "Internal_CompanyNotFound": (
        "Business Central does not know the company.",
        "Correct the setting `company` of the account.",
        "integration desk",
    ),
    "Authorization_": (
        "The integration may not do this with a {what}: {message}",
        "Give the application the permission set that is named, in Business Central.",
        "integration desk",
    ),
    "BadRequest": (
        "Business Central does not understand the request about this {what}: {message}",
        "Report it to the developers.",
        "integration desk",
    ),
    SAME_KEY: (
        "Business Central has such a {what} already: {message}",
        "Look at the record that is there.",
        "finance",
    ),
}
OTHER: tuple[str, str, Owner] = (
    "Business Central refuses this {what}: {message}",
    "Read what Business Central says and correct it there or in the order.",
    "finance",
)
EMAIL = re.compile(r"[^\s@<>()'\"]+@[^\s@<>()'\"]+")
CORRELATION = re.compile(r"\s*CorrelationId:.*$", re.DOTALL)
FIELD = re.compile(r"(?:The property|[Ff]ield|The) [\"'](\w+)[\"']")


def refusal(answer: Answer) -> Refusal | None:
    """What the body of an error says; None where it is not Business Central's (a proxy's page, say)."""
    if answer.status < 400 or not answer.body.strip().startswith(b"{"):
        return None
    return read(answer.json())


def read(body: Any) -> Refusal | None:
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    words = CORRELATION.sub("", EMAIL.sub("(e-mail)", str(error.get("message", ""))))
    return Refusal(str(error.get("code", "")), words.strip())


def sorted_trouble(answer: Answer, what: str) -> Trouble | None:
    """The trouble of an answer about a `what` ("sales order"); None below 400."""
    if answer.status < 400:
        return None
    return of(refusal(answer) or Refusal("", ""), answer, what)


def of(said: Refusal, answer: Answer, what: str) -> Trouble:
    coded = said.code or f"http_{answer.status}"
    found = _by_status(said, answer, what, coded)
    if found is not None:
        return found
    words = f"Business Central failed at this {what}: {said.message or 'no reason given'}"
    if answer.status >= 500 or answer.status == 408:  # its operations end after 8 minutes, wherever they are
        return (Ambiguous if answer.write else Transient)(words, code=coded)
    if said.code in LATER:
        return Transient(words, code=coded)
    return rejected(said, what) if said.code else trouble(answer) or Transient(words, code=coded)


def _by_status(said: Refusal, answer: Answer, what: str, coded: str) -> Trouble | None:
    """Too fast, not let in, not now, overtaken: whatever the code says beside."""
    if answer.status == 429:
        words = "Business Central is at the limit of requests of this user."
        return Throttled(words, code="throttled", retry_after=retry_after(answer.headers))
    if answer.status == 401 or said.code.startswith("Authentication_"):
        return Unauthorized("Business Central does not accept the access token.", code=coded, owner="integration desk")
    if answer.status == 503:
        return Transient("Business Central is not available now.", code=coded)
    if said.code == CHANGED or answer.status == 409:
        return Transient(f"Somebody else has just changed this {what} in Business Central.", code=coded)
    return None


def rejected(said: Refusal, what: str) -> Rejected:
    """A refusal in words for support staff, with the field it is about where the message names one."""
    fitting = max((start for start in KNOWN if said.code.startswith(start)), key=len, default="")
    sentence, remedy, owner = KNOWN.get(fitting, OTHER)
    field = FIELD.search(said.message)
    words = sentence.format(what=what, message=said.message or said.code)
    return Rejected(words, code=said.code, field=field[1] if field else "", remedy=remedy, owner=owner)
