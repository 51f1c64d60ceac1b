"""Asynchronous jobs: accepted now, done a little later, one for each idempotency key."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from connectors.kit.simulator import Memory
from connectors.netsuite.simulator_errors import Refused, nobody


@dataclass
class Jobs:
    memory: Memory
    seconds: float

    def add(self, key: str, job: Mapping[str, Any]) -> tuple[str, bool]:
        """The job's id, and whether this request made it: a key makes one job, however often it comes."""
        with self.memory.lock:
            first = self.memory.table("job_keys").get(key) if key else None
            if first is not None:
                return str(first), False
            job_id = str(self.memory.next_id("jobs", 501))
            self.memory.put("jobs", job_id, {"due": time.time() + self.seconds, "done": False, "job": dict(job)})
            if key:
                self.memory.put("job_keys", key, job_id)
            return job_id, True

    def get(self, job_id: str) -> dict[str, Any]:
        held: dict[str, Any] | None = self.memory.table("jobs").get(job_id)
        if held is None:
            raise nobody("job", job_id)
        return held

    def run_due(self, perform: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        """Does the jobs whose time has come."""
        with self.memory.lock:
            for job_id, held in list(self.memory.table("jobs").items()):
                if not held["done"] and time.time() >= held["due"]:
                    self.memory.put("jobs", job_id, {**held, "done": True, **_outcome(perform, held["job"])})


def _outcome(perform: Callable[[Mapping[str, Any]], Mapping[str, Any]], job: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"record": perform(job)["id"]}
    except Refused as refused:
        return {"error": asdict(refused)}
