"""What Amazon's refusals mean: {errors: [{code, message, details}]}, sorted into what the hub must do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import simplejson

from connectors.kit.errors import Ambiguous, Owner, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble

OWNER: Owner = "e-commerce"
UNKNOWN = "Read what Amazon says, correct it in Seller Central or in our data, then retry."

# A word of its sentence -> our code, what support reads, what to do, whose it is. The first that matches wins.
KNOWN: tuple[tuple[str, str, str, str, Owner], ...] = (
    (
        r"\bsku\b",
        "unknown_sku",
        "Amazon does not take one of the articles.",
        "Add the listing at Amazon or its cross reference here, then retry.",
        "catalogue",
    ),
    (
        r"carrier",
        "carrier",
        "Amazon does not take the carrier.",
        "Map the carrier to one of Amazon's carrier codes.",
        OWNER,
    ),
    (r"tracking", "tracking", "Amazon does not take the tracking number.", "Correct it at the warehouse.", "logistics"),
    (
        r"already.*(ship|fulfil)|(ship|fulfil)\w*.*already",
        "shipped",
        "The order has left already, says Amazon.",
        "Compare the order's packages at Amazon with what was sent.",
        OWNER,
    ),
    (
        r"quantit",
        "quantity",
        "Amazon refuses a quantity: more than is left of the order, or none.",
        "Compare the order's packages at Amazon with what was sent.",
        OWNER,
    ),
    (r"cancel", "cancelled", "The order is cancelled, or is about to be.", "Look at the order at Amazon.", OWNER),
    (
        r"adjust|refund|amount|price",
        "amount",
        "Amazon refuses the amount.",
        "Compare the sums with the order at Amazon.",
        "finance",
    ),
)


def sorted_out(answer: Answer) -> Trouble | None:
    """The trouble that an answer is, or None. 403 is an expired or unfit token as well as a missing role."""
    found = trouble(answer)
    if isinstance(found, Throttled):
        return Throttled("Amazon's quota for this operation is used up.", retry_after=retry_after(answer.headers))
    if answer.status in (401, 403):
        code, said, _ = first_error(answer)
        remedy = "Compare the application's roles with connectors/amazon/README.md; has the seller withdrawn it?"
        words = f"Amazon denies access. Amazon says: {said or code or f'HTTP {answer.status}'}"
        return Unauthorized(words, code=f"http_{answer.status}", remedy=remedy, owner=OWNER)
    return refusal(answer) if isinstance(found, Rejected) else found


def refusal(answer: Answer) -> Rejected:
    """A refusal in Amazon's own words after ours."""
    code, said, details = first_error(answer)
    return refused(f"{said} {details}".strip() or code, f"http_{answer.status}")


def refused(said: str, code: str = "rejected", field: str = "") -> Rejected:
    """The refusal that such words of Amazon are."""
    match = next((row for row in KNOWN if re.search(row[0], f"{field} {said}", re.IGNORECASE)), None)
    ours, sentence, remedy, owner = match[1:] if match else (code, "Amazon refuses this request.", UNKNOWN, OWNER)
    return Rejected(f"{sentence} Amazon says: {said or code}", code=ours, field=field, remedy=remedy, owner=owner)


def first_error(answer: Answer) -> tuple[str, str, str]:
    """Code, message and details of the first error; empty where the body is none of Amazon's."""
    try:
        body = simplejson.loads(answer.body or b"null")
    except (ValueError, UnicodeDecodeError):
        return "", "", ""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    first: Any = errors[0] if isinstance(errors, list) and errors else {}
    if not isinstance(first, Mapping):
        return "", "", ""
    return str(first.get("code", "")), str(first.get("message", "")), str(first.get("details") or "")


def garbled(answer: Answer, write: bool) -> Trouble:
    """An answer of a status that the operation does not have: done or not, nobody knows."""
    kind = Ambiguous if write else Transient
    return kind(f"Amazon answered HTTP {answer.status}, which it never does here.", code="unreadable_answer")
