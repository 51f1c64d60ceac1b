"""What BigCommerce's refusals mean: its four shapes of error body, sorted into what the hub must do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import simplejson

from connectors.kit.errors import Owner, Rejected, Throttled, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble

OWNER: Owner = "e-commerce"
UNKNOWN = "Read what BigCommerce says, correct it in its control panel or in our data, then retry."
RESET = "x-rate-limit-time-reset-ms"

# A word of its sentence -> our code, what support reads, what to do, whose it is. The first that matches wins.
KNOWN: tuple[tuple[str, str, str, str, Owner], ...] = (
    (
        r"store credit for a guest|guest customer",
        "guest_credit",
        "A guest cannot be given store credit.",
        "Refund through the tender that was paid with.",
        OWNER,
    ),
    (
        r"tracked by product|tracking mode",
        "tracked_by_product",
        "The store counts this article by product, not by variant.",
        "Track the product's stock by variant in BigCommerce, or leave it out of publication.",
        "catalogue",
    ),
    (
        r"\bsku\b|variant|product_id|identity",
        "unknown_sku",
        "The store does not know one of the articles.",
        "Add the article in BigCommerce or its cross reference here, then retry.",
        "catalogue",
    ),
    (
        r"location",
        "unknown_location",
        "The store does not know this location.",
        "Mend the location's code.",
        "logistics",
    ),
    (
        r"quantity",
        "quantity",
        "The store refuses a quantity: more than is left of the order.",
        "Compare the order's shipments in BigCommerce with what was sent.",
        OWNER,
    ),
    (
        r"refund|payment|amount",
        "refund",
        "The store refuses this refund.",
        "Compare the order's refunds in BigCommerce; what was given back already is not given back again.",
        "finance",
    ),
)


def sorted_out(answer: Answer) -> Trouble | None:
    """The trouble that an answer is, or None."""
    found = trouble(answer)
    if isinstance(found, Throttled):
        return _throttled(answer)
    if isinstance(found, Unauthorized):
        return Unauthorized("BigCommerce refuses the access token.", code="http_401", owner=OWNER)
    if answer.status == 403:
        words = "BigCommerce forbids this: the token lacks a scope, or the store is closed."
        remedy = "Compare the API account's scopes with connectors/bigcommerce/README.md."
        return Unauthorized(words, code="http_403", remedy=remedy, owner=OWNER)
    return refusal(answer) if isinstance(found, Rejected) else found


def _throttled(answer: Answer) -> Throttled:
    """With its headers the window is used up and says when it ends; without, the platform is loaded.

    https://developer.bigcommerce.com/docs/start/best-practices/api-rate-limits
    """
    wait = retry_after(answer.headers)
    if wait is None and answer.headers.get(RESET, "").isdigit():
        wait = int(answer.headers[RESET]) / 1000
    used = "BigCommerce's quota of calls is used up for now." if wait else "BigCommerce is too busy for this call."
    return Throttled(used, retry_after=wait)


def refusal(answer: Answer) -> Rejected:
    """A refusal with the field that BigCommerce names, and its own words after ours."""
    field, said = next(complaints(answer.body), ("", ""))
    code, sentence, remedy, owner = _known(f"{field} {said}")
    words = f"{sentence} BigCommerce says: {said or f'HTTP {answer.status}'}"
    return Rejected(words, code=code or f"http_{answer.status}", field=field, remedy=remedy, owner=owner)


def _known(text: str) -> tuple[str, str, str, Owner]:
    match = next((row for row in KNOWN if re.search(row[0], text, re.IGNORECASE)), None)
    return match[1:] if match else ("", "BigCommerce refuses this request.", UNKNOWN, OWNER)


def complaints(body: bytes) -> Iterator[tuple[str, str]]:
    """Field and sentence out of v2's [{status, message}], v3's {title, errors}, {data: [{title}]}, {batch_errors}.

    None where the body is none of them.
    """
    try:
        parsed = simplejson.loads(body or b"null")
    except (ValueError, UnicodeDecodeError):
        return
    yield from _said(parsed)


def _said(parsed: Any) -> Iterator[tuple[str, str]]:
    if isinstance(parsed, list):
        for one in parsed:
            yield from _said(one)
    elif isinstance(parsed, Mapping):
        for inner in ("data", "batch_errors"):
            if isinstance(parsed.get(inner), list):
                yield from _said(parsed[inner])
        yield from _named(parsed)


def _named(parsed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    title = next((str(parsed[name]) for name in ("title", "message", "error") if parsed.get(name)), "")
    errors = parsed.get("errors") or parsed.get("field_errors")
    if isinstance(errors, Mapping) and errors:
        yield from ((str(field), _joined(title, said)) for field, said in errors.items())
    elif title:
        yield str(parsed.get("field", "")), title


def _joined(title: str, said: Any) -> str:
    return f"{title} ({said})" if title else str(said)
