"""What a judge of a lab may look at: senders' logs, sources' lists, systems' records and calls; of the journal only what visibly stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.story.facts import Inside, Outside


@dataclass(frozen=True, slots=True)
class Try:
    """One line of a sender's log: a delivery was posted, and this is what its sender was told. `status` 0: no answer.

    `at` and `answered` are epoch seconds; `subject` is the source's own number of what it is about; `event` the number the hub acknowledged it
    under; `fresh` whether it was acknowledged as new.
    """

    at: float
    account: str
    id: str
    topic: str
    subject: str
    status: int
    event: str = ""
    fresh: bool = False
    forged: bool = False
    answered: float = 0.0

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the system called saw it: `at` epoch seconds of its arrival, `fault` the bad day that it met."""

    system: str
    at: float
    operation: str
    method: str
    path: str
    status: int
    write: bool
    seconds: float
    fault: str
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answered_well(self) -> bool:
        """Done, and its caller was plainly told so."""
        return 200 <= self.status < 300 and not self.fault


@dataclass(frozen=True, slots=True)
class Published:
    """A limit as its vendor publishes it: `window` (burst in seconds), `bucket` (burst and rate a second), `daily`
    (renewed `seconds` after midnight UTC), `concurrency`."""

    system: str
    kind: str
    burst: int
    seconds: float = 0.0
    rate: float = 0.0
    operations: tuple[str, ...] = ()
    waits: float = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """One change that a system made, in business words, in the order in which it came there.

    `subject` is the order at its source; `what` booked, amended, cancelled, delivered, credited, requested, withdrawn; `content` what is compared.
    """

    system: str
    at: float
    subject: str
    what: str
    content: str = ""


@dataclass(frozen=True)
class Evidence:
    """All of it. `edits`: order -> the contents that its source gave it, oldest first; `now_at` (system, order) -> the content it ended with.

    `reserved` is what the hub says is reserved (order -> pieces), under test; `sleeping`: orders that stand parked -> facts they wait for;
    `given`: facts that people brought; `unowned`: dead steps without a case. `beside`: what each further channel's outsiders say, with what the
    journal says of its orders; `outside` is then the web shop's share alone.
    """

    log: tuple[Try, ...]
    outside: Outside
    inside: Inside
    calls: tuple[Call, ...] = ()
    limits: tuple[Published, ...] = ()
    done: tuple[Done, ...] = ()
    edits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    now_at: Mapping[tuple[str, str], str] = field(default_factory=dict)
    pieces: Mapping[str, Decimal] | None = None  # order -> pieces that the ERP holds as delivered, where it says so
    reserved: Mapping[str, Decimal] | None = None
    sleeping: Mapping[str, frozenset[str]] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    unowned: int = 0
    unheard: tuple[float, float] | None = (
        None  # from when a standby heard nothing more until it was promoted (epoch seconds)
    )
    beside: tuple[tuple[Outside, Inside], ...] = ()
