"""Tills' days that are over are booked: one order for each till and day, which goes the way of any order to the ERP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from app.bell import ring
from app.database import transaction
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.orders import day_sales, summing
from app.orders.day_sales import Day
from tasks.reading import apply, laying


def run(now: datetime | None = None) -> str:
    """One transaction for each."""
    with transaction() as tx:
        days = day_sales.over(tx, now or datetime.now(UTC))
    for day in days:
        _book(day)
    return f"{len(days)} tills' days booked"


def _book(day: Day) -> None:
    with transaction() as tx:
        name, sales = day_sales.take(tx, day)
        if not sales:
            return
        left = [(subject, *summing.left(order)) for subject, order in sales]
        for subject, order, _ in left:
            if not order.lines:
                day_sales.empty(tx, subject)
        kept = [one for one in left if one[1].lines]
        if not kept:
            return
        booking = summing.summary(name, [order for _, order, _ in kept])
        mine = subjects.lock(tx, "order", day.account, name)
        roles = subjects.lock_id(tx, sales[0][0]).roles
        cause = laying.Cause(None, None, 0, day.account)
        erp = {role: who for role, who in roles.items() if role == "erp"}
        apply.keep_placed(tx, cause, replace(mine, roles=erp), booking)
        for subject, _, voids in kept:
            day_sales.summed(tx, name, subject, voids)
        rings = feed_accounts(tx, runs.ready_accounts(tx, mine.id))
    ring(rings)
