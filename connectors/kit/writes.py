"""A write is something done once at another system: sent, found again when its answer was lost, polled when it is a job."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

ExternalId = str
T = TypeVar("T")


class Doubled(ExternalId):
    """The id of the first of several that a look-up found where one should be; `others` are the rest. A person is asked to look."""

    others: tuple[ExternalId, ...]

    def __new__(cls, first: ExternalId, others: Sequence[ExternalId]) -> Doubled:
        made = super().__new__(cls, first)
        made.others = tuple(others)
        return made


def one_of(ids: Sequence[ExternalId]) -> ExternalId | None:
    """What a look-up by something that is not unique answers: None, the one, or the first of several as Doubled."""
    if len(ids) > 1:
        return Doubled(ids[0], ids[1:])
    return ids[0] if ids else None


@dataclass(frozen=True, slots=True)
class Job:
    """The other system accepted the write under a job id and will tell its end when polled, `after` seconds from now."""

    id: str
    after: float = 1.0


@dataclass(frozen=True, slots=True)
class Write:
    """One effect. `name` is its manifest entry ([writes.<name>]: key, settles_after, window).

    `send()` does it and returns the other system's id, or a Job. It is called at most once for each attempt known to have had no effect.
    `find()` looks it up by its stable key or unique field and returns the id, or None when it is not there (yet: settles_after). Where nothing
    is unique it answers `one_of` what it found: several are a Doubled, and a case.
    `poll(job)` asks what became of a Job.
    `links` names what the id stands for in the cross references: (kind, our id), e.g. ("order", order.id), ("shipment", shipment.id).
    """

    name: str
    send: Callable[[], ExternalId | Job]
    find: Callable[[], ExternalId | None]
    poll: Callable[[str], ExternalId | Job] | None = None
    links: tuple[tuple[str, str], ...] = ()


def noted(name: str, number: ExternalId, *links: tuple[str, str]) -> Write:
    """Sends nothing: a further number that the other system has given what was made (its invoice's), kept as a cross reference."""
    return Write(name, send=lambda: number, find=lambda: number, links=links)


# A capability that writes is a generator: it yields each Write in turn and is sent its ExternalId; it returns the id that
# the whole effect is known by. A later attempt yields them again from the first: writes of one name are told apart by their order, so none may
# be left out because it is done already. Reads between the writes are plain calls. `return (yield Write(...))` is the usual body.
Writes = Generator[Write, ExternalId, ExternalId]


@dataclass(frozen=True, slots=True)
class BatchItem(Generic[T]):
    """One of several like writes that go out in one call: its document and its own stable key."""

    document: T
    key: str


@dataclass(frozen=True, slots=True)
class BatchWrite(Generic[T]):
    """Several effects in one call. `send(items)` answers an id or a Trouble for each, in order; `find(item)` looks one up."""

    name: str
    send: Callable[[Sequence[BatchItem[T]]], Sequence[ExternalId | Exception]]
    find: Callable[[BatchItem[T]], ExternalId | None]
    link: str = ""
