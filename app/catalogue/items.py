"""Items as an account's own catalogue tells them: what it calls our SKUs, and which of them it sells no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from app import cases
from app.accounts import entries
from app.bell import Ring
from app.catalogue import codes
from connectors.canonical.product import Product

ACTIVE, BLOCKED, GONE = "active", "blocked", "gone"
NAMED = 5  # SKUs that a case's sentence names
KNOWN = text("SELECT id, sku, state, said, look FROM catalogue_items WHERE account = :account AND id = ANY(:ids)")
KEEP = text("""
INSERT INTO catalogue_items AS i (account, id, sku, code, title, barcode, unit, tax_code, state, said, why, told_at)
VALUES (:account, :id, :sku, :code, :title, :barcode, :unit, :tax_code, :state, :said, :why, :told_at)
ON CONFLICT (account, id) DO UPDATE SET sku = excluded.sku, code = excluded.code, title = excluded.title, barcode = excluded.barcode,
    unit = excluded.unit, tax_code = excluded.tax_code, state = excluded.state, said = excluded.said, why = excluded.why,
    told_at = excluded.told_at, changed_at = now()
WHERE (i.sku, i.code, i.title, i.barcode, i.unit, i.tax_code, i.state, i.said, i.why)
    IS DISTINCT FROM (excluded.sku, excluded.code, excluded.title, excluded.barcode, excluded.unit, excluded.tax_code, excluded.state,
        excluded.said, excluded.why)
""")
READ = text("UPDATE catalogue_items SET look = :look WHERE account = :account AND id = ANY(:ids)")
LISTED = text("SELECT count(*) FROM catalogue_items WHERE account = :account AND state <> 'gone'")
SEEN = text("SELECT count(*) FROM catalogue_items WHERE account = :account AND look = :look")
LOST = text("""
UPDATE catalogue_items SET state = 'gone', said = true, changed_at = now() WHERE account = :account AND look <> :look AND state <> 'gone'
RETURNING id, sku
""")
SAID = text("SELECT sku FROM catalogue_items WHERE account = :account AND state = :state AND said ORDER BY sku")
THEIRS = text("SELECT theirs FROM codes WHERE account = :account AND kind = 'sku' AND ours = :sku")
TAKEN = text("SELECT ours FROM codes WHERE account = :account AND kind = 'sku' AND theirs = :code LIMIT 1")
SENTENCES = {
    BLOCKED: ("item_blocked", "is blocked", "are blocked"),
    GONE: ("item_deleted", "is not listed any more", "are not listed any more"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """An item, and what its account calls it in orders and lists (the other side of the cross reference)."""

    product: Product
    code: str


@dataclass(frozen=True, slots=True)
class Taken:
    """`mapped` new cross references, `blocked` items that were sold before; ring `rings` after the commit."""

    rings: Sequence[Ring]
    mapped: int
    blocked: int


def unread(tx: Connection, account: str, look: int, told: Sequence[Told]) -> list[Told]:
    """Those that this look has not read whole yet: a killed worker's successor passes over what was."""
    ids = [one.product.id for one in told]
    done = {row.id for row in tx.execute(KNOWN, {"account": account, "ids": ids}) if row.look == look}
    return [one for one in told if one.product.id not in done]


def take(tx: Connection, account: str, told: Collection[Told]) -> Taken:
    """Keeps what the account says of its items, adds the cross references that are missing, and lets go on what waited for them.
    One that was sold and is blocked now is a case; one that comes back is none any more."""
    before = {row.id: row for row in tx.execute(KNOWN, {"account": account, "ids": [one.product.id for one in told]})}
    rings: list[Ring] = []
    mapped, blocked = 0, 0
    for one in sorted((_known(one, before) for one in told), key=lambda one: (one.product.sku, one.product.id)):
        item = one.product
        made, why = _cross_reference(tx, account, item.sku, one.code)
        rings += made or ()
        mapped += made is not None
        state = ACTIVE if item.active else BLOCKED
        ended = state == BLOCKED and item.id in before and before[item.id].state == ACTIVE and bool(item.sku)
        blocked += ended
        said = state != ACTIVE and (ended or bool(item.id in before and before[item.id].said))
        tx.execute(KEEP, _row(account, one, state, said, why))
        if ended or (said and before[item.id].state != state):
            cases.leave(tx, member(account, item.id))
            _case(tx, account, state, item.id)
        elif state == ACTIVE and item.id in before and before[item.id].said:
            cases.leave(tx, member(account, item.id))
    return Taken(rings, mapped, blocked)


def _known(one: Told, before: Mapping[str, Any]) -> Told:
    """What is deleted may be told without a name: it is the item that it was."""
    item = one.product
    if item.sku or item.active or item.id not in before:
        return one
    return replace(one, product=replace(item, sku=before[item.id].sku))


def _row(account: str, one: Told, state: str, said: bool, why: str) -> Mapping[str, Any]:
    item = one.product
    words = {name: getattr(item, name)[:300] for name in ("title", "barcode", "unit", "tax_code")}
    named = {"account": account, "id": item.id, "sku": item.sku, "code": one.code}
    return {**named, **words, "state": state, "said": said, "why": why, "told_at": item.updated_at}


def _cross_reference(tx: Connection, account: str, sku: str, code: str) -> tuple[list[Ring] | None, str]:
    """A new cross reference's rings, None where none is wanted; and why it cannot be had. What a person mapped stays as it is."""
    if not sku:
        return None, "It has no name, or the name is the SKU of another item here: map it."
    theirs = tx.execute(THEIRS, {"account": account, "sku": sku}).scalar()
    if theirs is not None:
        return None, "" if theirs == code else f"{sku} is mapped to {theirs}, not to {code}."
    if code == sku and entries.entry(account).codes.get("sku", "same") == "same":
        return None, ""
    ours = tx.execute(TAKEN, {"account": account, "code": code}).scalar()
    if ours is not None:
        return None, f"{code} is mapped to {ours}."
    return codes.add(tx, account, "sku", sku, code, "catalogue"), ""


def read(tx: Connection, account: str, look: int, told: Collection[Told]) -> None:
    """These are read whole, with their prices."""
    tx.execute(READ, {"account": account, "look": look, "ids": [one.product.id for one in told]})


def lose(tx: Connection, account: str, look: int, drop: float) -> tuple[int, str]:
    """After a look at everything: what was not listed is gone, unless far too much is. How many; or why nothing was taken away."""
    listed = tx.execute(LISTED, {"account": account}).scalar_one()
    seen = tx.execute(SEEN, {"account": account, "look": look}).scalar_one()
    if listed - seen > drop * listed:
        return 0, f"{account} lists {seen} items, it had {listed} before: nothing was taken away."
    gone = tx.execute(LOST, {"account": account, "look": look}).all()
    for row in gone:
        cases.leave(tx, member(account, row.id))
    for row in gone:
        _case(tx, account, GONE, row.id)
    return len(gone), ""


def _case(tx: Connection, account: str, state: str, item: str) -> None:
    code, one, many = SENTENCES[state]
    skus = tx.execute(SAID, {"account": account, "state": state}).scalars().all()
    named = ", ".join(skus[:NAMED]) + (" ..." if len(skus) > NAMED else "")
    sentence = f"{named} {one if len(skus) == 1 else many} in {account}: channels may still offer it."
    remedy = "Take it off the channels, or free it there again; its prices are told no more."
    cases.open_case(tx, "feed", account, code, sentence, member=member(account, item), role="catalogue", remedy=remedy)


def member(account: str, item: str) -> str:
    return f"item:{account}:{item}"
