"""What admin and API do to subscriptions alike: the address is looked at, everything is audited, a replay goes out under the same id."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from app import cases
from app.accounts import entries, listeners
from app.accounts.listeners import Listener
from app.bell import Ring
from app.journal import actions
from app.journal.reading import told
from connectors.kit import outward


def subscribe(tx: Connection, account: str, url: str, events: Collection[str], by: str) -> tuple[Listener, str]:
    """The subscription and its secret, shown once. Raises listeners.Wrong."""
    private = tuple(entries.entry(account).settings.get("private_hosts", ()))
    made = listeners.make(tx, account, url, events, by, outward.refusal(url, private))
    after = {"url": made[0].shown, "events": sorted(events)}
    actions.audit(tx, by, "subscribe webhook", f"webhook:{made[0].id}", "", after=after)
    return made


def rotate(tx: Connection, name: str, by: str, why: str) -> str:
    actions.audit(
        tx, by, "replace webhook secret", f"webhook:{name}", why, after={"overlap_seconds": listeners.OVERLAP}
    )
    return listeners.rotate(tx, name)


def withdraw(tx: Connection, found: Listener, by: str, why: str) -> None:
    before = {"url": found.shown, "events": list(found.events)}
    actions.audit(tx, by, "withdraw webhook", f"webhook:{found.id}", why, before=before)
    listeners.withdraw(tx, found.id)
    cases.leave(tx, listeners.member(found.id), by=by)


def switch(tx: Connection, found: Listener, active: bool, by: str, why: str) -> None:
    actions.audit(tx, by, "switch webhook", f"webhook:{found.id}", why, {"active": found.active}, {"active": active})
    listeners.switch(tx, found.id, active)


def replay(
    tx: Connection, found: Listener, since: datetime, by: str, why: str, *, only_failed: bool
) -> tuple[int, list[Ring]]:
    """Sends again what a listener was told since then: what it has is recognised by its webhook-id. Answers how many, and what to ring."""
    again = told.repeatable(tx, found.account, found.id, since, only_failed=only_failed)
    rings = actions.retry(tx, again, by, why, again=True) if again else []
    return len(again), rings
