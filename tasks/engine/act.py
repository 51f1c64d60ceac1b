"""Acting: a step's function is called with its document and whoever plays its role; no transaction is open meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.accounts import entries
from app.catalogue.price_marks import PriceMark
from app.database import transaction
from app.journal import steps
from app.orders.shipping import part_of
from app.stock.dirty import Mark
from connectors.canonical.codec import decode, load
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Pointer
from connectors.kit.errors import Ambiguous, NotOffered, Trouble
from connectors.kit.writes import BatchItem, BatchWrite
from tasks.engine.connecting import connect, connection
from tasks.engine.work import Work
from tasks.flows.book import FLOWS
from tasks.flows.table import (
    Cancelling,
    FeedFile,
    Inner,
    Outer,
    Part,
    Refunded,
    Returned,
    Shipped,
    Skip,
    Step,
    Taking,
    Told,
)


@dataclass(frozen=True, slots=True)
class Acted:
    """What an attempt brought: a result, or for a batch what became of each item."""

    result: str = ""
    told: Sequence[tuple[Mark | PriceMark, str]] = ()


def definition(work: Work) -> Step:
    """The step's entry in its flow's table; an undo is the entry that it undoes, with its undo function to call."""
    flow = FLOWS[work.step.flow]
    found = flow.step(work.step.name)
    if found is not None:
        return found
    undone = flow.undoing(work.step.name)
    if undone is None or undone.undo is None:
        raise LookupError(f"flow {flow.name} knows no step {work.step.name}")
    return replace(undone, act=undone.undo)


def document(work: Work) -> Any:
    """What the step is about, in canonical words."""
    context = work.context
    kind = FLOWS[work.step.flow].document
    if kind is Pointer:
        return Pointer(**context.detail["pointer"])
    if kind is FeedFile:
        return FeedFile(**context.detail["file"])
    if work.document is None and context.body is not None:
        work.document = decode(context.body)
    order = work.document
    if not isinstance(order, Order):
        return order
    return CHILDREN[kind](order, context.child) if kind in CHILDREN else order


CHILDREN: Mapping[type, Callable[[Order, Any], Any]] = {
    Shipped: lambda order, child: Shipped(order, load(Shipment, child)),
    Refunded: lambda order, child: Refunded(order, load(Refund, child)),
    Taking: lambda order, child: Taking(order, load(Payment, child)),
    Told: lambda order, child: Told(**child),
    Cancelling: lambda order, child: Cancelling(order, **child),
    Returned: lambda order, child: Returned(order, load(Return, child)),
    Part: lambda order, child: Part(
        part_of(order, child["number"], child["lines"]),
        child["number"],
        child.get("supplier", ""),
        load(Shipment, child["shipment"]) if child.get("shipment") else None,
    ),
}


def act(work: Work) -> Acted:
    """One attempt at an outer step. Raises Trouble, Skip, NotSettled, Submitted, Overtaken."""
    step = definition(work)
    if not isinstance(step, Outer):
        raise TypeError(f"{step.name} is an inner step")
    _never_done(work)
    _offered(work, step)
    party = connect(connection(work.step.account, work.context.links, work.waybill, work.guard, work.tap))
    asked = step.act(document(work), party, work)
    if isinstance(asked, BatchWrite):
        return _batch(asked, work)
    return Acted(asked if isinstance(asked, str) else work.carry_out(asked))


def act_inner(work: Work) -> Callable[[Any], None]:
    """An inner step's change, to be made in the transaction that concludes it."""
    step = definition(work)
    if not isinstance(step, Inner):
        raise TypeError(f"{step.name} is an outer step")
    about = document(work)
    return lambda tx: step.act(about, tx, work)


def _never_done(work: Work) -> None:
    """What was never done needs no undoing."""
    if work.step.undoes is None:
        return
    with transaction() as tx:
        if not steps.begun(tx, work.step.undoes):
            raise Skip("it was never done, so there is nothing to undo")


def _offered(work: Work, step: Outer) -> None:
    absent = entries.manifest(work.step.account).absent
    method = METHODS.get(step.act.__name__, step.act.__name__)
    if method in absent:
        raise NotOffered(f"Not offered: {absent[method]}")


# What the step functions ask of the capability, where the names differ.
METHODS = {
    "book_order": "book",
    "cancel_booking": "cancel",
    "amend_order": "amend",
    "request_fulfilment": "request",
    "request_again": "request",
    "cancel_fulfilment": "cancel_request",
    "withdraw_fulfilment": "cancel_request",
    "withdraw_again": "cancel_request",
    "acknowledge_order": "acknowledge",
    "capture_payment": "capture",
    "charge_difference": "charge",
    "notify_customer": "notify",
    "notify_refund": "notify",
    "request_from_location": "request",
    "place_purchase_order": "purchase",
    "withdraw_purchase_order": "withdraw",
    "withdraw_from_location": "cancel_request",
    "notify_ready": "notify",
    "tell_partner": "tell",
    "fetch_object": "fetch",
}


def _batch(batch: BatchWrite[Any], work: Work) -> Acted:
    """Many values in one call: each has its own verdict, and one refusal holds nobody else back.

    A call whose answer was lost may still arrive: newer values leave only once it cannot, or the old ones would come last.
    """
    work.settle(batch.name)
    marks = work.marks
    if not marks:
        raise Skip("nothing has changed since it was told last")
    items = [BatchItem(item, f"{work.key}-{mark.sku}") for mark, item in zip(marks, work.told_items, strict=True)]
    work.sending = True
    answers = batch.send(items)
    work.sending = False
    told = [(mark, _refusal(answer)) for mark, answer in zip(marks, answers, strict=True)]
    return Acted(f"{sum(1 for _, why in told if not why)} of {len(told)} told", told)


def _refusal(answer: str | Exception) -> str:
    """Empty when the item was taken; else why not. What is no refusal is raised: the whole batch is tried again."""
    if not isinstance(answer, Exception):
        return ""
    if (
        isinstance(answer, Trouble)
        and not isinstance(answer, Ambiguous)
        and answer.code not in ("transient", "throttled")
    ):
        return answer.sentence
    raise answer
