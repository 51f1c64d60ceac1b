"""What Tryton refuses, sorted by what the hub must do: refusals come as HTTP 200 with an "error" in the body.

The shapes are those of trytond 8.2 (trytond/protocols/jsonrpc.py, trytond/exceptions.py):
["UserError", [message, description, domain]], ["UserWarning", [name, message, description]],
["ConcurrencyException", message], ["LoginException", ...], and for any other exception [text, traceback].
Each has rolled its transaction back; but a task queued by it (a sale's processing) runs after its commit and may fail
by itself, so every send here looks where the record stands before it does anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from connectors.kit.errors import Rejected, Transient, Trouble, Unauthorized

MAIL = re.compile(r"\S+@\S+")  # support staff read these sentences: whose order it is stands elsewhere
# PostgreSQL under load, after Tryton's own five tries; looked for in lower case.
PASSING = (
    "could not serialize",
    "deadlock detected",
    "could not obtain lock",
    "lock not available",
    "couldn't get a connection",
    "connection",
)


def refusal(error: Sequence[Any]) -> Trouble:
    """The trouble that an "error" stands for."""
    kind = str(error[0]) if error else ""
    sort = SORTS.get(kind, _exception)
    return sort(error[1:] if kind in SORTS else error)


def _user_error(details: Sequence[Any]) -> Trouble:
    """A business rule, in words made for people; the domain names the fields that break it."""
    message, description, domain = [*details[0], "", None][:3]
    fields = domain[1] if isinstance(domain, list) and len(domain) > 1 and isinstance(domain[1], dict) else {}
    code = "not_unique" if "must be unique" in str(message) else "user_error"
    return Rejected(_sentence(message, description), code=code, field=",".join(fields))


def _user_warning(details: Sequence[Any]) -> Trouble:
    name, message, description = [*details[0], "", ""][:3]
    remedy = "Do it in Tryton, where the warning can be confirmed, then mark the step as done."
    return Rejected(_sentence(message, description), code="user_warning", field=str(name), remedy=remedy)


def _concurrency(details: Sequence[Any]) -> Trouble:
    return Transient("Somebody else changed the same record in Tryton.", code="concurrency")


def _login(details: Sequence[Any]) -> Trouble:
    return Unauthorized("Tryton wants another way to log in.", code="login")


def _exception(details: Sequence[Any]) -> Trouble:
    text = str(details[0]) if details else "no reason"
    if any(phrase in text.lower() for phrase in PASSING):
        return Transient("Tryton's database is busy.", code="database_busy")
    remedy = "Tryton's own log has the traceback."
    return Rejected(
        f"Tryton failed: {MAIL.sub('(an e-mail address)', text[:300])}",
        code="tryton_failed",
        remedy=remedy,
        owner="finance systems",
    )


def _sentence(message: Any, description: Any) -> str:
    said = " ".join(str(part).strip() for part in (message, description) if part)
    return f"Tryton refuses: {MAIL.sub('(an e-mail address)', said)}"


SORTS: dict[str, Callable[[Sequence[Any]], Trouble]] = {
    "UserError": _user_error,
    "UserWarning": _user_warning,
    "ConcurrencyException": _concurrency,
    "LoginException": _login,
}
