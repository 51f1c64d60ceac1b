"""Who looked at a person's data is kept, once an hour for each order."""

from __future__ import annotations

from sqlalchemy import Connection, text

from app.journal import actions
from app.journal.reading import timeline

LOOKED = text(
    """SELECT 1 FROM audit WHERE object = :object AND who = :who AND action = :action
    AND at > now() - interval '1 hour' LIMIT 1"""
)


def note(tx: Connection, who: str, waybill: str) -> None:
    """From where is what the face said of who is asking."""
    values = {"object": f"order:{waybill}", "who": who, "action": timeline.LOOK}
    if tx.execute(LOOKED, values).scalar() is None:
        actions.audit(tx, who, timeline.LOOK, f"order:{waybill}", "")
