"""The simulated Acme's queue: received is hidden for a while, comes again unless deleted, as with SQS."""

from __future__ import annotations

import secrets
import time
from typing import Any

from connectors.acme.simulator_door import Door, document
from connectors.acme.simulator_hooks import Hooks


class Queue:
    """Messages by id; a receipt is good for the receive that gave it."""

    def __init__(self, door: Door, hooks: Hooks) -> None:
        self._memory = door.simulator.memory
        hooks.queue = self.put
        door.on("/v1/queue/receipts", "queue.receive", "POST", self._receive)
        door.on("/v1/queue/deletions", "queue.delete", "POST", self._delete, write=True)

    def put(self, name: str, topic: str, body: str) -> None:
        self._memory.put("queue", name, {"id": name, "topic": topic, "body": body, "hidden_until": 0, "receipt": ""})

    def _receive(self) -> Any:
        asked, now = document(), time.time()
        with self._memory.lock:
            seen = [row for row in self._memory.table("queue").values() if row and row["hidden_until"] <= now]
            hidden = {"hidden_until": now + float(asked.get("hidden_seconds", 30))}
            rows = [
                {**row, **hidden, "receipt": secrets.token_hex(8)} for row in seen[: min(10, asked.get("limit", 1))]
            ]
            for row in rows:
                self._memory.put("queue", row["id"], row)
        return {"messages": rows}

    def _delete(self) -> Any:
        """An unknown or outdated receipt deletes nothing and is no error."""
        with self._memory.lock:
            given = frozenset(document().get("receipts", ()))
            gone = [row["id"] for row in self._memory.table("queue").values() if row and row["receipt"] in given]
            for name in gone:
                self._memory.put("queue", name, None)
        return {"deleted": len(gone)}
