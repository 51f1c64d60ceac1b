"""A held subject's steps that have not begun are set aside, and taken up again as they were when it is free."""

from __future__ import annotations

from sqlalchemy import Connection, text

SET_ASIDE = text("""
UPDATE steps SET state = 'parked', armed = false, rung_at = NULL, fact = :fact, code = 'held', sentence = :sentence, remedy = :remedy,
    owner = :owner, updated_at = now()
WHERE id IN (SELECT id FROM steps WHERE subject_id = :subject AND flow = ANY(:flows) AND kind <> 'undo'
    AND state IN ('waiting', 'ready') AND NOT doubtful AND job IS NULL ORDER BY id FOR UPDATE)
""")
TAKE_UP = text("""
UPDATE steps SET state = CASE WHEN pending <= 0 THEN 'ready' ELSE 'waiting' END, armed = (pending <= 0 AND due_at <= now()), rung_at = NULL,
    fact = '', code = '', sentence = '', remedy = '', owner = '', updated_at = now()
WHERE id IN (SELECT id FROM steps WHERE subject_id = :subject AND state = 'parked' AND fact = :fact ORDER BY id FOR UPDATE)
RETURNING account
""")


def fact(subject: int) -> str:
    """What a held subject's steps are parked on. Nothing but the release brings it: no sweep, retry or merge takes them up."""
    return f"@hold:{subject}"


def set_aside(
    tx: Connection, subject: int, flows: tuple[str, ...], *, sentence: str, remedy: str = "", owner: str = ""
) -> int:
    """Answers how many steps wait now; what is under way ends first."""
    told = {"sentence": sentence, "remedy": remedy, "owner": owner}
    return tx.execute(SET_ASIDE, {"subject": subject, "flows": list(flows), "fact": fact(subject), **told}).rowcount


def take_up(tx: Connection, subject: int) -> set[str]:
    """Answers the accounts that are to be fed."""
    return set(tx.execute(TAKE_UP, {"subject": subject, "fact": fact(subject)}).scalars())
