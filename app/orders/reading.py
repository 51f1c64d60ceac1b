"""What the order's page shows of its life: states, money by tender, holds, deadlines, and who fulfils what from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from app.orders import deadlines, fulfilments, holds, return_requests
from app.orders.deadlines import Deadline
from app.orders.fulfilments import Fulfilment
from app.orders.holds import Hold
from app.orders.return_requests import ReturnRow
from app.orders.standing import Part, Tally, tallies
from connectors.canonical.order import Order

STATES = text(
    "SELECT machine, part, state, since, account FROM order_states WHERE subject_id = :subject ORDER BY machine, part"
)
UNSOURCED = text("SELECT 1 FROM case_members WHERE member = :member AND closed_at IS NULL LIMIT 1")
MOVES = text("""
SELECT at, machine, part, before, moves, after, account FROM order_moves WHERE subject_id = :subject ORDER BY id DESC LIMIT 100
""")


@dataclass(frozen=True, slots=True)
class Standing:
    machine: str
    part: str
    state: str
    since: datetime
    account: str


@dataclass(frozen=True, slots=True)
class Moved:
    at: datetime
    machine: str
    part: str
    before: str
    moves: Sequence[str]
    after: str
    account: str


@dataclass(frozen=True)
class LifePage:
    """`to_pay` is what the order still comes to after edits and refunds less what is kept of the tenders (negative: to be paid back)."""

    states: Mapping[Part, Standing]
    moves: Sequence[Moved]
    holds: Sequence[Hold]
    deadlines: Sequence[Deadline]
    tallies: Sequence[Tally]
    fulfilments: Sequence[Fulfilment]
    returns: Sequence[ReturnRow]
    unsourced: bool
    to_pay: Decimal | None

    @property
    def order(self) -> Standing | None:
        return self.states.get(("order", ""))

    @property
    def open_holds(self) -> Sequence[Hold]:
        return [hold for hold in self.holds if hold.open]

    def line(self, line_id: str) -> str:
        found = self.states.get(("line", line_id))
        return found.state if found else ""

    def of(self, machine: str) -> Sequence[Standing]:
        return [one for one in self.states.values() if one.machine == machine]


def life(tx: Connection, subject: int, order: Order | None) -> LifePage:
    rows = [Standing(*row) for row in tx.execute(STATES, {"subject": subject})]
    counted = tallies(order) if order is not None else ()
    return LifePage(
        states={(row.machine, row.part): row for row in rows},
        moves=[Moved(*row) for row in tx.execute(MOVES, {"subject": subject})],
        holds=holds.of(tx, subject),
        deadlines=deadlines.of(tx, subject),
        tallies=counted,
        fulfilments=fulfilments.of(tx, subject),
        returns=return_requests.of(tx, subject),
        unsourced=bool(tx.execute(UNSOURCED, {"member": f"unsourced:{subject}"}).scalar()),
        to_pay=_to_pay(order, counted) if order is not None and counted else None,
    )


def _to_pay(order: Order, counted: Sequence[Tally]) -> Decimal:
    """Sources that state what the order comes to now are believed; else it is as placed less what was given back."""
    kept = sum((tally.kept for tally in counted), Decimal(0))
    if order.cancelled_at is not None:
        return -kept
    if order.current is not None:
        return order.current.total.in_role(order.money_role).amount - kept
    back = sum((tally.refunded for tally in counted), Decimal(0))
    return order.totals.total.in_role(order.money_role).amount - back - kept
