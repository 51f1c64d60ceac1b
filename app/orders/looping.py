"""Looping: two systems that rewrite one order in turn are told so once, and the order waits until somebody looks or says something else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from app import cases
from app.journal import runs
from app.orders import holds
from app.orders.difference import Difference
from app.units import Seconds
from config.reader import config

CODE = "loop"
POLICY = {"hops": 3, "seconds": 3600, "deadline": 86400}  # where config/settings.toml says nothing else
REMEDY = (
    "Two systems write this order in turn. Find who changes it back (often the ERP's own connection to the shop) and switch that off, "
    "or mend the order in the channel: another change frees it. Or release the hold on its page: then the newest state is written once more."
)
SINCE = text("""
SELECT greatest(now() - make_interval(secs => :seconds), (SELECT max(released_at) FROM holds WHERE subject_id = :subject AND rule = :rule))
""")


def look(tx: Connection, subject: int, account: str, flow: str, difference: Difference) -> None:
    """Before an edit is started: holds the order where this very edit was written so often of late (`[loop]`), and frees it where it was not."""
    policy = {**POLICY, **config().settings.get("loop", {})}
    since: datetime = tx.execute(
        SINCE, {"subject": subject, "rule": holds.LOOP, "seconds": policy["seconds"]}
    ).scalar_one()
    earlier = runs.written(tx, subject, flow, difference.key, since)
    mine = [hold.id for hold in holds.of(tx, subject) if hold.open and hold.rule == holds.LOOP]
    if earlier < int(policy["hops"]) - 1:
        for hold in mine:
            holds.release(tx, hold, by=holds.RULE, note="another change was told")
    elif not mine:
        _trip(tx, subject, account, earlier + 1, policy["deadline"], difference)


def _trip(tx: Connection, subject: int, account: str, hop: int, deadline: Seconds, difference: Difference) -> None:
    what = ", ".join(sorted(difference.facets))
    note = f"the same change of {what} is told for the {_th(hop)} time in a short while"
    owner = cases.owner_of(CODE, "channel")
    made = holds.place(tx, subject, "manual", owner=owner, seconds=deadline, by=holds.RULE, note=note, rule=holds.LOOP)
    cases.open_case(
        tx,
        CODE,
        account,
        CODE,
        f"An order goes to and fro: {note}. Nothing is written any more.",
        member=f"hold:{made}",
        subject=subject,
        owner=owner,
        remedy=REMEDY,
        cause=str(subject),
    )


def _th(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def caught(tx: Connection, subject: int) -> str:
    """Why an edit is kept back, in words; empty where it is not."""
    for hold in holds.of(tx, subject):
        if hold.open and hold.rule == holds.LOOP:
            return f"kept back, for {hold.note}"
    return ""
