"""Links: what each account calls our orders, shipments and refunds."""

from __future__ import annotations

from sqlalchemy import Connection, text

LINK = text("""
INSERT INTO links (account, kind, ours, theirs, subject_id) VALUES (:account, :kind, :ours, :theirs, :subject)
ON CONFLICT (account, kind, ours) DO UPDATE SET theirs = excluded.theirs, at = now() WHERE links.theirs <> excluded.theirs
""")
THEIRS = text(
    "SELECT theirs FROM links WHERE subject_id = :subject AND account = :account AND kind = :kind ORDER BY at DESC LIMIT 1"
)
OF_SUBJECT = text("SELECT account, kind, ours, theirs FROM links WHERE subject_id = :subject")


def link(tx: Connection, account: str, kind: str, ours: str, theirs: str, subject: int) -> None:
    """Notes what an account calls something of ours."""
    tx.execute(LINK, {"account": account, "kind": kind, "ours": ours, "theirs": theirs, "subject": subject})


def of_subject(tx: Connection, subject: int) -> list[tuple[str, str, str, str]]:
    """(account, kind, ours, theirs) of everything linked to a subject."""
    return [(row[0], row[1], row[2], row[3]) for row in tx.execute(OF_SUBJECT, {"subject": subject})]


def theirs(tx: Connection, subject: int, account: str, kind: str) -> str:
    """What an account calls the newest thing of this kind of a subject; empty where it knows none."""
    return str(tx.execute(THEIRS, {"subject": subject, "account": account, "kind": kind}).scalar() or "")
