"""Stock alignment: everything at night, each hour what moved: owners of stock are asked for their word, channels for what they show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

import structlog
from sqlalchemy import text

from app.accounts import entries
from app.database import transaction
from app.stock import alignment, authority, dirty, drift
from app.stock.alignment import CHANNEL, DELTA, FULL, SOURCE, Alignment
from connectors.canonical.stock import StockLevel
from connectors.kit.capabilities import StockKeeper
from connectors.kit.errors import Trouble
from tasks.engine.connecting import connection, counted
from tasks.feeds.drift import has_code

log = structlog.get_logger("align")

CHUNK = 200  # SKUs asked for in one go, and levels kept in one commit
PATIENCE = 25.0  # seconds in one window; the next one goes on
AWAY = text("SELECT 1 FROM account_state WHERE account = :account AND (paused OR breaker <> 'closed')")


Look = Callable[[Alignment, list[str]], None]


def full() -> str:
    """The night's: everything, at everybody."""
    return _begin(FULL)


def delta() -> str:
    """The hour's: what moved since the last."""
    return _begin(DELTA)


def _begin(kind: str) -> str:
    sources = [name for name in authority.sources() if _keeps(name)]
    with transaction() as tx:
        begun = alignment.begin(tx, kind, sources, dirty.publishers())
    return f"{begun} to be looked at"


def _keeps(account: str) -> bool:
    return "StockKeeper" in entries.manifest(account).offers


def run() -> str:
    """Goes on with what is open, for a while; a killed worker's successor goes on from where it was."""
    until = time.monotonic() + PATIENCE
    with transaction() as tx:
        waiting = alignment.due(tx)
        away = {one.account for one in waiting if tx.execute(AWAY, {"account": one.account}).scalar() is not None}
    ended = sum(_go_on(one, until) for one in waiting if one.account not in away and time.monotonic() < until)
    return f"{ended} of {len(waiting)} done"


def _go_on(one: Alignment, until: float) -> bool:
    """True when it came to its end. Whoever does not answer is asked again later, from there."""
    try:
        ended = LOOKS[one.side, one.kind](one, until)
    except Trouble as trouble:
        log.warning("align", account=one.account, code=trouble.code, sentence=trouble.sentence)
        with transaction() as tx:
            alignment.stumbled(tx, one, trouble.sentence)
        return False
    if ended:
        with transaction() as tx:
            alignment.end(tx, one.id)
    return ended


def _whole_source(one: Alignment, until: float) -> bool:
    """All that an owner lists, new SKUs too. It is listed in one go, however long that takes: a list has no place to go on from."""
    with transaction() as tx:
        alignment.restart(tx, one.id)
    with counted(one.account) as keeper:
        for levels, asked_at in _batches(keeper):
            with transaction() as tx:
                alignment.take(tx, one, levels, asked_at)
    return True


def _batches(keeper: StockKeeper) -> Iterator[tuple[list[StockLevel], datetime]]:
    """Levels with the instant before which none of them was asked for. It is the beginning's for all: a source's page may reach over
    several of our batches, and what was said meanwhile is newer than it."""
    asked_at = datetime.now(UTC)
    levels = iter(keeper.stock())
    while batch := list(islice(levels, CHUNK)):
        yield batch, asked_at


def _moved_source(one: Alignment, until: float) -> bool:
    """What moved of an owner's, SKU by SKU."""
    return _by_sku(one, until, _asked_source)


def _asked_source(one: Alignment, skus: list[str]) -> None:
    asked_at = datetime.now(UTC)
    with counted(one.account) as keeper:
        levels = list(keeper.stock(skus)) if skus else []
    with transaction() as tx:
        alignment.take(tx, one, levels, asked_at, one.reached)


def _channel(one: Alignment, until: float) -> bool:
    """What a channel shows, SKU by SKU; one that cannot be asked is told all of it once more at night, and nothing for a delta."""
    if not _keeps(one.account):
        return _by_sku(one, until, _told) if one.kind == FULL else True
    return _by_sku(one, until, _asked_channel)


def _asked_channel(one: Alignment, skus: list[str]) -> None:
    with counted(one.account) as keeper:
        levels = list(keeper.stock(skus)) if skus else []
    with transaction() as tx:
        wrong = drift.compare(tx, "channel", one.account, skus, levels)
        alignment.tell_again(tx, one.account, sorted({sku for sku, _ in wrong}))
        alignment.passed(tx, one.id, one.reached, len(skus), len(wrong))


def _told(one: Alignment, skus: list[str]) -> None:
    with transaction() as tx:
        alignment.tell_again(tx, one.account, skus)
        alignment.passed(tx, one.id, one.reached, len(skus), 0)


def _by_sku(one: Alignment, until: float, look: Look) -> bool:
    """SKUs in their order, some at a time, each chunk in a commit of its own with how far it came. False when time was over."""
    codes = connection(one.account).codes
    while time.monotonic() < until:
        with transaction() as tx:
            now = alignment.again(tx, one.id)
            skus = alignment.following(tx, now, CHUNK) if now is not None else ()
        if now is None or not skus:
            return now is not None
        look(replace(now, reached=skus[-1]), [sku for sku in skus if has_code(codes, sku)])
    return False


LOOKS: Mapping[tuple[str, str], Callable[[Alignment, float], bool]] = {
    (SOURCE, FULL): _whole_source,
    (SOURCE, DELTA): _moved_source,
    (CHANNEL, FULL): _channel,
    (CHANNEL, DELTA): _channel,
}
