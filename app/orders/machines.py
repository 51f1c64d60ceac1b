"""The order's life as explicit state machines: state x event -> state, for order, line, fulfilment, payment, return and hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

Table = Mapping[tuple[str, str], str]


class Illegal(ValueError):
    """An event that a machine does not know in this state."""


@dataclass(frozen=True)
class Machine:
    """`table` says every move there is; `rest` are the states that nothing leaves by itself."""

    name: str
    start: str
    table: Table
    rest: frozenset[str]

    def after(self, state: str, event: str) -> str:
        """The state that an event leads to. Raises Illegal."""
        try:
            return self.table[state, event]
        except KeyError:
            raise Illegal(f"{self.name}: no {event} in {state}") from None

    @property
    def states(self) -> frozenset[str]:
        return frozenset({self.start, *(state for state, _ in self.table), *self.table.values()})

    def path(self, old: str, new: str) -> tuple[str, ...] | None:
        """The fewest events from one state to another, for a document that skips some; None when no way leads there."""
        return _path(self.name, old, new)


def _rows(*moves: tuple[str, str, str]) -> Table:
    """("a b", "event", "c"): the event leads from a and from b to c."""
    return {(state, event): end for starts, event, end in moves for state in starts.split()}


ORDER = Machine(
    "order",
    "placed",
    _rows(
        ("placed", "book", "booked"),
        ("placed booked", "release", "released"),
        ("placed booked released", "ship_part", "partly_shipped"),
        ("placed booked released partly_shipped", "ship_all", "shipped"),
        ("shipped", "reopen", "partly_shipped"),  # an edit added something
        ("shipped", "deliver", "delivered"),
        ("delivered", "reopen", "partly_shipped"),
        ("placed booked released partly_shipped", "cancel", "cancelled"),
        ("cancelled", "ship_late", "partly_shipped"),  # it had left before the cancellation reached the shelf
        ("partly_shipped shipped delivered", "return_all", "returned"),
        ("returned", "ship_all", "shipped"),  # an exchange goes out
        ("shipped delivered returned cancelled unsettled", "reconcile", "reconciled"),
        ("reconciled", "unsettle", "unsettled"),  # over as before, and money or goods moved that are still to be booked
        ("partly_shipped shipped", "void", "placed"),  # the parcel never left after all
        ("reconciled unsettled", "reopen", "partly_shipped"),
        ("reconciled unsettled", "return_all", "returned"),
    ),
    rest=frozenset(("reconciled", "cancelled", "delivered", "returned")),
)
LINE = Machine(
    "line",
    "open",
    _rows(
        ("open", "allocate", "allocated"),
        ("allocated", "deallocate", "open"),
        ("open allocated", "pick", "picked"),
        ("picked", "unpick", "open"),
        ("open allocated picked substituted", "ship_part", "partly_shipped"),
        ("open allocated picked substituted partly_shipped", "ship_all", "shipped"),
        ("shipped", "add", "partly_shipped"),
        ("partly_shipped shipped", "void", "open"),
        ("shipped", "deliver", "delivered"),
        ("delivered", "add", "partly_shipped"),
        ("open allocated picked substituted", "cancel", "cancelled"),
        ("cancelled", "add", "open"),
        ("cancelled", "ship_late", "shipped"),
        ("partly_shipped shipped delivered", "return_part", "partly_returned"),
        ("partly_returned", "ship_all", "partly_returned"),
        ("partly_shipped shipped delivered partly_returned", "return_all", "returned"),
        ("returned partly_returned", "add", "partly_shipped"),
        ("open allocated", "substitute", "substituted"),
    ),
    rest=frozenset(("cancelled", "returned", "substituted", "delivered")),
)
FULFILMENT = Machine(
    "fulfilment",
    "proposed",
    _rows(
        ("proposed", "request", "requested"),
        ("proposed requested", "accept", "accepted"),
        ("requested", "reject", "rejected"),
        ("requested", "time_out", "timed_out"),
        ("accepted", "give_back", "rejected"),  # accepted, and then not found on the shelf
        ("requested accepted", "pick", "picked"),
        ("requested accepted picked", "pack", "packed"),
        ("requested accepted picked packed", "ready", "ready"),  # set out for the customer, who is told
        ("ready", "collect", "collected"),
        ("ready", "refuse", "refused"),  # its customer does not want it: it goes back on the shelf
        ("ready", "no_show", "no_show"),
        ("no_show", "extend", "ready"),
        ("no_show", "put_back", "cancelled"),
        ("proposed requested accepted picked packed", "ship", "shipped"),
        ("shipped", "move", "in_transit"),
        ("shipped in_transit ready", "deliver", "delivered"),
        ("shipped in_transit", "fail", "failed"),
        ("failed", "ship", "shipped"),
        ("shipped in_transit", "void", "cancelled"),
        ("proposed requested accepted picked packed ready", "cancel", "cancelled"),
        ("cancelled rejected timed_out", "ship_late", "shipped"),
    ),
    rest=frozenset(("rejected", "timed_out", "collected", "refused", "delivered", "cancelled")),
)
PAYMENT = Machine(
    "payment",
    "none",
    _rows(
        ("none", "pend", "pending"),
        ("none pending", "authorise", "authorised"),
        ("none pending", "fail", "failed"),
        ("failed", "authorise", "authorised"),
        ("failed", "pend", "pending"),
        ("authorised", "capture_part", "partly_captured"),
        ("none pending authorised partly_captured failed", "capture_all", "captured"),
        ("none pending", "capture_part", "partly_captured"),
        ("captured", "authorise_more", "partly_captured"),
        ("pending authorised", "void", "voided"),
        ("voided", "authorise", "authorised"),
        ("partly_captured captured", "refund_part", "partly_refunded"),
        ("partly_captured captured partly_refunded", "refund_all", "refunded"),
        ("partly_refunded refunded", "capture_more", "partly_refunded"),
        ("partly_captured captured partly_refunded refunded", "charge_back", "charged_back"),
    ),
    rest=frozenset(("captured", "voided", "refunded", "failed", "charged_back")),
)
RETURN = Machine(
    "return",
    "requested",
    _rows(
        ("requested", "authorise", "authorised"),
        ("requested", "decline", "declined"),
        ("requested authorised", "cancel", "cancelled"),
        ("requested authorised", "receive", "received"),  # goods may come unannounced
        ("received", "restock", "restocked"),
        ("received", "quarantine", "quarantined"),
        ("quarantined", "restock", "restocked"),
        ("received quarantined", "scrap", "scrapped"),
        ("received restocked quarantined scrapped", "exchange", "exchanged"),  # something else goes out for it
        ("received restocked quarantined scrapped exchanged", "refund", "refunded"),
        ("authorised", "refund", "refunded_unseen"),  # kept by the customer, or paid before it came
        ("refunded_unseen", "receive", "refunded"),
        ("received restocked quarantined scrapped exchanged refunded refunded_unseen", "close", "closed"),
        ("authorised declined", "close", "closed"),
        ("closed", "reopen", "authorised"),  # whoever keeps it waits for more after all
    ),
    rest=frozenset(("declined", "cancelled", "closed", "refunded", "exchanged")),
)
HOLD = Machine(
    "hold",
    "free",
    _rows(("free", "hold", "held"), ("held", "release", "free")),
    rest=frozenset(("free",)),
)
MACHINES: Mapping[str, Machine] = {m.name: m for m in (ORDER, LINE, FULFILMENT, PAYMENT, RETURN, HOLD)}


@cache
def _path(name: str, old: str, new: str) -> tuple[str, ...] | None:
    machine = MACHINES[name]
    queue: deque[tuple[str, tuple[str, ...]]] = deque([(old, ())])
    seen = {old}
    while queue:
        state, events = queue.popleft()
        if state == new:
            return events
        for (start, event), end in machine.table.items():
            if start == state and end not in seen:
                seen.add(end)
                queue.append((end, (*events, event)))
    return None
