"""What an account is doing now: paused, breaker, retry budget. One row, shared by all workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from app.database import plain

ENSURE = text("INSERT INTO account_state (account) VALUES (:account) ON CONFLICT DO NOTHING")
FAILED = text("""
INSERT INTO account_state AS a (account, failures, last_trouble, last_trouble_at) VALUES (:account, 1, :trouble, now())
ON CONFLICT (account) DO UPDATE SET failures = a.failures + 1, successes = 0, last_trouble = :trouble, last_trouble_at = now(),
    breaker = CASE WHEN a.breaker = 'half' OR a.failures + 1 >= :threshold THEN 'open' ELSE a.breaker END,
    trips = a.trips + CASE WHEN a.breaker = 'half' OR (a.breaker = 'closed' AND a.failures + 1 >= :threshold) THEN 1 ELSE 0 END,
    opened_at = CASE WHEN a.breaker = 'closed' AND a.failures + 1 >= :threshold THEN now() ELSE a.opened_at END,
    retry_at = CASE WHEN a.breaker = 'half' OR a.failures + 1 >= :threshold
        THEN greatest(coalesce(CASE WHEN a.breaker = 'open' THEN a.retry_at END, '-infinity'),
            now() + make_interval(secs => least(:most, :pause * power(2, least(a.trips, 10))))) ELSE a.retry_at END
RETURNING breaker
""")
WELL = """
UPDATE account_state SET failures = 0, successes = successes + 1, budget = least(%(full)s, budget + %(refill)s),
    breaker = CASE WHEN breaker <> 'closed' AND successes + 1 >= %(probes)s THEN 'closed' ELSE breaker END,
    trips = CASE WHEN breaker <> 'closed' AND successes + 1 >= %(probes)s THEN 0 ELSE trips END,
    retry_at = CASE WHEN breaker <> 'closed' THEN now() ELSE retry_at END
WHERE account = %(account)s AND (failures > 0 OR breaker <> 'closed' OR budget < %(full)s)
"""
PROBE = text("""
UPDATE account_state SET breaker = 'half', retry_at = now() + make_interval(secs => :patience)
WHERE account = :account AND breaker <> 'closed' AND NOT paused AND retry_at <= now()
""")
SPEND = text("UPDATE account_state SET budget = budget - 1 WHERE account = :account AND budget >= 1")
PAUSE = text("""
INSERT INTO account_state AS a (account, paused, why, by, since) VALUES (:account, true, :why, :by, now())
ON CONFLICT (account) DO UPDATE SET paused = true, why = :why, by = :by, since = now() WHERE NOT a.paused
RETURNING account
""")


def failed(tx: Connection, account: str, trouble: str, policy: Mapping[str, Any]) -> str:
    """A call that found the system ill: the breaker counts it. Answers the breaker's state."""
    values = {
        "account": account,
        "trouble": trouble[:300],
        "threshold": policy["failures"],
        "pause": policy["pause"],
        "most": policy["most"],
    }
    return str(tx.execute(FAILED, values).scalar_one())


def well(tx: Connection, account: str, policy: Mapping[str, Any], retry: Mapping[str, Any]) -> None:
    """A call that found the system well: closes the breaker after some probes, refills the retry budget."""
    plain(tx).execute(
        WELL, {"account": account, "probes": policy["probes"], "full": retry["budget"], "refill": retry["refill"]}
    )


def may_probe(tx: Connection, account: str, patience: float) -> bool:
    """Whether this step is the one probe that an open breaker allows now."""
    return tx.execute(PROBE, {"account": account, "patience": patience}).rowcount == 1


def spend_retry(tx: Connection, account: str) -> bool:
    """Takes one retry from the account's budget; False when it is spent: then retries wait their longest."""
    tx.execute(ENSURE, {"account": account})
    return tx.execute(SPEND, {"account": account}).rowcount == 1


def pause(tx: Connection, account: str, why: str, by: str) -> bool:
    """Stops all action at an account; its steps keep waiting. False when it was paused already."""
    return tx.execute(PAUSE, {"account": account, "why": why, "by": by}).scalar() is not None
