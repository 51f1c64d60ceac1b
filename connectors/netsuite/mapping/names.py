"""External ids: the names under which NetSuite finds our records again, made of the business identity alone."""

from __future__ import annotations

import hashlib
import re

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import Shipment

# A-Z a-z 0-9 _ - are safe in eid:...; a pipe breaks it (NetSuite help, section_156334828635)
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST = 100


def external_id(*parts: str) -> str:
    """The parts joined by dashes. What had to be changed or cut is told apart by a hash, so that two names
    never meet.
    """
    whole = "-".join(part for part in parts if part)
    safe = UNSAFE.sub("_", whole)
    if safe == whole and len(safe) <= LONGEST:
        return safe
    return f"{safe[: LONGEST - 13]}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def of_order(order: Order) -> str:
    return external_id(order.channel, order.id)


def of_shipment(order: Order, shipment: Shipment) -> str:
    return external_id(order.channel, order.id, "s", shipment.origin, shipment.id)


def of_bill(order: Order, shipment: Shipment) -> str:
    return external_id(order.channel, order.id, "i", shipment.origin, shipment.id)


def of_application(order: Order, payment: Payment, shipment: Shipment) -> str:
    return external_id(order.channel, order.id, "a", payment.id, shipment.origin, shipment.id)


def of_refund(order: Order, refund: Refund) -> str:
    return external_id(order.channel, order.id, "r", refund.id)


def of_authorization(order: Order, returned: str) -> str:
    return external_id(order.channel, order.id, "ra", returned)


def of_receipt(order: Order, returned: str) -> str:
    return external_id(order.channel, order.id, "rr", returned)


def of_disposition(order: Order, returned: str, goes: str, key: str) -> str:
    """Pieces of a line may leave quarantine in parts, which nothing tells apart but the step's own key."""
    return external_id(order.channel, order.id, "di", returned, goes, key)


def of_purchase(reference: str) -> str:
    return external_id("po", reference)


def of_arrival(reference: str, shipment: Shipment) -> str:
    return external_id("pr", reference, shipment.origin, shipment.id)


def of_tender(order: Order, refund: Refund, gateway: str) -> str:
    return external_id(order.channel, order.id, "r", refund.id, gateway)


def of_deposit(order: Order, payment: Payment) -> str:
    return external_id(order.channel, order.id, "d", payment.id)


def of_email(email: str) -> str:
    """A customer known by an address: only its hash stands in addresses and logs."""
    return f"email-{hashlib.sha256(plain_email(email).encode()).hexdigest()[:24]}"


def plain_email(email: str) -> str:
    return email.strip().casefold()
