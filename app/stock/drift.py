"""Drift: where our stock and somebody else's do not agree, kept with both sides until the next look agrees."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, RowMapping, text

from app import cases
from app.stock import dirty, positions, rules, shelves
from app.stock.quantities import plain
from app.units import Seconds
from config.reader import config
from connectors.canonical.stock import StockLevel

NONE = Decimal(0)
SEEN = text("""
INSERT INTO drifts AS d (kind, account, sku, location, ours, theirs, evidence, repair)
VALUES (:kind, :account, :sku, :location, :ours, :theirs, :evidence, :repair)
ON CONFLICT (kind, account, sku, location) WHERE closed_at IS NULL DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs,
    evidence = excluded.evidence, repair = excluded.repair, seen = d.seen + 1, last_at = now()
RETURNING seen
""")
AGREED = text("""
UPDATE drifts SET closed_at = now() WHERE kind = :kind AND account = :account AND closed_at IS NULL
AND (CAST(:looked AS text[]) IS NULL OR sku = ANY(CAST(:looked AS text[]))) AND NOT (sku || chr(1) || location = ANY(:still)) RETURNING sku, location
""")
# What we believe: the owner's last word; and what a channel was told, unless it is being told something newer.
WORDS = text("""
SELECT p.sku, p.location, p.available AS quantity, p.version, p.told_at AS at FROM positions p
WHERE p.account = :account AND p.sku = ANY(:skus)
""")
TOLD = text("""
SELECT q.sku, q.location, q.quantity, '' AS version, q.at FROM published q
WHERE q.account = :account AND q.sku = ANY(:skus) AND q.location = ANY(:places)
AND NOT EXISTS (SELECT 1 FROM dirty d WHERE d.account = q.account AND d.sku = q.sku AND d.location = q.location)
""")
HELD = text("""
SELECT s.sku, '' AS location, sum(s.told) AS quantity, '' AS version, max(s.as_of) AS at FROM shelves s
WHERE s.sku = ANY(:skus) AND s.account <> '' GROUP BY s.sku
""")
WRONG = text("""
WITH c AS (SELECT sku, location, sum(quantity - shipped) AS open, coalesce(sum(quantity - shipped) FILTER (WHERE covered), 0) AS covered
    FROM reservations WHERE state = 'open' GROUP BY 1, 2)
SELECT sku, location, coalesce(s.reserved, 0) AS reserved, coalesce(c.open, 0) AS open FROM
    (SELECT * FROM shelves WHERE reserved <> 0 OR covered <> 0) s FULL JOIN c USING (sku, location)
WHERE coalesce(s.reserved, 0) <> coalesce(c.open, 0) OR coalesce(s.covered, 0) <> coalesce(c.covered, 0) LIMIT 500
""")
SHORT = text("""
SELECT s.sku, sum(s.free) AS free, sum(s.reserved) AS reserved, min(s.told) AS told FROM shelves s
WHERE s.sku IN (SELECT sku FROM shelves WHERE short > 0) GROUP BY s.sku
HAVING (sum(s.free) < 0 AND bool_or(s.account <> '')) OR min(s.told) FILTER (WHERE s.account <> '') < 0 LIMIT 500
""")
LATE = text("""
SELECT account, count(*) AS n, min(since) AS oldest FROM dirty WHERE refused = '' AND since < now() - make_interval(secs => :stale)
GROUP BY account
""")
RECOUNT = text("""
UPDATE shelves s SET reserved = c.open, covered = c.covered, short = greatest(0, c.open - c.covered - s.told + s.held_back)
FROM (SELECT coalesce(sum(quantity - shipped), 0) AS open, coalesce(sum(quantity - shipped) FILTER (WHERE covered), 0) AS covered
    FROM reservations WHERE sku = :sku AND location = :location AND state = 'open') c
WHERE s.sku = :sku AND s.location = :location
""")
ONE = text("SELECT * FROM drifts WHERE id = :id AND closed_at IS NULL FOR UPDATE")
OPEN = text(
    "SELECT id, kind, account, sku, location, ours, theirs, repair, seen, since FROM drifts WHERE closed_at IS NULL ORDER BY id LIMIT 500"
)
# What the hub proposes, by who disagrees: the owner's word is taken, a channel is told once more, our own sums are made anew; an ERP that
# counts otherwise is a person's to decide.
REPAIRS = {"warehouse": "take", "channel": "tell", "ledger": "recount", "erp": "", "short": ""}
WORDS_OF = {
    "take": "take their word",
    "tell": "tell it once more",
    "recount": "add the claims up anew",
    "": "a person decides who is right",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One side's word on a SKU at a place ('' where it has no place), and what it rests on."""

    sku: str
    location: str
    quantity: Decimal
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Repair:
    """What mending would do, or did: in words, with the figures before and after."""

    drift: int
    sentence: str
    before: Decimal | None
    after: Decimal | None
    done: bool


def ours(tx: Connection, kind: str, account: str, skus: Collection[str]) -> dict[tuple[str, str], Side]:
    """What we believe the account has, by SKU and place."""
    statement = {"warehouse": WORDS, "channel": TOLD}.get(kind, HELD)
    told = {"places": sorted(rules.places(account)) or [""]} if kind == "channel" else {}
    rows = tx.execute(statement, {"account": account, "skus": list(skus), **told})
    return {
        (row.sku, row.location): Side(
            row.sku, row.location, row.quantity, {"at": row.at.isoformat() if row.at else None, "version": row.version}
        )
        for row in rows
    }


def theirs(kind: str, levels: Collection[StockLevel], by_place: bool = False) -> dict[tuple[str, str], Side]:
    """What the account says it has; an ERP is added up over its own places, a channel too where it has no place that is ours (''), unless it is
    told of each of its places by itself."""
    found: dict[tuple[str, str], Side] = {}
    by_place = by_place or kind == "warehouse"
    ours_there = {level.sku for level in levels if not level.location} if kind == "channel" and not by_place else set()
    for level in levels:
        if level.sku in ours_there and level.location:
            continue
        quantity = level.available if level.available is not None else (level.on_hand or NONE)
        key = (level.sku, level.location if by_place else "")
        before = found[key].quantity if key in found else NONE
        found[key] = Side(*key, before + quantity, _evidence(level))
    return found


def _evidence(level: StockLevel) -> dict[str, Any]:
    """Their word as it was said, so that it can be taken later."""
    told = {
        name: getattr(level, name) for name in ("available", "on_hand", "reserved", "incoming", "unsellable", "safety")
    }
    words: dict[str, Any] = {name: str(value) for name, value in told.items() if value is not None}
    return {**words, "location": level.location, "as_of": (level.as_of or datetime.now(UTC)).isoformat()}


def compare(
    tx: Connection, kind: str, account: str, looked: Sequence[str], levels: Collection[StockLevel]
) -> list[tuple[str, str]]:
    """Keeps what does not agree and closes what does; what disagrees for some looks in a row is a case. Answers the former."""
    mine, others = ours(tx, kind, account, looked), theirs(kind, levels, bool(rules.places(account)))
    tolerance = Decimal(str(_policy().get("tolerance", 0)))
    wrong = [
        (mine[key], others[key])
        for key in sorted(mine.keys() & others.keys())
        if abs(mine[key].quantity - others[key].quantity) > tolerance
    ]
    for our, their in wrong:
        keep(tx, kind, account, our, their)
    agreed(tx, kind, account, looked, [(our.sku, our.location) for our, _ in wrong])
    return [(our.sku, our.location) for our, _ in wrong]


def keep(tx: Connection, kind: str, account: str, our: Side, their: Side) -> None:
    """Both sides of a difference; a case once it has been seen often enough."""
    row = {"kind": kind, "account": account, "sku": our.sku, "location": our.location, "ours": our.quantity}
    evidence = Jsonb({"ours": dict(our.evidence), "theirs": dict(their.evidence)})
    seen = tx.execute(
        SEEN, {**row, "theirs": their.quantity, "evidence": evidence, "repair": REPAIRS[kind]}
    ).scalar_one()
    if seen >= (_policy().get("patience", 2) if kind in ("erp", "warehouse", "channel") else 1):
        _case(tx, kind, account, our, their)


SENTENCES = {
    "warehouse": "{account} has other stock than it last told us.",
    "erp": "{account} has other stock in its books than the warehouse told us.",
    "channel": "{account} shows other stock than we last told it.",
    "ledger": "What is reserved on a shelf is not the sum of its claims.",
    "short": "More is promised than there is.",
}
CODES = {"ledger": "stock_ledger", "short": "oversold"}
REMEDY = "See both sides on the SKU's page, or: waybill stock drift; then waybill stock repair ID --dry-run."


def _case(tx: Connection, kind: str, account: str, our: Side, their: Side) -> None:
    code = "negative_stock" if kind == "short" and their.quantity < 0 else CODES.get(kind, f"stock_drift_{kind}")
    sentence = SENTENCES[kind].format(account=account)
    latest = f" Last seen: {our.sku}{' at ' + our.location if our.location else ''}, {plain(our.quantity)} here and {plain(their.quantity)} there."
    member = _member(kind, account, our.sku, our.location)
    cases.open_case(tx, "drift", account, code, sentence + latest, member=member, remedy=REMEDY)


def _member(kind: str, account: str, sku: str, location: str) -> str:
    return f"drift:{kind}:{account}:{sku}:{location}"[:300]


def agreed(
    tx: Connection, kind: str, account: str, looked: Sequence[str] | None, still: Collection[tuple[str, str]]
) -> None:
    """What was looked at (all, for None) and does not disagree any more is over, and leaves its case."""
    row = {"kind": kind, "account": account, "looked": None if looked is None else list(looked)}
    for one in tx.execute(AGREED, {**row, "still": [f"{sku}\x01{location}" for sku, location in still]}).all():
        cases.leave(tx, _member(kind, account, one.sku, one.location))


def check_ledger(tx: Connection) -> int:
    """Claims must sum to what is reserved, on every shelf."""
    wrong = tx.execute(WRONG).all()
    for row in wrong:
        keep(tx, "ledger", "", Side(row.sku, row.location, row.reserved, {}), Side(row.sku, row.location, row.open, {}))
    agreed(tx, "ledger", "", None, [(row.sku, row.location) for row in wrong])
    return len(wrong)


def check_short(tx: Connection) -> int:
    """Stock below nothing, or more promised than there is."""
    short = tx.execute(SHORT).all()
    for row in short:
        keep(tx, "short", "", Side(row.sku, "", row.reserved, {}), Side(row.sku, "", row.free + row.reserved, {}))
    agreed(tx, "short", "", None, [(row.sku, "") for row in short])
    return len(short)


def check_late(tx: Connection, accounts: Collection[str]) -> int:
    """Channels that have not been told for too long."""
    stale = Seconds(config().availability.get("publication", {}).get("stale", 600))
    late = {row.account: row for row in tx.execute(LATE, {"stale": stale})}
    for account, row in late.items():
        sentence = f"{account} has not been told of {row.n} SKUs since {row.oldest:%Y-%m-%d %H:%M} UTC."
        remedy = "See whether the account is paused, its limits too low, or its steps dead."
        cases.open_case(tx, "drift", account, "stock_stale", sentence, member=f"stale:{account}", remedy=remedy)
    for account in set(accounts) - set(late):
        cases.leave(tx, f"stale:{account}")
    return sum(row.n for row in late.values())


def open_ones(tx: Connection) -> Sequence[Any]:
    """All open differences, the oldest first."""
    return tx.execute(OPEN).all()


def repair(tx: Connection, drift: int, *, dry: bool = True) -> Repair | None:
    """What mends a difference, done unless `dry`; None when it is closed. The next look that agrees closes it."""
    row = tx.execute(ONE, {"id": drift}).mappings().first()
    if row is None:
        return None
    if not dry:
        MEND[row["repair"]](tx, row)
    at = f" at {row['location']}" if row["location"] else ""
    sentence = f"{row['sku']}{at}, {row['account'] or 'our ledger'}: {WORDS_OF[row['repair']]}"
    return Repair(drift, sentence, *_figures(row), done=not dry and bool(row["repair"]))


def _figures(row: RowMapping) -> tuple[Decimal | None, Decimal | None]:
    """Which figure changes, and to what."""
    here, there = row["ours"], row["theirs"]
    return {"take": (here, there), "tell": (there, here), "recount": (here, there)}.get(row["repair"], (here, here))


def _take(tx: Connection, row: RowMapping) -> None:
    told = row["evidence"]["theirs"]
    numbers: dict[str, Any] = {
        name: Decimal(told[name])
        for name in ("available", "on_hand", "reserved", "incoming", "unsellable", "safety")
        if name in told
    }
    level = StockLevel(row["sku"], told["location"], as_of=datetime.fromisoformat(told["as_of"]), **numbers)
    positions.set_level(tx, row["account"], level, told["as_of"])


def _tell(tx: Connection, row: RowMapping) -> None:
    dirty.doubt(tx, [row["account"]], [row["sku"]])


def _recount(tx: Connection, row: RowMapping) -> None:
    place = (row["sku"], row["location"])
    shelves.make(tx, {place})
    shelves.lock(tx, {place})
    tx.execute(RECOUNT, {"sku": row["sku"], "location": row["location"]})
    dirty.mark(tx, {row["sku"]})


def _leave(tx: Connection, row: RowMapping) -> None:
    """Nothing that the hub could do by itself."""


MEND = {"take": _take, "tell": _tell, "recount": _recount, "": _leave}


def _policy() -> Mapping[str, Any]:
    found: Mapping[str, Any] = config().availability.get("drift", {})
    return found
