"""Subjects: what deliveries are about, each with its waybill number, its last canonical state and the accounts that serve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from connectors.canonical.codec import decode, encode
from connectors.canonical.snapshot import Document

COLUMNS = "id, kind, account, external_id, waybill, state, version, content, document_id, pending, roles"
# Its waybill number is made of its id.
MAKE = text(f"""
INSERT INTO subjects (id, kind, account, external_id, waybill) OVERRIDING SYSTEM VALUE
SELECT id, :kind, :account, :external_id, 'WB' || lpad(id::text, greatest(8, length(id::text)), '0') FROM nextval('subjects_id_seq') AS id
ON CONFLICT (kind, account, external_id) DO NOTHING RETURNING {COLUMNS}
""")  # noqa: S608 - constants only
# The document is read by a statement of its own: one that waited for the lock still sees the documents of before it waited.
KNOWN = f"SELECT {COLUMNS} FROM subjects s "  # noqa: S608 - constants only
BODY = text("SELECT body FROM documents WHERE id = :id")
LOCK = text(KNOWN + "WHERE s.kind = :kind AND s.account = :account AND s.external_id = :external_id FOR UPDATE OF s")
LOCK_ID = text(KNOWN + "WHERE s.id = :id FOR UPDATE OF s")
LOCK_WAYBILL = text(KNOWN + "WHERE s.waybill = :waybill FOR UPDATE OF s")
LOCK_LINKED = text(
    KNOWN  # noqa: S608 - constants only
    + "WHERE s.id = (SELECT subject_id FROM links WHERE account = :account AND kind = ANY(:kinds) AND theirs = :theirs LIMIT 1) FOR UPDATE OF s"
)
LOCK_NUMBERED = text(
    KNOWN + "WHERE s.kind = 'order' AND lower(s.number) = lower(:number) ORDER BY s.id LIMIT 2 FOR UPDATE OF s"
)
KEEP = text("INSERT INTO documents (subject_id, body) VALUES (:id, :body) RETURNING id")
SAVE = text("""
WITH kept AS (INSERT INTO documents (subject_id, body) VALUES (:id, :body) RETURNING id)
UPDATE subjects SET document_id = kept.id, version = greatest(version, :version), content = :content, state = :state, roles = :roles,
    number = :number, customer = :customer, email = :email, phone = :phone, amount = :amount, currency = :currency,
    placed_at = :placed_at, pending = '[]', updated_at = now()
FROM kept WHERE subjects.id = :id RETURNING document_id
""")
NOTE = text("""
UPDATE subjects SET document_id = :document, version = :version, content = :content, number = :number, updated_at = now() WHERE id = :id
""")
PEND = text("UPDATE subjects SET pending = pending || :fragment, updated_at = now() WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Subject:
    """A locked row: nobody else changes this subject until the transaction ends."""

    id: int
    kind: str
    account: str
    external_id: str
    waybill: str
    state: str
    version: str
    content: str
    document_id: int | None
    pending: Sequence[Mapping[str, Any]]
    roles: Mapping[str, Any]
    document: Document | None


def lock(tx: Connection, kind: str, account: str, external_id: str) -> Subject:
    """The subject, made when it is new, locked until the transaction ends."""
    names = {"kind": kind, "account": account, "external_id": external_id}
    made = tx.execute(MAKE, names).mappings().first()
    if made is not None:
        return _subject(tx, made)
    return _subject(tx, tx.execute(LOCK, names).mappings().one())


def lock_id(tx: Connection, subject: int) -> Subject:
    """A subject that is known to be there."""
    return _subject(tx, tx.execute(LOCK_ID, {"id": subject}).mappings().one())


def lock_waybill(tx: Connection, waybill: str) -> Subject | None:
    row = tx.execute(LOCK_WAYBILL, {"waybill": waybill}).mappings().first()
    return None if row is None else _subject(tx, row)


def lock_referenced(tx: Connection, account: str, external_id: str, reference: str) -> Subject | None:
    """The order that another system's child belongs to: by our reference (waybill), else by that system's id for the order."""
    if reference:
        row = tx.execute(LOCK_WAYBILL, {"waybill": reference.split("-", maxsplit=1)[0]}).mappings().first()
        if row is not None:
            return _subject(tx, row)
    row = (
        tx.execute(LOCK_LINKED, {"account": account, "kinds": ["order", "request"], "theirs": external_id})
        .mappings()
        .first()
    )
    return _subject(tx, row) if row is not None else None


def lock_clue(tx: Connection, account: str, clue: str) -> Subject | None:
    """The one order that a word from `account` names: our waybill or what begins with it, what it calls the order, the number of a parcel that left
    there, or the order's own number where no other order has it."""
    waybill = tx.execute(LOCK_WAYBILL, {"waybill": clue.upper().split("-", maxsplit=1)[0]}).mappings().first()
    kinds = ["order", "request", "tracking"]
    row = waybill or tx.execute(LOCK_LINKED, {"account": account, "kinds": kinds, "theirs": clue}).mappings().first()
    if row is None:
        numbered = tx.execute(LOCK_NUMBERED, {"number": clue}).mappings().all() if clue else []
        row = numbered[0] if len(numbered) == 1 else None
    return _subject(tx, row) if row is not None else None


def _subject(tx: Connection, row: Any) -> Subject:
    kept = {key: row[key] for key in Subject.__slots__ if key != "document"}
    body = tx.execute(BODY, {"id": row["document_id"]}).scalar() if row["document_id"] else None
    return Subject(**kept, document=decode(body) if body else None)


def keep(tx: Connection, subject: Subject, document: Document) -> int:
    """Stores a canonical state; the row is never changed afterwards."""
    return int(tx.execute(KEEP, {"id": subject.id, "body": Jsonb(encode(document))}).scalar_one())


def save(tx: Connection, subject: Subject, document: Document, **columns: Any) -> int:
    """Stores a canonical state as the subject's last known one, with what people search it by; the stored document's id."""
    values = {"id": subject.id, "body": Jsonb(encode(document)), **columns, "roles": Jsonb(columns["roles"])}
    return int(tx.execute(SAVE, values).scalar_one())


def pend(tx: Connection, subject: Subject, fragment: Mapping[str, Any]) -> None:
    """Keeps a child that was told before its order, until the order is known."""
    tx.execute(PEND, {"id": subject.id, "fragment": Jsonb([fragment])})


def note(tx: Connection, subject: Subject, document: int, version: str, content: str, number: str) -> None:
    """The last known state of a subject that is no order."""
    tx.execute(NOTE, {"id": subject.id, "document": document, "version": version, "content": content, "number": number})
