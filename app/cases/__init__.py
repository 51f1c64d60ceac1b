"""Cases: what a person must look at, one for each cause, with an owner and a clock."""

from __future__ import annotations

from hashlib import blake2b

from sqlalchemy import Connection, text

from config.reader import config

OPEN = text("""
INSERT INTO cases AS c (fingerprint, kind, account, step, code, sentence, remedy, owner)
VALUES (:fingerprint, :kind, :account, :step, :code, :sentence, :remedy, :owner)
ON CONFLICT (fingerprint) WHERE status <> 'resolved' DO UPDATE SET last_at = now(), sentence = excluded.sentence
RETURNING id
""")
JOIN = text("""
INSERT INTO case_members (case_id, member, subject_id) VALUES (:case, :member, :subject)
ON CONFLICT (case_id, member) DO UPDATE SET closed_at = NULL, at = now()
""")
LEAVE = text("UPDATE case_members SET closed_at = now() WHERE member = :member AND closed_at IS NULL RETURNING case_id")
MEMBERS = text("""
SELECT m.member FROM cases c JOIN case_members m ON m.case_id = c.id
WHERE c.fingerprint = :fingerprint AND c.status <> 'resolved' AND m.closed_at IS NULL
""")
LOCK = text("SELECT 1 FROM cases WHERE id = :case FOR UPDATE")
CLOSE = text("""
UPDATE cases SET status = 'resolved', closed_at = now(), closed_by = :by
WHERE id = :case AND status <> 'resolved' AND NOT EXISTS (SELECT 1 FROM case_members WHERE case_id = :case AND closed_at IS NULL)
""")


def owner_of(code: str, role: str) -> str:
    """Who looks at it (config/owners.toml): by code, by role, else the default."""
    owners = config().owners
    found = owners.get("codes", {}).get(code) or owners.get("roles", {}).get(role) or owners.get("default")
    return named(str(found or "integration desk"))


def named(owner: str) -> str:
    """What somebody is called in this house."""
    return str(config().owners.get("names", {}).get(owner, owner))


def open_case(
    tx: Connection,
    kind: str,
    account: str,
    code: str,
    sentence: str,
    *,
    member: str,
    subject: int | None = None,
    step: str = "",
    role: str = "",
    remedy: str = "",
    owner: str = "",
    cause: str = "",
) -> int:
    """Puts a member under its cause (same kind, account, step, code and `cause`), opening the case when it is the first."""
    values = {
        "fingerprint": _fingerprint(kind, account, step, code, cause),
        "kind": kind,
        "account": account,
        "step": step,
        "code": code,
        "sentence": sentence,
        "remedy": remedy,
        "owner": named(owner) if owner else owner_of(code, role),
    }
    case = int(tx.execute(OPEN, values).scalar_one())
    tx.execute(JOIN, {"case": case, "member": member, "subject": subject})
    return case


def _fingerprint(kind: str, account: str, step: str, code: str, cause: str) -> str:
    return blake2b("|".join((kind, account, step, code, cause)).encode(), digest_size=12).hexdigest()


def settle(tx: Connection, kind: str, account: str, code: str, cause: str, by: str = "auto") -> None:
    """The trouble with one cause is over for all of its members."""
    for member in tx.execute(MEMBERS, {"fingerprint": _fingerprint(kind, account, "", code, cause)}).scalars().all():
        leave(tx, member, by)


def leave(tx: Connection, member: str, by: str = "auto") -> None:
    """The member's trouble is over; a case with no member left closes itself.

    Locked first, by a statement of its own: whoever leaves or joins meanwhile is seen.
    """
    for case in sorted(tx.execute(LEAVE, {"member": member}).scalars()):
        tx.execute(LOCK, {"case": case})
        tx.execute(CLOSE, {"case": case, "by": by})
