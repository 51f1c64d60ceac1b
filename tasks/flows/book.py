"""All flows, and what an arriving difference does to those still open."""

from __future__ import annotations

from app.orders.difference import Kind
from tasks.flows import (
    feed_reported,
    object_fetched,
    order_changed,
    order_fell_short,
    order_placed,
    order_purchased,
    order_ready,
    order_refunded,
    order_resourced,
    order_shipped,
    order_sourced,
    partner_told,
    payment_captured,
    payment_charged,
    payment_received,
    payment_refunded,
    payment_released,
    prices_published,
    purchase_amended,
    purchase_received,
    return_disposed,
    return_received,
    sale_cancelled,
    stock_published,
)
from tasks.flows.table import Flow

FLOWS: dict[str, Flow] = {
    module.FLOW.name: module.FLOW
    for module in (
        order_placed,
        order_changed,
        order_shipped,
        order_refunded,
        order_sourced,
        order_purchased,
        order_resourced,
        order_fell_short,
        order_ready,
        purchase_amended,
        purchase_received,
        return_received,
        return_disposed,
        sale_cancelled,
        payment_captured,
        payment_charged,
        payment_received,
        payment_refunded,
        payment_released,
        partner_told,
        feed_reported,
        prices_published,
        stock_published,
        object_fetched,
    )
}
BY_DIFFERENCE: dict[Kind, Flow] = {flow.on: flow for flow in FLOWS.values() if flow.on is not None}

# What an arriving difference does to a flow that is still open: `wait` (order per subject and account), `merge` (while nothing of it has begun,
# its document becomes the new one), `preempt` (strike out, end, undo). What is not listed waits.
WAIT, MERGE, PREEMPT = "wait", "merge", "preempt"
WHEN_OPEN: dict[tuple[str, Kind], str] = {
    ("order_placed", Kind.CHANGED): MERGE,
    ("order_changed", Kind.CHANGED): MERGE,
    ("order_placed", Kind.CANCELLED): PREEMPT,
    ("order_changed", Kind.CANCELLED): PREEMPT,
    ("order_ready", Kind.CANCELLED): PREEMPT,
    ("order_sourced", Kind.CANCELLED): WAIT,  # each location's request is taken back by a run of its own
    ("order_purchased", Kind.CANCELLED): WAIT,
    ("order_resourced", Kind.CANCELLED): PREEMPT,
    (
        "sale_cancelled",
        Kind.CANCELLED,
    ): PREEMPT,  # its channel has said it: what was not sent need not be, what was is only looked up
    ("order_fell_short", Kind.CANCELLED): WAIT,  # what is withdrawn there is not wanted anyway
    ("order_shipped", Kind.CANCELLED): WAIT,  # shipped is never undone
    ("order_refunded", Kind.CANCELLED): WAIT,
    ("payment_captured", Kind.CANCELLED): WAIT,  # it is for what has left
    ("payment_refunded", Kind.CANCELLED): WAIT,
    ("payment_received", Kind.CANCELLED): WAIT,  # what was received was received
    ("payment_released", Kind.CANCELLED): WAIT,
}


def preempted_by(kind: Kind) -> tuple[str, ...]:
    return tuple(flow for (flow, difference), what in WHEN_OPEN.items() if difference is kind and what == PREEMPT)


def merged_by(kind: Kind) -> tuple[str, ...]:
    return tuple(flow for (flow, difference), what in WHEN_OPEN.items() if difference is kind and what == MERGE)
