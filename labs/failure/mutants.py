"""The mutants: each takes one safeguard out of the engine's source, and a scenario must catch it."""

from __future__ import annotations

from dataclasses import dataclass


class Gone(ValueError):
    """The text that a mutant replaces is not in the source exactly once: the mutant must be written anew."""


@dataclass(frozen=True)
class Cut:
    """In `file`, `old` (which must stand there exactly once) becomes `new`."""

    file: str
    old: str
    new: str

    def applied(self, source: str) -> str:
        """Raises Gone."""
        if source.count(self.old) != 1:
            raise Gone(f"{self.file} holds {source.count(self.old)} times: {self.old!r}")
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """`about` says which safeguard is gone; `scenario` must then be found `caught_as` one of these kinds."""

    name: str
    about: str
    scenario: str
    caught_as: tuple[str, ...]
    cuts: tuple[Cut, ...]


MUTANTS: dict[str, Mutant] = {}
