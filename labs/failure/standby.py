"""A standby of the hub's PostgreSQL: copied with pg_basebackup, fed by streaming, and promoted when the primary dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from labs.failure import standing_in
from labs.failure.kills import Load
from labs.failure.outages import resumed
from labs.failure.proxy import Proxy
from labs.failure.scenario import Lab, Scenario
from labs.failure.stage import Stage
from labs.judge.bounds import forgotten_or_in_flight
from local import binaries
from local.ports import LOCALHOST, pick
from local.postgres import Postgres
from local.user import own, server_user

LAG = 2.5  # seconds for which the line to the standby is slow when the primary dies


def promotion(synchronous: bool) -> Callable[[Stage], None]:
    """The line to the standby stalls, the primary dies, the standby is promoted behind the same address, under load.

    Synchronous: nobody is acknowledged while the line stalls. Otherwise what was acknowledged meanwhile is unknown to the standby.
    """

    def play(stage: Stage) -> None:
        line, _ = standing_in.before(stage, stage.servers.database_url)
        standby = copied(stage, line)
        door, url = standing_in.before(stage, stage.servers.database_url)
        if synchronous:
            insist(stage.servers.database_url)
        standing_in.start(stage, {"DATABASE_URL": url})
        with Load(stage, 0.12):
            time.sleep(6)
            began = time.time()
            line.turn("stall")
            time.sleep(LAG)
            stage.servers.postgres.kill()
            stage.kills += 1
            stage.say("the primary is dead; the standby is promoted")
            began = min(began, standby.heard())
            standby.promote()
            if not synchronous:
                skip_numbers(standby)
            stage.unheard = (began, time.time())
            door.move((LOCALHOST, standby.port))
            resumed(stage)
            time.sleep(8)
        stage.figures["acknowledged, then forgotten"] = forgotten(stage)
        if synchronous:
            assert not forgotten(stage), "synchronous replication lost something"

    return play


def forgotten(stage: Stage) -> int:
    """Deliveries that a sender was told are taken, and that the promoted journal does not know."""
    from local.story import journal

    standing_in.forget()  # the lab's own connections to the server that died
    known = journal.inside().deliveries
    return sum(
        1 for one in {(t.account, t.id) for t in stage.sender.tries if t.taken and not t.forged} if one not in known
    )


def insist(url: str) -> None:
    """From now on a commit is answered when the standby has it on its disk, too."""
    with psycopg.connect(plain(url), autocommit=True) as primary:
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (waybill_standby)'")
        primary.execute("SELECT pg_reload_conf()")
        _until(lambda: _streams(primary, "quorum"), "the standby is synchronous")


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def copied(stage: Stage, line: Proxy) -> Standby:
    """A standby that follows the stage's primary over the line, caught up."""
    made = Standby(stage.servers.root / "standby", pick())
    made.copy(stage.servers.database_url, line.port)
    stage.closing.callback(made.stop)
    made.start()
    with psycopg.connect(plain(stage.servers.database_url), autocommit=True) as primary:
        _until(lambda: _streams(primary, "async"), "the standby streams")
    return made


class Standby(Postgres):
    """The same server program over a copy of the primary's data."""

    def __init__(self, root: Path, port: int) -> None:
        super().__init__(root, port, server_user())
        self.port = port

    def copy(self, url: str, through: int) -> None:
        """pg_basebackup; the standby will follow the primary by the port `through`."""
        root = self._root
        root.mkdir(mode=0o755, exist_ok=True)
        self._home.mkdir()
        own(self._home, self._who)
        named = make_url(url)
        self._secret.write_text(str(named.password))
        tool = binaries.find(binaries.POSTGRES, root.parent, self._who).path.with_name("pg_basebackup")
        to = f"host={LOCALHOST} port={through} user={named.username} application_name=waybill_standby"
        subprocess.run(
            [tool, "-d", to, "-D", self._data, "-R", "-X", "stream", "-c", "fast"],
            env={"PATH": os.defpath, "PGPASSWORD": str(named.password), "LC_ALL": "C"},
            cwd=self._home,
            check=True,
            capture_output=True,
            **self._who,
        )

    def start(self) -> None:
        """Without the check for a database of our own: a standby takes no writes."""
        self._configure()
        self._launch(binaries.find(binaries.POSTGRES, self._root, self._who))

    def heard(self) -> float:
        """When the last commit that it has heard of was made (epoch seconds): a line may be behind before it stalls."""
        with psycopg.connect(plain(self.url), autocommit=True) as standby:
            row = standby.execute("SELECT extract(epoch FROM pg_last_xact_replay_timestamp())").fetchone()
        assert row is not None
        assert row[0] is not None, "it has heard of nothing"
        return float(row[0])

    def promote(self) -> None:
        """Ends following, and takes writes; returns when it does."""
        tool = binaries.find(binaries.POSTGRES, self._root, self._who).path.with_name("pg_ctl")
        self._run([tool, "-D", self._data, "-w", "promote"])


def _streams(primary: psycopg.Connection, state: str) -> bool:
    row = primary.execute(
        "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming' AND application_name = 'waybill_standby'"
    ).fetchone()
    return row is not None and row[0] == state


def _until(reached: Callable[[], bool], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)


def skip_numbers(standby: Standby) -> None:
    """What docs/operations.md asks of whoever promotes a standby that may have missed something."""
    command = [str(Path(sys.executable).with_name("waybill")), "promoted"]
    subprocess.run(command, env={**os.environ, "DATABASE_URL": standby.url}, check=True, capture_output=True)


# What was acknowledged and forgotten is told once more by whoever is asked for it.
POLLED = {"shop": {"polls": {"order": {"every": 5}}}, "warehouse": {"polls": {"shipment": {"every": 5}}}}
SYSTEMS = frozenset(("hub", "shop", "erp", "warehouse", "letters", "mail"))
SCENARIOS = (
    Scenario(
        "promotion-synchronous",
        "the primary dies under load and its synchronous standby is promoted: nothing is lost",
        promotion(True),
        least={"orders": 60, "booked": 60},
        lab=Lab(lines=(), accounts=POLLED),
    ),
    Scenario(
        "promotion-asynchronous",
        "the same without synchronous replication: what the standby had not heard is counted",
        promotion(False),
        least={"orders": 60, "booked": 50},
        lab=Lab(lines=(), accounts=POLLED),
        beyond=SYSTEMS,
        bound=forgotten_or_in_flight,
    ),
)
