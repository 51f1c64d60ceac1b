"""An answer's status is sorted into what the hub must do, by one table that every connector shares and may extend."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.kit.account import Connection
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Trouble, Unauthorized
from connectors.kit.http import Answer


def retry_after(headers: Mapping[str, str], *names: str) -> float | None:
    """Seconds to wait as the vendor says it: a number, or an HTTP date (RFC 9110) against the vendor's own clock. None when it does not say."""
    said = next((headers[name] for name in (*names, "retry-after") if headers.get(name)), None)
    if said is None:
        return None
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - _their_now(headers)).total_seconds())
    except (ValueError, TypeError):
        return None


def hold_off(connection: Connection, answer: Answer, pause: float) -> None:
    """Nobody calls this account while the vendor says so: after a 429 always (`pause` seconds where it names none), after a 503 where it
    names them."""
    said = retry_after(answer.headers)
    if said is None and answer.status == 429:
        said = pause
    if said and answer.status in (429, 503):
        connection.http.limits.block(connection.account.name, said)


def _their_now(headers: Mapping[str, str]) -> datetime:
    """When the answer was made, as it says itself; else our own clock, which may be minutes away from theirs."""
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return datetime.now(UTC)


def trouble(answer: Answer, sentence: str = "", code: str = "", field: str = "") -> Trouble | None:
    """What a status means where the vendor's body says no more. None below 400.

    503 is "not now" (nothing was done); 500, 502, 504 of a write leave its effect unknown.
    """
    if answer.status < 400:
        return None
    words = sentence or f"The system answered HTTP {answer.status}."
    coded = code or f"http_{answer.status}"
    if answer.status == 429:
        return Throttled(words, code=code or "throttled", retry_after=retry_after(answer.headers))
    if answer.status == 401:
        return Unauthorized(words, code=code or "unauthorized")
    if answer.status in (408, 425, 503):
        return Transient(words, code=coded)
    if answer.status >= 500:
        return Ambiguous(words, code=coded) if answer.write else Transient(words, code=coded)
    return Rejected(words, code=coded, field=field)


def checked(answer: Answer) -> Answer:
    """The answer, or its trouble raised."""
    found = trouble(answer)
    if found is not None:
        raise found
    return answer
