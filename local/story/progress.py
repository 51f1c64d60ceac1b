"""Showing how far the story is: a table that redraws itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from local.story.journal import glance

STATES = ("applied", "echo", "superseded", "ignored", "quarantined", "parked", "dead", "in_flight")
EVERY = 0.5
LINE_EVERY = 5.0


class Progress:
    """Looks into the journal twice a second while it is open; `say` notes what the story does."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._told: list[str] = []
        self._figures: tuple[Mapping[str, int], Mapping[str, int], int] = ({}, {}, 0)
        self._done = threading.Event()
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def say(self, words: str) -> None:
        """One line of the story, with its second."""
        line = f"{time.monotonic() - self._began:5.0f} s  {words}"
        self._told.append(line)
        if self._live is None:
            print(line, flush=True)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join(5)
        if self._live is not None:
            self._live.stop()
            self._console.print("\n".join(self._told), highlight=False)

    def _watch(self) -> None:
        spoke = time.monotonic()
        while not self._done.wait(EVERY):
            try:
                self._figures = glance()
            except SQLAlchemyError:
                continue  # the database restarts or ends: the last figures stay
            if self._live is not None:
                self._live.update(self._drawn())
            elif time.monotonic() - spoke > LINE_EVERY:
                spoke = time.monotonic()
                print(f"{spoke - self._began:5.0f} s    {self._line()}", flush=True)

    def _line(self) -> str:
        states, done, busy = self._figures
        ends = ", ".join(f"{states[name]} {name}" for name in STATES if states.get(name))
        return f"accepted {sum(states.values())} ({ends}); under way {busy}; done {', '.join(f'{n} at {account}' for account, n in done.items())}"

    def _drawn(self) -> Group:
        states, done, busy = self._figures
        table = Table(box=None, pad_edge=False)
        for heading in ("accepted", *STATES, "under way"):
            table.add_column(heading.replace("_", " "), justify="right")
        table.add_row(*map(str, (sum(states.values()), *(states.get(name, 0) for name in STATES), busy)))
        calls = "  ".join(f"{account} {count}" for account, count in done.items())
        return Group(Text("\n".join(self._told[-8:])), table, Text(f"done at  {calls}"))
