"""Holds: why an order must not go on, placed by a rule or a person, released by a later word of the source or a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app import cases
from app.bell import HUB, Ring
from app.journal import holding
from app.journal.actions import audit
from app.journal.nourish import feed_accounts
from app.orders import deadlines, states
from app.units import Seconds
from config.reader import HoldRule, config

REASONS = ("payment", "fraud", "address", "stock", "manual")
MOVING = (
    "order_placed",
    "order_changed",
    "order_sourced",
    "order_purchased",
)  # the flows that move an order on; what has happened is always recorded
FREE = "waybill.free"  # the task that starts what waited
RULE = "rule"
PREORDER = "preorder"  # the rule of what waits for its release (app/orders/preordering.py), not of config/holds.toml
LOOP = "loop"  # the rule of what goes to and fro (app/orders/looping.py), nor this

PLACE = text("""
INSERT INTO holds (subject_id, reason, rule, note, owner, placed_by, deadline_at)
VALUES (:subject, :reason, :rule, :note, :owner, :by, now() + make_interval(secs => :seconds))
ON CONFLICT (subject_id, reason, rule) WHERE released_at IS NULL DO NOTHING RETURNING id
""")
RELEASE = text("""
UPDATE holds SET released_at = now(), released_by = :by, release_note = :note WHERE id = :id AND released_at IS NULL
RETURNING subject_id, reason
""")
COLUMNS = "id, subject_id, reason, rule, note, owner, placed_by, placed_at, deadline_at, released_at, released_by, release_note"
OF = text(f"SELECT {COLUMNS} FROM holds WHERE subject_id = :subject ORDER BY id")  # noqa: S608 - constants only
ONE = text(f"SELECT {COLUMNS} FROM holds WHERE id = :id")  # noqa: S608 - constants only
WAYBILL = text("SELECT waybill FROM subjects WHERE id = :subject FOR UPDATE")


@dataclass(frozen=True, slots=True)
class Hold:
    id: int
    subject_id: int
    reason: str
    rule: str
    note: str
    owner: str
    placed_by: str
    placed_at: datetime
    deadline_at: datetime
    released_at: datetime | None
    released_by: str
    release_note: str

    @property
    def open(self) -> bool:
        return self.released_at is None


def of(tx: Connection, subject: int) -> Sequence[Hold]:
    return [Hold(*row) for row in tx.execute(OF, {"subject": subject})]


def one(tx: Connection, hold: int) -> Hold | None:
    row = tx.execute(ONE, {"id": hold}).first()
    return Hold(*row) if row is not None else None


def place(
    tx: Connection, subject: int, reason: str, *, owner: str, seconds: Seconds, by: str, note: str = "", rule: str = ""
) -> int | None:
    """Holds an order; None when the same hold is open already. What has not begun is set aside."""
    row = {"subject": subject, "reason": reason, "rule": rule, "note": note, "owner": owner, "by": by}
    made = tx.execute(PLACE, {**row, "seconds": seconds}).scalar()
    if made is None:
        return None
    remedy = "Released by hand on the order's page." if not rule else "Released when its source says so, or by hand."
    sentence = f"The order is held: {reason}{f' ({note})' if note else ''}."
    holding.set_aside(tx, subject, MOVING, sentence=sentence, remedy=remedy, owner=owner)
    deadlines.set_(tx, subject, "hold", str(made), seconds)
    states.advance(tx, subject, "hold", "", "hold", by)
    return int(made)


def release(tx: Connection, hold: int, *, by: str, note: str) -> set[str] | None:
    """Releases one hold; None when it is released already. When it was the last, what was set aside goes on: the accounts to be fed."""
    row = tx.execute(RELEASE, {"id": hold, "by": by, "note": note}).first()
    if row is None:
        return None
    deadlines.met(tx, row.subject_id, "hold", str(hold))
    cases.leave(tx, f"hold:{hold}", by=by)
    if any(other.open for other in of(tx, row.subject_id)):
        return set()
    accounts = holding.take_up(tx, row.subject_id)
    states.advance(tx, row.subject_id, "hold", "", "release", by)
    return accounts


def held(tx: Connection, subject: int) -> bool:
    return any(hold.open for hold in of(tx, subject))


# ---- by a person


def place_by_hand(
    tx: Connection, waybill: str, subject: int, reason: str, *, owner: str, seconds: Seconds, who: str, note: str
) -> int | None:
    """A person holds an order, with a reason, an owner and a deadline. Raises ValueError for a reason that is none of REASONS."""
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is no reason to hold an order")
    tx.execute(WAYBILL, {"subject": subject})
    made = place(tx, subject, reason, owner=owner, seconds=seconds, by=who, note=note)
    if made is not None:
        told = {"hold": made, "reason": reason, "owner": owner, "seconds": seconds}
        audit(tx, who, "hold order", f"order:{waybill}", note, after=told)
    return made


def release_by_hand(tx: Connection, hold: int, who: str, why: str) -> list[Ring] | None:
    """None when there is no such open hold; ring the answer after the commit."""
    found = one(tx, hold)
    if found is None:
        return None
    waybill = tx.execute(WAYBILL, {"subject": found.subject_id}).scalar_one()
    accounts = release(tx, hold, by=who, note=why)
    if accounts is None:
        return None
    audit(tx, who, "release order", f"order:{waybill}", why, before={"hold": hold, "reason": found.reason})
    return [*feed_accounts(tx, accounts), Ring(FREE, HUB, found.subject_id)]


# ---- by rule


def review(tx: Connection, subject: int, facts: Mapping[str, Any]) -> bool:
    """Places what the rules say of an order with these facts, and releases what they say no longer. Answers whether it is held now.

    What a person has freed is not held again for the same word.
    """
    wanted = wanted_by(config().holds, facts)
    known = of(tx, subject)
    for hold in known:
        if hold.open and hold.rule and hold.rule not in {PREORDER, LOOP, *(rule.name for rule in wanted)}:
            release(tx, hold.id, by=RULE, note="the rule takes it no longer")
    freed = {(hold.rule, hold.note) for hold in known if not hold.open and hold.released_by != RULE}
    for rule in wanted:
        word = str(facts.get("address" if "address" in rule.when else "hold", ""))
        if (rule.name, word) not in freed:
            told: dict[str, Any] = {"owner": rule.owner, "seconds": rule.deadline, "note": word, "rule": rule.name}
            place(tx, subject, rule.reason, by=RULE, **told)
    return held(tx, subject) if known or wanted else False


def wanted_by(rules: Sequence[HoldRule], facts: Mapping[str, Any]) -> list[HoldRule]:
    """The first rule of each reason that takes these facts; the catch-all ("any") only where no other took the source's word."""
    taken: dict[str, HoldRule] = {}
    for rule in rules:
        exact = all(_matches(wanted, facts.get(key)) for key, wanted in rule.when.items())
        if exact and rule.reason not in taken and not (taken and rule.when.get("hold") == "any"):
            taken[rule.reason] = rule
    return list(taken.values())


def _matches(wanted: Any, said: Any) -> bool:
    word = said.lower() if isinstance(said, str) else said
    if wanted == "any":
        return bool(word)
    return word in wanted if isinstance(wanted, list) else word == wanted


def end_all(tx: Connection, subject: int, why: str) -> None:
    """A cancellation makes every hold pointless; nothing is taken up."""
    for hold in of(tx, subject):
        if hold.open:
            tx.execute(RELEASE, {"id": hold.id, "by": RULE, "note": why})
            deadlines.void(tx, subject, "hold", str(hold.id))
            cases.leave(tx, f"hold:{hold.id}")
            states.advance(tx, subject, "hold", "", "release", RULE)
