"""Mending: what the hub proposes for a difference that a proof has found, and does at a person's word; the next proof that agrees closes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.bell import Ring
from app.journal import actions

ONE = text("""
SELECT d.id, d.kind, d.account, d.about, d.subject_id, d.ours, d.theirs, coalesce(b.waybill, '') AS waybill
FROM proof_differences d LEFT JOIN subjects b ON b.id = d.subject_id WHERE d.id = :id AND d.closed_at IS NULL FOR UPDATE OF d
""")
STEP = text("""
SELECT s.id, s.result FROM steps s JOIN subjects b ON b.id = s.subject_id
WHERE s.subject_id = :subject AND s.account = :account AND s.name = :name AND s.role = 'erp' AND s.state = 'done' AND s.result <> ''
    AND :about IN (s.result, b.external_id) ORDER BY s.id DESC LIMIT 1
""")
# The step that is done once more, by kind of difference. What is doubled, stray or changed there is a person's to decide.
STEPS: Mapping[str, str] = {"missing_at_erp": "book_order", "shipment_missing_at_erp": "record_shipment"}
WORDS: Mapping[str, str] = {"book_order": "book the order once more", "record_shipment": "book the shipment once more"}
NONE = "a person decides who is right"


@dataclass(frozen=True, slots=True)
class Mend:
    """What mending would do, or did: in words, and what there is before and after it."""

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

    The step is done again under a new key: whoever says so has seen that the record is gone there, not only late in its list.
    """
    row = tx.execute(ONE, {"id": difference}).first()
    if row is None:
        return None
    name = STEPS.get(row.kind, "")
    asked = {"subject": row.subject_id, "account": row.account, "name": name, "about": row.about}
    step = tx.execute(STEP, asked).first() if name else None
    what = f"{row.waybill or row.about} at {row.account}: {WORDS[name] if step else NONE}"
    if step is None:
        return Mend(what, row.theirs, row.theirs, possible=False)
    after = f"step {step.id} is done again under a new key, and the record takes the place of {step.result}"
    if dry:
        return Mend(what, row.theirs, after, possible=True)
    rings = actions.retry(tx, [step.id], who, why, again=True)
    actions.audit(tx, who, "mend difference", f"difference:{row.id}", why, {"theirs": row.theirs}, {"done": after})
    return Mend(what, row.theirs, after, possible=True, done=True, rings=tuple(rings))
