"""Publishing: accounts with stock to be told get one run that tells the newest values of many SKUs in one call."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.bell import Ring, ring
from app.database import transaction
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.journal.runs import NewRun, NewStep
from app.stock import dirty
from tasks.flows.book import FLOWS

OPEN = text("SELECT 1 FROM runs WHERE subject_id = :subject AND flow = 'stock_published' AND state = 'open' LIMIT 1")
NEXT = text("SELECT nextval('event_ids')")


def run() -> str:
    """One run for each account that has something to be told and is not being told already."""
    rings: list[Ring] = []
    with transaction() as tx:
        waiting = dirty.pending(tx)
        for account in sorted(waiting):
            rings += _start(tx, account)
    ring(rings)
    return f"{sum(waiting.values())} SKUs to tell to {len(waiting)} accounts"


def _start(tx: Connection, account: str) -> list[Ring]:
    subject = subjects.lock(tx, "publication", account, "stock")
    if tx.execute(OPEN, {"subject": subject.id}).scalar() is not None:
        return []
    number = str(tx.execute(NEXT).scalar_one())
    key = f"{subject.waybill.lower()}-stock-{number}"
    flow = FLOWS["stock_published"]
    step = NewStep("publish_stock", "publish", account, "outer", key, ordered=False)
    runs.lay(tx, NewRun(subject.id, None, None, flow.name, flow.version, number, None, account, 1, (step,)))
    return feed_accounts(tx, {account})
