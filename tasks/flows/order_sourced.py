"""Pieces of an order are asked of the location that the rules chose, and taken back when the order is cancelled or changed."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import fulfilling
from connectors.kit.capabilities import Fulfiller
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Part, Skip


def request_from_location(part: Part, location: Fulfiller, work: Work) -> Writes:
    if not part.order.lines:
        raise Skip("nothing of these pieces is left to be sent")
    return location.request(part.order, key=work.key, reference=part.number)


def note_accepted(part: Part, tx: Connection, work: Work) -> None:
    """A connected location that took the request has accepted it."""
    fulfilling.told_by_account(tx, part.number, "accept")


def withdraw_from_location(part: Part, location: Fulfiller, work: Work) -> Writes:
    return location.cancel_request(part.order, key=work.key, reference=part.number)


FLOW: Flow = Flow(
    "order_sourced",
    on=None,
    document=Part,
    version=1,
    steps=(
        Outer(request_from_location, role="location", plays=Fulfiller, undo=withdraw_from_location),
        Inner(note_accepted, after=(request_from_location,)),
    ),
)
