"""Draining: how long it takes until what waits at an account is done, at the pace that it goes now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.accounts import entries

MOST = 100_000  # steps of an account that are counted
LATELY = 30  # seconds whose conclusions tell the pace ...
ENOUGH = 5  # ... where there were so many; else the account's own limits do
MEASURE = text("""
SELECT w.steps, u.events, p.done, c.calls, s.share,
    EXISTS (SELECT 1 FROM account_state WHERE account = :account AND (paused OR breaker <> 'closed')) AS stands
FROM (SELECT count(*) AS steps FROM (SELECT 1 FROM steps WHERE account = :account
        AND state = ANY('{waiting,ready,running,submitted,unknown}') LIMIT :most) x) w,
    (SELECT count(*) AS events FROM (SELECT 1 FROM events WHERE state = 'accepted' LIMIT :most) x) u,
    (SELECT count(*) AS done FROM attempts WHERE account = :account AND at > now() - make_interval(secs => :lately)
        AND outcome IN ('done', 'found')) p,
    (SELECT avg(calls) AS calls FROM (SELECT calls FROM attempts WHERE account = :account AND at > now() - interval '1 day'
        ORDER BY at DESC LIMIT 200) x) c,
    (SELECT count(s.id)::numeric / greatest(count(DISTINCT e.id), 1) AS share
        FROM (SELECT id FROM events WHERE state <> 'accepted' AND at > now() - interval '1 day' ORDER BY id DESC LIMIT 200) e
        LEFT JOIN runs r ON r.event_id = e.id
        LEFT JOIN steps s ON s.run_id = r.id AND s.account = :account AND s.sentence = '') s
""")


@dataclass(frozen=True, slots=True)
class Drain:
    """`waiting` steps (of deliveries that are not read yet: as many as those read lately made), `pace` of them a second, `seconds` until
    the last is done. None: it stands still, or nothing is known of its pace."""

    account: str
    waiting: float
    pace: float | None
    seconds: float | None


def drain(tx: Connection, account: str) -> Drain:
    """One account's. Paused or failing it stands still."""
    row = tx.execute(MEASURE, {"account": account, "most": MOST, "lately": LATELY}).one()
    waiting = row.steps + row.events * float(row.share or 0)
    pace = None if row.stands else _pace(row.done, entries.allowed(account, tx), float(row.calls or 1))
    return Drain(account, waiting, pace, waiting / pace if pace else (0.0 if not waiting else None))


def _pace(done: int, allowed: float | None, calls: float) -> float | None:
    """Steps a second: as lately, else as the limits on all calls allow."""
    if done >= ENOUGH:
        return done / LATELY
    return allowed / max(calls, 1.0) if allowed is not None else None


def last(tx: Connection, accounts: Sequence[str]) -> float | None:
    """Seconds until the last of these accounts has drained; None where one of them stands still with work to do."""
    found = [drain(tx, account).seconds for account in accounts]
    known = [seconds for seconds in found if seconds is not None]
    return max(known, default=0.0) if len(known) == len(found) else None
