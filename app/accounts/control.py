"""What people do to an account: pause, drain, resume, and change a limit for a while."""

from __future__ import annotations

from datetime import datetime

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app import cases
from app.accounts import state
from app.bell import Ring
from app.journal.actions import audit
from app.journal.nourish import feed_accounts

DRAIN = text(
    "UPDATE account_state SET drained_at = now(), why = :why, by = :by, since = now() WHERE account = :account"
)
RESUME = text("""
UPDATE account_state SET paused = false, drained_at = NULL, why = :why, by = :by, since = now(), breaker = 'closed', failures = 0, trips = 0
WHERE account = :account
""")
LIMIT = text("""
UPDATE account_state SET limits = limits || jsonb_build_object(CAST(:name AS text), CAST(:values AS jsonb)), limits_until = :until
WHERE account = :account
""")


def pause(tx: Connection, account: str, who: str, why: str) -> None:
    """Nothing more is begun at the account; what is under way ends. Steps keep waiting."""
    state.pause(tx, account, why, who)
    audit(tx, who, "pause account", f"account:{account}", why)


def drain(tx: Connection, account: str, who: str, why: str) -> None:
    """What waits now is still done; steps that come later wait until the account is resumed."""
    tx.execute(state.ENSURE, {"account": account})
    tx.execute(DRAIN, {"account": account, "who": who, "why": why, "by": who})
    audit(tx, who, "drain account", f"account:{account}", why)


def resume(tx: Connection, account: str, who: str, why: str) -> list[Ring]:
    """Acts again, with the breaker closed; ring the answer after the commit."""
    tx.execute(state.ENSURE, {"account": account})
    tx.execute(RESUME, {"account": account, "why": why, "by": who})
    cases.leave(tx, f"account:{account}", by=who)
    audit(tx, who, "resume account", f"account:{account}", why)
    return feed_accounts(tx, {account})


def set_limit(
    tx: Connection, account: str, name: str, rate: float, burst: float, until: datetime, who: str, why: str
) -> None:
    """A limit that holds until a date; all workers know it within two seconds."""
    tx.execute(state.ENSURE, {"account": account})
    tx.execute(
        LIMIT, {"account": account, "name": name, "values": Jsonb({"rate": rate, "burst": burst}), "until": until}
    )
    audit(
        tx,
        who,
        "set limit",
        f"account:{account}",
        why,
        after={"limit": name, "rate": rate, "burst": burst, "until": until.isoformat()},
    )
