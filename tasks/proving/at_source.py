"""The source's own list of orders, held against those that the hub has heard of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from app.database import transaction
from app.journal import proving
from app.journal.proving import KnownOrder
from connectors.kit.errors import Trouble
from tasks.proving import outsiders
from tasks.proving.outsiders import Listed, Silent
from tasks.proving.words import Difference, HourProof

if TYPE_CHECKING:
    from tasks.proving.proof import Ground

CHUNK = 500
ASKED_AGAIN = 50  # orders that a list lacks and that the source is asked for one by one


def compare(ground: Ground, channel: str) -> None:
    """Listed there and unknown here, changed there and not heard since, known here and not listed there."""
    proofs = ground.hours(channel)
    told = outsiders.source_list(channel, ground.since, ground.last)
    if isinstance(told, Silent):
        ground.silent(proofs, told)
        return
    for proof in proofs:
        proof.parts.add("source")
    for batch in _batches(told):
        _known(ground, channel, batch)
    _still_there(ground, proofs, {one.id for one in told})


def _batches(told: Sequence[Listed]) -> Iterator[list[Listed]]:
    rest = iter(told)
    while batch := list(islice(rest, CHUNK)):
        yield batch


def _known(ground: Ground, channel: str, batch: Sequence[Listed]) -> None:
    with transaction() as tx:
        known = proving.orders(tx, channel, [one.id for one in batch])
        ends = proving.ended_as(tx, channel, [one.delivery_id for one in batch])
        behind = [known[one.id].id for one in batch if one.id in known and one.version > known[one.id].version]
        heard = proving.heard(tx, behind)
    for one in batch:
        proof = ground.at(channel, one.at)
        if proof is None:
            continue
        proof.count("listed_at_source")
        ground.heard(proof, ["source", one.id, one.version])
        if (found := _judged(ground, channel, one, known.get(one.id), ends, heard)) is not None:
            proof.differ(found)


def _judged(
    ground: Ground,
    channel: str,
    one: Listed,
    known: KnownOrder | None,
    ends: Mapping[str, str],
    heard: Mapping[int, datetime],
) -> Difference | None:
    """What came, but cannot be used or was not wanted, is no difference: it stands among the deliveries."""
    said = (
        f"{channel} lists order {one.id or '(unreadable)'}, changed {one.version or 'at a time that it does not say'}"
    )
    if known is None:
        if one.delivery_id in ends:
            return None
        return Difference(
            "missing_here", channel, one.id or one.delivery_id, "no delivery about it was ever received", said
        )
    if one.version <= known.version or one.delivery_id in ends or one.at is None:
        return None
    last = heard.get(known.id)
    if last is not None and last >= one.at - ground.ways.skew:
        return None
    ours = f"{known.waybill} is known as of {known.version}; last heard of {_told(last)}"
    return Difference("stale_here", channel, one.id, ours, said, known.id)


def _told(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"


def _still_there(ground: Ground, proofs: Sequence[HourProof], listed: set[str]) -> None:
    """The list holds each order placed in these hours, but for those that changed later; what it lacks is asked for by itself."""
    asked = 0
    for proof in proofs:
        with transaction() as tx:
            placed = proving.placed(tx, proof.channel, proof.hour, ground.end(proof))
        proof.count("placed", len(placed))
        for order in placed:
            ground.heard(proof, ["placed", order.external_id])
            changed = outsiders.time_of(order.version)
            if order.external_id in listed or (changed is not None and changed > ground.last):
                continue
            if asked >= ASKED_AGAIN:
                why = f"{proof.channel} does not list more orders than it is asked for one by one ({ASKED_AGAIN})"
                ground.silent([proof], Silent(why, passing=True))
                break
            asked += 1
            _ask(ground, proof, order)


def _ask(ground: Ground, proof: HourProof, order: KnownOrder) -> None:
    try:
        if not outsiders.gone(proof.channel, order.external_id):
            return
    except Trouble as trouble:
        ground.silent(
            [proof], Silent(f"{proof.channel} did not say whether it has {order.external_id}: {trouble.sentence}", True)
        )
        return
    ours = f"{order.waybill} ({order.number}), placed {_told(order.placed_at)}"
    said = f"{proof.channel} neither lists it nor has it when asked"
    proof.differ(Difference("missing_at_source", proof.channel, order.external_id, ours, said, order.id))
