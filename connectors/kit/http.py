"""The one door to a vendor: every call asks the limiter, checks the lease, keeps to its time, and is recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import simplejson
import urllib3

from connectors.kit.account import Account
from connectors.kit.errors import Ambiguous, Rejected, Transient
from connectors.kit.limiter import Limits
from connectors.kit.masking import masked, masked_url
from connectors.kit.session import Lean

MAX_ANSWER = 20_000_000  # bytes; more is no answer to anything that we ask


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, so many seconds after it was asked. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    write: bool = False
    seconds: float = 0.0

    def json(self) -> Any:
        """The body as JSON with exact decimals. A write whose answer cannot be read is Ambiguous, a read Transient."""
        try:
            return simplejson.loads(self.body, use_decimal=True) if self.body.strip() else None
        except (ValueError, UnicodeDecodeError) as error:
            sentence = f"The answer (HTTP {self.status}) is not the JSON it should be."
            raise (Ambiguous if self.write else Transient)(sentence, code="unreadable_answer") from error


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as kept with the attempt, secrets masked."""

    operation: str
    method: str
    url: str
    request_headers: Mapping[str, str]
    request: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes
    seconds: float
    error: str = ""


def _nothing(*_: object) -> None:
    return None


@dataclass
class Http:
    """Calls to one account. `guard` raises LeaseLost right before the first byte; `tap` receives every exchange."""

    account: Account
    limits: Limits
    guard: Callable[[], None] = _nothing
    tap: Callable[[Exchange], None] = _nothing
    correlation: str = ""
    hosts: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    sessions: Callable[[str], requests.Session] = field(default_factory=lambda: _session)  # by the account's name
    shown: Callable[[str], str] = masked_url  # a request's address as its record keeps it

    def call(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        write: bool = False,
        json: Any = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        cost: float = 1,
        secret: bool = False,
        timeout: float | None = None,
    ) -> Answer:
        """One call. `write` says whether it changes anything there: then a lost answer is Ambiguous, else Transient.

        Any answer with a status is returned: sorting it is the connector's (kit/verdicts.py). `secret` keeps bodies out of the record.
        `json` may hold Decimals: they are written as numbers, exactly.
        """
        if json is not None:
            body = dump_json(json)
        request = requests.Request(
            method,
            self._url(path),
            params=query,
            data=form if form is not None else body,
            headers={
                "accept": "application/json",
                **({"content-type": "application/json"} if json is not None else {}),
                **({"x-correlation-id": self.correlation} if self.correlation else {}),
                **self.headers,
                **(headers or {}),
            },
        )
        session = self.sessions(self.account.name)
        prepared = session.prepare_request(request)
        with self.limits.leave(self.account.name, operation, cost):
            self.guard()
            answer = self._send(session, prepared, operation, write, secret, timeout or self.account.timeout)
            if answer.status == 429:
                self.limits.refused(self.account.name, operation, answer.seconds)
            return answer

    def _url(self, path: str) -> str:
        """An address at the account's own host; what a payload or answer names elsewhere is refused (no SSRF)."""
        return _address(self.account.base_url.rstrip("/") + "/", self.hosts, path)

    def _send(
        self,
        session: requests.Session,
        prepared: requests.PreparedRequest,
        operation: str,
        write: bool,
        secret: bool,
        timeout: float,
    ) -> Answer:
        began = time.monotonic()
        status, headers, body, error = 0, {}, b"", ""
        try:
            with session.send(
                prepared, timeout=(min(timeout, 5.0), timeout), stream=True, allow_redirects=False
            ) as response:
                status, headers = response.status_code, {k.lower(): v for k, v in response.headers.items()}
                body = _read(response, began + timeout)
            return Answer(status, headers, body, write, time.monotonic() - began)
        except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as broken:
            error = type(broken).__name__
            raise _trouble(broken, write, timeout) from broken
        finally:
            url = self.shown(prepared.url or "")
            self.tap(
                _exchange(prepared, url, operation, secret, status, headers, body, time.monotonic() - began, error)
            )


@lru_cache(maxsize=4096)
def _address(base: str, hosts: tuple[str, ...], path: str) -> str:
    url = path if "://" in path else base + path.lstrip("/")
    allowed = {urlsplit(base)[:2], *(urlsplit(host)[:2] for host in hosts)}
    if urlsplit(url)[:2] not in allowed:
        raise Rejected(
            f"A call to {urlsplit(url).netloc} was asked for, which is not this account's host.",
            code="foreign_host",
        )
    return urljoin(base, url)


def _trouble(broken: Exception, write: bool, timeout: float) -> Ambiguous | Transient:
    """Refused or never connected: nothing was sent. Any break after that leaves a write's effect unknown."""
    never_sent = (
        isinstance(broken, requests.ConnectTimeout)
        or "NewConnectionError" in repr(broken)
        or "NameResolution" in repr(broken)
    )
    if never_sent:
        return Transient("The system cannot be reached.", code="unreachable")
    timed_out = isinstance(broken, requests.Timeout) or "timed out" in repr(broken)
    sentence = (
        f"No answer within {timeout:g} s." if timed_out else "The connection broke before the answer was complete."
    )
    return (Ambiguous if write else Transient)(sentence, code="no_answer")


def _read(response: requests.Response, deadline: float) -> bytes:
    """The whole body, within size and time: whatever is there is taken as it comes, so a dripping answer is cut off."""
    parts, size = [], 0
    while part := response.raw.read1(65536, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER or time.monotonic() > deadline:
            raise requests.Timeout("the answer is too long or too slow: timed out")
    expected = response.headers.get("content-length")
    if (
        expected is not None
        and "content-encoding" not in response.headers
        and expected.isdigit()
        and size < int(expected)
    ):
        raise requests.ConnectionError("the answer was cut short")
    return b"".join(parts)


def _exchange(
    prepared: requests.PreparedRequest,
    url: str,
    operation: str,
    secret: bool,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    seconds: float,
    error: str,
) -> Exchange:
    sent = prepared.body.encode() if isinstance(prepared.body, str) else (prepared.body or b"")
    return Exchange(
        operation=operation,
        method=prepared.method or "",
        url=url,
        request_headers=masked(prepared.headers),
        request=b"(secret)" if secret else bytes(sent),
        status=status,
        answer_headers=masked(headers),
        answer=b"(secret)" if secret and status < 400 else body,
        seconds=seconds,
        error=error,
    )


_sessions = threading.local()


def _session(account: str) -> requests.Session:
    """A kept-alive session for each thread and account."""
    kept: dict[str, requests.Session] = _sessions.__dict__.setdefault("kept", {})
    if account not in kept:
        kept[account] = Lean()
    return kept[account]


def dump_json(value: Any) -> bytes:
    """JSON whose Decimals are numbers with exactly their digits: never through binary floating point."""
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":")).encode()
