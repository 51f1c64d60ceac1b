"""The ERP's own list of orders, held against what the journal says was booked there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from app.database import transaction
from app.journal import proving
from app.journal.proving import Booked, BookingOf
from connectors.canonical.codec import decode
from connectors.canonical.money import Money
from connectors.canonical.order import Order
from connectors.kit.capabilities import Booking
from tasks.proving import outsiders
from tasks.proving.outsiders import Books, Silent
from tasks.proving.words import Difference, HourProof

if TYPE_CHECKING:
    from tasks.proving.proof import Ground

UNDER_WAY = frozenset(("waiting", "ready", "running", "submitted", "unknown", "parked"))


def compare(ground: Ground, account: str) -> None:
    """Booked here and not listed there, listed twice, listed with another total, listed there and not booked here.

    The journal's bookings are read first and the list after: what is booked meanwhile is only ever too much of the list.
    """
    with transaction() as tx:
        since, until = ground.since, min(ground.until, ground.last)
        booked = [one for one in proving.booked(tx, account, since, until) if ground.at(one.channel, one.ended_at)]
        first = proving.first_tried(tx, booked)
    told = outsiders.books(account, min(first or since, since) - ground.ways.skew, ground.last + ground.ways.skew)
    proofs = list(ground.proofs.values())
    if isinstance(told, Silent):
        ground.silent(proofs, told)
        for one in booked:
            _proof(ground, one).count("booked")
        return
    for proof in proofs:
        proof.parts.add(f"erp:{account}")
    named = {told.reference(order): one for one in booked if (order := _order(one)) is not None}
    records: dict[str, list[Booking]] = defaultdict(list)
    for row in told.rows:
        records[row.reference].append(row)
    for reference, one in named.items():
        _booked(ground, told, one, reference, records.get(reference, []))
    _strays(ground, told, named, records)


def _order(one: Booked) -> Order | None:
    document = decode(one.document)
    return document if isinstance(document, Order) else None


def _proof(ground: Ground, one: Booked) -> HourProof:
    found = ground.at(one.channel, one.ended_at)
    assert found is not None
    return found


def _booked(ground: Ground, told: Books, one: Booked, reference: str, records: Sequence[Booking]) -> None:
    proof = _proof(ground, one)
    proof.count("booked")
    ground.heard(proof, ["booked", one.step_id, reference, one.result])
    ours = f"{one.waybill} ({one.number}) was booked as {one.result} at {one.ended_at:%Y-%m-%d %H:%M:%S} UTC"
    if not records:
        said = f"no record under {reference} in its list"
        proof.differ(Difference("missing_at_erp", told.account, one.external_id, ours, said, one.subject_id))
        return
    proof.count("listed_at_erp")
    for record in records:
        ground.heard(proof, ["erp", record.id, record.reference, record.total])
    wanted, found = _total(one), records[0].total
    if wanted is not None and found is not None and (wanted.amount, wanted.currency) != (found.amount, found.currency):
        ours = f"{ours} with {wanted.amount} {wanted.currency}"
        said = f"record {records[0].id} comes to {found.amount} {found.currency}"
        proof.differ(Difference("differs_at_erp", told.account, one.external_id, ours, said, one.subject_id))


def _total(one: Booked) -> Money | None:
    """What was booked; None for an order that was edited before or after: its total is another by now."""
    order = _order(one)
    if order is None or one.changed or any(line.current_quantity != line.quantity for line in order.lines):
        return None
    return order.totals.total.in_role(order.money_role)


def _strays(ground: Ground, told: Books, named: Mapping[str, Booked], records: Mapping[str, Sequence[Booking]]) -> None:
    """Records of our channels' orders beside the one that the journal knows: second ones, and those that nobody booked."""
    guessed = {reference: list(_guesses(ground, reference)) for reference in records if reference not in named}
    pairs = [pair for pairs in guessed.values() for pair in pairs] + [
        (one.channel, one.external_id) for one in named.values()
    ]
    with transaction() as tx:
        known = proving.bookings_of(tx, told.account, pairs)
    for reference, rows in records.items():
        if reference in named:
            order = known.get((named[reference].channel, named[reference].external_id))
        else:
            order = next((known[pair] for pair in guessed[reference] if pair in known), None)
        channel = order.channel if order else (guessed[reference][0][0] if guessed.get(reference) else "")
        if channel:
            _judged(ground, told.account, channel, reference, order, rows)


def _guesses(ground: Ground, reference: str) -> Iterable[tuple[str, str]]:
    """Whose order a reference may name: channel and id are joined by a dash in every ERP that we book at."""
    channels = sorted({channel for channel, _ in ground.proofs}, key=len, reverse=True)
    return ((name, reference[len(name) + 1 :]) for name in channels if reference.startswith(f"{name}-"))


def _judged(
    ground: Ground, account: str, channel: str, reference: str, order: BookingOf | None, rows: Sequence[Booking]
) -> None:
    for row in rows:
        proof = ground.at(channel, row.at)
        if proof is None or (order is not None and _is_ours(order, row, rows)):
            continue
        said = f"record {row.id} under {reference}" + (
            f", {row.total.amount} {row.total.currency}" if row.total else ""
        )
        subject = order.subject_id if order else None
        if order is not None and order.theirs:
            ours = f"{order.waybill} is booked as {order.theirs}"
            proof.differ(Difference("doubled_at_erp", account, f"{reference} {row.id}", ours, said, subject))
        else:
            ours = (
                f"{order.waybill} is not booked ({order.states or 'no step books it'})"
                if order
                else "no such order is known"
            )
            proof.differ(Difference("stray_at_erp", account, f"{reference} {row.id}", ours, said, subject))


def _is_ours(order: BookingOf, row: Booking, rows: Sequence[Booking]) -> bool:
    """The record that the journal names, or the only one of a booking that is still under way."""
    if order.theirs:
        return row.id == order.theirs
    return row is rows[0] and bool(UNDER_WAY & set(order.states.split(",")))
