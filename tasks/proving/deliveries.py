"""The ERP's own list of shipments, held against what the journal has booked there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app.database import transaction
from app.journal import proving
from app.journal.proving import DeliveredHere
from connectors.canonical.codec import decode, load
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit.capabilities import Delivered
from tasks.proving import outsiders
from tasks.proving.outsiders import Deliveries, Silent
from tasks.proving.words import Difference, HourProof

if TYPE_CHECKING:
    from tasks.proving.proof import Ground


def compare(ground: Ground, account: str) -> None:
    """Booked here and not listed there, listed twice, listed there and unknown here.

    The journal is read first and the list after: what is booked meanwhile is only ever too much of the list.
    """
    with transaction() as tx:
        since, until = ground.since, min(ground.until, ground.last)
        here = [one for one in proving.delivered(tx, account, since, until) if ground.at(one.channel, one.ended_at)]
        first = proving.first_tried(tx, here)
    told = outsiders.deliveries(account, min(first or since, since) - ground.ways.skew, ground.last + ground.ways.skew)
    if told is None:
        return
    proofs = list(ground.proofs.values())
    if isinstance(told, Silent):
        ground.silent(proofs, told)
        return
    for proof in proofs:
        proof.parts.add(f"shipments:{account}")
    records: dict[str, list[Delivered]] = defaultdict(list)
    for row in told.rows:
        records[row.reference].append(row)
    named = {reference: one for one in here if (reference := _reference(told, one))}
    for reference, one in named.items():
        _booked(ground, told, one, reference, records.get(reference, []))
    _strays(ground, told, named)


def _reference(told: Deliveries, one: DeliveredHere) -> str:
    """Empty where its run holds no shipment, or its record was none (nothing was to be booked)."""
    order, child = decode(one.document), one.child
    if not isinstance(order, Order) or not child or not one.result:
        return ""
    return told.reference(order, load(Shipment, child))


def _booked(ground: Ground, told: Deliveries, one: DeliveredHere, reference: str, records: Sequence[Delivered]) -> None:
    proof = ground.at(one.channel, one.ended_at)
    assert proof is not None
    proof.count("delivered")
    ground.heard(proof, ["delivered", one.step_id, reference, one.result])
    if records:
        proof.count("delivered_at_erp")
        for record in records:
            ground.heard(proof, ["delivery", record.id, record.reference, record.booking])
        return
    ours = f"{one.waybill} ({one.number}): this shipment was booked as {one.result} at {one.ended_at:%Y-%m-%d %H:%M:%S} UTC"
    said = f"no record under {reference} in its list"
    proof.differ(Difference("shipment_missing_at_erp", told.account, one.result, ours, said, one.subject_id))


def _strays(ground: Ground, told: Deliveries, named: Mapping[str, DeliveredHere]) -> None:
    """Records of orders that we booked beside those that the journal knows, unless one is just being booked."""
    with transaction() as tx:
        known = proving.deliveries_of(tx, told.account, [row.booking for row in told.rows])
    for row in told.rows:
        order = known.get(row.booking)
        proof = _hour(ground, order.channel if order else "", row)
        if order is None or proof is None or row.id in order.theirs or order.under_way:
            continue
        kind = "shipment_doubled_at_erp" if row.reference in named else "shipment_stray_at_erp"
        ours = f"{order.waybill} has {', '.join(sorted(order.theirs)) or 'no shipment'} there, by the journal"
        said = f"record {row.id} under {row.reference or 'no reference'} of booking {row.booking}"
        proof.differ(Difference(kind, told.account, row.id, ours, said, order.subject_id))


def _hour(ground: Ground, channel: str, row: Delivered) -> HourProof | None:
    return ground.at(channel, row.at) if channel else None
