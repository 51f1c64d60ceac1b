"""Identity: which customer an order belongs to, by the rule of its account; concurrent first orders make one."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import Connection, text

from app import cases
from app.journal.actions import audit
from config.reader import config
from connectors.canonical.order import Order

RULES = ("email", "external", "new")
KNOWN = text("SELECT customer_id FROM customer_orders WHERE subject_id = :subject")
# Whoever comes second waits for the first to commit, and then finds its row: one customer, however many first orders.
MAKE = text("""
INSERT INTO customers (rule, match_key) VALUES (:rule, :key) ON CONFLICT (match_key) WHERE match_key IS NOT NULL DO NOTHING RETURNING id
""")
FIND = text("""
WITH RECURSIVE way AS (
    SELECT id, merged_into FROM customers WHERE match_key = :key
    UNION ALL SELECT c.id, c.merged_into FROM customers c JOIN way ON c.id = way.merged_into)
SELECT id FROM way WHERE merged_into IS NULL
""")
# With all that the order calls its buyer.
BELONGS = text("""
WITH belongs AS (INSERT INTO customer_orders (subject_id, customer_id, rule) VALUES (:subject, :customer, :rule))
INSERT INTO customer_names (customer_id, kind, hash)
SELECT :customer, said.kind, said.hash FROM unnest(CAST(:kinds AS text[]), CAST(:hashes AS text[])) AS said(kind, hash) ON CONFLICT DO NOTHING
""")
OTHERS = text("""
SELECT min(n.kind) AS kind, n.customer_id FROM unnest(CAST(:kinds AS text[]), CAST(:hashes AS text[])) AS said(kind, hash)
JOIN customer_names n ON n.kind = said.kind AND n.hash = said.hash JOIN customers c ON c.id = n.customer_id
WHERE n.customer_id <> :customer AND c.merged_into IS NULL AND c.match_key IS NOT NULL
GROUP BY n.customer_id ORDER BY n.customer_id LIMIT 20
""")
LOCK = text("SELECT id FROM customers WHERE id = ANY(:ids) AND merged_into IS NULL ORDER BY id FOR UPDATE")
MERGE = text("UPDATE customers SET merged_into = :into WHERE id = :id")
MOVE_ORDERS = text("UPDATE customer_orders SET customer_id = :into WHERE customer_id = :id")
MOVE_NAMES = text("""
WITH gone AS (DELETE FROM customer_names WHERE customer_id = :id RETURNING kind, hash)
INSERT INTO customer_names (customer_id, kind, hash) SELECT :into, kind, hash FROM gone ON CONFLICT DO NOTHING
""")
OF_ORDER = text("""
SELECT o.customer_id, o.rule, (SELECT count(*) FROM (SELECT 1 FROM customer_orders x WHERE x.customer_id = o.customer_id LIMIT 1000) y) AS orders
FROM customer_orders o WHERE o.subject_id = :subject
""")
ORDERS = text("""
SELECT s.waybill, s.number, s.account, s.state, s.placed_at, s.amount, s.currency, o.rule FROM customer_orders o
JOIN subjects s ON s.id = o.subject_id WHERE o.customer_id = :customer ORDER BY s.id DESC LIMIT 200
""")
ALIKE = text("""
SELECT DISTINCT other.customer_id FROM customer_names mine
JOIN customer_names other ON other.kind = mine.kind AND other.hash = mine.hash AND other.customer_id <> mine.customer_id
JOIN customers c ON c.id = other.customer_id AND c.merged_into IS NULL AND c.match_key IS NOT NULL
WHERE mine.customer_id = :customer ORDER BY 1 LIMIT 20
""")


@dataclass(frozen=True, slots=True)
class Names:
    """What an order says of its buyer: a normalised e-mail address, and the account's own id of them (each may be empty)."""

    email: str
    external: str


@dataclass(frozen=True, slots=True)
class Known:
    """The customer of an order, by which rule, and how many orders they have (counted to 1,000)."""

    customer_id: int
    rule: str
    orders: int


def names(order: Order) -> Names:
    party = order.customer
    return Names(normal(order.email), party.id if party is not None else "")


def normal(email: str) -> str:
    """Case, spaces and compatibility forms do not count; what is before the @ is otherwise the mail server's business."""
    plain = unicodedata.normalize("NFKC", email).strip().casefold()
    return "".join(plain.split())


def rule_of(account: str) -> Mapping[str, str]:
    """The rule of an account (config/customers.toml), else the default."""
    policy = config().customers
    return {
        "rule": "email",
        "guests": "email",
        **policy.get("default", {}),
        **policy.get("accounts", {}).get(account, {}),
    }


def match(account: str, told: Names) -> tuple[str, str | None]:
    """(the rule that decides, the key that is the same for the same buyer); None makes a new customer."""
    policy = rule_of(account)
    rule = policy["rule"]
    if rule == "external":
        if told.external:
            return rule, f"external:{account}:{told.external}"
        rule = policy["guests"]
    if rule == "email" and told.email:
        return rule, f"email:{told.email}"
    return "new", None


def identify(tx: Connection, subject: int, account: str, order: Order) -> int:
    """The customer of an order, chosen once and kept. Called before anything else is locked but the subject."""
    known = tx.execute(KNOWN, {"subject": subject}).scalar()
    if known is not None:
        return int(known)
    told = names(order)
    rule, key = match(account, told)
    customer = _customer(tx, rule, None if key is None else _hash(key))
    said = {} if key is None else _said(account, told)
    bears = {"kinds": list(said), "hashes": list(said.values())}
    tx.execute(BELONGS, {"subject": subject, "customer": customer, "rule": rule, **bears})
    if said:
        _compare(tx, subject, customer, bears)
    return customer


def _said(account: str, told: Names) -> dict[str, str]:
    """Every name of theirs, by its kind, hashed."""
    said = {"email": told.email, "external": f"{account}:{told.external}" if told.external else ""}
    return {kind: _hash(name) for kind, name in said.items() if name}


def _customer(tx: Connection, rule: str, key: str | None) -> int:
    made = tx.execute(MAKE, {"rule": rule, "key": key}).scalar()
    return int(made if made is not None else tx.execute(FIND, {"key": key}).scalar_one())


def _compare(tx: Connection, subject: int, customer: int, said: Mapping[str, Sequence[str]]) -> None:
    """A name that another customer bears too may be one person: a case, which a merge ends."""
    for kind, other in tx.execute(OTHERS, {**said, "customer": customer}).all():
        _duplicate(tx, subject, min(customer, int(other)), max(customer, int(other)), kind)


def _duplicate(tx: Connection, subject: int, one: int, other: int, kind: str) -> None:
    words = {"email": "e-mail address", "external": "customer number"}[kind]
    cases.open_case(
        tx,
        "customer",
        "hub",
        "duplicate_customer",
        f"Customers {one} and {other} have the same {words}.",
        member=f"customers:{one}:{other}",
        subject=subject,
        role="channel",
        cause=f"{one}:{other}",
        remedy="Look at both (the order's page leads there) and merge them, or leave them apart.",
    )


def _hash(word: str) -> str:
    return blake2b(word.encode(), digest_size=16).hexdigest()


def merge(tx: Connection, keep: int, drop: int, who: str, why: str) -> bool:
    """Makes two customers one: all orders and names are the kept one's, and whoever matches the other finds it. False when one is gone."""
    ids = sorted((keep, drop))
    if keep == drop or len(tx.execute(LOCK, {"ids": ids}).all()) != 2:
        return False
    row = {"id": drop, "into": keep}
    for statement in (MERGE, MOVE_ORDERS, MOVE_NAMES):
        tx.execute(statement, row)
    audit(tx, who, "merge customers", f"customer:{keep}", why, before={"merged": drop})
    cases.leave(tx, f"customers:{ids[0]}:{ids[1]}", by=who)
    return True


def of_order(tx: Connection, subject: int) -> Known | None:
    row = tx.execute(OF_ORDER, {"subject": subject}).first()
    return Known(*row) if row is not None else None


@dataclass(frozen=True, slots=True)
class Card:
    """A customer's orders, the newest first, and the customers who may be the same person."""

    customer_id: int
    orders: Sequence[Mapping[str, object]]
    alike: Sequence[int]


def card(tx: Connection, customer: int) -> Card:
    orders = [dict(row._mapping) for row in tx.execute(ORDERS, {"customer": customer})]
    return Card(customer, orders, list(tx.execute(ALIKE, {"customer": customer}).scalars()))
