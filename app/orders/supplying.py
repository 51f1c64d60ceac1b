"""Drop-ship: what a supplier answers to a purchase order: all of it, a part, or nothing; what he does not send is offered elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.orders import deadlines, fulfilling, states
from app.orders.fulfilling import Fulfilment
from app.orders.machines import FULFILMENT
from connectors.canonical.shipment import Shipment

ZERO = Decimal(0)
KEEP = text("UPDATE fulfilments SET lines = :lines, promised_at = :promised WHERE id = :id")
# What a supplier refuses of a purchase order is a request of its own that was rejected: so it is passed on like any.
REFUSED = text("""
INSERT INTO fulfilments (subject_id, number, location, account, method, state, round, lines, rules, why, purchase, pending)
SELECT subject_id, split_part(number, '-', 1) || '-F' || (SELECT count(*) + 1 FROM fulfilments o WHERE o.subject_id = f.subject_id),
    location, account, method, 'rejected', round, :lines, rules, :why, true, true
FROM fulfilments f WHERE id = :id
""")


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` accepted, part, rejected, known (told before), or why it changes nothing; `sentence` says it."""

    code: str
    sentence: str


def acknowledged(tx: Connection, number: str, account: str, told: Shipment) -> Answer:
    """A supplier's word on a purchase order: the pieces that he will send (none: he refuses), by SKU. The subject is locked by the caller."""
    row = tx.execute(fulfilling.ONE, {"number": number}).first()
    found = Fulfilment(*row) if row is not None else None
    if found is None or found.account != account or not found.purchase:
        return Answer("unknown", f"{account} was sent no purchase order {number}.")
    if found.state != "requested":
        return Answer("known", f"{number} is {found.state.replace('_', ' ')} already.")
    kept, refused = _shared(found, told)
    if not kept:
        _move(tx, found, "reject")
        return Answer("rejected", f"{account} refuses {number}.")
    if refused:
        why = f"{account} sends only a part of {number}"
        tx.execute(REFUSED, {"id": found.id, "lines": Jsonb(refused), "why": why})
    _promise(tx, found, kept, told.estimated_at)
    _move(tx, found, "accept")
    states.advance(tx, found.subject_id, "order", "", "release", found.location)
    return Answer(
        "part" if refused else "accepted", f"{account} will send {'a part' if refused else 'all'} of {number}."
    )


def _shared(found: Fulfilment, told: Shipment) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """(what he sends, what he does not) of the lines that he was asked for, in their order."""
    promised: dict[str, Decimal] = {}
    for line in told.lines:
        promised[line.sku] = promised.get(line.sku, ZERO) + line.quantity
    kept: list[dict[str, str]] = []
    refused: list[dict[str, str]] = []
    for want in found.wants:
        given = min(want.quantity, promised.get(want.sku, ZERO))
        promised[want.sku] = promised.get(want.sku, ZERO) - given
        name: Mapping[str, Any] = {"line_id": want.line_id, "sku": want.sku}
        kept += [{**name, "quantity": _plain(given)}] if given > 0 else []
        refused += [{**name, "quantity": _plain(want.quantity - given)}] if want.quantity > given else []
    return kept, refused


def _promise(tx: Connection, found: Fulfilment, kept: list[dict[str, str]], at: datetime | None) -> None:
    tx.execute(KEEP, {"id": found.id, "lines": Jsonb(kept), "promised": at})


def _move(tx: Connection, found: Fulfilment, event: str) -> None:
    after = FULFILMENT.after(found.state, event)
    values = {"id": found.id, "state": after, "pending": after in fulfilling.NEWS, "trackings": Jsonb([])}
    tx.execute(fulfilling.MOVE, values)
    deadlines.met(tx, found.subject_id, "answer", found.number)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
