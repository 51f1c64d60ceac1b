"""Price files: fetched once they stand still, read on piece by piece, answered by a report; what they say is in force at its minute."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.accounts import entries
from app.bell import Ring, ring
from app.catalogue import price_activation, price_marks, price_runs
from app.database import transaction
from app.journal import runs, subjects
from app.journal.nourish import feed_accounts
from app.journal.runs import NewRun, NewStep
from config.reader import config
from connectors.kit.capabilities import FileSource, RemoteFile
from connectors.kit.errors import Rejected, Transient, Trouble
from tasks.engine.connecting import counted
from tasks.flows.book import FLOWS
from tasks.receive import UNFORESEEN

log = structlog.get_logger("prices")

PATIENCE = 25.0  # seconds in one window; the next one goes on
PATIENT = 2  # files at which a source may break off in one look: after that it is the source
SEEN = text("SELECT size, modified, read FROM feed_files WHERE account = :account AND name = :name")
NOTE = text("""
INSERT INTO feed_files (account, name, size, modified) VALUES (:account, :name, :size, :modified)
ON CONFLICT (account, name) DO UPDATE SET size = excluded.size, modified = excluded.modified, seen_at = now(),
    read = feed_files.read AND (feed_files.size, feed_files.modified) = (excluded.size, excluded.modified)
""")
# Whoever marks it as read begins its run: two that fetched it at once begin one.
READ = text("""
UPDATE feed_files SET read = true WHERE account = :account AND name = :name AND NOT read AND (size, modified) = (:size, :modified) RETURNING 1
""")
FORGET = text("DELETE FROM feed_files WHERE account = :account AND NOT (name = ANY(:names))")
# Checked files whose report was not asked for yet, also by a worker that was killed before it could.
UNREPORTED = text("""
SELECT p.id, p.account, p.file, p.content FROM price_runs p WHERE p.state <> 'loading' AND p.account = ANY(:accounts)
    AND p.began_at > now() - interval '30 days'
    AND NOT EXISTS (SELECT 1 FROM subjects s WHERE s.kind = 'feed' AND s.account = p.account AND s.external_id = 'run ' || p.id) ORDER BY p.id
""")
OPEN = text("SELECT 1 FROM runs WHERE subject_id = :subject AND flow = 'prices_published' AND state = 'open' LIMIT 1")
NEXT = text("SELECT nextval('event_ids')")


def run() -> str:
    """A look at every source of price files, then the files that are not read to their end, the oldest first."""
    fetched = [said for name in config().accounts if (said := look(name))]
    lines = read_on(time.monotonic() + PATIENCE)
    reported = report()
    return "; ".join([*fetched, f"{lines} pieces read, {reported} files reported"])


def look(account: str) -> str:
    """Fetches what stands still at one source. One that does not answer is looked at again in the next window."""
    if not entries.entry(account).base_url or "FileSource" not in entries.manifest(account).offers:
        return ""
    try:
        with counted(account) as source:
            return _fetched(account, source)
    except Trouble as trouble:
        log.warning("prices", account=account, code=trouble.code, sentence=trouble.sentence)
        return f"{account}: {trouble.sentence}"
    except UNFORESEEN as defect:
        log.error("a price feed cannot be looked at", account=account, exc_info=defect)
        return f"{account}: {type(defect).__name__}"


def _fetched(account: str, source: FileSource) -> str:
    there = source.files()
    with transaction() as tx:
        still = [file for file in there if _stands_still(tx, account, file)]
        tx.execute(FORGET, {"account": account, "names": [file.name for file in there]})
    begun = broken = 0
    for file in still:
        body = _body(account, source, file)
        if isinstance(body, Transient):
            broken += 1
            if broken > PATIENT:
                raise body
        with transaction() as tx:
            if isinstance(body, Trouble) and body.code != "too_large":
                continue
            if tx.execute(READ, {"account": account, **asdict(file)}).scalar() is None:
                continue
            if isinstance(body, Trouble):
                price_runs.unread(tx, account, file.name, f"{file.size}-bytes", body.sentence)
            else:
                price_runs.begin(tx, account, file.name, body)
            begun += 1
    return f"{account}: {begun} new files" if begun else ""


def _body(account: str, source: FileSource, file: RemoteFile) -> bytes | Rejected | Transient:
    """The file, or why it cannot be had: that keeps no other file waiting."""
    try:
        return source.read_file(file.name)
    except (Rejected, Transient) as refused:
        log.warning("prices", account=account, file=file.name, code=refused.code, sentence=refused.sentence)
        return refused


def _stands_still(tx: Connection, account: str, file: RemoteFile) -> bool:
    """Whether it has the size and time that it had at the last look, and was not read so before: nobody is writing to it."""
    name = {"account": account, "name": file.name}
    before = tx.execute(SEEN, name).first()
    tx.execute(NOTE, {**name, "size": file.size, "modified": file.modified})
    return before is not None and not before.read and (before.size, before.modified) == (file.size, file.modified)


def read_on(until: float) -> int:
    """Reads files on, a piece in each commit; answers how many pieces. Whoever is killed at it is followed by another, from the next line.

    Each feed has its share of the time: one long file keeps no other feed waiting, nor does one that cannot be read on.
    """
    pieces = 0
    with transaction() as tx:
        waiting = price_runs.loading(tx)
    for n, (account, runs_of_it) in enumerate(waiting.items()):
        now = time.monotonic()
        pieces += _read_feed(account, runs_of_it, now + (until - now) / (len(waiting) - n))
    return pieces


def _read_feed(account: str, waiting: Sequence[int], until: float) -> int:
    pieces = 0
    for run_id in waiting:
        try:
            while time.monotonic() < until:
                with transaction() as tx:
                    if not price_runs.advance(tx, run_id):
                        break
                pieces += 1
        except UNFORESEEN as defect:
            log.error("a price file cannot be read on", account=account, run=run_id, exc_info=defect)
            with transaction() as tx:
                price_runs.stuck(tx, account, run_id, type(defect).__name__)
    return pieces


def report() -> int:
    """Every file that was checked is answered, by steps at its source. A catalogue's prices are no file: the admin says what became of them."""
    rings: list[Ring] = []
    accounts = [name for name in config().accounts if "FileSource" in entries.manifest(name).offers]
    with transaction() as tx:
        waiting = tx.execute(UNREPORTED, {"accounts": accounts}).all()
        for row in waiting:
            rings += _report(tx, row.id, row.account, row.file, price_runs.digest(row.content))
    ring(rings)
    return len(waiting)


def _report(tx: Connection, run_id: int, account: str, file: str, content: str) -> list[Ring]:
    subject = subjects.lock(tx, "feed", account, f"run {run_id}")
    flow = FLOWS["feed_reported"]
    key = f"wb-feed-{account}-{run_id}"
    steps = (
        NewStep("put_report", "source", account, "outer", f"{key}-report"),
        NewStep("archive_file", "source", account, "outer", f"{key}-archive", after=("put_report",)),
    )
    detail = {"file": {"name": file, "run": run_id, "content": content}}
    runs.lay(
        tx,
        NewRun(
            subject.id, None, None, flow.name, flow.version, f"run {run_id}", None, account, 1, steps, detail=detail
        ),
    )
    return feed_accounts(tx, {account})


def activate() -> str:
    """Prices whose minute has come are in force; channels that take prices are told of what changed (publish)."""
    changed = 0
    with transaction() as tx:
        accounts = price_activation.accounts(tx)
    for account in accounts:
        try:
            with transaction() as tx:
                changed += price_activation.activate(tx, account)
        except (*UNFORESEEN, SQLAlchemyError) as defect:  # the others' minute has come, too
            log.error("prices cannot be put in force", account=account, exc_info=defect)
    return f"{changed} prices changed"


def publish() -> str:
    """One run for each channel that has prices to be told and is not being told already."""
    rings: list[Ring] = []
    with transaction() as tx:
        waiting = price_marks.pending(tx)
        for account in waiting:
            rings += _publish(tx, account)
    ring(rings)
    return f"{sum(waiting.values())} to tell to {len(waiting)} accounts"


def _publish(tx: Connection, account: str) -> list[Ring]:
    subject = subjects.lock(tx, "publication", account, "prices")
    if tx.execute(OPEN, {"subject": subject.id}).scalar() is not None:
        return []
    number = str(tx.execute(NEXT).scalar_one())
    flow = FLOWS["prices_published"]
    key = f"{subject.waybill.lower()}-prices-{number}"
    step = NewStep("publish_prices", "publish", account, "outer", key, ordered=False)
    runs.lay(tx, NewRun(subject.id, None, None, flow.name, flow.version, number, None, account, 1, (step,)))
    return feed_accounts(tx, {account})
