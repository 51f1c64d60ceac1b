"""A thin delivery only names an object: it is fetched, and what it says comes in by the same door as everything else."""

from __future__ import annotations

from connectors.canonical.snapshot import Pointer
from connectors.kit.capabilities import Fetcher
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Skip


def fetch_object(pointer: Pointer, source: Fetcher, work: Work) -> str:
    message = source.fetch(pointer)
    if message is None:
        raise Skip("the object is gone at its source")
    return work.accept(message)


FLOW: Flow = Flow(
    "object_fetched",
    on=None,
    document=Pointer,
    version=1,
    steps=(Outer(fetch_object, role="source", plays=Fetcher, ordered=False),),
)
