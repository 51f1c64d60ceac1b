"""Orders as a list: the newest first, those that need a person, or those that any number names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.journal.reading.rows import Page, listed, paged

COLUMNS = """
SELECT s.id, s.waybill, s.number, s.account, s.external_id, s.state, s.customer, s.amount, s.currency, s.placed_at,
    s.updated_at, t.state AS trouble, t.sentence, t.owner, t.account AS trouble_at
"""
TROUBLE = """
LEFT JOIN LATERAL (
    SELECT state, sentence, owner, account FROM steps WHERE subject_id = s.id AND state IN ('dead', 'parked', 'unknown')
    ORDER BY state = 'dead' DESC, id LIMIT 1) t ON true
"""
NEWEST = f"{COLUMNS} FROM subjects s {TROUBLE}"
FILTERS = {
    "kind": "s.kind = :kind",
    "before": "s.id < :before",
    "account": "s.account = :account",
    "state": "s.state = :state",
    "lot": "s.id IN (SELECT subject_id FROM links WHERE lower(theirs) = lower(:lot) AND kind = 'lot')",
}
# Trouble is rare and indexed by its state, so the list starts from the steps, never from all orders.
TROUBLED = """
FROM (
    SELECT DISTINCT subject_id FROM steps WHERE state IN ('dead', 'parked') AND subject_id < :before
    ORDER BY subject_id DESC LIMIT :most) x
JOIN subjects s ON s.id = x.subject_id
"""
ATTENTION = f"{COLUMNS} {TROUBLED} {TROUBLE} WHERE s.kind = 'order'"
BY_ID = text(
    f"{COLUMNS} FROM subjects s {TROUBLE} WHERE s.kind = 'order' AND s.id = ANY(:ids) ORDER BY s.id DESC LIMIT 51"
)

# Every place that holds a number a person may have at hand; each is an index look-up of at most a page.
PLACES: tuple[tuple[str, str], ...] = (
    ("waybill number", "SELECT id FROM subjects WHERE waybill = upper(:word)"),
    (
        "order number",
        "SELECT id FROM subjects WHERE lower(number) = lower(:word) OR lower(number) = '#' || lower(:word)",
    ),
    ("id in the channel", "SELECT id FROM subjects WHERE external_id = ANY(:forms)"),
    ("invoice number", "SELECT subject_id FROM links WHERE lower(theirs) = lower(:word) AND kind = 'invoice'"),
    ("receipt number", "SELECT subject_id FROM links WHERE lower(theirs) = lower(:word) AND kind = 'receipt'"),
    (
        "lot",
        "SELECT subject_id FROM links WHERE lower(theirs) = lower(:word) AND kind = 'lot' ORDER BY subject_id DESC",
    ),
    (
        "id at a connected system",
        "SELECT subject_id FROM links WHERE lower(theirs) = ANY(:lower) OR lower(theirs) = lower(:word)",
    ),
    (
        "delivery",
        """SELECT e.subject_id FROM deliveries d JOIN events e ON e.id = d.event_id
        WHERE d.account = ANY(:accounts) AND d.delivery_id = :word""",
    ),
    ("SKU held for open orders", "SELECT subject_id FROM reservations WHERE sku = :word AND state = 'open'"),
    (
        "beginning of an order number",
        "SELECT id FROM subjects WHERE lower(number) LIKE lower(:like) OR lower(number) LIKE '#' || lower(:like)",
    ),
    ("beginning of an id", "SELECT subject_id FROM links WHERE lower(theirs) LIKE lower(:like)"),
)
PERSONAL: tuple[tuple[str, str], ...] = (
    ("e-mail address", "SELECT id FROM subjects WHERE email <> '' AND lower(email) LIKE lower(:like)"),
)


@dataclass(frozen=True, slots=True)
class OrderRow:
    id: int
    waybill: str
    number: str
    account: str
    external_id: str
    state: str
    customer: str
    amount: Decimal | None
    currency: str
    placed_at: datetime | None
    updated_at: datetime
    trouble: str | None
    sentence: str | None
    owner: str | None
    trouble_at: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and in which place: "order number", "SKU held for open orders" ..."""

    place: str
    page: Page[OrderRow]


def newest(tx: Connection, given: Mapping[str, Any]) -> Page[OrderRow]:
    """The newest orders, narrowed by account, by state, or by a lot that left with them."""
    return paged(tx, OrderRow, NEWEST, FILTERS, {**given, "kind": "order"}, "s.id DESC")


def needing(tx: Connection, before: int | None) -> Page[OrderRow]:
    """Orders with a step that is dead or parked."""
    statement = text(f"{ATTENTION} ORDER BY s.id DESC")
    rows = listed(tx, OrderRow, statement, before=before or 2**62, most=51)
    return Page(rows[:50], str(rows[49].id) if len(rows) > 50 else None)


def search(tx: Connection, word: str, accounts: list[str], personal: bool) -> Found:
    """The orders that a number names, from the first place that knows it; by e-mail too if `personal`."""
    word = word.strip().replace("\x00", "")[:200]
    values = {
        "word": word,
        "like": word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%",
        "forms": _forms(word),
        "lower": [form.lower() for form in _forms(word)],
        "accounts": accounts,
    }
    places = (PERSONAL if personal else ()) if "@" in word else PLACES
    for place, select in places if word else ():
        limited = text(f"SELECT DISTINCT id FROM ({select} LIMIT 200) x(id) WHERE id IS NOT NULL")  # noqa: S608
        ids = list(tx.execute(limited, values).scalars())
        rows = listed(tx, OrderRow, BY_ID, ids=ids) if ids else ()
        if rows:
            return Found(place, Page(rows[:50]))
    return Found("", Page(()))


def _forms(word: str) -> list[str]:
    """How systems write one number: 1234, #1234, gid://shopify/Order/1234."""
    bare = word.removeprefix("#").rsplit("/", 1)[-1]
    return list(dict.fromkeys((word, bare, f"gid://shopify/Order/{bare}")))
