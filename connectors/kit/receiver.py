"""A receiver proves who sent a delivery and what it is, and reads nothing more: it is all that the web process loads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it arrived. Header names are lower case; `url` is the public address that the vendor was given."""

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Secret:
    """One of the secrets valid now; `name` is what the journal records, never the value."""

    name: str
    value: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What the delivery is: its id (the same over retries), its topic, its object where the vendor says so cheaply."""

    delivery_id: str
    topic: str
    subject: str = ""
    triggered_at: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a handshake: body and content type, status 200 unless the vendor wants another."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


@dataclass(frozen=True)
class Receiver:
    """`prove(incoming, secrets, now)` returns the matching secret's name or raises Forged.

    `identify(incoming)` raises Unreadable when it cannot. `handshake(incoming, secrets)` answers a challenge, or None.
    `content_types` are those the vendor sends (415 for others). How old a *freshly signed* timestamp may be is `prove`'s to
    say; where retries keep the first timestamp it must not look. `max_body` in bytes.
    """

    prove: Callable[[Incoming, Sequence[Secret], datetime], str]
    identify: Callable[[Incoming], Identity]
    handshake: Callable[[Incoming, Sequence[Secret]], Reply | None] = lambda incoming, secrets: None
    content_types: tuple[str, ...] = ("application/json",)
    max_body: int = 2_000_000
