"""What follows once a return was received, one transaction for each."""

from __future__ import annotations

from app.bell import ring
from app.database import transaction
from app.journal import subjects
from app.journal.nourish import feed_accounts
from app.orders import return_requests
from app.orders.return_requests import ReturnRow
from connectors.canonical.order import Order
from tasks.feeds.each import each
from tasks.reading import came_back, laying


def run() -> str:
    with transaction() as tx:
        waiting = return_requests.pending(tx)
    each(waiting, _follow)
    return f"{len(waiting)} returns followed"


def _follow(known: ReturnRow) -> None:
    with transaction() as tx:
        subject = subjects.lock_id(tx, known.subject_id)
        row = next(one for one in return_requests.of(tx, subject.id) if one.id == known.id)
        if not row.pending or not isinstance(subject.document, Order):
            return
        cause = laying.Cause(None, None, 0, subject.account)
        rings = feed_accounts(tx, came_back.follow(tx, cause, subject, subject.document, row))
    ring(rings)
