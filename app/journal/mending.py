"""Mending: what the hub proposes for a difference that a proof has found, and does at a person's word; the next proof that agrees closes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.bell import Ring
from app.journal import actions

# Whoever comes second waits for the first, and sees the step that it has set going.
ONE = text("""
SELECT d.id, d.kind, d.account, d.about, d.subject_id, d.ours, d.theirs, d.first_at, d.last_at, coalesce(b.waybill, '') AS waybill,
    coalesce(b.state, '') AS state
FROM proof_differences d LEFT JOIN subjects b ON b.id = d.subject_id WHERE d.id = :id AND d.closed_at IS NULL FOR UPDATE OF d
""")
STEP = text("""
SELECT s.id, s.result, s.state, coalesce(s.ended_at >= :last, true) AS since
FROM steps s JOIN subjects b ON b.id = s.subject_id
WHERE s.subject_id = :subject AND s.account = :account AND s.name = :name AND s.role = 'erp' AND s.result <> ''
    AND :about IN (s.result, b.external_id) ORDER BY s.id DESC LIMIT 1
""")
# The booking is done again as it was first made, and under a shipment there has to be one.
CHANGED = text("""
SELECT name FROM steps WHERE subject_id = :subject AND account = :account AND state NOT IN ('skipped', 'cancelled')
    AND (name = 'cancel_booking' OR (name = 'amend_order' AND :name = 'book_order')) ORDER BY name DESC LIMIT 1
""")
UNBOOKED = text("""
SELECT 1 FROM proof_differences WHERE subject_id = :subject AND account = :account AND kind = 'missing_at_erp' AND closed_at IS NULL
""")
# The step that is done once more, by kind of difference. What is doubled, stray or changed there is a person's to decide.
STEPS: Mapping[str, str] = {"missing_at_erp": "book_order", "shipment_missing_at_erp": "record_shipment"}
WORDS: Mapping[str, str] = {"book_order": "book the order once more", "record_shipment": "book the shipment once more"}
NONE = "a person decides who is right"
CANCELLED = "the order was cancelled since: nothing is to be booked there"
AMENDED = "the order was changed since it was booked, and would be booked as it first was: book it there by hand, as its page has it now"
FIRST = "book the order once more first, then this shipment"
UNDER_WAY = "it is being done again, or was since the last proof: wait for the next one"
ONCE = "only one proof has missed it, and the list there may have been late: wait for the next one"


@dataclass(frozen=True, slots=True)
class Mend:
    """What mending would do, or did: in words, and what there is before and after it. Where it is not possible, `after` says why."""

    sentence: str
    before: str
    after: str
    possible: bool
    done: bool = False
    rings: tuple[Ring, ...] = ()


def proposal(kind: str) -> str:
    """In a few words, what is proposed for a kind of difference."""
    return WORDS.get(STEPS.get(kind, ""), NONE)


def mend(tx: Connection, difference: int, who: str, why: str, *, dry: bool = True) -> Mend | None:
    """What mends a difference, done unless `dry` and kept with who and why; None when it is closed. Ring what it answers after the commit.

    The step is done again under a new key, so an ERP that knows only keys would make a second record: it is done once between two
    proofs, for what two of them have missed, and never for what was changed or cancelled since.
    """
    row = tx.execute(ONE, {"id": difference}).first()
    if row is None:
        return None
    name = STEPS.get(row.kind, "")
    asked = {"subject": row.subject_id, "account": row.account, "name": name, "about": row.about, "last": row.last_at}
    step = tx.execute(STEP, asked).first() if name else None
    what = f"{row.waybill or row.about} at {row.account}: {WORDS.get(name, NONE)}"
    if not name:
        return Mend(what, row.theirs, row.theirs, possible=False)
    if step is None:  # a shipment is known by its record, and has another by now
        return Mend(what, row.theirs, UNDER_WAY, possible=False)
    if against := _against(tx, row, step, asked):
        return Mend(what, row.theirs, against, possible=False)
    after = f"step {step.id} is done again under a new key, and the record takes the place of {step.result}"
    if dry:
        return Mend(what, row.theirs, after, possible=True)
    rings = actions.retry(tx, [step.id], who, why, again=True)
    actions.audit(tx, who, "mend difference", f"difference:{row.id}", why, {"theirs": row.theirs}, {"done": after})
    return Mend(what, row.theirs, after, possible=True, done=True, rings=tuple(rings))


def _against(tx: Connection, row: Any, step: Any, asked: Mapping[str, Any]) -> str:
    """What stands in the way of doing the step again; empty where nothing does."""
    changed = tx.execute(CHANGED, asked).scalar()
    if changed == "cancel_booking" or row.state == "cancelled":
        return CANCELLED
    if changed:
        return AMENDED
    if asked["name"] == "record_shipment" and tx.execute(UNBOOKED, asked).first():
        return FIRST
    if step.state != "done" or step.since:
        return UNDER_WAY
    return ONCE if row.first_at == row.last_at else ""
