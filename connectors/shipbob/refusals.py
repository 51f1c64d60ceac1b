"""What ShipBob's refusals mean: its three shapes of error body, sorted into what the hub must do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import simplejson

from connectors.kit.errors import Owner, Rejected, Throttled
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble

OWNER: Owner = "logistics"
UNKNOWN = "Read what ShipBob says, correct it there or in our data, then retry."
TWICE = "Look at ShipBob for the order of this reference; a request of ours that was lost is found by it on a retry."

# A word of ShipBob's sentence -> our code, what support reads, and what to do. The first that matches wins.
KNOWN = (
    (r"existing ReferenceId", "duplicate_reference", "The warehouse already has an order under this reference.", TWICE),
    (
        r"channel",
        "channel",
        "The warehouse does not accept orders for this channel.",
        "Check settings.channel_id: GET /channel names those with write scope.",
    ),
    (
        r"country|zip_?code|postal|address|city|state",
        "address",
        "The warehouse refuses the delivery address.",
        "Correct the address in the shop, or edit it here and retry.",
    ),
    (r"quantity", "quantity", "The warehouse refuses a quantity.", "Whole pieces above zero only: correct the line."),
    (
        r"product|reference_id|sku",
        "product",
        "The warehouse does not know one of the products.",
        "Add the product at ShipBob or its cross reference here, then retry.",
    ),
)


def sorted_out(answer: Answer, block: Callable[[float], None]) -> Answer:
    """The answer when it is good, else its trouble raised. `block(seconds)` is told of every 429 that names its
    wait."""
    found = trouble(answer)
    if found is None:
        return answer
    if isinstance(found, Throttled):
        found.sentence = "ShipBob's limit of calls in a minute is used up for now."
        found.retry_after = retry_after(answer.headers, "x-retry-after")
        if found.retry_after is not None:
            block(found.retry_after)
    if isinstance(found, Rejected):
        raise refusal(answer)
    raise found


def refusal(answer: Answer) -> Rejected:
    """A refusal with the field that ShipBob names and its own words after ours."""
    field, said = first_complaint(answer.body)
    code, sentence, remedy = _known(f"{field} {said}")
    said = said or f"HTTP {answer.status}"
    return Rejected(
        f"{sentence} ShipBob says: {said}",
        code=code or f"http_{answer.status}",
        field=field,
        remedy=remedy,
        owner=OWNER,
    )


def _known(text: str) -> tuple[str, str, str]:
    match = next((row for row in KNOWN if re.search(row[0], text, re.IGNORECASE)), None)
    return match[1:] if match else ("", "The warehouse refuses this request.", UNKNOWN)


def first_complaint(body: bytes) -> tuple[str, str]:
    """Field and sentence out of {field: [sentence]}, {title, detail} or {message}; empty where the body is none of
    them."""
    try:
        parsed = simplejson.loads(body or b"null")
    except ValueError:
        return "", ""
    return _complaint(parsed) if isinstance(parsed, Mapping) else ("", str(parsed or ""))


def _complaint(parsed: Mapping[str, Any]) -> tuple[str, str]:
    for name in ("detail", "title", "message"):
        if isinstance(parsed.get(name), str):
            return "", str(parsed[name])
    listed = ((field, said) for field, said in parsed.items() if isinstance(said, list) and said)
    field, said = next(listed, ("", [""]))
    return str(field), str(said[0])
