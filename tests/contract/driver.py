"""Drives the writes of one effect as the engine would: recorded ones are replayed, doubtful ones looked up first."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.kit.errors import Ambiguous, Throttled, Transient
from connectors.kit.writes import ExternalId, Job, Write, Writes
from tests.contract.bench import MemoryKnown

WITHIN = 10.0  # seconds that a test waits for an effect


class NotSettled(Transient):
    """Not found, but too early to say that it was not done."""


class AlwaysInDoubt(dict[str, float]):
    """Doubts of a worker that was told nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time.monotonic()

    def __contains__(self, label: object) -> bool:
        return True

    def __missing__(self, label: str) -> float:
        return self._since


@dataclass
class Driver:
    """`settles`: seconds until a look-up that finds nothing counts; `met`: troubles so far; `names`: writes seen."""

    known: MemoryKnown = field(default_factory=MemoryKnown)
    settles: float = 1.0
    recorded: dict[str, ExternalId] = field(default_factory=dict)
    doubts: dict[str, float] = field(default_factory=dict)
    met: list[Exception] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def finish(self, make: Callable[[], Writes]) -> ExternalId:
        """Attempts until it is done. What needs a person (Rejected, Missing, Unauthorized) is raised."""
        deadline = time.monotonic() + WITHIN
        while True:
            try:
                return self.attempt(make)
            except (Ambiguous, Transient, Throttled) as trouble:
                self.met.append(trouble)
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def attempt(self, make: Callable[[], Writes]) -> ExternalId:
        """One attempt: the generator from its start, as the engine runs it again after any trouble."""
        writes, count = make(), Counter[str]()
        try:
            write = next(writes)
            while True:
                count[write.name] += 1
                write = writes.send(self._once(f"{write.name}#{count[write.name]}", write))
        except StopIteration as end:
            return str(end.value)

    def _once(self, label: str, write: Write) -> ExternalId:
        if label in self.recorded:
            return self.recorded[label]
        self.names.append(write.name)
        found = self._looked_up(label, write) if label in self.doubts else None
        self.recorded[label] = found or self._sent(label, write)
        self.known.ids.update(dict.fromkeys(write.links, self.recorded[label]))
        return self.recorded[label]

    def _looked_up(self, label: str, write: Write) -> ExternalId | None:
        found = write.find()
        if found is None and time.monotonic() - self.doubts[label] < self.settles:
            raise NotSettled(f"{write.name} is not found yet.")
        return found

    def _sent(self, label: str, write: Write) -> ExternalId:
        try:
            result = write.send()
            while isinstance(result, Job):
                assert write.poll is not None, f"{write.name} answers a job, so it needs poll"
                time.sleep(min(result.after, 0.2))
                result = write.poll(result.id)
        except Ambiguous:
            self.doubts[label] = time.monotonic()
            raise
        assert isinstance(result, str), f"{write.name}.send() answers an id as text, not {result!r}"
        return result


def drive(writes: Writes, *, find_first: bool = False, known: MemoryKnown | None = None) -> ExternalId:
    """One attempt without faults; `find_first` as after a lost answer (what is not found is sent)."""
    driver = Driver(known or MemoryKnown(), settles=0.0)
    if find_first:
        driver.doubts = AlwaysInDoubt()
    return driver.attempt(lambda: writes)
