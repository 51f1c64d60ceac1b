"""Every interleaving of cancel, edit, pick, ship, invoice, return and refund in a small world (pains 16, 36, 38), to the last state."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from app.orders.life import QUARANTINE, RESTOCK, ZERO, Decided, Effect, Fact, Life, LineLife, TenderLife, broken, decide
from app.orders.machines import LINE
from app.orders.standing import line_state
from tests.orders.explorer import Found, explore
from tests.orders.shelf import Shelf

ONE, TWO = Decimal(1), Decimal(2)
Decide = Callable[[Life, Fact], Decided]


@dataclass(frozen=True, slots=True)
class World:
    """An order and the shelf behind it; `start` is what lay there in the beginning, `most` bounds what a line is edited up to and invoiced."""

    life: Life
    shelf: Shelf
    start: Decimal
    most: int

    def __str__(self) -> str:
        counts = ("ordered", "cancelled", "picked", "shipped", "invoiced", "credited", "received")
        lines = "; ".join(
            f"{line.id}: " + " ".join(f"{n} {getattr(line, n)}" for n in counts if getattr(line, n))
            for line in self.life.lines
        )
        paid = "; ".join(f"{t.name}: captured {t.captured} refunded {t.refunded}" for t in self.life.tenders)
        return f"{lines}; {paid}; shelf {self.shelf.on_hand} claims {self.shelf.claims}"


def small(quantities: tuple[int, ...], tenders: tuple[int, ...] = (), most: int = 2) -> World:
    lines = tuple(LineLife(f"L{n}", Decimal(many), price=ONE) for n, many in enumerate(quantities, 1))
    taken = tuple(TenderLife(f"T{n}", captured=Decimal(sum_)) for n, sum_ in enumerate(tenders, 1))
    wanted = Decimal(sum(quantities))
    return World(Life(lines, taken), Shelf(Decimal(9), wanted), Decimal(9), most)


def facts(world: World) -> Iterator[Fact]:
    """Everything that anybody may tell or ask next, sensible or not, one or two pieces at a time; bounded by `most`."""
    many_at_once = (ONE, TWO)[: world.most]
    for line in world.life.lines:
        for many in many_at_once:
            yield Fact("cancel", line.id, many)
            yield Fact("pick", line.id, many)
            yield Fact("ship", line.id, many)
            yield Fact("request_return", line.id, many)
            yield Fact("receive", line.id, many, RESTOCK)
            yield Fact("receive", line.id, many, QUARANTINE)
            if line.invoiced + many <= world.most:
                yield Fact("invoice", line.id, many)
        for many in map(Decimal, range(world.most + 1)):
            if line.ordered - line.active + many <= world.most:
                yield Fact("edit", line.id, many)
    for tender in world.life.tenders:
        for amount in many_at_once:
            yield Fact("refund", tender.name, amount)


def moving(by: Decide) -> Callable[[World, Fact], World]:
    def move(world: World, fact: Fact) -> World:
        decided = by(world.life, fact)
        return replace(world, life=decided.life, shelf=world.shelf.after(world.life, fact, decided))

    return move


def laws(world: World) -> Iterator[str]:
    """The order's own laws, and the shelf's: claims are what is still to leave, and what lies there is what never left or came back."""
    yield from broken(world.life)
    lines, shelf = world.life.lines, world.shelf
    if shelf.claims != sum((line.open for line in lines), ZERO):
        yield "the claims on the shelf are not what is still to leave"
    gone = sum((line.shipped - line.restocked for line in lines), ZERO)
    if shelf.on_hand != world.start - gone:
        yield "shipped and restocked: the shelf holds what has left"
    if shelf.credits != sum((line.credited for line in lines), ZERO):
        yield "a credit was counted and not issued"


def check(world: World, by: Decide = decide) -> Found[World, Fact]:
    return explore(world, facts, moving(by), laws)


WORLDS = [((2,), (1,), 2), ((1,), (1, 2), 2), ((1, 1), (), 1)]
if os.environ.get("WAYBILL_LAB") == "full":
    WORLDS += [((2,), (2,), 3), ((3,), (), 3), ((2, 1), (), 2)]


@pytest.mark.parametrize(("quantities", "tenders", "most"), WORLDS, ids=str)
def test_no_interleaving_breaks_a_law(quantities: tuple[int, ...], tenders: tuple[int, ...], most: int) -> None:
    """Pain 38: never invoiced and cancelled without credit, never shipped and restocked; pain 36: refunds never above captured per tender."""
    found = check(small(quantities, tenders, most))
    assert found.counterexample is None, str(found)
    assert found.states > 200, "the world was too small to say anything"
    print(f"{quantities} pieces, tenders {tenders}: {found}")


def test_every_move_of_a_line_is_in_the_table() -> None:
    """The quantities and the state machine tell one story: no change of quantities makes a move that the machine does not know."""
    unknown: set[tuple[str, str]] = set()

    def move(world: World, fact: Fact) -> World:
        after = moving(decide)(world, fact)
        for before, now in zip(world.life.lines, after.life.lines, strict=True):
            if LINE.path(line_state(before), line_state(now)) is None:
                unknown.add((line_state(before), line_state(now)))
        return after

    explore(small((2,), most=3), facts, move, laws)
    assert not unknown


# ---- the explorer finds what it is there to find: each of these is how such systems go wrong


def _cancel_without_credit(life: Life, fact: Fact) -> Decided:
    decided = decide(life, fact)
    if fact.kind != "cancel":
        return decided
    line, before = decided.life.line(fact.of), life.line(fact.of)
    kept = tuple(effect for effect in decided.effects if effect.kind != "credit")
    return Decided(decided.life.with_line(replace(line, credited=before.credited)), kept)


def _invoice_as_read_before(life: Life, fact: Fact) -> Decided:
    """Issued on what was read before the cancellation came."""
    if fact.kind != "invoice":
        return decide(life, fact)
    line = life.line(fact.of)
    return Decided(life.with_line(replace(line, invoiced=line.invoiced + fact.amount)))


def _cancel_what_has_left(life: Life, fact: Fact) -> Decided:
    """Pain 16: a cancellation after the shipment compensates once more."""
    if fact.kind != "cancel" or not life.line(fact.of).shipped:
        return decide(life, fact)
    line = life.line(fact.of)
    taken = min(fact.amount, line.active)
    released = Effect("restock", line.id, taken)
    return Decided(life.with_line(replace(line, cancelled=line.cancelled + taken, picked=ZERO)), (released,))


def _refund_anywhere(life: Life, fact: Fact) -> Decided:
    if fact.kind != "refund":
        return decide(life, fact)
    tender = life.tender(fact.of)
    return Decided(life.with_tender(replace(tender, refunded=tender.refunded + fact.amount)))


@pytest.mark.parametrize(
    ("fault", "sentence", "steps"),
    [
        (_cancel_without_credit, "invoiced and cancelled", 2),
        (_invoice_as_read_before, "invoiced and cancelled", 2),
        (_cancel_what_has_left, "shipped and let go at once", 2),
        (_refund_anywhere, "refunded 2 of 1 captured", 2),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_is_found_by_the_shortest_way(fault: Decide, sentence: str, steps: int) -> None:
    found = check(small((1,), (1,), 1), fault)
    assert found.counterexample is not None, "the fault was not found"
    assert sentence in found.broken, str(found)
    assert len(found.counterexample) == steps, str(found)
    assert str(found).count("->") == steps
