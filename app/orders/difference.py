"""Differences between what was known of an order and what is known now; they start flows, a topic's name never does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import orjson

from app.orders.merge import pending, taken_off
from app.stock.departed import left_of, never_left, shipped_by_us, sold
from connectors.canonical.codec import dump
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import GONE, Shipment


class Kind(StrEnum):
    PLACED = "placed"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"
    REFUNDED = "refunded"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is new. `key` is the same however often it is told; `facets` say what of the header changed."""

    kind: Kind
    key: str
    child: Shipment | Refund | Payment | None = None
    facets: frozenset[str] = frozenset()


def differences(old: Order | None, new: Order) -> list[Difference]:
    """What became true between two states of one order, in the order in which flows should see it."""
    found: list[Difference] = []
    if old is None and new.cancelled_at is None:
        found.append(Difference(Kind.PLACED, "placed"))
    if old is not None and new.cancelled_at is None and (facets := changed(old, new)):
        found.append(Difference(Kind.CHANGED, fingerprint(_facets(new)), facets=facets))
    found += [Difference(Kind.SHIPPED, f"{s.origin}:{s.id}", child=s) for s in _newly_gone(old, new)]
    found += [Difference(Kind.REFUNDED, r.id, child=r) for r in _newly_refunded(old, new)]
    found += [Difference(Kind.PAID, one.id, child=one) for one in _newly_paid(old, new)]
    if old is not None and old.cancelled_at is None and new.cancelled_at is not None:
        found.append(Difference(Kind.CANCELLED, "cancelled"))
    return found


def _newly_gone(old: Order | None, new: Order) -> list[Shipment]:
    before = {(s.origin, s.id) for s in (old.shipments if old else ()) if s.status in GONE}
    return [s for s in new.shipments if s.status in GONE and (s.origin, s.id) not in before]


def _newly_refunded(old: Order | None, new: Order) -> list[Refund]:
    """A refund counts once its money has moved."""
    before = {r.id for r in (old.refunds if old else ()) if not pending(r)}
    return [r for r in new.refunds if not pending(r) and r.id not in before]


RECEIVED = (PaymentKind.SALE, PaymentKind.CAPTURE)


def _newly_paid(old: Order | None, new: Order) -> list[Payment]:
    """What came in since: an order is booked with the payments that it is placed with."""
    if old is None:
        return []
    before = {one.id for one in old.payments if _received(one)}
    return [one for one in new.payments if _received(one) and one.id not in before]


def _received(payment: Payment) -> bool:
    return payment.kind in RECEIVED and payment.status is PaymentStatus.SUCCESS


def changed(old: Order, new: Order) -> frozenset[str]:
    """Which facets of the header differ; `more` where pieces that were not to leave any more are wanted after all."""
    before, after = _facets(old), _facets(new, _both(old, new))
    found = {name for name in after if before[name] != after[name]}
    gone, now = _never_left(old), _never_left(new)
    if any(now.get(line, Decimal(0)) < many for line, many in gone.items()):
        found.add("more")
    return frozenset(found)


def _both(old: Order, new: Order) -> dict[str, Decimal]:
    """Line id -> pieces that the hub had taken off and that the channel now tells a refund of: they were off the order already."""
    before, told = _by_line(old, taken_off), {refund.id for refund in old.refunds}
    after = _by_line(new, taken_off)
    paid = _by_line(new, lambda refund: bool(refund.payments) and refund.id not in told)
    return {line: min(many - after.get(line, Decimal(0)), paid.get(line, Decimal(0))) for line, many in before.items()}


def _by_line(order: Order, wanted: Callable[[Refund], bool]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for refund in order.refunds:
        for line in refund.lines if wanted(refund) else ():
            found[line.line_id] = found.get(line.line_id, Decimal(0)) + line.quantity
    return found


def _facets(order: Order, less: Mapping[str, Decimal] | None = None) -> dict[str, Any]:
    refunded = {line: -many for line, many in (less or {}).items()}
    for refund in (one for one in order.refunds if one.payments):
        for line in refund.lines:
            refunded[line.line_id] = refunded.get(line.line_id, Decimal(0)) + line.quantity
    return {
        # what went back for money is the refund's own difference; a refund that moved none is an edit that took pieces off
        "lines": sorted(
            (
                item.id,
                item.sku,
                _number(item.current_quantity + refunded.get(item.id, Decimal(0))),
                _number(item.unit_price.shop.amount),
            )
            for item in order.lines
        ),
        # what is not to leave any more, whatever was paid for it
        "pieces": sorted((line, _number(many)) for line, many in _never_left(order).items()),
        "address": dump(order.shipping),
        "billing": dump(order.billing),
        "shipping": sorted((s.id, _number(s.price.shop.amount), s.removed) for s in order.shipping_lines),
        "customer": dump(order.customer),
        "note": order.note,
        "tags": sorted(order.tags),
        "payment": order.payment_status,
    }


def _never_left(order: Order) -> dict[str, Decimal]:
    if not order.refunds:
        return {}
    sent = left_of(order)
    found = {line.id: never_left(order, line, sent.get(line.id, Decimal(0))) for line in shipped_by_us(order)}
    return {line: many for line, many in found.items() if many}


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def fingerprint(value: Any) -> str:
    """A short name of a content: equal for equal content."""
    return blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str), digest_size=10).hexdigest()


def content(order: Order) -> str:
    """The fingerprint of an order's whole canonical state, without its time stamps."""
    whole = dump(order)
    whole.pop("updated_at", None)
    return fingerprint(whole)


def state_of(order: Order) -> str:
    """The order's life in one word, for people."""
    if order.cancelled_at:
        return "cancelled"
    wanted = sold(order)
    left = sum((wanted[item.id] for item in order.lines if item.requires_shipping), Decimal(0))
    sent = sum((line.quantity for s in order.shipments if s.status in GONE for line in s.lines), Decimal(0))
    if sent and sent >= left:
        return "shipped"
    return "partly shipped" if sent else "open"
