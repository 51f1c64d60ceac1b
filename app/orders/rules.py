"""Rule sets: kept as they were read under a version, activated and rolled back by people, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from app.journal.actions import audit
from app.orders.difference import fingerprint
from app.orders.sourcing_rules import Rules, read, read_new

KEEP = text("""
INSERT INTO rule_sets (name, version, content, fingerprint, kept_by)
SELECT :name, coalesce(max(version), 0) + 1, :content, :fingerprint, :who FROM rule_sets WHERE name = :name
ON CONFLICT (name, fingerprint) DO NOTHING RETURNING id
""")
SAME = text("SELECT id FROM rule_sets WHERE name = :name AND fingerprint = :fingerprint")
LOCK = text("SELECT pg_advisory_xact_lock(7703, 0)")
ACTIVATE = text("INSERT INTO rule_activations (rule_set_id, by, reason) VALUES (:id, :who, :reason)")
COLUMNS = "s.id, s.name, s.version, s.content, s.kept_by, s.kept_at"
IN_FORCE = text(f"""
SELECT {COLUMNS} FROM rule_activations a JOIN rule_sets s ON s.id = a.rule_set_id ORDER BY a.id DESC LIMIT 1
""")  # noqa: S608 - constants only
ONE = text(f"SELECT {COLUMNS} FROM rule_sets s WHERE s.id = :id")  # noqa: S608 - constants only
ALL = text(f"SELECT {COLUMNS} FROM rule_sets s ORDER BY s.id DESC LIMIT 100")  # noqa: S608 - constants only
ACTIVATIONS = text("""
SELECT s.name, s.version, a.by, a.reason, a.at FROM rule_activations a JOIN rule_sets s ON s.id = a.rule_set_id ORDER BY a.id DESC LIMIT 50
""")


@dataclass(frozen=True, slots=True)
class RuleSet:
    id: int
    name: str
    version: int
    content: str
    kept_by: str
    kept_at: datetime

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def rules(self) -> Rules:
        return read(self.content)


@dataclass(frozen=True, slots=True)
class Activation:
    name: str
    version: int
    by: str
    reason: str
    at: datetime


def keep(tx: Connection, content: str, who: str) -> int:
    """Keeps a rule set under its next version; the same content again is the version that it has. Raises Unusable."""
    rules = read_new(content)
    tx.execute(LOCK)
    row = {"name": rules.name, "fingerprint": fingerprint(content)}
    made = tx.execute(KEEP, {**row, "content": content, "who": who}).scalar()
    if made is None:
        return int(tx.execute(SAME, row).scalar_one())
    audit(tx, who, "keep sourcing rules", f"rules:{made}", "")
    return int(made)


def activate(tx: Connection, rule_set: int, who: str, reason: str) -> RuleSet | None:
    """Puts a kept rule set in force, an older one too (a roll-back); None when there is none of that id."""
    tx.execute(LOCK)
    chosen, before = one(tx, rule_set), in_force(tx)
    if chosen is None:
        return None
    tx.execute(ACTIVATE, {"id": rule_set, "who": who, "reason": reason})
    was = {"rules": before.label if before else ""}
    audit(tx, who, "activate sourcing rules", f"rules:{rule_set}", reason, was, {"rules": chosen.label})
    return chosen


def in_force(tx: Connection) -> RuleSet | None:
    """The rule set that new orders are sourced by; None where nobody has activated one: the route's warehouse gets whole orders."""
    row = tx.execute(IN_FORCE).first()
    return RuleSet(*row) if row is not None else None


def one(tx: Connection, rule_set: int) -> RuleSet | None:
    row = tx.execute(ONE, {"id": rule_set}).first()
    return RuleSet(*row) if row is not None else None


def all_(tx: Connection) -> Sequence[RuleSet]:
    return [RuleSet(*row) for row in tx.execute(ALL)]


def activations(tx: Connection) -> Sequence[Activation]:
    return [Activation(*row) for row in tx.execute(ACTIVATIONS)]
