"""What somebody asked to be cancelled is cancelled in the channel that sold it; the channel's own word then undoes everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from connectors.kit.capabilities import SaleCanceller
from connectors.kit.writes import ExternalId, Job, Write, Writes
from tasks.engine.work import Work
from tasks.flows.table import Cancelling, Flow, Outer


def cancel_sale(asked: Cancelling, channel: SaleCanceller, work: Work) -> Writes:
    """Looked at once more right before it is sent: a parcel may have left since somebody asked."""
    order = replace(asked.order, cancel_reason=asked.reason)
    return _each(channel.cancel_sale(order, key=work.key), work.nothing_left)


def _each(writes: Writes, check: Callable[[], None]) -> Writes:
    """The same writes, each sent only after the check."""
    try:
        write = next(writes)
        while True:
            write = writes.send((yield _checked(write, check)))
    except StopIteration as end:
        return str(end.value)


def _checked(write: Write, check: Callable[[], None]) -> Write:
    def send() -> ExternalId | Job:
        check()
        return write.send()

    return replace(write, send=send)


FLOW: Flow = Flow(
    "sale_cancelled",
    on=None,
    document=Cancelling,
    version=1,
    steps=(
        # what cannot be booked or confirmed may be just why it is cancelled: it waits for none of that
        Outer(cancel_sale, role="channel", plays=SaleCanceller, ordered=False),
    ),
)
