"""Where an order stands: its quantities, tenders and the state of each part, read off its canonical document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from app.orders.life import ZERO, Life, LineLife, TenderLife
from app.orders.merge import pending
from app.stock.counter import at_the_counter, voided
from app.stock.departed import paid_back, pieces_of
from connectors.canonical.money import Role
from connectors.canonical.order import Line, Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus
from connectors.canonical.returns import Return, ReturnLine, ReturnStatus
from connectors.canonical.shipment import LEFT, ShipmentStatus

Part = tuple[str, str]  # machine, and the id of what is in a state ("" for the order itself)
SHIPMENTS: Mapping[ShipmentStatus, str] = {
    ShipmentStatus.PENDING: "requested",
    ShipmentStatus.SHIPPED: "shipped",
    ShipmentStatus.IN_TRANSIT: "in_transit",
    ShipmentStatus.READY_FOR_PICKUP: "ready",
    ShipmentStatus.DELIVERED: "delivered",
    ShipmentStatus.FAILED: "failed",
    ShipmentStatus.CANCELLED: "cancelled",
}
RETURNS: Mapping[ReturnStatus, str] = {
    ReturnStatus.REQUESTED: "requested",
    ReturnStatus.OPEN: "authorised",
    ReturnStatus.RECEIVED: "received",
    ReturnStatus.CLOSED: "closed",
    ReturnStatus.DECLINED: "declined",
    ReturnStatus.CANCELLED: "cancelled",
}
UNSELLABLE = frozenset(("damaged", "quarantined", "quarantine", "scrap", "scrapped", "defective"))


@dataclass(frozen=True, slots=True)
class Tally:
    """One tender in the money equation: authorised = owed + captured + voided; captured - refunded is what we keep."""

    tender: str
    authorised: Decimal = ZERO
    voided: Decimal = ZERO
    captured: Decimal = ZERO
    refunded: Decimal = ZERO
    charged_back: Decimal = ZERO
    pending: bool = False
    failed: bool = False

    @property
    def owed(self) -> Decimal:
        """What the tender has promised and not yet been asked for."""
        return max(ZERO, self.authorised - self.voided - self.captured)

    @property
    def kept(self) -> Decimal:
        return self.captured - self.refunded - self.charged_back


def life_of(order: Order) -> Life:
    """The quantities of a document. What is off a line was cancelled as far as it never left; the rest came back for money."""
    sent = pieces_of(order, (s for s in order.shipments if s.status in LEFT))
    lines = tuple(_line(order, line, sent.get(line.id, ZERO)) for line in order.lines)
    return Life(
        lines, _set_off(tuple(TenderLife(t.tender, t.authorised, t.captured, t.refunded) for t in tallies(order)))
    )


def handed_over(order: Order) -> Life:
    """The same where what a customer carried home at a till has left, too: it can come back, and is no shipment."""
    life = life_of(order)
    for line in order.lines if order.cancelled_at is None else ():
        if at_the_counter(order, line):
            life = life.with_line(_line(order, line, line.quantity - voided(order, line.id)))
    return life


def _set_off(tenders: tuple[TenderLife, ...]) -> tuple[TenderLife, ...]:
    """Money given back through a tender that never took it (store credit for a gift) is given back of what others took, the last first."""
    over = sum((max(ZERO, -one.refundable) for one in tenders), ZERO)
    kept: list[TenderLife] = []
    for one in reversed(tenders):
        more = min(over, max(ZERO, one.refundable))
        over -= more
        kept.append(replace(one, refunded=min(one.refunded, one.captured) + more))
    left = TenderLife("", refunded=over)  # more than all of them took
    return (*reversed(kept), left) if over else tuple(reversed(kept))


def _line(order: Order, line: Line, sent: Decimal) -> LineLife:
    shipped = min(sent, line.quantity)
    off = line.quantity if order.cancelled_at else line.quantity - line.current_quantity
    cancelled = max(ZERO, min(off - paid_back(order, line, shipped), line.quantity - shipped))
    received, kept_off = _back(order, line)
    received = min(received, shipped)
    kept_off = min(kept_off, received)
    return LineLife(
        line.id,
        ordered=line.quantity,
        price=line.unit_price.in_role(order.money_role).amount,
        cancelled=cancelled,
        shipped=shipped,
        received=received,
        restocked=received - kept_off,
        kept_off=kept_off,
    )


def _back(order: Order, line: Line) -> tuple[Decimal, Decimal]:
    """What came back of a line and how much of it cannot be sold: as counted in returns, else as refunds put it back on the shelf. What
    we counted and what the channel told are the same pieces: whoever counted more says how many."""
    counts = _counts(order, line)
    if counts:
        return max(counts)
    refunded = (one for r in order.refunds if not pending(r) for one in r.lines if one.line_id == line.id)
    return sum((one.quantity for one in refunded if one.restock), ZERO), ZERO


def _counts(order: Order, line: Line) -> list[tuple[Decimal, Decimal]]:
    """(pieces that came back, of these not to be sold) as each teller has counted them."""
    tellers: dict[str, list[ReturnLine]] = {}
    for back in order.returns:
        mine = [one for one in back.lines if one.line_id == line.id and one.received_quantity]
        tellers.setdefault(back.origin, []).extend(mine)
    return [(_received(lines), _received(_unsellable(lines))) for lines in tellers.values() if lines]


def _received(lines: Iterable[ReturnLine]) -> Decimal:
    return sum((one.received_quantity or ZERO for one in lines), ZERO)


def _unsellable(lines: Iterable[ReturnLine]) -> list[ReturnLine]:
    return [one for one in lines if one.condition.lower() in UNSELLABLE]


TALLIED: Mapping[PaymentKind, tuple[str, int]] = {
    PaymentKind.AUTHORISATION: ("authorised", 1),
    PaymentKind.CAPTURE: ("captured", 1),
    PaymentKind.SALE: ("captured", 1),
    PaymentKind.CHANGE: ("captured", -1),
    PaymentKind.VOID: ("voided", 1),
    PaymentKind.REFUND: ("refunded", 1),
    PaymentKind.CHARGEBACK: ("charged_back", 1),
}


def tallies(order: Order) -> tuple[Tally, ...]:
    """Each tender once, in the order in which it was first used; refunds counted wherever the source tells of them, once by their id."""
    found: dict[str, dict[str, Decimal | bool]] = {}
    for payment in _movements(order):
        sums = found.setdefault(payment.gateway, {})
        field, sign = TALLIED[payment.kind]
        if payment.status is PaymentStatus.SUCCESS:
            sums[field] = Decimal(sums.get(field, ZERO)) + _amount(payment, order.money_role) * sign
        elif payment.kind is not PaymentKind.REFUND:
            sums["pending" if payment.status is PaymentStatus.PENDING else "failed"] = True
    return tuple(Tally(tender, **sums) for tender, sums in found.items())  # type: ignore[arg-type]


def _movements(order: Order) -> tuple[Payment, ...]:
    refunds = {p.id: p for r in order.refunds for p in r.payments}
    return tuple({**{p.id: p for p in order.payments}, **refunds}.values())


def _amount(payment: Payment, role: Role) -> Decimal:
    return payment.amount.in_role(role).amount


def states(order: Order) -> dict[Part, str]:
    """The canonical state of each part of an order, as its document tells it."""
    life = life_of(order)
    found: dict[Part, str] = {("order", ""): order_state(order, life)}
    found |= {("line", line.id): line_state(line) for line in life.lines}
    found |= {("fulfilment", f"{s.origin}:{s.id}"): SHIPMENTS[s.status] for s in order.shipments}
    found |= {("payment", tally.tender): payment_state(tally) for tally in tallies(order)}
    return found | {("return", back.id): return_state(back) for back in order.returns}


def order_state(order: Order, life: Life) -> str:
    """Of what is shipped at all; what is carried home or only a service says nothing."""
    kept = [life.line(line.id) for line in order.lines if line.requires_shipping]
    shipped = sum((line.shipped for line in kept), ZERO)
    if not shipped:
        gone = order.cancelled_at is not None or bool(kept and all(line.active <= 0 for line in kept))
        return "cancelled" if gone else "placed"
    if all(line.received >= line.shipped for line in kept) and not any(line.open for line in kept):
        return "returned"
    if any(line.open > 0 for line in kept):
        return "partly_shipped"
    sent = [s for s in order.shipments if s.status in LEFT]
    return "delivered" if all(s.status is ShipmentStatus.DELIVERED for s in sent) else "shipped"


def line_state(line: LineLife) -> str:
    if line.active <= 0:
        return "cancelled"
    if line.received:
        return "returned" if line.received >= line.active else "partly_returned"
    if line.shipped:
        return "partly_shipped" if line.open > 0 else "shipped"
    return "open"


def payment_state(tally: Tally) -> str:
    ladder = (
        (tally.charged_back > 0, "charged_back"),
        (tally.captured > 0 and tally.refunded >= tally.captured, "refunded"),
        (tally.refunded > 0, "partly_refunded"),
        (tally.captured > 0, "partly_captured" if tally.owed > 0 else "captured"),
        (max(tally.authorised, tally.voided) > 0, "voided" if tally.voided >= tally.authorised else "authorised"),
        (tally.pending, "pending"),
        (tally.failed, "failed"),
    )
    return next((state for holds, state in ladder if holds), "none")


def return_state(back: Return) -> str:
    """A return that was counted and whose pieces all have a condition says where they went."""
    state = RETURNS[back.status]
    words = {one.condition.lower() for one in back.lines if one.received_quantity}
    if state != "received" or not words or "" in words:
        return state
    return "quarantined" if words & UNSELLABLE else "restocked"
