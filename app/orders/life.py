"""The quantities of an order's life: what each fact does to lines and tenders, whenever and in whatever order it comes.

Pure: no clock, database or document. What has happened in the world (shipped, invoiced, came back) is never denied, only put right:
`decide` answers the new life and what must follow from it. What is only asked for may be refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

ZERO = Decimal(0)
RESTOCK, QUARANTINE, SCRAP = "restock", "quarantine", "scrap"


@dataclass(frozen=True, slots=True)
class LineLife:
    """Quantities of one order line, in its own unit. `price` is what one piece was sold for, taxes in it.

    `cancelled` never left; `picked` includes what was shipped; `invoiced` and `credited` are what was issued, ever; `expected` is authorised
    to come back; `received` is what came back, of it `restocked` lies on the shelf again and `kept_off` in quarantine or scrap.
    """

    id: str
    ordered: Decimal
    price: Decimal = ZERO
    cancelled: Decimal = ZERO
    picked: Decimal = ZERO
    shipped: Decimal = ZERO
    invoiced: Decimal = ZERO
    credited: Decimal = ZERO
    expected: Decimal = ZERO
    received: Decimal = ZERO
    restocked: Decimal = ZERO
    kept_off: Decimal = ZERO

    @property
    def active(self) -> Decimal:
        """What the customer still wants or has."""
        return self.ordered - self.cancelled

    @property
    def open(self) -> Decimal:
        """What is still to leave: the claim that the line has on the shelf."""
        return self.ordered - self.cancelled - self.shipped

    @property
    def billed(self) -> Decimal:
        return self.invoiced - self.credited

    @property
    def owing(self) -> Decimal:
        """The most that may be billed: what the customer still gets or has kept."""
        return self.active - self.received


@dataclass(frozen=True, slots=True)
class TenderLife:
    """What one tender (gateway) took and gave back; amounts in the order's currency."""

    name: str
    authorised: Decimal = ZERO
    captured: Decimal = ZERO
    refunded: Decimal = ZERO

    @property
    def refundable(self) -> Decimal:
        return self.captured - self.refunded


@dataclass(frozen=True, slots=True)
class Life:
    lines: tuple[LineLife, ...]
    tenders: tuple[TenderLife, ...] = ()

    def line(self, name: str) -> LineLife:
        return next(line for line in self.lines if line.id == name)

    def tender(self, name: str) -> TenderLife:
        return next(tender for tender in self.tenders if tender.name == name)

    def with_line(self, line: LineLife) -> Life:
        return replace(self, lines=tuple(line if one.id == line.id else one for one in self.lines))

    def with_tender(self, tender: TenderLife) -> Life:
        return replace(self, tenders=tuple(tender if one.name == tender.name else one for one in self.tenders))


@dataclass(frozen=True, slots=True)
class Fact:
    """`kind` of FACTS; `of` a line's id or a tender's name; `amount` a quantity or a sum; `word` a disposition."""

    kind: str
    of: str
    amount: Decimal
    word: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.of, f"{self.amount}", self.word) if part)


@dataclass(frozen=True, slots=True)
class Effect:
    """What must follow: release (a claim is let go), unpick (back to the shelf before it left), credit, restock, keep_off, reclaim, conflict."""

    kind: str
    of: str
    amount: Decimal
    word: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """`refused` says why nothing (more) was done; empty when all was."""

    life: Life
    effects: tuple[Effect, ...] = ()
    refused: str = ""


def decide(life: Life, fact: Fact) -> Decided:
    """What a fact does. Raises KeyError for a kind that is not known and ValueError for an amount that is not positive."""
    if fact.amount <= 0 and fact.kind != "edit":
        raise ValueError(f"an amount is positive: {fact}")
    return FACTS[fact.kind](life, fact)


def _settled(life: Life, line: LineLife, effects: list[Effect], refused: str = "") -> Decided:
    """The line in its new state; what it is billed for and no longer gets is credited in the same move."""
    over = line.billed - line.owing
    if over > 0:
        line = replace(line, credited=line.credited + over)
        effects.append(Effect("credit", line.id, over))
    return Decided(life.with_line(line), tuple(effects), refused)


def cancel(life: Life, fact: Fact) -> Decided:
    """What has not left is taken off; what has left is refused: it can only come back."""
    line = life.line(fact.of)
    taken = min(fact.amount, line.open)
    if taken <= 0:
        return Decided(life, (), "shipped")
    effects = [Effect("release", line.id, taken)]
    left = replace(line, cancelled=line.cancelled + taken)
    unpicked = max(ZERO, left.picked - left.active)
    if unpicked:
        effects.append(Effect("unpick", line.id, unpicked))
    return _settled(
        life, replace(left, picked=left.picked - unpicked), effects, "shipped" if taken < fact.amount else ""
    )


def edit(life: Life, fact: Fact) -> Decided:
    """The customer wants `amount` in all. More is added, less is cancelled; what was picked already is a conflict for a person."""
    line = life.line(fact.of)
    if fact.amount >= line.active:
        more = fact.amount - line.active
        grown = replace(line, ordered=line.ordered + more)
        return Decided(life.with_line(grown), (Effect("reclaim", line.id, more),) if more else ())
    if fact.amount < line.picked:
        return Decided(life, (Effect("conflict", line.id, line.active - fact.amount, "edited_after_pick"),), "conflict")
    return cancel(life, Fact("cancel", line.id, line.active - fact.amount))


def pick(life: Life, fact: Fact) -> Decided:
    line = life.line(fact.of)
    taken = min(fact.amount, line.active - line.picked)
    if taken <= 0:
        return Decided(life, (), "nothing_to_pick")
    picked = life.with_line(replace(line, picked=line.picked + taken))
    return Decided(picked, (), "nothing_to_pick" if taken < fact.amount else "")


def ship(life: Life, fact: Fact) -> Decided:
    """It has left. Where it was cancelled meanwhile the cancellation is undone, for a person to see; more than was ordered is a conflict too."""
    line = life.line(fact.of)
    effects: list[Effect] = []
    revived = min(max(ZERO, fact.amount - line.open), line.cancelled)
    if revived:
        line = replace(line, cancelled=line.cancelled - revived)
        effects += [
            Effect("reclaim", line.id, revived),
            Effect("conflict", line.id, revived, "shipped_though_cancelled"),
        ]
    gone = min(fact.amount, line.open)
    if gone < fact.amount:
        effects.append(Effect("conflict", line.id, fact.amount - gone, "shipped_too_many"))
    shipped = line.shipped + gone
    return Decided(life.with_line(replace(line, shipped=shipped, picked=max(line.picked, shipped))), tuple(effects))


def invoice(life: Life, fact: Fact) -> Decided:
    """An invoice was issued. What it bills beyond what the customer still gets is credited at once."""
    line = life.line(fact.of)
    return _settled(life, replace(line, invoiced=line.invoiced + fact.amount), [])


def request_return(life: Life, fact: Fact) -> Decided:
    """Only what was shipped and is not on its way back may be announced."""
    line = life.line(fact.of)
    if fact.amount > returnable(line):
        return Decided(life, (), "not_eligible")
    return Decided(life.with_line(replace(line, expected=line.expected + fact.amount)))


def returnable(line: LineLife) -> Decimal:
    return line.shipped - line.received - line.expected


def receive(life: Life, fact: Fact) -> Decided:
    """Goods came back, announced or not. Their disposition says where they go; what was billed for them is credited.

    Bills stand for pieces that the customer keeps first, so what is billed beyond those was billed for what came back.
    """
    line = life.line(fact.of)
    taken = min(fact.amount, line.shipped - line.received)
    if taken <= 0:
        return Decided(life, (Effect("conflict", line.id, fact.amount, "came_back_unsold"),), "never_shipped")
    kind = "restock" if fact.word == RESTOCK else "keep_off"
    back = replace(
        line,
        received=line.received + taken,
        expected=max(ZERO, line.expected - taken),
        restocked=line.restocked + (taken if kind == "restock" else ZERO),
        kept_off=line.kept_off + (taken if kind == "keep_off" else ZERO),
    )
    effects = [Effect(kind, line.id, taken, fact.word)]
    billed = max(ZERO, min(taken, line.billed - (back.shipped - back.received)))
    if billed:
        effects.append(Effect("credit", line.id, billed))
    settled = replace(back, credited=back.credited + billed)
    return _settled(life, settled, effects, "never_shipped" if taken < fact.amount else "")


def capture(life: Life, fact: Fact) -> Decided:
    tender = life.tender(fact.of)
    return Decided(life.with_tender(replace(tender, captured=tender.captured + fact.amount)))


def refund(life: Life, fact: Fact) -> Decided:
    """Never more than the same tender took."""
    tender = life.tender(fact.of)
    if fact.amount > tender.refundable:
        return Decided(life, (), "above_captured")
    return Decided(life.with_tender(replace(tender, refunded=tender.refunded + fact.amount)))


FACTS: Mapping[str, Callable[[Life, Fact], Decided]] = {
    "cancel": cancel,
    "edit": edit,
    "pick": pick,
    "ship": ship,
    "invoice": invoice,
    "request_return": request_return,
    "receive": receive,
    "capture": capture,
    "refund": refund,
}


def spread(life: Life, amount: Decimal) -> tuple[list[tuple[str, Decimal]], Decimal]:
    """How a refund goes back: to each tender in turn, the last that took money first, never above what it took; and what is left over."""
    parts: list[tuple[str, Decimal]] = []
    for tender in reversed(life.tenders):
        share = min(amount, tender.refundable)
        if share > 0:
            parts.append((tender.name, share))
            amount -= share
    return parts, amount


def broken(life: Life) -> Iterator[str]:
    """What must never be true of an order, in words; nothing when it is sound."""
    for line in life.lines:
        for holds, sentence in _laws(line):
            if not holds:
                yield f"line {line.id}: {sentence}"
    for tender in life.tenders:
        if tender.refunded > tender.captured:
            yield f"tender {tender.name}: refunded {tender.refunded} of {tender.captured} captured"


def _laws(line: LineLife) -> tuple[tuple[bool, str], ...]:
    return (
        (line.billed <= line.owing, "invoiced and cancelled (or returned) without credit"),
        (line.credited <= line.invoiced, "credited more than was invoiced"),
        (line.cancelled + line.shipped <= line.ordered, "shipped and let go at once"),
        (line.shipped <= line.picked <= line.active, "picked and shipped do not agree"),
        (line.restocked + line.kept_off == line.received, "what came back lies nowhere or twice"),
        (line.received + line.expected <= line.shipped, "shipped less than comes back: restocked what never left"),
        (min(line.cancelled, line.shipped, line.received, line.invoiced) >= 0, "a quantity below nothing"),
    )
