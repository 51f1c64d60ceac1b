"""The simulated Acme's subscriptions: who listens to which topic, after proving that it shares the secret."""

from __future__ import annotations

from typing import Any

from connectors.acme.simulator_door import Door, document
from connectors.acme.simulator_hooks import Hooks
from connectors.acme.simulator_refusal import Refusal


class Subscriptions:
    def __init__(self, door: Door, hooks: Hooks) -> None:
        self._memory, self._hooks = door.simulator.memory, hooks
        door.on("/v1/subscriptions", "subscriptions.list", "GET", self._list)
        door.on("/v1/subscriptions", "subscriptions.create", "POST", self._create, write=True)

    def _list(self) -> Any:
        return {"rows": list(self._memory.table("subscriptions").values())}

    def _create(self) -> Any:
        """Subscribing again what is there wakes it up."""
        wanted = document()
        for name in ("topics", "address"):
            if not wanted.get(name):
                raise Refusal(422, "required", f"{name} is required.", name)
        if not self._hooks.subscribe(wanted["topics"], wanted["address"]):
            raise Refusal(422, "handshake_failed", "The address did not sign the challenge.", "address")
        return self._list(), 201
