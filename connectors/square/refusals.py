"""What Square's refusals mean: a list of errors, each with category, code, detail and field, sorted into what the hub must do.

Source: ../shared/specs/square/api.json, Error, ErrorCategory and ErrorCode.
"""

from __future__ import annotations

from typing import Any

import simplejson

from connectors.kit.errors import Owner, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble

OWNER: Owner = "e-commerce"
UNKNOWN = "Read what Square says, correct it in the Square Dashboard or in our data, then retry."
BUSY = 2.0  # seconds that nobody calls after a 429 that names none: Square publishes no numbers
LOGIN = frozenset(
    ("UNAUTHORIZED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_REVOKED", "CLIENT_DISABLED", "APPLICATION_DISABLED")
)
SCOPE = frozenset(
    ("FORBIDDEN", "INSUFFICIENT_SCOPES", "INSUFFICIENT_PERMISSIONS", "INSUFFICIENT_PERMISSIONS_FOR_REFUND")
)
LATER = frozenset(("TEMPORARY_ERROR", "SERVICE_UNAVAILABLE", "REFUND_ALREADY_PENDING"))
STALE = frozenset(("VERSION_MISMATCH", "CONFLICT"))

# ErrorCode -> our code, what support reads, what to do, whose it is.
KNOWN: dict[str, tuple[str, str, str, Owner]] = {
    "NOT_FOUND": (
        "not_found",
        "Square does not know what was asked for.",
        "Compare the ids in Square with ours.",
        OWNER,
    ),
    "INVALID_LOCATION": (
        "unknown_location",
        "Square does not know this location.",
        "Mend the location's code.",
        "logistics",
    ),
    "LOCATION_MISMATCH": (
        "unknown_location",
        "The location is another seller's.",
        "Mend the location's code.",
        "logistics",
    ),
    "IDEMPOTENCY_KEY_REUSED": (
        "key_reused",
        "Square saw this key with another content.",
        "Look at what was sent first; repeat by hand.",
        OWNER,
    ),
    "REFUND_AMOUNT_INVALID": (
        "refund",
        "More is to be given back than is left of the payment.",
        "Compare the payment's refunds in Square.",
        "finance",
    ),
    "PAYMENT_NOT_REFUNDABLE": (
        "refund",
        "This payment cannot be given back.",
        "Give the money back by another way.",
        "finance",
    ),
    "PAYMENT_NOT_REFUNDABLE_DUE_TO_DISPUTE": (
        "dispute",
        "The payment is disputed.",
        "Wait for the dispute's end.",
        "finance",
    ),
    "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION": (
        "not_captured",
        "The payment was authorised only.",
        "Cancel the payment instead.",
        "finance",
    ),
    "REFUND_DECLINED": ("declined", "The bank declined the refund.", "Refund through another tender.", "finance"),
    "CARD_PRESENCE_REQUIRED": (
        "card_presence",
        "The card must be presented for this refund.",
        "Refund it at the till.",
        "finance",
    ),
    "API_VERSION_INCOMPATIBLE": (
        "api_version",
        "The version of the API does not fit this call.",
        "Raise the version in manifest.toml.",
        "integration desk",
    ),
    "INVALID_SQUARE_VERSION_FORMAT": (
        "api_version",
        "Square does not know this version of its API.",
        "Mend the version.",
        "integration desk",
    ),
    "UNSUPPORTED_CURRENCY": (
        "currency",
        "Square does not take this currency here.",
        "Compare the location's currency.",
        "finance",
    ),
    "CURRENCY_MISMATCH": (
        "currency",
        "The currency is not the location's.",
        "Compare the location's currency.",
        "finance",
    ),
}


def sorted_out(answer: Answer) -> Trouble | None:
    """The trouble that an answer is, or None."""
    found = trouble(answer)
    if found is None:
        return None
    if isinstance(found, Throttled):
        return Throttled("Square says that it is asked too fast.", retry_after=retry_after(answer.headers))
    codes = {str(one.get("code", "")) for one in errors(answer.body)}
    return (
        _access(answer, found, codes)
        or _moved(answer, codes)
        or (refusal(answer) if isinstance(found, Rejected) else found)
    )


def _access(answer: Answer, found: Trouble, codes: set[str]) -> Trouble | None:
    if isinstance(found, Unauthorized) or codes & LOGIN:
        return Unauthorized("Square refuses the access token.", code="http_401", owner=OWNER)
    if answer.status == 403 or codes & SCOPE:
        remedy = "Compare the scopes that the seller allowed with connectors/square/README.md."
        words = "Square forbids this: the consent lacks a scope."
        return Unauthorized(words, code="http_403", remedy=remedy, owner=OWNER)
    return None


def _moved(answer: Answer, codes: set[str]) -> Trouble | None:
    """What is tried again as it stands then."""
    if codes & STALE:
        return Transient("It was changed in Square just now: it is read and tried again.", code="version_moved")
    if codes & LATER and answer.status < 500:
        return Transient("Square cannot do this just now.", code="later")
    return None


def refusal(answer: Answer) -> Rejected:
    """A refusal with the field that Square names, and its own words after ours."""
    first = next(iter(errors(answer.body)), {})
    code, sentence, remedy, owner = KNOWN.get(
        str(first.get("code", "")), ("", "Square refuses this request.", UNKNOWN, OWNER)
    )
    said = str(first.get("detail") or first.get("code") or f"HTTP {answer.status}")
    own = code or str(first.get("code", f"http_{answer.status}")).lower()
    return Rejected(
        f"{sentence} Square says: {said}", code=own, field=str(first.get("field") or ""), remedy=remedy, owner=owner
    )


def errors(body: bytes) -> list[dict[str, Any]]:
    """The errors of a body; none where it is no error body."""
    try:
        parsed = simplejson.loads(body or b"null")
    except (ValueError, UnicodeDecodeError):
        return []
    told = parsed.get("errors") if isinstance(parsed, dict) else None
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
