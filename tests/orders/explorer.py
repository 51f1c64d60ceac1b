"""An explorer of small worlds: breadth first over everything that may happen next, until nothing new comes or a law breaks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)
Event = TypeVar("Event")


@dataclass(frozen=True)
class Found(Generic[State, Event]):
    """How much was looked at, and the shortest way to what must not be (None when there is none)."""

    states: int
    moves: int
    counterexample: tuple[tuple[Event, State], ...] | None = None
    broken: str = ""

    def __str__(self) -> str:
        told = f"{self.states} states, {self.moves} moves"
        if self.counterexample is None:
            return f"{told}: no counterexample"
        steps = "\n".join(f"  {n}. {event}\n     -> {state}" for n, (event, state) in enumerate(self.counterexample, 1))
        return f"{told}: {self.broken}\n{steps}"


def explore(
    start: State,
    events: Callable[[State], Iterable[Event]],
    move: Callable[[State, Event], State],
    laws: Callable[[State], Iterator[str]],
    most: int = 2_000_000,
) -> Found[State, Event]:
    """Every state within reach is visited once. `events` bounds the world; a state that breaks a law ends the search with the way there."""
    came: dict[State, tuple[State, Event] | None] = {start: None}
    queue, moves = deque([start]), 0
    while queue:
        state = queue.popleft()
        broken = next(laws(state), "")
        if broken:
            return Found(len(came), moves, tuple(_way(came, state)), broken)
        for event in events(state):
            moves += 1
            after = move(state, event)
            if after not in came:
                came[after] = (state, event)
                queue.append(after)
        if len(came) > most:
            raise OverflowError(f"more than {most} states: the world is not small")
    return Found(len(came), moves)


def _way(came: dict[State, tuple[State, Event] | None], state: State) -> Iterator[tuple[Event, State]]:
    steps: list[tuple[Event, State]] = []
    while (before := came[state]) is not None:
        steps.append((before[1], state))
        state = before[0]
    yield from reversed(steps)
