"""The states of an order's parts as they are kept: moved by the machines, or refused and put before a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, text

from app import cases
from app.database import plain
from app.orders.machines import MACHINES
from app.orders.standing import Part

KNOWN = text("SELECT machine, part, state FROM order_states WHERE subject_id = :subject FOR UPDATE")
MOVE = """
SELECT move_part(%(subject)s::bigint, %(machine)s, %(part)s, %(event)s, %(start)s, %(befores)s::text[], %(afters)s::text[], %(account)s)
"""
SET = text("""
INSERT INTO order_states (subject_id, machine, part, state, account, event_id)
VALUES (:subject, :machine, :part, :after, :account, :event)
ON CONFLICT (subject_id, machine, part) DO UPDATE SET state = excluded.state, since = now(), account = excluded.account,
    event_id = excluded.event_id
""")
MOVED = text("""
INSERT INTO order_moves (subject_id, machine, part, before, moves, after, account, event_id)
VALUES (:subject, :machine, :part, :before, :moves, :after, :account, :event)
""")
OPEN = text("SELECT DISTINCT member FROM case_members WHERE member = ANY(:members) AND closed_at IS NULL")
# What only the hub itself knows is ahead of what a channel's document says: it is not taken back by a document that says less.
AHEAD: Mapping[str, frozenset[str]] = {
    "order": frozenset(("booked", "released", "reconciled", "unsettled")),
    "line": frozenset(("allocated", "picked", "substituted")),
    "return": frozenset(("restocked", "quarantined", "scrapped", "exchanged", "refunded", "refunded_unseen")),
}
BEHIND: Mapping[str, frozenset[str]] = {
    "order": frozenset(("placed",)),
    "line": frozenset(("open",)),
    "return": frozenset(("requested", "authorised", "received")),
}


@dataclass(frozen=True, slots=True)
class Move:
    machine: str
    part: str
    before: str
    moves: tuple[str, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """What was told and what the machine knows no way to."""

    machine: str
    part: str
    before: str
    told: str


def plan(known: Mapping[Part, str], told: Mapping[Part, str]) -> tuple[list[Move], list[Impossible]]:
    """The moves from what is known to what is told; pure."""
    moves: list[Move] = []
    impossible: list[Impossible] = []
    for (machine, part), after in told.items():
        before = known.get((machine, part), MACHINES[machine].start)
        if (before == after and (machine, part) in known) or _ahead(machine, before, after):
            continue
        path = MACHINES[machine].path(before, after)
        if path is None:
            impossible.append(Impossible(machine, part, before, after))
        else:
            moves.append(Move(machine, part, before, path, after))
    return moves, impossible


def _ahead(machine: str, before: str, after: str) -> bool:
    if before in ("reconciled", "unsettled") and after in ("shipped", "delivered", "cancelled"):
        return True  # what was over is so still
    return before in AHEAD.get(machine, ()) and after in BEHIND.get(machine, ())


def follow(tx: Connection, subject: int, told: Mapping[Part, str], account: str, event: int | None) -> list[Move]:
    """Moves each part to what is told. A move that the machine does not know is not made: it becomes a case, which ends when it can be made."""
    before = known(tx, subject)
    moves, impossible = plan(before, told)
    keep(tx, subject, moves, account, event)
    refused = {_member(subject, one.machine, one.part) for one in impossible}
    for member in _open_members(tx, subject, before) - refused:
        cases.leave(tx, member)
    for one in impossible:
        _open(tx, subject, one, account)
    return moves


def known(tx: Connection, subject: int) -> dict[Part, str]:
    """The kept states, locked."""
    return {(row[0], row[1]): row[2] for row in tx.execute(KNOWN, {"subject": subject})}


def _open_members(tx: Connection, subject: int, parts: Iterable[Part]) -> set[str]:
    """The cases of this order's parts that are open."""
    names = [_member(subject, machine, part) for machine, part in parts]
    return set(tx.execute(OPEN, {"members": names}).scalars()) if names else set()


def keep(tx: Connection, subject: int, moves: Iterable[Move], account: str, event: int | None) -> None:
    rows = [
        {
            "subject": subject,
            "machine": move.machine,
            "part": move.part,
            "before": move.before,
            "moves": list(move.moves),
            "after": move.after,
            "account": account,
            "event": event,
        }
        for move in moves
    ]
    if rows:
        tx.execute(SET, rows)
        tx.execute(MOVED, rows)


def advance(tx: Connection, subject: int, machine: str, part: str, event: str, account: str) -> bool:
    """One event of the hub's own; False when the machine does not know it in the present state (then nothing changes)."""
    values = {"subject": subject, "machine": machine, "part": part, "account": account, **leads(machine, event)}
    answered = plain(tx).execute(MOVE, values).fetchone()
    return bool(answered and answered[0])


@cache
def leads(machine: str, event: str) -> Mapping[str, Any]:
    """Where an event leads, as move_part (migrations/sql/0020_going_on.sql) is told it: from each state before to the state after."""
    ways = {before: after for (before, named), after in MACHINES[machine].table.items() if named == event}
    return {"event": event, "start": MACHINES[machine].start, "befores": list(ways), "afters": list(ways.values())}


def _member(subject: int, machine: str, part: str) -> str:
    return f"state:{subject}:{machine}:{part}"


def _open(tx: Connection, subject: int, one: Impossible, account: str) -> None:
    words = f"{account} says that the {one.machine} is {one.told.replace('_', ' ')}, which cannot follow {one.before.replace('_', ' ')}."
    cases.open_case(
        tx,
        "impossible",
        account,
        "impossible_move",
        words,
        member=_member(subject, one.machine, one.part),
        subject=subject,
        step=one.machine,
        role="channel",
        cause=f"{one.before}>{one.told}",
        remedy="Compare both systems; mend the one that is wrong. The case ends by itself when they agree.",
    )
