"""Orders that cannot be delivered: customer service has the hub cancel them in the channel that sold them."""

from __future__ import annotations

import time

from app.database import transaction
from app.journal import subjects
from app.orders import cancelling
from app.orders.refused import Refused
from connectors.canonical.order import CancelReason

WITHIN = 30.0  # seconds in which an order is heard of


def call_off(account: str, name: str) -> None:
    """Asked as soon as the order is known; where it never is nobody asks, and the judge says that it is missing."""
    until = time.monotonic() + WITHIN
    while not _asked(account, name) and time.monotonic() < until:
        time.sleep(0.5)


def _asked(account: str, name: str) -> bool:
    """False while the order is not known."""
    try:
        with transaction() as tx:
            waybill = subjects.lock(tx, "order", account, name).waybill
            cancelling.ask(tx, waybill, CancelReason.INVENTORY, "customer service", "nobody makes it any more")
    except Refused as refused:
        return refused.code != "unknown"
    return True
