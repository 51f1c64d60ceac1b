"""What Commerce Cloud's refusals mean: SCAPI's problem details, OCAPI's faults and a loaded system, sorted into what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import simplejson

from connectors.kit.errors import Owner, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import retry_after, trouble

OWNER: Owner = "e-commerce"
UNKNOWN = "Read what Commerce Cloud says, correct it in Business Manager or in our data, then retry."
LOAD, STATE = "sfdc_load", "sfdc_load_status"
SHED = 15.0  # seconds that nobody calls where the system sheds load and names no time
EASED = 3.0  # seconds that nobody calls above 90 % of its capacity
RIGHTS = (
    "Compare the API client's scopes and its rights in Business Manager with connectors/salesforce_commerce/README.md."
)

# The last part of SCAPI's problem type, or OCAPI's fault type -> our code, what support reads, what to do, whose it is.
KNOWN: dict[str, tuple[str, str, str, Owner]] = {
    "order-not-found": (
        "unknown_order",
        "Commerce Cloud does not know this order.",
        "Compare the site and the order's number.",
        OWNER,
    ),
    "undo-fail-order": (
        "not_reopened",
        "The order cannot be reopened.",
        "Look at the order in Business Manager: its goods may be sold.",
        OWNER,
    ),
    "InventoryListNotFoundException": (
        "unknown_location",
        "Commerce Cloud has no such inventory list.",
        "Mend the location's code.",
        "logistics",
    ),
    "JobNotFoundException": (
        "no_import",
        "The job for imports is not there.",
        "The job sfcc-site-archive-import must be allowed to the API client (OCAPI settings, resource /jobs).",
        "integration desk",
    ),
}
BUSY = ("JobAlreadyRunningException", "ConflictException")


def sorted_out(answer: Answer) -> Trouble | None:
    """The trouble that an answer is, or None.

    503 under load and 429 are no tries: https://developer.salesforce.com/docs/commerce/commerce-api/guide/throttle-rates.html
    """
    found = trouble(answer)
    if isinstance(found, Rejected | Unauthorized):
        return _told(answer)
    if isinstance(found, Throttled):
        return Throttled("Commerce Cloud's rate limit is used up for now.", retry_after=retry_after(answer.headers))
    if answer.status == 503 and LOAD in answer.headers:
        words = f"Commerce Cloud sheds load: {answer.headers[LOAD]} % of its capacity is in use."
        return Throttled(words, code="load_shed", retry_after=retry_after(answer.headers) or SHED)
    return found


def _told(answer: Answer) -> Trouble:
    """A refusal, by what its body says."""
    kind, said = complaint(answer.body)
    if answer.status == 401:
        return Unauthorized("Commerce Cloud refuses the access token.", code="http_401", remedy=RIGHTS, owner=OWNER)
    if answer.status == 403:
        words = f"Commerce Cloud forbids this to the API client. It says: {said or 'nothing'}"
        return Unauthorized(words, code="http_403", remedy=RIGHTS, owner=OWNER)
    if kind in BUSY:
        return Transient(f"Commerce Cloud is at this very thing already ({kind}).", code="busy")
    return _refusal(answer, kind, said)


def _refusal(answer: Answer, kind: str, said: str) -> Rejected:
    known = KNOWN.get(kind) or (f"http_{answer.status}", "Commerce Cloud refuses this request.", UNKNOWN, OWNER)
    code, sentence, remedy, owner = known
    words = f"{sentence} It says: {said or f'HTTP {answer.status}'}"
    return Rejected(words, code=code, field=_field(said), remedy=remedy, owner=owner)


def _field(said: str) -> str:
    """ "Decoding of the property with path '$.status' failed": the path that it names."""
    _, found, rest = said.partition("path '$.")
    return rest.partition("'")[0] if found else ""


def complaint(body: bytes) -> tuple[str, str]:
    """Kind and words out of SCAPI's {type, title, detail} or OCAPI's {fault: {type, message}}; empty for anything else."""
    try:
        parsed: Any = simplejson.loads(body or b"null")
    except (ValueError, UnicodeDecodeError):
        return "", ""
    if not isinstance(parsed, Mapping):
        return "", ""
    fault = parsed.get("fault")
    if isinstance(fault, Mapping):
        return str(fault.get("type") or ""), str(fault.get("message") or "")
    kind = str(parsed.get("type") or "").rstrip(",").rpartition("/")[2]
    return kind, str(parsed.get("detail") or parsed.get("title") or "")


def ease(headers: Mapping[str, str]) -> float:
    """Seconds to hold back although the call went through: above 90 % of its capacity the vendor says THROTTLE."""
    return EASED if headers.get(STATE, "").upper() == "THROTTLE" else 0.0
