"""What people do to steps and events; who and why are kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app import cases
from app.bell import Ring
from app.journal.nourish import feed_accounts
from app.journal.steps import close_run, open_what_waited

ORIGIN: ContextVar[str] = ContextVar("origin", default="")  # where who acts now is: an address, or a terminal
AUDIT = text("""
INSERT INTO audit (who, address, action, object, reason, before, after) VALUES (:who, :address, :action, :object, :reason, :before, :after)
""")
RETRY = text("""
UPDATE steps SET state = CASE WHEN doubtful THEN 'unknown' ELSE 'ready' END, armed = true, due_at = now(), tries = 0, losses = 0, rung_at = NULL,
    updated_at = now()
WHERE id = ANY(:ids) AND state IN ('dead', 'parked', 'ready', 'unknown') AND fact NOT LIKE '@hold:%' RETURNING id, account
""")
FORCE = text("""
WITH chosen AS (SELECT id, state AS before FROM steps WHERE id = ANY(:ids) AND state IN ('dead', 'done') FOR UPDATE),
cleared AS (DELETE FROM calls USING chosen WHERE calls.step_id = chosen.id)
UPDATE steps SET state = 'ready', armed = true, due_at = now(), tries = 0, losses = 0, rung_at = NULL, doubtful = false, job = NULL, ended_at = NULL,
    key = left(key, 40) || '-' || :suffix, updated_at = now()
FROM chosen WHERE steps.id = chosen.id RETURNING steps.id, account, run_id, chosen.before
""")
REOPEN = text("UPDATE runs SET open_steps = open_steps + 1, state = 'open', ended_at = NULL WHERE id = :run")
CANCEL = text("""
UPDATE steps SET state = 'cancelled', armed = false, ended_at = now(), sentence = :why, updated_at = now()
WHERE id = ANY(:ids) AND state IN ('waiting', 'ready', 'parked', 'dead') RETURNING id, run_id
""")
REPLAY = text("""
UPDATE events SET state = 'accepted', reason = '', code = '', ended_at = NULL, rung_at = now()
WHERE id = :id AND state IN ('quarantined', 'ignored', 'superseded') RETURNING id
""")


def audit(
    tx: Connection,
    who: str,
    action: str,
    about: str,
    reason: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    address: str = "",
) -> None:
    """Keeps who did what to what, why and from where (`address`, else what the face said of who is asking)."""
    values = {"who": who, "address": address or ORIGIN.get(), "action": action, "object": about, "reason": reason}
    tx.execute(
        AUDIT,
        {
            **values,
            "before": Jsonb(before) if before is not None else None,
            "after": Jsonb(after) if after is not None else None,
        },
    )


def retry(tx: Connection, step_ids: Sequence[int], who: str, reason: str, *, again: bool = False) -> list[Ring]:
    """Failed, parked or waiting steps are tried now, under the same key. `again` repeats even what is done, under a new key."""
    rows = _force(tx, step_ids) if again else tx.execute(RETRY, {"ids": list(step_ids)}).all()
    for row in rows:
        audit(tx, who, "force step" if again else "retry step", f"step:{row.id}", reason)
    return feed_accounts(tx, {row.account for row in rows})


def _force(tx: Connection, step_ids: Sequence[int]) -> Sequence[Any]:
    """A new key makes it a new effect: even what is done is done once more."""
    rows = tx.execute(FORCE, {"ids": list(step_ids), "suffix": uuid.uuid4().hex[:8]}).all()
    for row in rows:
        if row.before == "done":
            tx.execute(REOPEN, {"run": row.run_id})
    return rows


def cancel_steps(tx: Connection, step_ids: Sequence[int], who: str, reason: str) -> list[Ring]:
    """Steps that have not begun are given up by a person; what waited for them goes on."""
    rows = tx.execute(CANCEL, {"ids": list(step_ids), "why": f"given up by {who}: {reason}"}).all()
    opened = open_what_waited(tx, [row.id for row in rows])  # steps before runs, as everywhere
    for row in rows:
        close_run(tx, row.run_id, 1, "given up by a person")
        cases.leave(tx, f"step:{row.id}", by=who)
        audit(tx, who, "cancel step", f"step:{row.id}", reason)
    return feed_accounts(tx, opened)


def replay(tx: Connection, event_id: int, who: str, reason: str) -> bool:
    """An event that led to nothing is received again; ring it after the commit. False when it has its effects already."""
    done = tx.execute(REPLAY, {"id": event_id}).scalar() is not None
    if done:
        cases.leave(tx, f"event:{event_id}", by=who)
        audit(tx, who, "replay event", f"event:{event_id}", reason)
    return done
