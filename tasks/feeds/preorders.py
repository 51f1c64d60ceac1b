"""Preorders: limits follow what is declared; what is released goes on by itself, the oldest order first."""

from __future__ import annotations

from sqlalchemy import text

from app.bell import Ring, ring
from app.database import transaction
from app.journal import subjects
from app.journal.nourish import feed_accounts
from app.orders import fulfilments, planning, preordering
from app.stock import preorders
from connectors.canonical.order import Order
from tasks.feeds.each import each
from tasks.reading import beginning

NOW = text("SELECT now()")
MOST = 500


def run() -> str:
    """One transaction for each SKU, claim and order, so that none waits for many."""
    with transaction() as tx:
        known = preorders.skus(tx)
    each(known, _settle)
    with transaction() as tx:
        preordering.follow_dates(tx)
        due, held = preordering.due_now(tx, MOST), preordering.held(tx, MOST)
    return f"{len(known)} preorders, {each(due, _go_on) + each(held, _free)} orders went on"


def _settle(sku: str) -> None:
    with transaction() as tx:
        preorders.settle(tx, sku)
        claims = preorders.to_move(tx, sku)
    for claim in claims:
        with transaction() as tx:
            preorders.move(tx, claim, sku)


def _go_on(subject: int) -> bool:
    """What is not there on its day is a backorder from then on, with its case."""
    with transaction() as tx:
        known = subjects.lock_id(tx, subject)
        preordering.passed(tx, subject, tx.execute(NOW).scalar_one())
        if not isinstance(known.document, Order) or known.document.cancelled_at is not None:
            return False
        numbers = planning.resume(tx, known.id, known.waybill, known.document, quiet=False)
        rings = fulfilments.to_follow(tx, numbers)
    ring(rings)
    return bool(numbers)


def _free(subject: int) -> bool:
    with transaction() as tx:
        known = subjects.lock_id(tx, subject)
        accounts = preordering.free(tx, subject, known.document) if isinstance(known.document, Order) else None
        rings: list[Ring] = [] if accounts is None else [*feed_accounts(tx, accounts), *beginning.free(tx, subject)]
    ring(rings)
    return accounts is not None
