"""Lots that have run out are no longer offered, and somebody takes them off the shelf."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from app.database import transaction
from app.stock import lots


def run(now: datetime | None = None) -> str:
    """One transaction for each place."""
    until = lots.last_day(now or datetime.now(UTC))
    with transaction() as tx:
        places = lots.due(tx, until)
    gone = Decimal(0)
    for place in places:
        with transaction() as tx:
            gone += lots.write_off(tx, place, until)
    return f"{gone.normalize():f} pieces at {len(places)} places had run out"
