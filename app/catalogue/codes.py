"""Codes: cross references of the catalogue; one that is missing parks a step, its arrival resumes it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, text

from app.accounts import entries
from app.bell import Ring
from app.database import at_once
from app.journal import facts
from connectors.kit.errors import Missing

THEIRS = text("SELECT theirs FROM codes WHERE account = :account AND kind = :kind AND ours = :code")
OURS = text("SELECT ours FROM codes WHERE account = :account AND kind = :kind AND theirs = :code LIMIT 1")
ADD = text("""
INSERT INTO codes (account, kind, ours, theirs, by) VALUES (:account, :kind, :ours, :theirs, :by)
ON CONFLICT (account, kind, ours) DO UPDATE SET theirs = excluded.theirs, by = excluded.by, at = now()
""")
EXISTS = text("SELECT 1 FROM codes WHERE account = :account AND kind = :kind AND ours = :ours")
REMEMBERED = 10.0
_near: dict[tuple[str, str, str, str], tuple[str, float]] = {}


@dataclass(frozen=True, slots=True)
class AccountCodes:
    """The codes of one account. Where its policy for a kind is "same" (the default), a code that is not listed is our own."""

    account: str

    def theirs(self, kind: str, ours: str) -> str:
        return self._found(THEIRS, kind, ours)

    def ours(self, kind: str, theirs: str) -> str:
        return self._found(OURS, kind, theirs)

    def _found(self, statement: TextClause, kind: str, code: str) -> str:
        """A code that was found, or is our own, is remembered for some seconds; one that is missing is asked for each time."""
        key = (statement.text, self.account, kind, code)
        near = _near.get(key)
        if near is not None and time.monotonic() < near[1]:
            return near[0]
        with at_once() as tx:
            found = tx.execute(statement, {"account": self.account, "kind": kind, "code": code}).scalar()
        theirs = str(found) if found is not None else self._same(kind, code)
        _near[key] = (theirs, time.monotonic() + REMEMBERED)
        return theirs

    def _same(self, kind: str, code: str) -> str:
        if entries.entry(self.account).codes.get(kind, "same") == "same":
            return code
        raise Missing(
            f"{_words(kind)} {code} is not mapped for {self.account}.",
            code=f"missing_{kind}",
            kind=kind,
            value=code,
            account=self.account,
            remedy=f"Add what {self.account} calls it; the orders that wait go on by themselves.",
        )


def _words(kind: str) -> str:
    return {"sku": "SKU"}.get(kind, kind.replace("_", " ").capitalize())


def fact(account: str, kind: str, ours: str) -> str:
    """The name of a fact that steps may wait for."""
    return f"{account}:{kind}:{ours}"


def read(tx: Connection, account: str, kind: str, theirs: str) -> str:
    """What an account calls by its own word, in ours; its own word where nobody has mapped it."""
    return str(tx.execute(OURS, {"account": account, "kind": kind, "code": theirs}).scalar() or theirs)


def exists(tx: Connection, account: str, kind: str, ours: str) -> bool:
    return tx.execute(EXISTS, {"account": account, "kind": kind, "ours": ours}).scalar() is not None


def add(tx: Connection, account: str, kind: str, ours: str, theirs: str, by: str) -> list[Ring]:
    """Adds or changes a code and resumes what waited for it, under the fact's lock; ring the answer after the commit."""
    facts.lock(tx, fact(account, kind, ours))
    tx.execute(ADD, {"account": account, "kind": kind, "ours": ours, "theirs": theirs, "by": by})
    facts.lock(tx, fact(account, kind, theirs))
    return facts.arrived(tx, fact(account, kind, ours)) + facts.arrived(tx, fact(account, kind, theirs))
