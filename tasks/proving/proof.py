"""A proof holds an hour of each channel in the journal against the receivers' log, the source's list and the ERP's list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from app.database import transaction
from app.journal import proving
from config.reader import config
from tasks.proving import at_erp, at_source, outsiders
from tasks.proving.outsiders import Silent
from tasks.proving.words import Difference, HourProof

HOUR = timedelta(hours=1)
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Policy:
    """[proof] of settings.toml, as durations."""

    settle: timedelta
    skew: timedelta
    reach: timedelta


def policy() -> Policy:
    """`settle`: what is younger is not judged yet. `skew`: how far clocks may differ. `reach`: how far back hours are proved."""
    told = config().settings.get("proof", {})
    return Policy(
        timedelta(seconds=float(told.get("settle", 300))),
        timedelta(seconds=float(told.get("skew", 600))),
        timedelta(hours=float(told.get("reach", 48))),
    )


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours(since: datetime, until: datetime) -> list[datetime]:
    """The hours that the window touches, oldest first."""
    first = hour_of(since)
    return [first + n * HOUR for n in range(max(0, int((until - first) / HOUR)) + 1) if first + n * HOUR < until]


@dataclass
class Ground:
    """One proof's hours of all channels, and what goes into the hash of each."""

    now: datetime
    ways: Policy
    proofs: dict[tuple[str, datetime], HourProof]
    inputs: dict[tuple[str, datetime], list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def until(self) -> datetime:
        """What happened after it may still be on its way."""
        return self.now - self.ways.settle

    def hours(self, channel: str) -> list[HourProof]:
        return [proof for (name, _), proof in sorted(self.proofs.items()) if name == channel]

    def at(self, channel: str, moment: datetime | None) -> HourProof | None:
        """The hour of a moment, if it is among those proved and is settled; a moment nobody knows is of the newest hour."""
        if moment is None:
            return max(self.hours(channel), key=lambda proof: proof.hour, default=None)
        return self.proofs.get((channel, hour_of(moment))) if moment <= self.until else None

    def heard(self, proof: HourProof, line: object) -> None:
        self.inputs[proof.channel, proof.hour].append(str(line))

    def end(self, proof: HourProof) -> datetime:
        return min(proof.hour + HOUR, self.until)

    def silent(self, proofs: Iterable[HourProof], why: Silent) -> None:
        for proof in proofs:
            proof.unproved.append(why.why)
            proof.passing = proof.passing or why.passing


def prove(
    wanted: Sequence[datetime], channels: Sequence[str] = (), *, now: datetime | None = None, bodies: bool = False
) -> list[HourProof]:
    """Proves these hours of the channels (all when none is named); nothing is kept. Bodies are hashed for hours that have ended."""
    ground = _ground(wanted, channels or outsiders.channels(), now or datetime.now(UTC))
    if not ground.proofs:
        return []
    for channel in {proof.channel for proof in ground.proofs.values()}:
        for proof in ground.hours(channel):
            _log(ground, proof, bodies or proof.ended)
            _journal(ground, proof)
        at_source.compare(ground, channel)
    for account in outsiders.ledgers():
        at_erp.compare(ground, account)
    for key, proof in ground.proofs.items():
        proof.inputs = sha256("\n".join(sorted(ground.inputs[key])).encode()).hexdigest()
    return [proof for _, proof in sorted(ground.proofs.items(), key=lambda item: (item[0][1], item[0][0]))]


def _ground(wanted: Sequence[datetime], channels: Sequence[str], now: datetime) -> Ground:
    ways = policy()
    settled = [hour for hour in wanted if hour < now - ways.settle]
    proofs = {
        (channel, hour): HourProof(channel, hour, ended=hour + HOUR <= now - ways.settle)
        for channel in channels
        for hour in settled
    }
    return Ground(now, ways, proofs)


def _log(ground: Ground, proof: HourProof, bodies: bool) -> None:
    """Every delivery that was acknowledged is kept, as it was acknowledged."""
    with transaction() as tx:
        journal = proving.name(tx)
    found = outsiders.acknowledged(journal, proof.hour - ground.ways.skew, proof.hour + HOUR + ground.ways.skew)
    if isinstance(found, Silent):
        ground.silent([proof], found)
        _unlogged(ground, proof, None)
        return
    proof.parts.add("log")
    mine = [ack for ack in found[0] if ack.account == proof.channel]
    answered = [ack for ack in mine if proof.hour <= ack.at < ground.end(proof)]
    ids = {ack.delivery_id for ack in answered}
    proof.count("acknowledged", len(ids))
    proof.count("repeats", len(answered) - len(ids))
    for ack in answered:
        ground.heard(proof, ["ack", ack.delivery_id, ack.content, ack.first])
    contents = {ack.delivery_id: ack.content for ack in answered if ack.first}
    for chunk in chunks(sorted(ids)):
        with transaction() as tx:
            kept = proving.kept(tx, proof.channel, chunk, bodies)
        for name in chunk:
            _held(proof, name, contents.get(name), kept.get(name), bodies)
    _unlogged(ground, proof, {ack.delivery_id for ack in mine})


def _held(proof: HourProof, name: str, content: str | None, kept: proving.KeptDelivery | None, bodies: bool) -> None:
    if kept is None or not kept.kept:
        said = f"delivery {name} was answered 2xx" + (f", body {content}" if content else "")
        ours = (
            "nothing is kept under this id" if kept is None else "the delivery is known, but its event or body is gone"
        )
        proof.differ(Difference("lost", proof.channel, name, ours, said))
    elif bodies and content and kept.content != content:
        proof.differ(
            Difference(
                "altered", proof.channel, name, f"a body with the hash {kept.content}", f"acknowledged with {content}"
            )
        )


def _unlogged(ground: Ground, proof: HourProof, logged: set[str] | None) -> None:
    """The hour's events by state, and how many of its webhooks the log does not have."""
    with transaction() as tx:
        rows = proving.events(tx, proof.channel, proof.hour, ground.end(proof))
    proof.count("received", len(rows))
    for row in rows:
        proof.count(row.state)
        ground.heard(proof, ["event", row.id, row.delivery_id, row.state])
        if logged is not None and row.door == "webhook" and row.delivery_id not in logged:
            proof.count("unlogged")


def _journal(ground: Ground, proof: HourProof) -> None:
    """What the journal alone can contradict: an event under way with nothing left to do."""
    proof.parts.add("journal")
    window: dict[str, Any] = {"since": proof.hour, "until": ground.end(proof)}
    with transaction() as tx:
        proof.figures |= proving.held_up(tx, proof.channel, **window)
        stuck = proving.stuck(tx, proof.channel, **window)
    for event in stuck:
        ours = f"event {event.id} ({event.topic}) is under way since {event.at:%Y-%m-%d %H:%M:%S} UTC"
        proof.differ(Difference("stuck", proof.channel, str(event.id), ours, "it has no open run", event.subject_id))


def chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
