"""What a flow is made of: outer steps that make one effect at one account, inner steps that change the hub's own records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.orders.difference import Kind
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment

StepFunction = Callable[..., Any]


class Skip(Exception):
    """Raised by a step that has nothing to do here; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The document of flows about a shipment."""

    order: Order
    shipment: Shipment


@dataclass(frozen=True, slots=True)
class Refunded:
    """The document of flows about a refund."""

    order: Order
    refund: Refund


@dataclass(frozen=True, slots=True)
class Taking:
    """The document of flows about one payment: what is to be taken, under our own number, or what was, under the channel's."""

    order: Order
    payment: Payment


@dataclass(frozen=True, slots=True)
class Cancelling:
    """The document of the flow that has an order cancelled in its channel; `reason` is a CancelReason."""

    order: Order
    reason: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The document of flows about goods that came back: the lines that are to be booked, each with what was counted and its condition."""

    order: Order
    returned: Return


@dataclass(frozen=True, slots=True)
class Part:
    """The document of flows about pieces that one location sends: the order cut down to them, and the request's number.

    `supplier` is the account of whom they are bought, `shipment` what he has sent of them; each where the flow is about that.
    """

    order: Order
    number: str
    supplier: str = ""
    shipment: Shipment | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """The document of the flow that tells a partner: `id` is the event's for all its tries, `at` when it came about (ISO 8601, UTC)."""

    event: str
    at: str
    listener: str
    id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FeedFile:
    """The document of the flow about a file of a feed: its name at the source, and the run that says what became of it.

    `content` is the SHA-256 of what was read; empty where nobody read it.
    """

    name: str
    run: int
    content: str = ""


@dataclass(frozen=True, slots=True)
class Outer:
    """A step at another system: `act(document, who plays the role, work)` returns Writes, a BatchWrite, or an id.

    `undo` is what a cancellation does about it. `concerns` names the facets of a change that it cares about (all when empty).
    A step that is not `ordered` does not wait for earlier steps of its subject at its account.
    """

    act: StepFunction
    role: str
    plays: type
    after: tuple[StepFunction, ...] = ()
    undo: StepFunction | None = None
    concerns: frozenset[str] = frozenset()
    ordered: bool = True
    bulk: bool = False

    @property
    def name(self) -> str:
        return self.act.__name__


@dataclass(frozen=True, slots=True)
class Inner:
    """A change of our own records: `act(document, tx, work)` in the transaction that concludes the step."""

    act: StepFunction
    after: tuple[StepFunction, ...] = ()
    undo: StepFunction | None = None
    concerns: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.act.__name__


Step = Outer | Inner


@dataclass(frozen=True, slots=True)
class Flow:
    """What follows from a difference (`on`). `version` is stored with every run."""

    name: str
    on: Kind | None
    document: type
    version: int
    steps: Sequence[Step]

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def undoing(self, name: str) -> Step | None:
        """The step that `name` (an undo function) undoes."""
        return next((step for step in self.steps if step.undo is not None and step.undo.__name__ == name), None)
