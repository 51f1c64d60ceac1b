"""Activation: the prices of the run in force, at their minute; a newer run takes the place of it, or a person goes back to an older one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from app import cases
from app.catalogue import price_authority, price_marks
from app.catalogue.price_marks import Key
from app.catalogue.price_runs import Run, member, one
from app.journal.actions import audit
from config.reader import config

TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('price activation:' || :account, 0))")
ACCOUNTS = text("SELECT DISTINCT account FROM price_runs WHERE state IN ('ready', 'active') ORDER BY account")
NEWEST = text("SELECT id FROM price_runs WHERE account = :account AND state = 'ready' ORDER BY id")
END = text(
    "UPDATE price_runs SET state = :state, ended_at = now(), why = CASE WHEN :why = '' THEN why ELSE :why END WHERE id = :id"
)
START = text("""
UPDATE price_runs SET state = 'active', activated_at = now(), reckoned_at = NULL, ended_at = NULL WHERE id = :id
""")
# An older file that waits for a person is over once a newer one is in force: approved later, it would bring old prices back.
OVERTAKEN = text("""
UPDATE price_runs SET state = 'superseded', ended_at = now() WHERE account = :account AND state = 'held' AND id < :id RETURNING id
""")
FEED = text("SELECT account FROM price_runs WHERE id = :id")
CURRENT = text("SELECT id FROM price_runs WHERE account = :account AND state = 'active' FOR UPDATE")
# Whether a date of the run has come since it was last reckoned.
DUE = text("""
SELECT reckoned_at IS NULL OR EXISTS (SELECT 1 FROM price_lines l WHERE l.run_id = r.id AND l.state <> 'refused'
    AND (l.valid_from > r.reckoned_at AND l.valid_from <= now() OR l.valid_until > r.reckoned_at AND l.valid_until <= now()))
FROM price_runs r WHERE r.id = :id
""")
RECKONED = text("UPDATE price_runs SET reckoned_at = now() WHERE id = :id")
# The base price of each key, and the promotion over it where one holds now. What a promotion is reduced from is its base, unless it says so.
WANT = """
lines AS (SELECT * FROM price_lines
    WHERE run_id = :run AND state <> 'refused' AND valid_from <= now() AND (valid_until IS NULL OR valid_until > now())),
base AS (SELECT DISTINCT ON (price_list, sku, currency, min_quantity) * FROM lines WHERE promotion = ''
    ORDER BY price_list, sku, currency, min_quantity, valid_from DESC, n DESC),
cut AS (SELECT DISTINCT ON (price_list, sku, currency, min_quantity) * FROM lines WHERE promotion <> ''
    ORDER BY price_list, sku, currency, min_quantity, valid_from DESC, n DESC),
want AS (SELECT price_list, sku, currency, min_quantity, coalesce(c.amount, b.amount) AS amount,
        CASE WHEN c.amount IS NULL THEN b.compare_at ELSE coalesce(c.compare_at, CASE WHEN b.amount > c.amount THEN b.amount END) END AS compare_at,
        coalesce(c.taxes_included, b.taxes_included) AS taxes_included, coalesce(c.valid_from, b.valid_from) AS valid_from,
        CASE WHEN c.amount IS NULL THEN b.valid_until ELSE c.valid_until END AS valid_until, coalesce(c.promotion, '') AS promotion
    FROM base b FULL JOIN cut c USING (price_list, sku, currency, min_quantity))
"""
SET = text(f"""
WITH {WANT}
INSERT INTO prices AS p (price_list, sku, currency, min_quantity, amount, compare_at, taxes_included, valid_from, valid_until, promotion,
    source, run_id)
SELECT price_list, sku, currency, min_quantity, amount, compare_at, taxes_included, valid_from, valid_until, promotion, :account, :run FROM want
ORDER BY price_list, sku, currency, min_quantity
ON CONFLICT (price_list, sku, currency, min_quantity) DO UPDATE SET amount = excluded.amount, compare_at = excluded.compare_at,
    taxes_included = excluded.taxes_included, valid_from = excluded.valid_from, valid_until = excluded.valid_until,
    promotion = excluded.promotion, source = excluded.source, run_id = excluded.run_id, changed_at = now()
WHERE (p.source = excluded.source OR p.price_list = ANY(:owned) OR NOT p.source = ANY(:feeds))
    AND (p.source, p.amount, p.compare_at, p.taxes_included, p.valid_from, p.valid_until, p.promotion)
    IS DISTINCT FROM (excluded.source, excluded.amount, excluded.compare_at,
        excluded.taxes_included, excluded.valid_from, excluded.valid_until, excluded.promotion)
RETURNING price_list, sku, currency, min_quantity
""")  # noqa: S608 - constants only
LAPSE = text(f"""
WITH {WANT}
DELETE FROM prices p WHERE p.source = :account AND NOT EXISTS (SELECT 1 FROM want w
    WHERE (w.price_list, w.sku, w.currency, w.min_quantity) = (p.price_list, p.sku, p.currency, p.min_quantity))
RETURNING price_list, sku, currency, min_quantity
""")  # noqa: S608 - constants only
# What its own catalogue blocked or deleted is a case of its item's.
ENDED_ITEMS = text("""
SELECT sku FROM catalogue_items WHERE account = :account AND sku = ANY(:skus) GROUP BY sku HAVING bool_and(state <> 'active' AND said)
""")
OLDER = text("""
SELECT id FROM price_runs WHERE account = :account AND state = 'superseded' AND activated_at IS NOT NULL AND id <> :id
ORDER BY ended_at DESC, id DESC LIMIT 1
""")


def accounts(tx: Connection) -> Sequence[str]:
    """Feeds with a run in force, or one that may be."""
    return tx.execute(ACCOUNTS).scalars().all()


def activate(tx: Connection, account: str) -> int:
    """What holds now of the account's newest run that may be in force; answers how many prices changed. Channels hear of them."""
    tx.execute(TURN, {"account": account})
    ready = list(tx.execute(NEWEST, {"account": account}).scalars())
    current = tx.execute(CURRENT, {"account": account}).scalar()
    newer = [run for run in ready if current is None or run > current]
    for late in (run for run in ready if run not in newer):  # approved while a newer one came into force
        tx.execute(END, {"id": late, "state": "superseded", "why": ""})
    if newer:
        for passed in [*([current] if current is not None else []), *newer[:-1]]:
            tx.execute(END, {"id": passed, "state": "superseded", "why": ""})
        tx.execute(START, {"id": newer[-1]})
        current = newer[-1]
        for held in tx.execute(OVERTAKEN, {"account": account, "id": current}).scalars().all():
            cases.leave(tx, member(held))
    return _reckon(tx, account, current) if current is not None else 0


def _reckon(tx: Connection, account: str, run: int) -> int:
    if not tx.execute(DUE, {"id": run}).scalar():
        return 0
    asked = {"run": run, "account": account}
    may = {"owned": price_authority.owned(tx, run, account), "feeds": list(config().accounts)}
    changed = [Key(*row) for row in tx.execute(SET, asked | may)]
    lapsed = [Key(*row) for row in tx.execute(LAPSE, asked)]
    ended = set(tx.execute(ENDED_ITEMS, {"account": account, "skus": [key.sku for key in lapsed]}).scalars())
    tx.execute(RECKONED, {"id": run})
    price_marks.mark(tx, changed)
    _lapsed(tx, account, run, [key for key in lapsed if key.sku not in ended])
    return len(changed) + len(lapsed)


def _lapsed(tx: Connection, account: str, run: int, keys: Collection[Key]) -> None:
    """A channel cannot be told that a price is none: somebody must say what holds there."""
    if not keys:
        return
    named = ", ".join(sorted({key.sku for key in keys})[:5])
    sentence = f"{len(keys)} prices of {account} have ended without another ({named}{' ...' if len(keys) > 5 else ''}): channels still show them."
    remedy = "Send prices for them, or take the articles off the channels; then resolve this."
    cases.open_case(
        tx,
        "feed",
        account,
        "price_lapsed",
        sentence,
        member=f"lapsed:{run}",
        role="catalogue",
        remedy=remedy,
        cause=str(run),
    )


def previous(tx: Connection, run: Run) -> int | None:
    """The run that was in force before this one, to go back to; None where there is none."""
    found: int | None = tx.execute(OLDER, {"account": run.account, "id": run.id}).scalar()
    return found


def roll_back(tx: Connection, run: int, who: str, why: str) -> int | None:
    """The run before is in force again, at once; answers its id. None when this one is not in force, or nothing was before it."""
    account = tx.execute(FEED, {"id": run}).scalar()
    tx.execute(TURN, {"account": account or ""})  # before the run is locked, as activate does
    found = one(tx, run)
    if found is None or found.state != "active":
        return None
    to = previous(tx, found)
    if to is None:
        return None
    tx.execute(END, {"id": run, "state": "rolled_back", "why": f"{who}: {why}"[:1000]})
    tx.execute(START, {"id": to})
    audit(tx, who, "roll back price run", member(run), why, after={"in_force": to})
    _reckon(tx, found.account, to)
    return to


def figures(run: Run) -> Mapping[str, Any]:
    """Lines now and before, for a page."""
    return {
        name: (run.counts.get(name), run.before.get(name))
        for name in ("lines", "accepted", "refused", "kept", "new", "gone")
    }
