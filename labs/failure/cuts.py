"""A cut replaces a text of the source, in a throw-away copy, and fails loudly when the text is gone."""

from __future__ import annotations

from dataclasses import dataclass


class Gone(ValueError):
    """The text to be replaced is not in the source exactly once: whoever wanted to replace it must look again."""


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
