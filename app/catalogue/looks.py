"""Looks at an account's own catalogue: when one is due, how far it is, and what came of it against the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app import cases
from app.catalogue import items, price_runs, told_prices
from app.journal.reading.rows import found, listed
from config.reader import config

WHOLE, CHANGED = "whole", "changed"
AGAIN = 60  # seconds after trouble
CASE_AFTER = 3  # times that an account could not be looked at, in a row, before somebody hears of it
DEFAULTS: Mapping[str, Any] = {"every": 300, "whole": 86400, "lookback": 300, "prices": True}
COLUMNS = """id, account, kind, state, since, items, prices, mapped, blocked, gone, unread, before, tries, due_at, said, run_id, began_at, ended_at"""
OPEN = text(f"SELECT {COLUMNS} FROM catalogue_looks WHERE account = :account AND state = 'open'")  # noqa: S608 - constants only
DUE = text("""
SELECT max(began_at) AS last, max(began_at) FILTER (WHERE kind = 'whole') AS whole,
    coalesce(max(began_at) + make_interval(secs => :every) <= now(), true) AS due,
    coalesce(max(began_at) FILTER (WHERE kind = 'whole') + make_interval(secs => :whole) <= now(), true) AS wholly, now() AS now
FROM catalogue_looks WHERE account = :account AND state = 'done'
""")
BEGIN = text(f"""
INSERT INTO catalogue_looks (account, kind, since, before)
SELECT :account, :kind, CASE WHEN :kind = 'whole' THEN NULL ELSE CAST(:last AS timestamptz) - make_interval(secs => :lookback) END,
    (SELECT items FROM catalogue_looks WHERE account = :account AND kind = :kind AND state = 'done' ORDER BY id DESC LIMIT 1)
ON CONFLICT (account) WHERE state = 'open' DO NOTHING RETURNING {COLUMNS}
""")  # noqa: S608 - constants only
PASSED = text("""
UPDATE catalogue_looks SET items = items + :items, prices = prices + :prices, mapped = mapped + :mapped, blocked = blocked + :blocked,
    unread = unread + :unread, tries = 0, said = '' WHERE id = :id AND state = 'open'
""")
STILL = text("SELECT 1 FROM catalogue_looks WHERE id = :id AND state = 'open' FOR UPDATE")
END = text(
    "UPDATE catalogue_looks SET state = 'done', gone = :gone, said = :said, run_id = :run, ended_at = now() WHERE id = :id"
)
LATER = text("""
UPDATE catalogue_looks SET tries = tries + 1, said = :said, due_at = now() + make_interval(secs => :again)
WHERE id = :id AND state = 'open' RETURNING tries
""")
FORGET = text("""
DELETE FROM catalogue_looks l WHERE account = :account AND ended_at < now() - interval '40 days'
    AND id < (SELECT max(id) FROM catalogue_looks WHERE account = :account AND kind = l.kind AND state = 'done')
""")
RECENT = text(f"SELECT {COLUMNS} FROM catalogue_looks ORDER BY id DESC LIMIT 30")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Look:
    """`before` is how many items the last look of its kind had; `run_id` the run of prices that came of it, if any did."""

    id: int
    account: str
    kind: str
    state: str
    since: datetime | None
    items: int
    prices: int
    mapped: int
    blocked: int
    gone: int
    unread: int
    before: int | None
    tries: int
    due_at: datetime
    said: str
    run_id: int | None
    began_at: datetime
    ended_at: datetime | None


def sources() -> list[str]:
    """Accounts whose catalogue is looked at ([sources.ACCOUNT] in config/prices.toml)."""
    return sorted(config().prices.get("sources", {}))


def rule(account: str) -> Mapping[str, Any]:
    return {**DEFAULTS, **config().prices.get("sources", {}).get(account, {})}


def begin(tx: Connection, account: str) -> Look | None:
    """The look that is open, or the next one where it is due; None where there is nothing to do now. What changed is asked for from the
    beginning of the last look on, with a look back: the first look, and one each `whole` seconds, asks for everything."""
    told = rule(account)
    held = found(tx, Look, OPEN, account=account)
    now = tx.execute(DUE, {"account": account, "every": told["every"], "whole": told["whole"]}).one()
    if held is not None:
        return held if held.due_at <= now.now else None
    if not (now.due or now.wholly):
        return None
    tx.execute(FORGET, {"account": account})
    kind = WHOLE if now.wholly else CHANGED
    return found(tx, Look, BEGIN, account=account, kind=kind, last=now.last, lookback=told["lookback"])


def still(tx: Connection, look: int) -> bool:
    """Whether it is open; whoever asks holds it until the commit, so two workers take turns."""
    return tx.execute(STILL, {"id": look}).scalar() is not None


def passed(tx: Connection, look: int, **counts: int) -> None:
    tx.execute(PASSED, {"id": look, **dict.fromkeys(("items", "prices", "mapped", "blocked", "unread"), 0), **counts})


def end(tx: Connection, look: Look) -> int | None:
    """All was read: what is not listed any more is gone, and what the prices say is a run like a file's. The run's number."""
    if not still(tx, look.id):
        return None
    cases.leave(tx, _stuck(look.account))
    gone, said = 0, ""
    if look.kind == WHOLE:
        gone, said = items.lose(tx, look.account, look.id, float(price_runs.policy(look.account).get("drop", 1)))
        _dropped(tx, look.account, said)
    run = told_prices.begin_run(tx, look.account, f"catalogue look {look.id}") if rule(look.account)["prices"] else None
    tx.execute(END, {"id": look.id, "gone": gone, "said": said, "run": run})
    return run


def _dropped(tx: Connection, account: str, said: str) -> None:
    named = f"catalogue:{account}:drop"
    if not said:
        cases.leave(tx, named)
        return
    remedy = "See whether its list was cut short; if it has truly lost them, raise `drop` for this feed in config/prices.toml for one look."
    cases.open_case(tx, "feed", account, "catalogue_drop", said, member=named, role="catalogue", remedy=remedy)


def stumbled(tx: Connection, look: Look, why: str) -> None:
    """It is gone on with a minute later; somebody hears of it when that does not help."""
    tries = tx.execute(LATER, {"id": look.id, "said": why[:500], "again": AGAIN}).scalar()
    if tries is not None and tries >= CASE_AFTER:
        sentence = f"The catalogue of {look.account} cannot be read: {why}"
        remedy = "Mend what it says; the look goes on by itself, and orders that wait for an item with it."
        cases.open_case(
            tx,
            "feed",
            look.account,
            "catalogue_stuck",
            sentence[:500],
            member=_stuck(look.account),
            role="catalogue",
            remedy=remedy,
        )


def _stuck(account: str) -> str:
    return f"catalogue:{account}:stuck"


def recent(tx: Connection) -> tuple[Look, ...]:
    return listed(tx, Look, RECENT)
