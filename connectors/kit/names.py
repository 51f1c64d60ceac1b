"""The names under which books with 35 characters for a foreign number find our records again, made of the business identity alone.

Capitals and no case (a Code of Business Central, a purchase order number of SAP). An order's name takes up to 26; what
comes of the order (a shipment, a refund, a tender) is named by the order's name, a slash and a mark of eight.
"""

from __future__ import annotations

import hashlib
import re

from connectors.canonical.order import Order
from connectors.canonical.payment import Payment
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment

LONGEST = 26
SAFE = re.compile(r"[A-Z0-9._-]+")
LINE = 40  # characters of a line's name, unless its field holds fewer


def _mark(length: int, *parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:length].upper()


def of_order(order: Order) -> str:
    return order_name(order.channel, order.id)


def order_name(channel: str, order_id: str) -> str:
    """CHANNEL-ID. What does not fit, or would fall together without its case, is told apart by a hash."""
    whole = f"{channel}-{order_id}".upper()
    if len(whole) <= LONGEST and SAFE.fullmatch(whole) and order_id == order_id.upper():
        return whole
    short = re.sub(r"[^A-Z0-9]+", "", channel.upper())[: LONGEST - 13]
    return f"{short}-{_mark(12, channel, order_id)}"


def of_shipment(order: Order, shipment: Shipment) -> str:
    return f"{of_order(order)}/{shipment_mark(shipment.origin, shipment.id)}"


def shipment_mark(origin: str, shipment_id: str) -> str:
    return "S" + _mark(7, origin, shipment_id)


def of_refund(order: Order, refund: Refund) -> str:
    return f"{of_order(order)}/{refund_mark(refund.id)}"


def refund_mark(refund_id: str) -> str:
    return "R" + _mark(7, refund_id)


def of_tender(order: Order, refund: Refund, gateway: str) -> str:
    return f"{of_order(order)}/{tender_mark(refund.id, gateway)}"


def tender_mark(refund_id: str, gateway: str) -> str:
    return "T" + _mark(7, refund_id, gateway)


def of_return(order: Order, returned: Return) -> str:
    """Goods that came back without money."""
    return f"{of_order(order)}/{return_mark(returned.id)}"


def return_mark(return_id: str) -> str:
    return "G" + _mark(7, return_id)


def of_payment(order: Order, payment: Payment) -> str:
    return f"{of_order(order)}/P{_mark(7, payment.id)}"


def of_line(line_id: str, longest: int = LINE) -> str:
    """What a booked line keeps of ours, by which it is found again."""
    return line_id if len(line_id) <= longest and "/" not in line_id else _mark(16, line_id)


def customer_number(*identity: str) -> str:
    """A customer's number of 20 characters: W and a mark of who it is; only a hash of an address stands in it."""
    return "W" + _mark(19, *identity)


def plain_email(email: str) -> str:
    return email.strip().casefold()
