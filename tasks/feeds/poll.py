"""Polling: what changed at a source since the last look, with ties and a look back, by the same door as its webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import text

from app.accounts import entries
from app.bell import ring_event
from app.database import transaction
from app.journal.accept import accept
from config.reader import config
from connectors.kit.capabilities import Message, Poller, QueueFed
from connectors.kit.errors import Trouble
from tasks.engine.connecting import counted

log = structlog.get_logger("poll")

CURSOR = text(
    "SELECT reached, at, now() AS now FROM (SELECT 1) one LEFT JOIN cursors ON account = :account AND kind = :kind"
)
REACHED = text("""
INSERT INTO cursors (account, kind, reached) VALUES (:account, :kind, :reached)
ON CONFLICT (account, kind) DO UPDATE SET reached = greatest(cursors.reached, excluded.reached), at = now()
""")
KNOWN = text("SELECT delivery_id FROM deliveries WHERE account = :account AND delivery_id = ANY(:ids)")
KNOWN_BATCH = 200
FIRST_LOOK = timedelta(days=1)
QUEUE_BATCH = 10


def run() -> str:
    """Looks at every source that can be polled or that puts deliveries in a queue; an account without an address is not in use."""
    names = [name for name, account in config().accounts.items() if account.base_url and _polled(name)]
    with ThreadPoolExecutor(max(1, min(8, len(names)))) as crowd:
        looks = {name: crowd.submit(_look, name) for name in names}
    return ", ".join(f"{name}: {_said(name, look)}" for name, look in looks.items())


def _polled(name: str) -> bool:
    return bool(entries.manifest(name).polls) or "QueueFed" in entries.manifest(name).offers


def _said(name: str, look: Future[str]) -> str:
    """What a look brought. One that stumbled over an error of ours is logged; the other sources were looked at all the same."""
    stumbled = look.exception()
    if stumbled is None:
        return look.result()
    log.error("poll", account=name, code="unexpected", exc_info=stumbled)
    return f"stumbled: {type(stumbled).__name__}"


def _look(name: str) -> str:
    """One source's new deliveries, by queue and by each poll. What does not answer is looked at again in the next window, from the
    same place; the others are looked at all the same: a quota that is used up keeps no delivery in the queue."""
    manifest, configured = entries.manifest(name), entries.entry(name).polls
    with counted(name) as source:
        looks = [partial(_drain, name, source)]
        looks += [
            partial(_poll, name, source, kind, {**policy, **configured.get(kind, {})})
            for kind, policy in manifest.polls.items()
        ]
        found = [_tried(name, look) for look in looks]
    new = sum(count for count, _ in found)
    return "; ".join(
        [*([f"{new} new"] if new or not any(why for _, why in found) else []), *(why for _, why in found if why)]
    )


def _tried(name: str, look: Callable[[], int]) -> tuple[int, str]:
    """How many were new, or why it cannot be said."""
    try:
        return look(), ""
    except Trouble as trouble:
        log.warning("poll", account=name, code=trouble.code, sentence=trouble.sentence)
        return 0, trouble.sentence


def _poll(name: str, source: Poller, kind: str, policy: Any) -> int:
    """Everything of a kind that changed in the window; the cursor moves only when all of it is committed."""
    with transaction() as tx:
        row = tx.execute(CURSOR, {"account": name, "kind": kind}).one()
    if row.at is not None and (row.now - row.at).total_seconds() < float(policy.get("every", 0)):
        return 0
    until: datetime = row.now - timedelta(seconds=float(policy.get("settling_delay", 0)))
    since: datetime = (row.reached or until - FIRST_LOOK) - timedelta(seconds=float(policy.get("lookback", 120)))
    new = sum(_take_new(name, batch) for batch in _batched(source.changed(kind, since, until)))
    with transaction() as tx:
        tx.execute(REACHED, {"account": name, "kind": kind, "reached": until})
    return new


def _batched(messages: Iterable[Message]) -> Iterator[list[Message]]:
    rest = iter(messages)
    while batch := list(islice(rest, KNOWN_BATCH)):
        yield batch


def _take_new(name: str, batch: list[Message]) -> int:
    """A look back lists mostly what is known: one question for many, and only what is new goes through the door."""
    with transaction() as tx:
        asked = {"account": name, "ids": [message.delivery_id for message in batch]}
        known = set(tx.execute(KNOWN, asked).scalars())
    return sum(_take(name, message, "poll") for message in batch if message.delivery_id not in known)


def _take(name: str, message: Message, door: str) -> bool:
    kept = accept(
        name,
        message.delivery_id,
        message.topic,
        dict(message.headers),
        message.body,
        door=door,
        recovered=door == "poll",
    )
    if kept.fresh:
        ring_event(kept.event_id)
    return kept.fresh


def _drain(name: str, source: Any) -> int:
    """Queue-fed deliveries: settled at the source only after they are committed here."""
    if not isinstance(source, QueueFed) or "QueueFed" not in entries.manifest(name).offers:
        return 0
    new = 0
    for batch in _batches(source):
        new += sum(_take(name, message, "queue") for message in batch)
        source.settle([message.receipt for message in batch])
    return new


def _batches(source: QueueFed) -> Iterator[list[Message]]:
    while batch := list(source.receive(QUEUE_BATCH)):
        yield batch
