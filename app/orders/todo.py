"""What waits at locations that are told by our own API: each request with all that a store needs to decide, and to know its customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text

from app.orders import pickups
from app.orders.fulfilments import COLUMNS, OPEN, Fulfilment
from app.orders.machines import FULFILMENT
from app.orders.wants import PICKUP
from connectors.canonical.codec import decode
from connectors.canonical.order import Order

AT = text(f"""
SELECT {COLUMNS} FROM fulfilments
WHERE account = '' AND state IN ('proposed', 'requested', 'accepted', 'picked', 'packed', 'ready', 'no_show')
    AND (:anywhere OR location = ANY(:locations)) AND state = ANY(:states)
    AND id > coalesce((SELECT id FROM fulfilments WHERE number = :after), 0) ORDER BY id LIMIT :most
""")  # noqa: S608 - constants only
NUMBERED = text(f"SELECT {COLUMNS} FROM fulfilments WHERE number = :number")  # noqa: S608 - constants only
DUE = text(
    "SELECT part, kind, due_at FROM deadlines WHERE subject_id = ANY(:subjects) AND part = ANY(:parts) AND state = 'open'"
)
DOCUMENTS = text("""
SELECT s.id, d.body FROM subjects s JOIN documents d ON d.id = s.document_id WHERE s.id = ANY(:subjects)
""")
HOW = "Ask for the six-digit code that the customer was sent; without it nothing is handed over."
# What may be said of a request, as the API's addresses name it: the machine's event, and whether it concerns a pickup, a parcel, or both.
SAYINGS: Mapping[str, tuple[str, str]] = {
    "acceptances": ("accept", ""),
    "acknowledgements": ("acknowledge", ""),
    "rejections": ("reject", ""),
    "picks": ("pick", ""),
    "packs": ("pack", ""),
    "substitutions": ("substitute", ""),
    "preparations": ("ready", "pickup"),
    "collections": ("collect", "pickup"),
    "refusals": ("refuse", "pickup"),
    "no-shows": ("no_show", "pickup"),
    "extensions": ("extend", "pickup"),
    "put-backs": ("put_back", "pickup"),
    "shipments": ("ship", "ship"),
}
SUBSTITUTED = frozenset(("requested", "accepted", "picked"))


@dataclass(frozen=True, slots=True)
class ToDo:
    """`not_yet` is why nothing may be handed over (empty: it may), `verify` how to know the customer, `person` who comes in his place.

    `may` are the sayings that are possible in this state.
    """

    fulfilment: Fulfilment
    order: Order | None
    not_yet: str
    verify: str
    person: str
    answer_by: datetime | None
    kept_until: datetime | None
    may: tuple[str, ...]

    def title(self, line_id: str) -> str:
        lines = self.order.lines if self.order is not None else ()
        return next((line.title for line in lines if line.id == line_id), "")


def waiting(
    tx: Connection, locations: Sequence[str], *, states: Sequence[str] = (), after: str = "", most: int = 50
) -> list[ToDo]:
    """What these locations ("*": all) have to do, the oldest first, from behind request `after` on; at most `most`."""
    wanted = {"locations": list(locations), "anywhere": "*" in locations, "states": list(states or OPEN)}
    return _told(tx, [Fulfilment(*row) for row in tx.execute(AT, {**wanted, "after": after, "most": most})])


def numbered(tx: Connection, number: str) -> ToDo | None:
    """A request by its number, whoever it was asked of; not locked."""
    row = tx.execute(NUMBERED, {"number": number}).first()
    return _told(tx, [Fulfilment(*row)])[0] if row is not None else None


def _told(tx: Connection, rows: Sequence[Fulfilment]) -> list[ToDo]:
    subjects = list({one.subject_id for one in rows})
    due = {
        (row.part, row.kind): row.due_at
        for row in tx.execute(DUE, {"subjects": subjects, "parts": [one.number for one in rows]})
    }
    orders = {row.id: _order(row.body) for row in tx.execute(DOCUMENTS, {"subjects": subjects})}
    barred = {subject: pickups.not_yet(tx, subject) for subject in subjects}
    return [
        ToDo(
            one,
            orders.get(one.subject_id),
            barred[one.subject_id] if one.open else "",
            HOW if one.method == PICKUP and one.open else "",
            _person(orders.get(one.subject_id)) if one.method == PICKUP else "",
            due.get((one.number, "answer")),
            due.get((one.number, "pickup")),
            may(one, barred[one.subject_id], due.get((one.number, "pickup"))),
        )
        for one in rows
    ]


HANDS_OVER = frozenset(("ready", "collect"))


def may(one: Fulfilment, not_yet: str, kept_until: datetime | None) -> tuple[str, ...]:
    """What its location may say of it now: nothing is handed over while it may not be, and nobody is late before the hour."""
    barred = HANDS_OVER if not_yet else frozenset()
    if kept_until is not None and kept_until > datetime.now(UTC):
        barred |= {"no_show"}
    return tuple(
        name for name, (event, method) in SAYINGS.items() if event not in barred and _possible(one, event, method)
    )


def _possible(one: Fulfilment, event: str, method: str) -> bool:
    if (method and one.method != method) or (one.account and event != "acknowledge"):
        return False
    if event == "acknowledge":
        return one.purchase and one.state == "requested"
    if event == "substitute":
        return one.state in SUBSTITUTED and not one.purchase
    event = "give_back" if event == "reject" and one.state == "accepted" else event
    return (one.state, event) in FULFILMENT.table or (event == "extend" and one.state == "ready")


def _order(body: Mapping[str, Any]) -> Order | None:
    found = decode(body)
    return found if isinstance(found, Order) else None


def _person(order: Order | None) -> str:
    """Who may fetch it, as the channel told it: else its buyer."""
    groups = order.deliveries if order is not None else ()
    return next((one.pickup_person for one in groups if one.pickup_person), "")
