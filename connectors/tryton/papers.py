"""Papers of Tryton with a reference and a workflow: found by the one, taken on by the other, whoever pressed a button meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.kit.errors import Rejected
from connectors.tryton.client import Client


@dataclass(frozen=True)
class Papers:
    """Records of one model; `onward` is state -> the button that brings one on, `ends` where it is done."""

    client: Client
    model: str
    onward: Mapping[str, str]
    ends: Sequence[str] = ("done",)

    def named(self, reference: str) -> str | None:
        row = self.client.first(self.model, [["reference", "=", reference]])
        return str(row["id"]) if row else None

    def state(self, number: int) -> str:
        row = self.client.first(self.model, [["id", "=", number]], "state")
        if row is None:
            raise Rejected(f"Tryton has no {self.model} with the id {number}.", code="gone")
        return str(row["state"])

    def at_end(self, number: int) -> str | None:
        return str(number) if self.state(number) in self.ends else None

    def advance(self, number: int) -> str:
        """On to an end from whatever state it is in. A button that is refused because somebody has pressed it already is no refusal."""
        state = self.state(number)
        while state not in self.ends:
            button = self.onward.get(state)
            if button is None:
                raise Rejected(f"{self.model} {number} is {state} in Tryton.", code="state", owner="finance")
            state = self._pressed(number, button, state)
        return str(number)

    def _pressed(self, number: int, button: str, before: str) -> str:
        refused: Rejected | None = None
        try:
            self.client.press(self.model, button, [number])
        except Rejected as said:
            refused = said
        state = self.state(number)
        if state == before:
            raise refused or Rejected(f"{self.model} {number} stays {before} in Tryton.", code="state")
        return state
