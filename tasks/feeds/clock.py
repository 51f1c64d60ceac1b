"""The clock: beat ticks often; a window of a job is run by whoever claims its row first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.bell import CLOCK
from app.database import transaction
from config.reader import Schedule, config
from tasks.feeds import (
    align,
    backorders,
    bulk,
    catalogue,
    day_sales,
    deadlines,
    drift,
    expire,
    fulfilled,
    heartbeat,
    held,
    lots,
    moved,
    parked,
    poll,
    preorders,
    prices,
    prove,
    publish,
    retain,
    returned,
    sweep,
    tills,
    watch,
)

log = structlog.get_logger("clock")

DUE = text("""
WITH w AS (SELECT CAST(floor((extract(epoch FROM now()) - :at) / :every) * :every + :at AS double precision) AS newest),
s AS (
    INSERT INTO schedules AS s (job, last_window) SELECT :job, to_timestamp(newest - :every) FROM w
    ON CONFLICT (job) DO UPDATE SET job = s.job RETURNING last_window),
k AS (SELECT newest, greatest(0, ceil((newest - extract(epoch FROM last_window)) / :every)::int) AS missed FROM s, w)
SELECT to_timestamp(newest - n * :every) AS starts FROM k, generate_series(greatest(0, missed - :most), missed - 1) AS n ORDER BY 1
""")
CLAIM = text("INSERT INTO windows (job, starts) VALUES (:job, :starts) ON CONFLICT DO NOTHING RETURNING 1")
REACHED = text("UPDATE schedules SET last_window = greatest(last_window, :starts) WHERE job = :job")
SKIPPED = text(
    "INSERT INTO windows (job, starts, state, note, ended_at) VALUES (:job, :starts, 'skipped', :note, now()) ON CONFLICT DO NOTHING"
)
ENDED = text("UPDATE windows SET state = :state, note = :note, ended_at = now() WHERE job = :job AND starts = :starts")
TAKE = text("""
INSERT INTO at_work AS w (job, until) VALUES (:job, now() + make_interval(secs => :lease))
ON CONFLICT (job) DO UPDATE SET until = excluded.until WHERE w.until <= now() RETURNING until
""")
KEEP = text("""
UPDATE at_work SET until = now() + make_interval(secs => :lease) WHERE job = :job AND until = :until RETURNING until
""")
LEAVE = text("DELETE FROM at_work WHERE job = :job AND until = :until")
LEASE = 6.0  # seconds after which a worker that died or froze at a job is replaced
LONGEST = 600.0  # seconds for which a job that never ends keeps the others away
MOST = 1000
# A tick expires by beat's clock and is judged by a worker's. These may be minutes apart: with a margin of seconds, a beat that is behind would
# have every tick of its thrown away. A tick too many costs one look at what is due.
APART = 900.0

Job = Callable[[], Any]


def due(tx: Any, schedule: Schedule) -> list[Any]:
    """The windows of a job that have begun and that nobody has taken, oldest first."""
    return list(
        tx.execute(DUE, {"job": schedule.name, "every": schedule.every, "at": schedule.at, "most": MOST}).scalars()
    )


def chosen(schedule: Schedule, windows: list[Any]) -> list[Any]:
    """Which of the missed windows are run: all, only the newest, or none but the one that begins now."""
    if schedule.policy == "catch_up" or len(windows) <= 1:
        return windows
    return windows[-1:]


def run_due(schedule: Schedule, job: Job) -> int:
    """Runs what is due of a job, once for each window; answers how many windows this worker ran."""
    with transaction() as tx:
        windows = due(tx, schedule)
        wanted = chosen(schedule, windows)
        late = schedule.policy == "skip" and len(windows) > 1
        mine = [
            starts
            for starts in ([] if late else wanted)
            if tx.execute(CLAIM, {"job": schedule.name, "starts": starts}).scalar()
        ]
        for starts in windows:
            if starts not in wanted or late:
                tx.execute(
                    SKIPPED, {"job": schedule.name, "starts": starts, "note": f"missed; policy {schedule.policy}"}
                )
        if windows:
            tx.execute(REACHED, {"job": schedule.name, "starts": windows[-1]})
    if len(windows) > 1:
        log.warning("missed windows", job=schedule.name, missed=len(windows) - 1, policy=schedule.policy, run=len(mine))
    for starts in mine:
        _run(schedule, starts, job)
    return len(mine)


def _run(schedule: Schedule, starts: Any, job: Job) -> None:
    note, state = "", "failed"
    try:
        note, state = str(job() or ""), "done"
    finally:
        with transaction() as tx:
            tx.execute(ENDED, {"job": schedule.name, "starts": starts, "state": state, "note": note[:500]})


@dataclass
class _Turn:
    """One worker's turn at a job: a short lease that a thread of its own renews for as long as the worker lives and the turn lasts.
    A lease, not a lock: whoever is killed or frozen at a job holds nobody up for longer."""

    job: str
    until: Any
    ended: threading.Event = field(default_factory=threading.Event)

    def keep(self) -> None:
        for _ in range(int(LONGEST / LEASE * 3)):
            if self.ended.wait(LEASE / 3) or not self._kept():
                return

    def _kept(self) -> bool:
        """False once another has taken over."""
        try:
            with transaction() as tx:
                until = tx.execute(KEEP, {"job": self.job, "until": self.until, "lease": LEASE}).scalar()
        except SQLAlchemyError:
            log.warning("lease of a job not renewed", job=self.job, exc_info=True)
            return True  # the next look may find it
        self.until = until or self.until
        return until is not None


@contextmanager
def alone(job: str) -> Iterator[bool]:
    """Whether no other worker is at this job. A job that takes longer than its window would else fill slot after slot with itself;
    the windows that pass meanwhile are due at the next tick, by its policy."""
    with transaction() as tx:
        until = tx.execute(TAKE, {"job": job, "lease": LEASE}).scalar()
    if until is None:
        yield False
        return
    turn = _Turn(job, until)
    keeper = threading.Thread(target=turn.keep, name=f"turn {job}", daemon=True)
    keeper.start()
    try:
        yield True
    finally:
        turn.ended.set()
        keeper.join()
        with transaction() as tx:
            tx.execute(LEAVE, {"job": job, "until": turn.until})


def _scheduled(name: str, job: Job) -> Job:
    def tick() -> int:
        with alone(name) as mine:
            return run_due(config().schedules[name], job) if mine else 0

    return tick


RUNS: dict[str, Job] = {
    "sweep": sweep.run,
    "bulk": bulk.run,
    "poll": poll.run,
    "publish": publish.run,
    "parked": parked.run,
    "watch": watch.run,
    "prove": prove.run,
    "retain": retain.run,
    "expire": expire.run,
    "drift": drift.run,
    "held": held.run,
    "backorders": backorders.run,
    "preorders": preorders.run,
    "fulfilled": fulfilled.run,
    "moved": moved.run,
    "returned": returned.run,
    "lots": lots.run,
    "day_sales": day_sales.run,
    "deadlines": deadlines.run,
    "tills": tills.run,
    "align_full": align.full,
    "align_delta": align.delta,
    "align": align.run,
    "catalogue": catalogue.run,
    "prices": prices.run,
    "activate": prices.activate,
    "publish_prices": prices.publish,
}
JOBS: dict[str, Callable[..., Any]] = {
    **{name: _scheduled(name, job) for name, job in RUNS.items()},
    "heartbeat": heartbeat.seen,
    "errand": watch.errand,
}


def beat_schedule() -> dict[str, Any]:
    """What beat sends. A tick that nobody took for long expires: a later one does its work."""
    return {
        name: {
            "task": f"waybill.{name}",
            "schedule": timedelta(seconds=config().schedules[name].tick),
            "options": {"queue": CLOCK, "expires": max(APART, config().schedules[name].every * 2)},
        }
        for name in RUNS
        if name in config().schedules
    }
