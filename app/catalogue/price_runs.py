"""Runs of a price feed: a file is read piece by piece, also by a killed worker's successor, checked as a whole, and held for a person or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from app import cases
from app.catalogue import price_authority, price_checks, price_lines
from app.catalogue.price_lines import Line, Policy, Refused, Unreadable
from app.journal.actions import audit
from app.journal.reading.rows import found as found_one
from app.journal.reading.rows import listed
from config.reader import config

CHUNK = 500
COLUMNS = """id, account, file, content, state, total, reached, counts, before, why, began_at, checked_at, activated_at, reckoned_at, ended_at, by"""
BEGIN = text("""
INSERT INTO price_runs (account, file, content, body, state, total, why, ended_at)
VALUES (:account, :file, :content, :body, :state, :total, :why, CASE WHEN :state <> 'loading' THEN now() END)
ON CONFLICT (account, file, content) DO NOTHING RETURNING id
""")
# What another file has taken the place of is no duplicate: it is the way back to those prices.
SAME = text("""
SELECT id FROM price_runs WHERE account = :account AND split_part(content, ' ', 1) = :content AND state NOT IN ('duplicate', 'superseded')
ORDER BY id LIMIT 1
""")
BEFORE = text("""
SELECT count(*) FROM price_runs WHERE account = :account AND file = :file AND split_part(content, ' ', 1) = :content
""")
LOADING = text("SELECT account, id FROM price_runs WHERE state = 'loading' ORDER BY id")
LOCK = text(f"SELECT {COLUMNS}, body, now() AS now FROM price_runs WHERE id = :id FOR UPDATE SKIP LOCKED")  # noqa: S608 - constants only
ONE = text(f"SELECT {COLUMNS} FROM price_runs WHERE id = :id FOR UPDATE")  # noqa: S608
RECENT = text(f"SELECT {COLUMNS} FROM price_runs ORDER BY id DESC LIMIT 50")  # noqa: S608
LINE = text("""
INSERT INTO price_lines (run_id, n, state, code, reason, sku, price_list, currency, min_quantity, amount, compare_at, taxes_included,
    valid_from, valid_until, promotion)
VALUES (:run, :n, :state, :code, :reason, :sku, :price_list, :currency, :min_quantity, :amount, :compare_at, :taxes_included,
    :valid_from, :valid_until, :promotion)
""")
REACHED = text("UPDATE price_runs SET reached = :reached WHERE id = :id")
KNOWN_SKUS = text("""
SELECT sku FROM unnest(CAST(:skus AS text[])) AS t (sku) WHERE EXISTS (SELECT 1 FROM shelves s WHERE s.sku = t.sku)
    OR EXISTS (SELECT 1 FROM subjects p WHERE p.kind = 'product' AND lower(p.number) = lower(t.sku) AND p.number = t.sku)
    OR EXISTS (SELECT 1 FROM codes c WHERE c.kind = 'sku' AND c.ours = t.sku)
    OR EXISTS (SELECT 1 FROM catalogue_items i WHERE i.sku = t.sku AND i.state <> 'gone') OR EXISTS (SELECT 1 FROM prices f WHERE f.sku = t.sku)
""")
# The base price, also where a promotion over it holds just now.
IN_FORCE = text("""
SELECT price_list, sku, currency, min_quantity, amount, source FROM prices WHERE sku = ANY(:skus) AND promotion = ''
UNION ALL (
SELECT DISTINCT ON (p.price_list, p.sku, p.currency, p.min_quantity) p.price_list, p.sku, p.currency, p.min_quantity, l.amount, p.source
FROM prices p JOIN price_runs r ON r.account = p.source AND r.state = 'active' JOIN price_lines l ON l.run_id = r.id
    AND (l.sku, l.price_list, l.currency, l.min_quantity) = (p.sku, p.price_list, p.currency, p.min_quantity)
WHERE p.sku = ANY(:skus) AND p.promotion <> '' AND l.promotion = '' AND l.state <> 'refused' AND l.valid_from <= now()
    AND (l.valid_until IS NULL OR l.valid_until > now())
ORDER BY p.price_list, p.sku, p.currency, p.min_quantity, l.valid_from DESC, l.n DESC)
""")
DECIDE = text(
    "UPDATE price_runs SET state = :state, why = :why, by = :by, ended_at = CASE WHEN :state = 'rejected' THEN now() END WHERE id = :id"
)
REFUSED_LINES = text(
    "SELECT n, code, reason, sku FROM price_lines WHERE run_id = :run AND state = 'refused' ORDER BY n LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class Run:
    """`counts` of its lines, `before` those of the run that was in force; `why` it is held, rejected, rolled back or unreadable."""

    id: int
    account: str
    file: str
    content: str
    state: str
    total: int
    reached: int
    counts: Mapping[str, int]
    before: Mapping[str, int]
    why: str
    began_at: datetime
    checked_at: datetime | None
    activated_at: datetime | None
    reckoned_at: datetime | None
    ended_at: datetime | None
    by: str


def policy(account: str) -> Mapping[str, Any]:
    """What the account's files are held against (config/prices.toml)."""
    told = config().prices
    return {**told.get("default", {}), **told.get("feeds", {}).get(account, {})}


def begin(tx: Connection, account: str, file: str, body: bytes) -> int | None:
    """A run for a file. What was read before, under this name or another, is a duplicate, unless other prices took its place since."""
    content = sha256(body).hexdigest()
    row: dict[str, Any] = {"account": account, "file": file, "content": content, "body": None, "total": 0, "why": ""}
    same = tx.execute(SAME, {"account": account, "content": content}).scalar()
    if same is not None:
        return _begun(tx, {**row, "state": "duplicate", "why": f"the same content as run {same}"})
    try:
        total = len(price_lines.rows(body))
    except Unreadable as wrong:
        return unread(tx, account, file, content, str(wrong))
    return _begun(tx, {**row, "state": "loading", "body": body, "total": total})


def unread(tx: Connection, account: str, file: str, content: str, why: str) -> int | None:
    """A run for a file that cannot be read, which is somebody's to look at."""
    row = {"account": account, "file": file, "content": content, "body": None, "total": 0, "why": why}
    made = _begun(tx, {**row, "state": "unreadable"})
    if made is not None:
        _case(tx, account, made, "price_feed_unreadable", f"{file} of {account} cannot be read: {why}")
    return made


def _begun(tx: Connection, row: Mapping[str, Any]) -> int | None:
    """The content of a file that comes again under its name is numbered."""
    before = tx.execute(BEFORE, {name: row[name] for name in ("account", "file", "content")}).scalar_one()
    content = f"{row['content']} again {before}" if before else row["content"]
    made: int | None = tx.execute(BEGIN, {**row, "content": content}).scalar()
    return made


def digest(content: str) -> str:
    """The SHA-256 of the file; empty where it was not read."""
    found = content.partition(" ")[0]
    return found if len(found) == 64 else ""


def loading(tx: Connection) -> Mapping[str, Sequence[int]]:
    """Runs that are not read to their end, the oldest first, by feed; the feed that waits longest first."""
    found: dict[str, list[int]] = {}
    for row in tx.execute(LOADING):
        found.setdefault(row.account, []).append(row.id)
    return found


def stuck(tx: Connection, account: str, run: int, why: str) -> None:
    """A file that cannot be read on, for a fault of ours or of the policy: it is tried again, and somebody looks meanwhile."""
    remedy = "An engineer looks at the log and at config/prices.toml; the file is read on by itself once it can be."
    words = f"Run {run} of {account} cannot be read on ({why})."
    cases.open_case(
        tx,
        "feed",
        account,
        "price_feed_stuck",
        words,
        member=_stuck(run),
        role="catalogue",
        remedy=remedy,
        cause=str(run),
    )


def _stuck(run: int) -> str:
    return f"price_run:{run}:stuck"


def advance(tx: Connection, run: int) -> bool:
    """The next lines of a file, kept in one commit with how far it came; checks it after the last. False when there is nothing to do (or
    another worker is at it)."""
    row = tx.execute(LOCK, {"id": run}).mappings().first()
    if row is None or row["state"] != "loading":
        return False
    found = _rows(run, bytes(row["body"]))
    rule = policy(row["account"])
    held = Policy(ZoneInfo(str(rule["zone"])), frozenset(rule.get("currencies", ())), row["began_at"])
    read = [(n, one, _read(one, held)) for n, one in price_lines.numbered(found, row["reached"], CHUNK)]
    values = [_row(run, n, one, made) for n, one, made in _gated(tx, row["account"], read, rule)]
    if values:
        tx.execute(LINE, values)
    reached = row["reached"] + len(values)
    tx.execute(REACHED, {"id": run, "reached": reached})
    if reached >= row["total"]:
        _rows.cache_clear()
        cases.leave(tx, _stuck(run))
        _check(tx, run, row["account"], row["file"], rule)
    return True


@lru_cache(maxsize=2)
def _rows(run: int, body: bytes) -> Sequence[Mapping[str, str]]:
    """A file is taken apart once, not for each of its pieces."""
    return price_lines.rows(body)


def _read(row: Mapping[str, str], held: Policy) -> Line | Refused:
    try:
        return price_lines.line(row, held)
    except Refused as refused:
        return refused


Read = tuple[int, Mapping[str, str], Line | Refused]


def _gated(tx: Connection, account: str, read: Sequence[Read], rule: Mapping[str, Any]) -> list[Read]:
    """Held against what the hub knows: the SKU, whose price it is to say, and the price in force."""
    skus = sorted({made.sku for _, _, made in read if isinstance(made, Line)})
    known = set(tx.execute(KNOWN_SKUS, {"skus": skus}).scalars()) if rule.get("known_skus") else set(skus)
    now = {tuple(row)[:4]: row for row in tx.execute(IN_FORCE, {"skus": skus})}
    most = Decimal(str(rule.get("most_change", 0)))
    return [(n, row, _held(_owned(made, account, now), known, now, most)) for n, row, made in read]


def _key(made: Line) -> tuple[str, str, str, Decimal]:
    return made.price_list, made.sku, made.currency, made.min_quantity


def _owned(made: Line | Refused, account: str, now: Mapping[Any, Any]) -> Line | Refused:
    if isinstance(made, Refused):
        return made
    holds = now.get(_key(made))
    owner = price_authority.other(account, made.price_list, holds.source if holds is not None else "")
    named = f"the list {made.price_list}" if made.price_list else "the list without a name"
    return Refused(price_checks.NOT_OWNED, f"{owner} says the prices of {named}, not {account}.") if owner else made


def _held(made: Line | Refused, known: set[str], now: Mapping[Any, Any], most: Decimal) -> Line | Refused:
    if isinstance(made, Refused):
        return made
    if made.sku not in known:
        return Refused("unknown_sku", f"Nobody ever told us of {made.sku}.")
    holds = now.get(_key(made))
    old: Decimal | None = holds.amount if holds is not None else None
    if old and most and not made.promotion and abs(made.amount - old) > old * most:
        return Refused(
            "price_jump",
            f"{made.amount} is more than {most * 100:.0f} % away from {old.normalize():f}, the price in force.",
        )
    return made


def _row(run: int, n: int, row: Mapping[str, str], made: Line | Refused) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(Line.__dataclass_fields__)
    name = {"run": run, "n": n, "code": "", "reason": ""}
    if isinstance(made, Line):
        return {**name, "state": "accepted", **{field: getattr(made, field) for field in Line.__dataclass_fields__}}
    about = {"sku": _plain(price_lines.sku_of(row)), "price_list": _plain(price_lines.list_of(row)), "currency": ""}
    why = {"state": "refused", "code": made.code, "reason": _plain(str(made))[:500]}
    return {**empty, **name, **why, **about, "min_quantity": 1, "promotion": ""}


def _plain(words: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in words)


def _check(tx: Connection, run: int, account: str, file: str, rule: Mapping[str, Any]) -> None:
    why = price_checks.check(tx, run, account, rule)
    _not_the_owner(tx, run, account, file)
    if why:
        _case(tx, account, run, "price_feed_held", f"{file} of {account} is held: {why}")


def _not_the_owner(tx: Connection, run: int, account: str, file: str) -> None:
    """Prices that another owns are a case of the feed's, until a run of its has none."""
    named = f"price_owner:{account}"
    said = price_checks.not_owned(tx, run)
    if not said.n:
        cases.leave(tx, named)
    else:
        sentence = (
            f"{file} of {account} has {said.n} prices that are not its to say ({said.reason} ...): they are refused."
        )
        remedy = "Take them out of that feed, or name it as their owner ([price] in config/authority.toml)."
        _case(tx, account, run, "not_the_owner", sentence, named, remedy)


def _case(
    tx: Connection,
    account: str,
    run: int,
    code: str,
    sentence: str,
    of: str = "",
    remedy: str = "Look at the run (admin: Feeds); approve or reject it, or have the file sent again.",
) -> None:
    cause = "" if of else str(run)
    cases.open_case(
        tx, "feed", account, code, sentence, member=of or member(run), role="catalogue", remedy=remedy, cause=cause
    )


def member(run: int) -> str:
    return f"price_run:{run}"


def decide(tx: Connection, run: int, who: str, why: str, *, approve: bool) -> bool:
    """A person's word on a held run; False when it is not held (any more)."""
    row = found_one(tx, Run, ONE, id=run)
    if row is None or row.state != "held":
        return False
    state = "ready" if approve else "rejected"
    if approve:
        price_checks.keep_again(tx, run, row.account)
    tx.execute(DECIDE, {"id": run, "state": state, "why": f"{row.why} {who}: {why}"[:1000], "by": who})
    cases.leave(tx, member(run), by=who)
    audit(tx, who, f"{'approve' if approve else 'reject'} price run", f"price_run:{run}", why, before={"why": row.why})
    return True


def one(tx: Connection, run: int) -> Run | None:
    return found_one(tx, Run, ONE, id=run)


def recent(tx: Connection) -> tuple[Run, ...]:
    return listed(tx, Run, RECENT)


def refused_lines(tx: Connection, run: int, most: int = 200) -> Sequence[Any]:
    """The first refused lines: n, code, reason, sku."""
    return tx.execute(REFUSED_LINES, {"run": run, "most": most}).all()
