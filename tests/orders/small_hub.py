"""A hub so small that all that can happen to one order is gone through: production's own doors, steps and feeds in one transaction that is
set back to any moment before, and outsiders who are only what they have taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.orders.shipping import to_ship
from connectors.canonical.line import Line
from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order, Totals
from connectors.canonical.party import Address
from connectors.canonical.payment import Payment, PaymentKind, Tender
from connectors.canonical.returns import Refund, RefundLine
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus
from connectors.canonical.snapshot import Snapshot
from connectors.kit.capabilities import Message
from connectors.kit.errors import Rejected, Trouble
from connectors.kit.writes import Writes

ZERO, PRICE, LIES = Decimal(0), 10, 9  # what one piece costs, and how many lay there in the beginning
SKU, ORDER, AT = "WB-TEE", "1", datetime(2026, 11, 20, tzinfo=UTC)
ACCOUNTS = frozenset(("hub", "erp", "shop", "warehouse", "letters"))
Taken = tuple[tuple[str, int], ...]
READY = text("SELECT id, account FROM steps WHERE state = 'ready' AND account = ANY(:at) ORDER BY id LIMIT 1")
RESTS = text("""
SELECT (SELECT count(*) FROM steps WHERE state NOT IN ('done', 'skipped', 'cancelled'))
    + (SELECT count(*) FROM money_moves WHERE pending OR state = 'asked') + (SELECT count(*) FROM return_requests WHERE pending)
    + (SELECT count(*) FROM fulfilments WHERE pending) + (SELECT count(*) FROM deadlines WHERE state = 'open' AND kind = 'refund')
""")
OPEN_CASES = text("SELECT DISTINCT c.code FROM cases c WHERE c.status <> 'resolved' ORDER BY 1")
SHELF = text("SELECT sum(told) AS told, sum(reserved) AS reserved, sum(short) AS short FROM shelves WHERE sku = :sku")
CLAIMED = text("SELECT coalesce(sum(quantity - shipped), 0) FROM reservations WHERE state = 'open' AND sku = :sku")
LEFT = text("SELECT coalesce(sum(shipped), 0) FROM reservations WHERE sku = :sku")
# All that decides what may come next; ids, keys and times of their own say nothing.
SEEN = text("""
SELECT (SELECT jsonb_agg(jsonb_build_array(machine, part, state) ORDER BY machine, part) FROM order_states) AS states,
    (SELECT jsonb_agg(jsonb_build_array(state, pending, lines) ORDER BY id) FROM fulfilments) AS asked,
    (SELECT jsonb_agg(jsonb_build_array(state, pending, lines, refunds) ORDER BY id) FROM return_requests) AS returns,
    (SELECT jsonb_agg(jsonb_build_array(kind, tender, amount, state, pending) ORDER BY id) FROM money_moves) AS moves,
    (SELECT jsonb_agg(jsonb_build_array(flow, name, state) ORDER BY flow, name, state) FROM steps
        WHERE state NOT IN ('done', 'skipped', 'cancelled')) AS steps,
    (SELECT jsonb_agg(jsonb_build_array(told, reserved, covered) ORDER BY sku, location) FROM shelves) AS shelves,
    (SELECT jsonb_agg(jsonb_build_array(quantity, shipped, returned, state) ORDER BY key) FROM reservations) AS claims
""")


@dataclass(frozen=True, slots=True)
class Outside:
    """What the outsiders hold. The shop: what it sold and what of it is still wanted, its refunds (`given` by tender), what its
    staff `withheld` of the price of what it took off, and its newest version; the books: pieces billed and credited; the shelf:
    whether it was `asked` for anything, what has `gone`, came `back` and was `restocked`. `done`: how often each thing happened."""

    sold: int
    wanted: int
    given: Taken = ()
    refunds: tuple[Refund, ...] = ()
    cancelled: bool = False
    version: int = 0
    billed: int = 0
    credited: int = 0
    asked: bool = False
    gone: int = 0
    back: int = 0
    restocked: int = 0
    withheld: int = 0
    done: Taken = ()

    def more(self, kind: str) -> Outside:
        return replace(self, done=_sum(self.done, kind, 1))

    def times(self, kind: str) -> int:
        return dict(self.done).get(kind, 0)


def _sum(known: Taken, name: str, more: int) -> Taken:
    return tuple(sorted((Counter(dict(known)) + Counter({name: more})).items()))


def bag(amount: int | Decimal) -> MoneyBag:
    return MoneyBag(Money(Decimal(amount), "EUR"))


@dataclass
class SmallHub:
    """`pieces` of one article sold, paid by `tenders`. `lazy` accounts do their steps when it is their turn, all others at once."""

    tx: Connection
    pieces: int = 2
    tenders: Mapping[str, int] = field(default_factory=lambda: {"gift": 8, "card": 12})
    lazy: frozenset[str] = frozenset(("erp", "shop"))
    outside: Outside = field(default_factory=lambda: Outside(0, 0))
    lies_at: str = "main"
    numbers: int = 0
    price: int = PRICE
    refused: tuple[str, str] = ("", "")  # a flow's step that fails for good
    refusals: list[tuple[Any, Any]] = field(
        default_factory=list
    )  # claims and states before each such failure, and after it

    # ---- what anybody may tell or ask

    def place(self) -> None:
        """The warehouse has counted, the order came, and what follows at once is done."""
        from app.stock import positions
        from connectors.canonical.stock import StockLevel

        if self.lies_at == "main":
            positions.set_level(
                self.tx,
                "warehouse",
                StockLevel(SKU, "main", available=Decimal(LIES), as_of=AT - timedelta(days=1)),
                "1",
            )
        self.outside = Outside(self.pieces, self.pieces)
        self._tell_order()
        self.at_once()

    def _tell_order(self) -> None:
        self.outside = replace(self.outside, version=self.outside.version + 1)
        version = f"{self.outside.version:04d}"
        self._hear("shop", Snapshot("order", ORDER, version, self._document()))

    def _document(self) -> Order:
        """The order as the shop has it now: as it was placed, less what was taken off or refunded since."""
        sold = self.outside.sold
        total = bag(sold * self.price)
        line = Line("L1", SKU, "Tee", Decimal(sold), bag(self.price), Decimal(self.outside.wanted))
        paid = tuple(
            Payment(
                name,
                PaymentKind.SALE,
                Tender.CARD if name == "card" else Tender.GIFT_CARD,
                bag(many),
                gateway=name,
                at=AT,
            )
            for name, many in self.tenders.items()
        )
        return Order(
            ORDER,
            "1001",
            AT,
            AT,
            "EUR",
            (line,),
            Totals(total, bag(0), bag(0), bag(0), bag(0), total),
            shipping=Address(country="DE", city="Ulm"),
            taxes_included=True,
            payments=paid,
            refunds=self.outside.refunds,
            cancelled_at=AT if self.outside.cancelled else None,
            payment_status="paid",
        )

    @property
    def now(self) -> datetime:
        """Whatever is told later happened later."""
        return AT + timedelta(minutes=self.numbers)

    def _hear(self, account: str, told: Snapshot) -> None:
        from app.journal.events import Event
        from tasks.reading import apply

        self.numbers += 1
        event = Event(self.numbers, AT, account, "accepted", 0, "webhook", Message(told.kind, f"{self.numbers}", b""))
        outcome = apply.SNAPSHOTS[told.kind](self.tx, event, told)
        assert outcome.state != "quarantined", outcome

    def edit(self, wanted: int) -> None:
        more = max(0, wanted - self.outside.wanted)
        self.outside = replace(self.outside, wanted=wanted, sold=self.outside.sold + more)
        self._tell_order()

    def reprice(self, price: int) -> None:
        self.price = price
        self._tell_order()

    def pay(self, tender: str, amount: int) -> None:
        """More comes in after the order was placed."""
        self.tenders = {**self.tenders, f"{tender} later": amount}
        self._tell_order()

    def ask_to_cancel(self) -> None:
        """Somebody here has the shop cancel it."""
        from app.orders import cancelling
        from connectors.canonical.order import CancelReason
        from tasks.reading import cancelled

        mine = self.subject()
        cancelling.ask(self.tx, mine.waybill, CancelReason.CUSTOMER, "anna", "asked for")
        cancelled.lay(self.tx, mine.id, CancelReason.CUSTOMER.value)

    def looked_at(self, disposition: str) -> None:
        """What lies in quarantine was looked at."""
        from app.orders import inspecting, return_requests

        mine = self.subject()
        row = return_requests.of(self.tx, mine.id)[-1]
        inspecting.dispose(self.tx, row.number, mine.document, "L1", disposition, "anna")
        self.outside = replace(self.outside, restocked=self.outside.restocked + (disposition == "restock"))

    def refuse(self, flow: str, step: str) -> None:
        """From now on this step fails for good, wherever it is tried."""
        self.refused = (flow, step)

    def cancel(self) -> None:
        self.outside = replace(self.outside, cancelled=True)
        self._tell_order()

    def ship(self, many: int) -> None:
        """A parcel of the warehouse's, whatever we think of the order by now."""
        self.outside = replace(self.outside, gone=self.outside.gone + many)
        name = f"parcel-{self.outside.gone}-{self.outside.times('ship')}"
        parcel = Shipment(
            name,
            ShipmentStatus.SHIPPED,
            (ShipmentLine(Decimal(many), SKU, "L1"),),
            shipped_at=self.now,
            updated_at=self.now,
        )
        self._hear("warehouse", Snapshot("shipment", "", "", parcel, reference=self._reference()))

    def _reference(self) -> str:
        return str(
            self.tx.execute(text("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id LIMIT 1")).scalar()
        )

    def refund(self, many: int, restock: bool) -> None:
        """The shop's staff gives the price of pieces back, the tender that was used last first, and tells so."""
        left, payments, name = many * self.price, [], f"R{len(self.outside.refunds) + 1}"
        for tender in reversed(list(self.tenders)):
            amount = min(left, self.room(tender))
            left -= amount
            payments += [self._payment(name, tender, amount)] if amount else []
        paid = many * self.price - left
        line = RefundLine("L1", Decimal(many), bag(paid), bag(0), restock, sku=SKU)
        told = Refund(name, bag(paid), (line,), payments=tuple(payments), at=self.now)
        self._given(told)
        out = self.outside
        withheld = out.withheld + max(0, min(many, out.wanted) * self.price - paid)
        self.outside = replace(out, wanted=max(0, out.wanted - many), withheld=withheld)
        self._hear("shop", Snapshot("refund", ORDER, "", told))

    def _payment(self, name: str, tender: str, amount: int | Decimal) -> Payment:
        kind = Tender.CARD if tender == "card" else Tender.GIFT_CARD
        return Payment(
            f"{name}-{tender}", PaymentKind.REFUND, kind, bag(amount), gateway=tender, parent_id=tender, at=AT
        )

    def _given(self, refund: Refund) -> None:
        """Raises Rejected for more than a tender took, as every provider does."""
        given = self.outside.given
        for one in refund.payments:
            amount = int(one.amount.shop.amount)
            if amount > self.room(one.gateway):
                raise Rejected(f"{one.gateway} took less than that")
            given = _sum(given, one.gateway, amount)
        self.outside = replace(self.outside, given=given, refunds=(*self.outside.refunds, refund))

    def room(self, tender: str) -> int:
        return self.tenders.get(tender, 0) - dict(self.outside.given).get(tender, 0)

    def ask_return(self, many: int) -> None:
        from app.orders import returning
        from app.orders.return_requests import ReturnLine

        mine = self.subject()
        key = f"k{self.outside.times('ask_return')}"
        lines = [ReturnLine("L1", Decimal(many))]
        returning.request(self.tx, mine.id, mine.waybill, mine.document, lines, key=key, now=AT)

    def count_return(self, many: int, disposition: str) -> None:
        """The oldest return that is still to come is counted at the shelf."""
        from app.orders import return_requests, returning

        mine = self.subject()
        row = next((one for one in return_requests.of(self.tx, mine.id) if one.state in return_requests.ALIVE), None)
        if row is not None:
            counted = {"L1": (Decimal(many), disposition)}
            returning.receive(self.tx, row.number, mine.document, counted, location="main", who="the store")
            sold = many if disposition == "restock" else 0
            self.outside = replace(self.outside, back=self.outside.back + many, restocked=self.outside.restocked + sold)

    def speak(self, event: str) -> None:
        """A store's own word on the newest request to it."""
        from app.orders import fulfilling, fulfilments

        asked = fulfilments.of(self.tx, self.subject().id)
        if not asked:
            return
        number, many = asked[-1].number, int(sum(want.quantity for want in asked[-1].wants))
        if event == "ship":
            fulfilling.ship(self.tx, number, "the store", [{"number": f"T{len(asked)}"}])
            self.outside = replace(self.outside, gone=self.outside.gone + many)
        else:
            getattr(fulfilling, event)(self.tx, number, "the store", "said so")

    def works(self, account: str) -> None:
        """An account does the oldest thing that is asked of it."""
        step = self.tx.execute(READY, {"at": [account]}).first()
        if step is not None:
            self._perform(step.id)

    # ---- what the hub does by itself

    def at_once(self) -> None:
        """Everybody who is not lazy does what there is to do, and the hub's feeds go round, until nothing is left."""
        from tasks.feeds import fulfilled, moved, returned

        others = sorted(ACCOUNTS - self.lazy)
        for _ in range(200):
            before = self.tx.execute(SEEN).one()
            while (step := self.tx.execute(READY, {"at": others}).first()) is not None:
                self._perform(step.id)
            for feed in (fulfilled, returned, moved):
                feed.run()
            if self.tx.execute(SEEN).one() == before:
                return
        raise AssertionError("it does not come to rest")

    def _perform(self, step: int) -> None:
        """One attempt at a step as the engine makes it (tasks/engine/loop.py), with an outsider who only notes what he is asked."""
        from app.journal import steps
        from tasks.engine.act import Acted, act_inner, definition, document
        from tasks.engine.conclude import conclude
        from tasks.engine.judge import SILENT, Verdict, judge
        from tasks.engine.work import Work
        from tasks.flows.table import Inner, Skip

        taken = steps.claim(self.tx, step, 60)
        assert taken is not None, f"step {step} is ready and cannot be claimed"
        work = Work(*taken, 60)
        told = definition(work)
        before = self.kept()
        try:
            with self.tx.begin_nested():
                if (work.step.flow, work.step.name) == self.refused:
                    raise Rejected("No.")
                if isinstance(told, Inner):
                    conclude(self.tx, work, Verdict("done", "done", health=SILENT), Acted(), act_inner(work))
                    return
                asked = "" if self._never_done(work) else told.act(document(work), _Outsider(self, work), work)
                result = asked if isinstance(asked, str) else work.carry_out(asked)
                verdict = Verdict("done", "done", result=result)
        except (Skip, Trouble) as error:
            verdict = judge(error, work.step.tries, False, None, False)
        conclude(self.tx, work, verdict, Acted(result=verdict.result))
        if (work.step.flow, work.step.name) == self.refused:
            self.refusals.append((before, self.kept()))

    def _never_done(self, work: Any) -> bool:
        from app.journal import steps

        return work.step.undoes is not None and not steps.begun(self.tx, work.step.undoes)

    # ---- what is to be seen

    def subject(self) -> Any:
        from app.journal import subjects

        return subjects.lock_id(
            self.tx, self.tx.execute(text("SELECT min(id) FROM subjects WHERE kind = 'order'")).scalar_one()
        )

    @property
    def order(self) -> Order:
        found: Order = self.subject().document
        return found

    @property
    def rests(self) -> bool:
        return not self.tx.execute(RESTS).scalar()

    def cases(self) -> list[str]:
        return list(self.tx.execute(OPEN_CASES).scalars())

    def shelf(self) -> Any:
        return self.tx.execute(SHELF, {"sku": SKU}).one()

    def claimed(self) -> Decimal:
        return Decimal(self.tx.execute(CLAIMED, {"sku": SKU}).scalar_one())

    def kept(self) -> Any:
        """The claims, the shelves, and the states of the order and of all that belongs to it."""
        return tuple(
            getattr(self.tx.execute(SEEN).one(), name)
            for name in ("states", "asked", "returns", "moves", "shelves", "claims")
        )

    def done(self, step: str) -> bool:
        return bool(
            self.tx.execute(
                text("SELECT count(*) FROM steps WHERE name = :name AND state = 'done'"), {"name": step}
            ).scalar()
        )

    def left(self) -> Decimal:
        """Pieces that have left the shelf, as the claims know."""
        return Decimal(self.tx.execute(LEFT, {"sku": SKU}).scalar_one())

    def decided(self) -> int:
        """How many refunds the hub has decided."""
        return int(self.tx.execute(text("SELECT count(*) FROM money_moves WHERE kind = 'refund'")).scalar_one())

    def state(self) -> str:
        """Equal where nothing that may come next can tell two moments apart."""
        order = self.order
        told = (
            [(str(line.quantity), str(line.current_quantity)) for line in order.lines],
            order.cancelled_at is not None,
            sorted((s.origin, s.status, str(sum(line.quantity for line in s.lines))) for s in order.shipments),
            sorted((r.origin, str(r.total.shop.amount), [str(one.quantity) for one in r.lines]) for r in order.refunds),
            [(r.status, [(str(one.received_quantity), one.condition) for one in r.lines]) for r in order.returns],
            sorted((line, str(many)) for line, many in to_ship(order).items()),
        )
        mine = replace(self.outside, refunds=(), version=0)
        return repr((told, mine, tuple(self.tx.execute(SEEN).one()), self.cases()))

    @contextmanager
    def set_back(self) -> Iterator[None]:
        """What happens in here has not happened afterwards."""
        before, numbers, price, tenders = self.outside, self.numbers, self.price, self.tenders
        held = self.tx.begin_nested()
        try:
            yield
        finally:
            held.rollback()
            self.outside, self.numbers, self.price, self.tenders = before, numbers, price, tenders
            self.refused, self.refusals = ("", ""), []


@dataclass
class _Outsider:
    """Plays every role: takes what it is asked, under a number of its own."""

    hub: SmallHub
    work: Any

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def take(*given: Any, **_: Any) -> str:
            return TAKES.get(name, _noted)(self.hub, self.work, *given)

        return take


def _noted(hub: SmallHub, work: Any, *given: Any) -> str:
    return f"{work.step.account}-{work.step.name}-{work.step.id}"


def _booked(hub: SmallHub, work: Any, order: Order) -> str:
    work.links.append(("order", order.id, f"SO-{work.step.id}"))
    return f"SO-{work.step.id}"


def _asked(hub: SmallHub, work: Any, order: Order) -> str:
    hub.outside = replace(hub.outside, asked=True)
    return _noted(hub, work)


def _billed(hub: SmallHub, work: Any, order: Order, shipment: Shipment) -> str:
    """What left is billed with it, as the books of most houses do."""
    many = int(sum(line.quantity for line in shipment.lines))
    hub.outside = replace(hub.outside, billed=hub.outside.billed + many)
    return _noted(hub, work)


def _credited(hub: SmallHub, work: Any, order: Order, refund: Refund) -> str:
    many = int(sum(line.quantity for line in refund.lines))
    hub.outside = replace(hub.outside, credited=hub.outside.credited + many)
    return _noted(hub, work)


def _brought_back(hub: SmallHub, work: Any, order: Order, returned: Any) -> str:
    work.links.append(("return_receipt", returned.id, f"RR-{work.step.id}"))
    return _noted(hub, work)


def _gave_back(hub: SmallHub, work: Any, order: Order, refund: Refund) -> str:
    mine = replace(refund, id=f"H{len(hub.outside.refunds) + 1}", origin="")
    hub._given(mine)
    many = int(sum(line.quantity for line in refund.lines))
    hub.outside = replace(hub.outside, wanted=max(0, hub.outside.wanted - many))
    return mine.id


def _cancels(hub: SmallHub, work: Any, order: Order) -> Writes:
    """Its own word on it comes later, like any of the shop's."""
    yield from ()
    return _noted(hub, work)


TAKES: Mapping[str, Callable[..., Any]] = {
    "book": _booked,
    "request": _asked,
    "record_shipment": _billed,
    "record_refund": _credited,
    "record_return": _brought_back,
    "give_back": _gave_back,
    "cancel_sale": _cancels,
}


class _Held:
    """The one transaction of the small world, for whoever opens one by himself."""

    def __init__(self, tx: Connection) -> None:
        self.tx = tx

    def begin(self) -> Any:
        return _nested(self.tx)

    def connect(self) -> Any:
        return nullcontext(self.tx)

    def dispose(self) -> None:
        return None


@contextmanager
def _nested(tx: Connection) -> Iterator[Connection]:
    with tx.begin_nested():
        yield tx


@contextmanager
def small_hub(monkeypatch: pytest.MonkeyPatch, **wanted: Any) -> Iterator[SmallHub]:
    """All of it in one transaction that is undone at the end; whoever opens one of his own gets a savepoint of it."""
    from app import database

    with database.engine().connect() as tx:
        with monkeypatch.context() as patch:
            patch.setattr(database, "engine", lambda url=None: _Held(tx))
            yield SmallHub(tx, **wanted)
        tx.rollback()
