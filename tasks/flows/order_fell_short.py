"""What a location cannot send of a request is withdrawn there, and asked of others once it has let go of it."""

from __future__ import annotations

from sqlalchemy import Connection

from app.orders import falling_short
from connectors.kit.capabilities import RestCanceller
from connectors.kit.writes import Writes
from tasks.engine.work import Work
from tasks.flows.table import Flow, Inner, Outer, Part


def withdraw_rest(part: Part, location: RestCanceller, work: Work) -> Writes:
    return location.cancel_rest(part.order, key=work.key, reference=part.number)


def offer_rest(part: Part, tx: Connection, work: Work) -> None:
    """Followed by a worker that holds the order (tasks/feeds/fulfilled.py)."""
    falling_short.let_go(tx, part.number)


FLOW: Flow = Flow(
    "order_fell_short",
    on=None,
    document=Part,
    version=1,
    steps=(
        Outer(withdraw_rest, role="location", plays=RestCanceller),
        Inner(offer_rest, after=(withdraw_rest,)),
    ),
)
