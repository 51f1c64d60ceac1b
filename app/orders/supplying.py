"""Drop-ship: a supplier answers to a purchase order, at first or later: all of it, a part, or nothing; what he does not send is asked of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.bell import HUB, Ring
from app.journal.actions import audit
from app.orders import allotting, deadlines, falling_short, fulfilments, sharing, states
from app.orders.fulfilments import Fulfilment
from app.orders.machines import FULFILMENT
from app.orders.refused import Refused
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus

ZERO = Decimal(0)
KEEP = text("UPDATE fulfilments SET lines = :lines, promised_at = :promised WHERE id = :id")

PROMISED = text("UPDATE fulfilments SET promised_at = :promised WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` accepted, part, rejected, less (than he had said), known (told before), or why it changes nothing; `sentence` says it."""

    code: str
    sentence: str


def acknowledged(tx: Connection, number: str, account: str, told: Shipment) -> Answer:
    """A supplier's word on a purchase order: the pieces that he will send (none: he refuses), by SKU. The subject is locked by the caller."""
    row = tx.execute(fulfilments.ONE, {"number": number}).first()
    found = Fulfilment(*row) if row is not None else None
    if found is None or found.account != account or not found.purchase:
        return Answer("unknown", f"{account} was sent no purchase order {number}.")
    if found.state == "accepted":
        return _less(tx, found, told)
    if found.state != "requested":
        return Answer("known", f"{number} is {found.state.replace('_', ' ')} already.")
    kept, refused = _shared(found, told)
    if not kept:
        _move(tx, found, "reject")
        return Answer("rejected", f"{_teller(found)} refuses {number}.")
    if refused:  # a request of its own that was rejected: so it is passed on like any
        sharing.split(tx, found, refused, "rejected", f"{_teller(found)} sends only a part of {number}")
    _promise(tx, found, kept, told.estimated_at)
    _move(tx, found, "accept")
    states.advance(tx, found.subject_id, "order", "", "release", found.location)
    allotting.follow(tx, found.subject_id, _teller(found))
    return Answer(
        "part" if refused else "accepted", f"{_teller(found)} will send {'a part' if refused else 'all'} of {number}."
    )


def _less(tx: Connection, found: Fulfilment, told: Shipment) -> Answer:
    """A further word of his before anything has left: what it leaves out he will not send. One that leaves nothing out, be it older, is no news."""
    _, refused = _shared(found, told)
    if not refused:
        return Answer("known", f"{found.number} is accepted already.")
    pieces: dict[str, Decimal] = {}
    for line in refused:
        pieces[line["line_id"]] = pieces.get(line["line_id"], ZERO) + Decimal(line["quantity"])
    rest = falling_short.take_out(tx, found, pieces)
    if rest.number != found.number and told.estimated_at is not None:
        tx.execute(PROMISED, {"id": found.id, "promised": told.estimated_at})
    return Answer(
        "less", f"{_teller(found)} takes back {'all' if rest.number == found.number else 'a part'} of {found.number}."
    )


def acknowledge(
    tx: Connection, number: str, who: str, promised: Mapping[str, Decimal] | None, at: datetime | None, why: str = ""
) -> list[Ring]:
    """A supplier's word by our API or through a person: SKU -> pieces that he will send (None: all, none: he refuses), and when.

    Said twice it is once.
    Raises Refused for what is no purchase order, for more than was ordered, and for another answer than the first.
    """
    found = fulfilments.locked(tx, number)
    ordered: dict[str, Decimal] = {}
    for want in found.wants:
        ordered[want.sku] = ordered.get(want.sku, ZERO) + want.quantity
    told = {sku: many for sku, many in (ordered if promised is None else promised).items() if many}
    if not found.purchase:
        raise Refused("no_purchase_order", f"{number} is no purchase order: accept or reject it.")
    if found.state == "rejected" and not told:
        return []
    if found.state in TAKEN and (promised is None or told == ordered):
        return []
    if found.state != "requested":  # what he has accepted he gives back in the way of any location
        raise fulfilments.impossible(found, "acknowledge")
    if any(many < 0 or many > ordered.get(sku, ZERO) for sku, many in told.items()):
        raise Refused("not_that_many", f"{number} has not so many of these articles.")
    lines = tuple(ShipmentLine(many, sku) for sku, many in told.items())
    answer = acknowledged(tx, number, found.account, Shipment(number, ShipmentStatus.PENDING, lines, estimated_at=at))
    after = {"fulfilment": number, "answer": answer.code, "pieces": {sku: _plain(many) for sku, many in told.items()}}
    audit(
        tx, who, "acknowledge purchase order", f"order:{number.partition('-')[0]}", why, {"state": found.state}, after
    )
    return [Ring(fulfilments.FOLLOW, HUB, one.id) for one in fulfilments.of(tx, found.subject_id) if one.pending]


TAKEN = frozenset(("accepted", "picked", "packed", "shipped"))


def _teller(found: Fulfilment) -> str:
    return found.account or found.location


def _shared(found: Fulfilment, told: Shipment) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(what he sends, what he does not) of the lines that he was asked for, in their order."""
    promised: dict[str, Decimal] = {}
    for line in told.lines:
        promised[line.sku] = promised.get(line.sku, ZERO) + line.quantity
    kept: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for asked, want in zip(found.lines, found.wants, strict=True):
        given = min(want.quantity, promised.get(want.sku, ZERO))
        promised[want.sku] = promised.get(want.sku, ZERO) - given
        kept += [{**asked, "quantity": _plain(given)}] if given > 0 else []
        refused += [{**asked, "quantity": _plain(want.quantity - given)}] if want.quantity > given else []
    return kept, refused


def _promise(tx: Connection, found: Fulfilment, kept: list[dict[str, Any]], at: datetime | None) -> None:
    tx.execute(KEEP, {"id": found.id, "lines": Jsonb(kept), "promised": at})


def _move(tx: Connection, found: Fulfilment, event: str) -> None:
    after = FULFILMENT.after(found.state, event)
    values = {"id": found.id, "state": after, "pending": after in fulfilments.NEWS, "trackings": Jsonb([])}
    tx.execute(fulfilments.MOVE, values)
    deadlines.met(tx, found.subject_id, "answer", found.number)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
