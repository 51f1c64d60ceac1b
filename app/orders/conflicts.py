"""Conflicts: what two systems did to one order at the same time, put before a person with the difference in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from app import cases
from app.orders.merge import HUB
from app.orders.standing import Part, life_of, tallies
from app.orders.states import Move
from app.stock.departed import left_of, shipped_by_us, sold
from connectors.canonical.order import Order


@dataclass(frozen=True, slots=True)
class Conflict:
    """`code` names the kind, `about` the line or tender, `sentence` says it with the figures."""

    code: str
    about: str
    sentence: str
    remedy: str


REMEDIES: Mapping[str, str] = {
    "edit_conflict": "Agree with the customer: take it back as a return, or undo the edit in the channel.",
    "shipped_though_cancelled": "Stop the parcel or take it back as a return; the money must match what the customer keeps.",
    "refund_above_captured": "Compare the refunds with the payment provider; nothing more is paid back meanwhile.",
}


def found(old: Order | None, new: Order, moves: Iterable[Move], known: Mapping[Part, str]) -> list[Conflict]:
    """Pure. `known` are the kept states: what was picked is told by whoever picks, not by the channel."""
    edits = _edits(old, new, known) if old is not None and new.cancelled_at is None else iter(())
    return [*edits, *_late(old, new, moves), *_overpaid(new)]


def _edits(old: Order, new: Order, known: Mapping[Part, str]) -> Iterator[Conflict]:
    """An edit applies to what nobody has picked; beyond that it is a conflict, with the difference."""
    life, before, after = life_of(old), sold(old), sold(new)
    decided = {
        line.line_id for refund in new.refunds if refund.origin == HUB for line in refund.lines
    }  # here, by somebody
    for line in old.lines:
        if line.id in decided or after.get(line.id, before[line.id]) >= before[line.id]:
            continue
        mine = life.line(line.id)
        picked = mine.active if known.get(("line", line.id)) == "picked" else mine.shipped
        if after[line.id] < picked:
            words = f"{line.sku}: {_plain(before[line.id])} became {_plain(after[line.id])} in the channel"
            gone = f"{_plain(picked)} were picked already"
            yield _conflict("edit_conflict", line.id, f"{words}, but {gone}.")


def _late(old: Order | None, new: Order, moves: Iterable[Move]) -> Iterator[Conflict]:
    """Lines that were cancelled and left, and, of a whole order that was cancelled, those of which some had left before."""
    gone = {move.part for move in moves if move.machine == "line" and "ship_late" in move.moves}
    if old is not None and old.cancelled_at is not None:
        before = {line.id: line.shipped for line in life_of(old).lines}
        gone |= {line.id for line in life_of(new).lines if line.shipped > before.get(line.id, line.shipped)}
    names = {line.id: line.sku for line in new.lines}
    for line_id in sorted(gone):
        words = f"{names.get(line_id, line_id)} was cancelled, and has left all the same."
        yield _conflict("shipped_though_cancelled", line_id, words)
    yield from _too_many(old, new) if old is not None and new.cancelled_at is None else ()


def _too_many(old: Order, new: Order) -> Iterator[Conflict]:
    """Lines of which more has left by now than is wanted: pieces were taken off or paid back before."""
    before, after, wanted = left_of(old), left_of(new), sold(new)
    for line in shipped_by_us(new):
        gone = after.get(line.id, Decimal(0))
        if gone > before.get(line.id, Decimal(0)) and wanted[line.id] < gone:
            words = f"{line.sku}: {_plain(wanted[line.id])} are wanted, and {_plain(gone)} have left."
            yield _conflict("shipped_though_cancelled", line.id, words)


def _overpaid(new: Order) -> Iterator[Conflict]:
    """Judged only where the source tells what it took."""
    for tally in tallies(new):
        if tally.captured > 0 and tally.refunded > tally.captured:
            words = f"{tally.tender} took {_plain(tally.captured)} {new.currency} and was told to give back {_plain(tally.refunded)}."
            yield _conflict("refund_above_captured", tally.tender, words)


def _conflict(code: str, about: str, sentence: str) -> Conflict:
    return Conflict(code, about, sentence, REMEDIES[code])


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def open_cases(tx: Connection, subject: int, account: str, conflicts: Iterable[Conflict]) -> None:
    for one in conflicts:
        cases.open_case(
            tx,
            "conflict",
            account,
            one.code,
            one.sentence,
            member=f"conflict:{subject}:{one.code}:{one.about}",
            subject=subject,
            role="channel",
            remedy=one.remedy,
            cause=f"{subject}:{one.about}",
        )
