"""Drift: our stock is held against warehouse, ERP and each channel, some SKUs at a time; what differs becomes a case."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import text

from app.accounts import entries
from app.database import transaction
from app.stock import authority, dirty, drift, positions
from config.reader import config
from connectors.canonical.stock import StockLevel
from connectors.kit.errors import Missing, Trouble
from tasks.engine.connecting import connect, connection

log = structlog.get_logger("drift")

# Those that differed last time, and on from where the last run ended, round and round.
DIFFERED = text(
    "SELECT sku FROM drifts WHERE kind = :kind AND account = :account AND closed_at IS NULL ORDER BY last_at LIMIT :most"
)
NEXT = text("""
SELECT DISTINCT sku FROM shelves WHERE account <> '' AND sku > coalesce((SELECT sku FROM drift_reach WHERE account = :account), '')
ORDER BY sku LIMIT :most
""")
REACHED = text("""
INSERT INTO drift_reach (account, sku) VALUES (:account, :sku) ON CONFLICT (account) DO UPDATE SET sku = excluded.sku
""")
AWAY = text("SELECT 1 FROM account_state WHERE account = :account AND (paused OR breaker <> 'closed')")


def run() -> str:
    """One look at everybody who has stock of ours, and at our own sums; answers what was found."""
    for source in authority.sources():
        with transaction() as tx:
            positions.catch_up(tx, source)
    with transaction() as tx:
        inside = {
            "shelves do not add up": drift.check_ledger(tx),
            "SKUs are short": drift.check_short(tx),
            "SKUs are told too late": drift.check_late(tx, dirty.publishers()),
        }
    found = [f"{n} {words}" for words, n in inside.items() if n]
    return "; ".join([*found, *filter(None, (look(name) for name in config().accounts))]) or "all agree"


def look(account: str) -> str:
    """Compares some SKUs with one account; whoever is away is not asked."""
    kind = kind_of(account)
    if not kind or "StockKeeper" not in entries.manifest(account).offers:
        return ""
    with transaction() as tx:
        if tx.execute(AWAY, {"account": account}).scalar() is not None:
            return f"{account}: away"
        most = int(config().availability.get("drift", {}).get("most", 500))
        row = {"kind": kind, "account": account, "most": most}
        following = list(tx.execute(NEXT, row).scalars())
        skus = sorted({*following, *tx.execute(DIFFERED, row).scalars()})
    try:
        asked, levels = _asked(account, skus)
    except Trouble as trouble:
        log.warning("drift", account=account, code=trouble.code, sentence=trouble.sentence)
        return f"{account}: {trouble.sentence}"
    with transaction() as tx:
        wrong = drift.compare(tx, kind, account, asked, levels)
        tx.execute(REACHED, {"account": account, "sku": following[-1] if len(following) >= most else ""})
    return f"{account}: {len(wrong)} of {len(asked)} differ" if wrong else ""


def kind_of(account: str) -> str:
    """As whom it is asked; '' for those who have no stock of ours."""
    if account in authority.sources():
        return "warehouse"
    if account in dirty.publishers():
        return "channel"
    return "erp" if "erp" in authority.roles(account) else ""


def _asked(account: str, skus: Sequence[str]) -> tuple[list[str], list[StockLevel]]:
    """Those of the SKUs that the account has a code for, and its levels of them."""
    wired = connection(account)
    known = [sku for sku in skus if has_code(wired.codes, sku)]
    return known, list(connect(wired).stock(known)) if known else []


def has_code(codes: object, sku: str) -> bool:
    """Whether an account has a name for the SKU."""
    try:
        codes.theirs("sku", sku)  # type: ignore[attr-defined]
    except Missing:
        return False
    return True
