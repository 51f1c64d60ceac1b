"""What SAP says when it refuses is sorted by status and message class; a lock is waited for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.errors import Ambiguous, Owner, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble


@dataclass(frozen=True, slots=True)
class Refusal:
    """Code ("V1/382"), message, and the property that it is about where SAP names one."""

    code: str
    message: str
    field: str = ""


# An object that another user or job holds: nothing was done.
LOCKED = re.compile(
    r"(currently|already) (being )?(processed|locked|blocked)|is locked by|locked by user", re.IGNORECASE
)
LOCKS = frozenset(("V1/042", "VL/046", "MC/601"))
ERROR = 4
EMAIL = re.compile(r"[^\s@<>()'\"]+@[^\s@<>()'\"]+")
USER = re.compile(r"\b(by (?:user )?)[A-Z][A-Z0-9_]{2,11}\b")

# beginning of the code -> (what it means to support staff, what to do, who); the longest that fits is taken
KNOWN: dict[str, tuple[str, str, Owner]] = {
    "V1/": (
        "SAP refuses this {what}: {message}",
        "Correct the material, customer or sales area in SAP as the message says, or the cross reference, then retry.",
        "finance",
    ),
    "VL/": (
        "SAP refuses this delivery: {message}",
        "Look at the sales order's stock, shipping point and blocks in SAP, then retry.",
        "logistics",
    ),
    "VK/": (
        "SAP refuses a price condition: {message}",
        "Correct the account's setting `conditions`.",
        "integration desk",
    ),
    "M7/": (
        "SAP refuses this goods movement: {message}",
        "Look where the pieces lie in SAP and in which stock, and at the account's setting `movements`, then retry.",
        "logistics",
    ),
    "/IWBEP/": (
        "SAP Gateway does not understand the request about this {what}: {message}",
        "Report it to the developers.",
        "integration desk",
    ),
    "/IWFND/": (
        "SAP Gateway cannot serve this {what}: {message}",
        "Look whether the communication arrangement of this service is active.",
        "integration desk",
    ),
}
OTHER: tuple[str, str, Owner] = (
    "SAP refuses this {what}: {message}",
    "Read what SAP says and correct it there or in the order.",
    "finance",
)


def refusal(answer: Answer) -> Refusal | None:
    """What an error's body says; None where it is not SAP's (a proxy's page, say)."""
    if answer.status < 400 or not answer.body.strip().startswith(b"{"):
        return None
    return read(answer.json())


def read(body: Any) -> Refusal | None:
    """V2 puts the message into an object with its language, V4 says it plainly; details may name the property."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    message = error.get("message", "")
    words = str(message.get("value", "") if isinstance(message, Mapping) else message)
    code, words, field = _first(error, str(error.get("code", "")), words)
    return Refusal(code, USER.sub(r"\1(user)", EMAIL.sub("(e-mail)", words)).strip(), field)


def _first(error: Mapping[str, Any], code: str, words: str) -> tuple[str, str, str]:
    """The first error among the details says what is wrong; the head is often only "an exception was raised"."""
    inner = error.get("innererror")
    found: Any = inner.get("errordetails") if isinstance(inner, Mapping) else error.get("details")
    details: Sequence[Any] = found if isinstance(found, list) else ()
    for one in details:
        if isinstance(one, Mapping) and _is_error(one) and one.get("message"):
            own = str(one.get("code") or code)
            generic = own.startswith("/IWBEP/CX_")
            return (
                (code if generic else own),
                str(one["message"]),
                str(one.get("propertyref") or one.get("target") or ""),
            )
    return code, words, str(error.get("target", ""))


def _is_error(one: Mapping[str, Any]) -> bool:
    """V2 says it in a word, V4 in a number of its own annotation (4; 1 to 3 are success, information, warning)."""
    told = (one.get("severity", "error"), one.get("@SAP__common.numericSeverity", ERROR))
    return told == ("error", ERROR)


def sorted_trouble(answer: Answer, what: str) -> Trouble | None:
    """The trouble of an answer about a `what` ("sales order"); None below 400."""
    if answer.status < 400:
        return None
    said = refusal(answer) or Refusal("", "")
    coded = said.code or f"http_{answer.status}"
    if answer.status == 429:
        return Throttled("SAP takes no more calls now.", code="throttled", retry_after=retry_after(answer.headers))
    if answer.status == 401:
        words = "SAP does not accept the communication user or its password."
        remedy = "Look at the communication arrangement: is its user locked, or its password new?"
        return Unauthorized(words, code="unauthorized", remedy=remedy, owner="integration desk")
    if answer.status == 403:
        words = f"The communication user may not do this with a {what}: {said.message or 'forbidden'}"
        remedy = "Give the user the communication scenario or role that the message names."
        return Rejected(words, code=coded, remedy=remedy, owner="integration desk")
    return _later(said, answer, what, coded) or _final(said, answer, what, coded)


def _later(said: Refusal, answer: Answer, what: str, coded: str) -> Trouble | None:
    if answer.status == 503:
        return Transient("SAP is not available now.", code=coded)
    if answer.status in (412, 409):
        return Transient(f"Somebody else has just changed this {what} in SAP.", code=coded)
    if answer.status < 500 and (said.code in LOCKS or LOCKED.search(said.message)):
        return Transient(f"Somebody works on this {what} in SAP just now.", code="locked")
    return None


def _final(said: Refusal, answer: Answer, what: str, coded: str) -> Trouble:
    if answer.status >= 500 or answer.status == 408:
        words = f"SAP failed at this {what}: {said.message or 'no reason given'}"
        return (Ambiguous if answer.write else Transient)(words, code=coded)
    if not said.code:
        return trouble(answer) or Transient(f"SAP refused this {what}.", code=coded)
    fitting = max((start for start in KNOWN if said.code.startswith(start)), key=len, default="")
    sentence, remedy, owner = KNOWN.get(fitting, OTHER)
    words = sentence.format(what=what, message=said.message or said.code)
    return Rejected(words, code=said.code, field=said.field, remedy=remedy, owner=owner)
