"""The checks of a price file as a whole: lines against each other, promotions against their base, figures against the run in force."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

NOT_OWNED = "not_the_owner"
KEPT_FROM = 100_000_000  # lines that are kept from the run before count on from here
ACTIVE = text("SELECT id, counts FROM price_runs WHERE account = :account AND state = 'active'")
TWICE = text("""
UPDATE price_lines l SET state = 'refused', code = 'twice', reason = 'Line ' || o.n || ' says another price from the same instant.'
FROM price_lines o WHERE l.run_id = :run AND o.run_id = :run AND l.state = 'accepted' AND o.state = 'accepted' AND o.n < l.n
    AND (o.sku, o.price_list, o.currency, o.min_quantity) = (l.sku, l.price_list, l.currency, l.min_quantity)
    AND (o.promotion <> '') = (l.promotion <> '')
    AND o.valid_from = l.valid_from
""")
BASE = """
EXISTS (SELECT 1 FROM price_lines b WHERE b.run_id = l.run_id AND b.state = 'accepted' AND b.promotion = ''
    AND (b.sku, b.price_list, b.currency, b.min_quantity) = (l.sku, l.price_list, l.currency, l.min_quantity) AND {condition})
"""
AFTER_IT = "b.valid_from <= coalesce(l.valid_until, 'infinity') AND coalesce(b.valid_until, 'infinity') > coalesce(l.valid_until, '-infinity')"
UNENDING = text("""
UPDATE price_lines SET state = 'refused', code = 'promotion', reason = 'A promotion has an end (until).'
WHERE run_id = :run AND state = 'accepted' AND promotion <> '' AND valid_until IS NULL
""")
BASELESS = text(f"""
UPDATE price_lines l SET state = 'refused', code = 'promotion', reason = 'No price of the file holds after the promotion ends.'
WHERE l.run_id = :run AND l.state = 'accepted' AND l.promotion <> '' AND NOT {BASE.format(condition=AFTER_IT)}
""")  # noqa: S608 - constants only
NOT_LOWER = text(f"""
UPDATE price_lines l SET state = 'refused', code = 'promotion', reason = 'The promotion is not below the price that it reduces.'
WHERE l.run_id = :run AND l.state = 'accepted' AND l.promotion <> '' AND {
    BASE.format(
        condition="tstzrange(b.valid_from, b.valid_until) && tstzrange(l.valid_from, l.valid_until) AND b.amount <= l.amount"
    )
}
""")  # noqa: S608 - constants only
# What a refused line is about stays as it is: the lines of the run in force are kept, unless this one has others for the SKU and list, or
# another owns its price (NOT_OWNED): who lost a list to another owner keeps none of its prices.
UNKEEP = text("DELETE FROM price_lines WHERE run_id = :run AND state = 'kept'")
KEEP = text("""
INSERT INTO price_lines (run_id, n, state, code, reason, sku, price_list, currency, min_quantity, amount, compare_at, taxes_included,
    valid_from, valid_until, promotion)
SELECT :run, :first + row_number() OVER (ORDER BY p.n), 'kept', '', 'as in the run before: this file''s line was refused', p.sku, p.price_list,
    p.currency, p.min_quantity, p.amount, p.compare_at, p.taxes_included, p.valid_from, p.valid_until, p.promotion
FROM price_lines p WHERE p.run_id = :before AND p.state IN ('accepted', 'kept')
    AND EXISTS (SELECT 1 FROM price_lines r WHERE r.run_id = :run AND r.state = 'refused' AND r.code <> 'not_the_owner'
        AND r.sku = p.sku AND r.price_list = p.price_list)
    AND NOT EXISTS (SELECT 1 FROM price_lines a WHERE a.run_id = :run AND a.state = 'accepted'
        AND (a.sku, a.price_list, a.currency, a.min_quantity) = (p.sku, p.price_list, p.currency, p.min_quantity)
        AND (a.promotion <> '') = (p.promotion <> ''))
""")
COUNTS = text("""
WITH mine AS (SELECT DISTINCT sku, price_list, currency, min_quantity FROM price_lines WHERE run_id = :run AND state IN ('accepted', 'kept')),
theirs AS (SELECT DISTINCT sku, price_list, currency, min_quantity FROM price_lines WHERE run_id = :before AND state IN ('accepted', 'kept'))
SELECT (SELECT count(*) FROM price_lines WHERE run_id = :run AND n < :kept) AS lines,
    (SELECT count(*) FROM price_lines WHERE run_id = :run AND state = 'accepted') AS accepted,
    (SELECT count(*) FROM price_lines WHERE run_id = :run AND state = 'refused') AS refused,
    (SELECT count(*) FROM price_lines WHERE run_id = :run AND state = 'kept') AS kept,
    (SELECT count(*) FROM (SELECT * FROM mine EXCEPT SELECT * FROM theirs) a) AS new,
    (SELECT count(*) FROM (SELECT * FROM theirs EXCEPT SELECT * FROM mine) b) AS gone
""")
CHECKED = text("""
UPDATE price_runs SET state = :state, counts = :counts, before = :before, why = :why, checked_at = now(), body = NULL WHERE id = :id
""")

REFUSED_OWNER = text("""
SELECT count(*) AS n, min(reason) AS reason FROM price_lines WHERE run_id = :run AND state = 'refused' AND code = 'not_the_owner'
""")


def not_owned(tx: Connection, run: int) -> Any:
    """How many of its lines (`n`) say a price that another owns, with the `reason` of one."""
    return tx.execute(REFUSED_OWNER, {"run": run}).one()


def check(tx: Connection, run: int, account: str, rule: Mapping[str, Any]) -> str:
    """All lines are here: the gates that need the whole file, and the figures against the run in force. Why it is held; '' when it is ready."""
    for gate in (TWICE, UNENDING, BASELESS, NOT_LOWER):
        tx.execute(gate, {"run": run})
    active = tx.execute(ACTIVE, {"account": account}).first()
    before = active.id if active is not None else 0
    keep(tx, run, before)
    counts = dict(tx.execute(COUNTS, {"run": run, "before": before, "kept": KEPT_FROM}).mappings().one())
    earlier = dict(active.counts) if active is not None else {}
    why = _doubts(counts, earlier, rule)
    state = "held" if why else "ready"
    tx.execute(CHECKED, {"id": run, "state": state, "counts": Jsonb(counts), "before": Jsonb(earlier), "why": why})
    return why


def keep(tx: Connection, run: int, before: int) -> None:
    """What this run's refused lines are about stays as the run `before` has it."""
    tx.execute(UNKEEP, {"run": run})
    tx.execute(KEEP, {"run": run, "before": before, "first": KEPT_FROM})


def keep_again(tx: Connection, run: int, account: str) -> None:
    """The same against the run that is in force by now."""
    active = tx.execute(ACTIVE, {"account": account}).first()
    keep(tx, run, active.id if active is not None else 0)


def _doubts(counts: Mapping[str, int], before: Mapping[str, int], rule: Mapping[str, Any]) -> str:
    """Why a person should look before anything of it is in force; '' when it may go on."""
    least = (1 - Decimal(str(rule.get("drop", 1)))) * before.get("lines", 0)
    if counts["lines"] < least:
        return f"it has {counts['lines']} lines, the one before had {before['lines']}."
    share = Decimal(counts["refused"]) / max(1, counts["lines"])
    if share > Decimal(str(rule.get("refused", 1))):
        return f"{counts['refused']} of {counts['lines']} lines are refused."
    return ""
