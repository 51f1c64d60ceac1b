"""Watching: subscriptions that a vendor switched off, channels that have gone silent, versions that are retired or about to be."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime

import structlog
from sqlalchemy import Connection, text

from app import cases
from app.accounts import entries, errands
from app.bell import ring
from app.database import transaction
from config.reader import config
from connectors.kit.capabilities import SubscribedAt, Subscriber
from connectors.kit.errors import NotOffered, Trouble
from connectors.kit.http import Exchange
from tasks.engine.connecting import counted

log = structlog.get_logger("watch")

SAVE = text("""
INSERT INTO subscriptions AS s (account, topic, alive, dead_since) VALUES (:account, :topic, :alive, CASE WHEN :alive THEN NULL ELSE now() END)
ON CONFLICT (account, topic) DO UPDATE SET alive = excluded.alive, checked_at = now(),
    dead_since = CASE WHEN excluded.alive THEN NULL ELSE coalesce(s.dead_since, now()) END
""")
ALARMS = (90, 30, 7)  # days before a version is retired


def run(today: date | None = None) -> str:
    """Looks at each account that can tell; what is wrong becomes a case, what is well again leaves it. `today` in UTC."""
    with transaction() as tx:
        late = errands.late(tx)
    ring(late)
    names = list(config().accounts)
    with ThreadPoolExecutor(max(1, min(8, len(names)))) as crowd:
        looks = {name: crowd.submit(_look, name, today) for name in names}
    return "; ".join(filter(None, (_said(name, look) for name, look in looks.items())))


def _said(name: str, look: Future[str]) -> str:
    """What a look brought. One that stumbled over an error of ours is logged; the other accounts were looked at all the same."""
    stumbled = look.exception()
    if stumbled is None:
        return look.result()
    log.error("watch", account=name, code="unexpected", exc_info=stumbled)
    return f"{name} stumbled: {type(stumbled).__name__}"


def _look(name: str, today: date | None = None) -> str:
    with transaction() as tx:
        _sunset(tx, name, today or datetime.now(UTC).date())
    if "Subscriber" not in entries.manifest(name).offers or not config().accounts[name].base_url:
        return ""  # without an address an account is not in use
    heard: list[Exchange] = []
    try:
        with counted(name, heard) as source:
            alive = _renewed(name, source)
    except NotOffered:
        with transaction() as tx:
            cases.leave(tx, f"subscription:{name}")
        return ""  # an account that is only polled
    except Trouble as trouble:
        log.warning("watch", account=name, code=trouble.code, sentence=trouble.sentence)
        return f"{name}: {trouble.sentence}"
    finally:
        with transaction() as tx:
            _served(tx, name, heard)
    with transaction() as tx:
        dead = _save(tx, name, alive)
    return f"{name}: {len(dead)} subscriptions are off" if dead else ""


def _alive(name: str, source: Subscriber) -> dict[str, bool]:
    """Each topic that the manifest wants subscribed, there or not: a vendor lists only those that are. Where it tells the address
    too, it must be ours."""
    wanted = entries.manifest(name).subscribes
    if isinstance(source, SubscribedAt) and os.environ.get("PUBLIC_URL"):
        sent = source.subscribed_at()
        return {topic: _address(name) in sent.get(topic, ()) for topic in wanted}
    there = source.subscriptions()
    return {topic: there.get(topic, False) for topic in wanted}


def _address(name: str) -> str:
    return f"{os.environ.get('PUBLIC_URL', '')}/hooks/{name}"


def _renewed(name: str, source: Subscriber) -> dict[str, bool]:
    """What is there, once what ran out by itself is registered again; where that does not do, it is off."""
    alive = _alive(name, source)
    if not entries.manifest(name).renews or all(alive.values()):
        return alive
    try:
        mend(name)
    except Trouble as trouble:
        log.warning("renew", account=name, code=trouble.code, sentence=trouble.sentence)
    return _alive(name, source)


def _save(tx: Connection, name: str, alive: dict[str, bool]) -> list[str]:
    for topic, on in alive.items():
        tx.execute(SAVE, {"account": name, "topic": topic, "alive": on})
    dead = sorted(topic for topic, on in alive.items() if not on)
    if dead:
        sentence = f"{name} no longer sends us {', '.join(dead)}; orders are found by polling meanwhile."
        remedy = f"An operator registers them again on the page of {name} (Accounts)."
        cases.open_case(
            tx,
            "account",
            name,
            "subscription_off",
            sentence,
            member=f"subscription:{name}",
            role="channel",
            remedy=remedy,
        )
    else:
        cases.leave(tx, f"subscription:{name}")
    return dead


def mend(name: str) -> list[str]:
    """Registers what is missing; answers the topics that were."""
    with counted(name) as source:
        missing = sorted(topic for topic, on in _alive(name, source).items() if not on)
        if missing:
            source.subscribe(missing, _address(name))
    return missing


def errand(number: int) -> str:
    """Does what a person asked for on the account's page; what came of it stands there."""
    with transaction() as tx:
        asked = errands.take(tx, number)
    if asked is None:
        return "done already"
    try:
        said = f"registered: {', '.join(mend(asked.account)) or 'nothing was missing'}"
        _look(asked.account)
    except Trouble as trouble:
        log.warning("errand", account=asked.account, code=trouble.code, sentence=trouble.sentence)
        said = f"failed: {trouble.sentence}"
    with transaction() as tx:
        errands.end(tx, number, said)
    return said


def _sunset(tx: Connection, name: str, today: date) -> None:
    """A case of its own 90, 30 and 7 days before the vendor retires the version that we speak; over when we speak another."""
    manifest = entries.manifest(name)
    retired = manifest.retired(entries.entry(name).settings)
    left = (retired[0] - today).days if retired else None
    reached = min((days for days in ALARMS if left is not None and left <= days), default=None)
    for days in ALARMS:
        if days != reached:
            cases.leave(tx, f"sunset:{name}:{days}")
    if retired is not None and left is not None and reached is not None:
        when = f"{left} days from now" if left > 0 else "its time is over"
        sentence = f"{manifest.title} retires version {retired[1]} on {retired[0]}: {when}."
        member, cause = f"sunset:{name}:{reached}", str(reached)
        cases.open_case(tx, "account", name, "sunset", sentence, member=member, owner="engineering", cause=cause)


def _served(tx: Connection, name: str, heard: Sequence[Exchange]) -> None:
    """Answers in another version than was asked for (fall forward): fields may be gone or mean something else."""
    manifest = entries.manifest(name)
    told = {call.answer_headers.get(manifest.version_header, "") for call in heard if manifest.version_header} - {""}
    others = sorted(told - {manifest.version})
    if others:
        words = (
            f"{manifest.title} answers {name} in version {', '.join(others)}; version {manifest.version} was asked for."
        )
        cases.open_case(
            tx,
            "account",
            name,
            "version_served",
            words,
            member=f"version:{name}",
            owner="engineering",
            cause=",".join(others),
            remedy=f"Bring the connector to a version that {manifest.title} still serves; until then look at what it reads and writes.",
        )
    elif told:
        cases.leave(tx, f"version:{name}")


if __name__ == "__main__":  # python -m tasks.feeds.watch ACCOUNT
    print("\n".join(mend(sys.argv[1])) or "nothing was missing")
