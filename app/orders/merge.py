"""A snapshot is merged into what was known: the newer header wins, and children are never forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from connectors.canonical.order import Line, Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment, ShipmentStatus


class _Child(Protocol):
    @property
    def id(self) -> str: ...


C = TypeVar("C", bound=_Child)
HUB = "hub"  # the origin of what the hub itself took off an order (app/orders/taking_off.py)


@dataclass(frozen=True, slots=True)
class Told:
    """What was merged: the order, and the ids of shipments that are only our own word coming back."""

    order: Order
    echoes: tuple[str, ...] = ()


def merge(old: Order | None, new: Order, *, newer: bool, account: str, links: Mapping[str, str]) -> Told:
    """The order after a snapshot from `account`. `links` maps that account's shipment ids to the shipment of ours they echo.

    A header that is not newer is not taken, but its children are still read.
    """
    own, echoes = _without_echoes(old, new, account, links)
    stamped = replace(
        new,
        channel=account,
        shipments=own,
        refunds=tuple(replace(r, origin=r.origin or account) for r in new.refunds),
        returns=tuple(replace(r, origin=r.origin or account) for r in new.returns),
    )
    if old is None:
        return Told(stamped, echoes)
    header = stamped if newer else old
    known = _refunds(old.refunds, stamped.refunds)
    refunds = _confirmed(old, stamped, known) if newer else known
    return Told(
        replace(
            header,
            money_role=old.money_role,
            lines=_less(header, refunds),
            shipments=_shipments(old.shipments, stamped.shipments),
            refunds=refunds,
            payments=_payments(old.payments, stamped.payments, newer),
            returns=_union(old.returns, stamped.returns, lambda a, b: b if newer else a),
            cancelled_at=header.cancelled_at or old.cancelled_at or stamped.cancelled_at,
        ),
        echoes,
    )


def with_shipment(order: Order, shipment: Shipment) -> Order:
    return replace(order, shipments=_shipments(order.shipments, (shipment,)))


def with_refund(order: Order, refund: Refund) -> Order:
    """The order with a refund that was told by itself. What a settled one was for is told once: its pieces are off the order
    since, and another word on the same sum (the channel's, on what we asked of it) takes off and gives back none."""
    known = next((one for one in order.refunds if one.id == refund.id and not pending(one)), None)
    if known is not None and known.total.shop == refund.total.shop:
        refund = replace(
            refund,
            lines=known.lines,
            adjustments=known.adjustments,
            return_id=known.return_id or refund.return_id,
            note=known.note or refund.note,
        )
    refunds = _refunds(order.refunds, (refund,))
    if refund.origin != HUB and refund.id not in {one.id for one in order.refunds}:
        order, refunds = _same_pieces(order, refund, refunds)
    return replace(order, lines=_less(order, refunds), refunds=refunds)


def taken_off(refund: Refund) -> bool:
    """Whether the hub itself took its pieces off the order, and nobody else yet."""
    return refund.origin == HUB and not refund.payments and bool(refund.lines)


def _confirmed(old: Order, header: Order, refunds: tuple[Refund, ...]) -> tuple[Refund, ...]:
    """The pieces that a channel takes off are the ones that the hub took off before it, as far as there are such: they are not taken off twice."""
    if not any(taken_off(refund) for refund in refunds):
        return refunds
    wanted = {line.id: line.current_quantity for line in old.lines}
    told = {refund.id for refund in header.refunds}
    for refund in (one for one in refunds if one.id not in told):
        for piece in refund.lines:
            wanted[piece.line_id] = wanted.get(piece.line_id, Decimal(0)) + piece.quantity
    fewer = {line.id: wanted.get(line.id, line.current_quantity) - line.current_quantity for line in header.lines}
    many = dict(fewer)
    left = tuple(_left(refund, fewer) if taken_off(refund) else refund for refund in refunds)
    known = {refund.id for refund in old.refunds}
    same = {line: many.get(line, Decimal(0)) - over for line, over in fewer.items()}
    return tuple(one if one.id in known else _stayed(one, same) for one in left)


def _same_pieces(order: Order, refund: Refund, refunds: tuple[Refund, ...]) -> tuple[Order, tuple[Refund, ...]]:
    """What the hub had taken off and this refund names is this refund's by now."""
    fewer: dict[str, Decimal] = {}
    for piece in refund.lines:
        fewer[piece.line_id] = fewer.get(piece.line_id, Decimal(0)) + piece.quantity
    named = dict(fewer)
    left = tuple(_left(one, fewer) if taken_off(one) else one for one in refunds)
    back = {line: many - fewer[line] for line, many in named.items()}
    left = tuple(_stayed(one, dict(back)) if one.id == refund.id else one for one in left)
    lines = tuple(
        replace(line, current_quantity=line.current_quantity + back.get(line.id, Decimal(0))) for line in order.lines
    )
    return replace(order, lines=lines), left


def _stayed(refund: Refund, fewer: dict[str, Decimal]) -> Refund:
    """A refund for pieces that the hub had taken off (`fewer`, used up): they had not left, whatever has left by now."""
    lines = []
    for piece in refund.lines:
        stayed = (
            min(piece.quantity, max(Decimal(0), fewer.get(piece.line_id, Decimal(0))))
            if piece.left is None
            else Decimal(0)
        )
        fewer[piece.line_id] = fewer.get(piece.line_id, Decimal(0)) - stayed
        lines.append(replace(piece, left=piece.quantity - stayed) if stayed else piece)
    return replace(refund, lines=tuple(lines))


def _left(refund: Refund, fewer: dict[str, Decimal]) -> Refund:
    """What the channel has not taken off yet; what it has is taken from `fewer`."""
    lines = []
    for piece in refund.lines:
        same = min(piece.quantity, max(Decimal(0), fewer.get(piece.line_id, Decimal(0))))
        fewer[piece.line_id] = fewer.get(piece.line_id, Decimal(0)) - same
        lines.append(replace(piece, quantity=piece.quantity - same))
    return replace(refund, lines=tuple(piece for piece in lines if piece.quantity))


def _less(header: Order, refunds: Iterable[Refund]) -> tuple[Line, ...]:
    """The header's lines less what was refunded since: a header has taken off what its own refunds did, and no other's."""
    counted = {refund.id for refund in header.refunds}
    gone: dict[str, Decimal] = {}
    for refund in refunds:
        for line in refund.lines if refund.id not in counted else ():
            gone[line.line_id] = gone.get(line.line_id, Decimal(0)) + line.quantity
    return tuple(
        replace(line, current_quantity=max(Decimal(0), line.current_quantity - gone[line.id]))
        if line.id in gone
        else line
        for line in header.lines
    )


def echo_of(old: Order | None, shipment: Shipment, account: str, links: Mapping[str, str]) -> str | None:
    """The shipment of ours that this one from `account` repeats: by its cross reference, else by its trackings or lines.

    The second way covers the vendor's webhook overtaking the answer to our own call.
    """
    if shipment.id in links:
        return links[shipment.id]
    others = [s for s in (old.shipments if old else ()) if s.origin != account]
    numbers = {t.number for t in shipment.trackings if t.number}
    for other in others:
        same_parcels = bool(numbers) and numbers == {t.number for t in other.trackings if t.number}
        if same_parcels or (not numbers and not other.trackings and _contents(other) == _contents(shipment)):
            return f"{other.origin}:{other.id}"
    return None


def _contents(shipment: Shipment) -> list[tuple[str, str]]:
    return sorted((line.sku, str(line.quantity.normalize())) for line in shipment.lines)


def _without_echoes(
    old: Order | None, new: Order, account: str, links: Mapping[str, str]
) -> tuple[tuple[Shipment, ...], tuple[str, ...]]:
    echoes = tuple(s.id for s in new.shipments if echo_of(old, s, account, links) is not None)
    return tuple(replace(s, origin=account) for s in new.shipments if s.id not in echoes), echoes


def _union(old: tuple[C, ...], new: tuple[C, ...], choose: Callable[[C, C], C]) -> tuple[C, ...]:
    known = {child.id: child for child in old}
    for child in new:
        known[child.id] = choose(known[child.id], child) if child.id in known else child
    return tuple(known.values())


def _payments(old: tuple[Payment, ...], new: tuple[Payment, ...], newer: bool) -> tuple[Payment, ...]:
    """By id. What a gateway took is known by its sum or by its transactions, never by both: the newer word is kept."""
    first, then = (old, new) if newer else (new, old)
    sums = {one.gateway for one in then if one.summed}

    def said_otherwise(one: Payment) -> bool:
        return bool(then) if one.summed else one.gateway in sums and one.kind in TOOK

    kept = tuple(one for one in first if not said_otherwise(one))
    return _union(kept, new, _payment) if newer else _union(old, kept, _payment)


TOOK = (PaymentKind.AUTHORISATION, PaymentKind.SALE, PaymentKind.CAPTURE, PaymentKind.VOID)


def _payment(old: Payment, new: Payment) -> Payment:
    """A transaction only settles: pending becomes success or failure, never the other way."""
    return old if new.status is PaymentStatus.PENDING else new


ORDERED = (
    ShipmentStatus.PENDING,
    ShipmentStatus.SHIPPED,
    ShipmentStatus.IN_TRANSIT,
    ShipmentStatus.READY_FOR_PICKUP,
    ShipmentStatus.DELIVERED,
    ShipmentStatus.FAILED,
    ShipmentStatus.CANCELLED,
)


def _shipments(old: Iterable[Shipment], new: Iterable[Shipment]) -> tuple[Shipment, ...]:
    """By origin and id; a later word on one replaces an earlier, by its own time and status."""
    known = {(s.origin, s.id): s for s in old}
    for shipment in new:
        before = known.get((shipment.origin, shipment.id))
        if before is None or _rank(shipment) >= _rank(before):
            known[(shipment.origin, shipment.id)] = shipment
    return tuple(known.values())


def _rank(shipment: Shipment) -> tuple[int, str]:
    at: datetime | None = shipment.updated_at
    return ORDERED.index(shipment.status), at.isoformat() if at else ""


def _refunds(old: Iterable[Refund], new: Iterable[Refund]) -> tuple[Refund, ...]:
    """By id; a refund whose money is still pending is replaced once it has moved. What had left of it stays known."""
    known = {refund.id: refund for refund in old}
    for refund in new:
        if refund.id not in known or not pending(refund):
            known[refund.id] = _as_known(known.get(refund.id, refund), refund)
    return tuple(known.values())


def _as_known(old: Refund, new: Refund) -> Refund:
    left = {one.line_id: one.left for one in old.lines if one.left is not None}
    return replace(
        new,
        lines=tuple(replace(one, left=left.get(one.line_id)) if one.left is None else one for one in new.lines),
    )


def pending(refund: Refund) -> bool:
    """Whether some of its money has not moved yet."""
    return refund.status is PaymentStatus.PENDING or any(
        payment.status is PaymentStatus.PENDING for payment in refund.payments
    )
