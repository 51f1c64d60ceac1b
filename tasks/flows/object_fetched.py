"""A thin delivery only names an object: it is fetched, and what it says comes in by the same door as everything else."""

from __future__ import annotations

from connectors.canonical.snapshot import Pointer
from connectors.kit.capabilities import Fetcher
from connectors.kit.errors import NotThere
from tasks.engine.work import Work
from tasks.flows.table import Flow, Outer, Skip

# An article that is deleted, or a count of none, is told thinly as well; what is missed of these the next alignment finds.
DELETED_TOO = frozenset(("product", "stock"))


def fetch_object(pointer: Pointer, source: Fetcher, work: Work) -> str:
    message = source.fetch(pointer)
    if message is None and pointer.kind in DELETED_TOO:
        raise Skip("the object is gone at its source")
    if message is None:
        words = f"{work.step.account} told of {pointer.kind} {pointer.id}, and has none of that number when it is asked for it."
        raise NotThere(
            words, remedy="Look for it there. Retry the step once it is there; where it was deleted, end the step."
        )
    return work.accept(message)


FLOW: Flow = Flow(
    "object_fetched",
    on=None,
    document=Pointer,
    version=1,
    steps=(Outer(fetch_object, role="source", plays=Fetcher, ordered=False),),
)
