"""A proof holds an hour of each channel in the journal against the receivers' log, the source's list and the ERP's list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from app.acks import Ack
from app.database import transaction
from app.journal import proving
from config.reader import config
from tasks.proving import at_erp, at_source, deliveries, outsiders
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
    """Hours in a row of all channels, and what goes into the hash of each."""

    now: datetime
    ways: Policy
    proofs: dict[tuple[str, datetime], HourProof]
    inputs: dict[tuple[str, datetime], list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def since(self) -> datetime:
        return min(proof.hour for proof in self.proofs.values())

    @property
    def last(self) -> datetime:
        """The end of its newest hour, or now."""
        return min(self.now, max(proof.hour for proof in self.proofs.values()) + HOUR)

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
    moment, names = now or datetime.now(UTC), channels or outsiders.channels()
    found = [proof for span in _spans(wanted) for proof in _proved(_ground(span, names, moment), bodies)]
    return sorted(found, key=lambda proof: (proof.hour, proof.channel))


def _spans(wanted: Sequence[datetime]) -> Iterator[list[datetime]]:
    """Hours in a row: an old hour that is still open must not make every list as long as its age."""
    span: list[datetime] = []
    for hour in sorted(set(wanted)):
        if span and hour - span[-1] > HOUR:
            yield span
            span = []
        span = [*span, hour]
    if span:
        yield span


def _proved(ground: Ground, bodies: bool) -> Iterable[HourProof]:
    if not ground.proofs:
        return ()
    for hour in sorted({proof.hour for proof in ground.proofs.values()}):
        _log(ground, hour, bodies)
    for channel in {proof.channel for proof in ground.proofs.values()}:
        for proof in ground.hours(channel):
            _journal(ground, proof)
        at_source.compare(ground, channel)
    for account in outsiders.ledgers():
        at_erp.compare(ground, account)
        deliveries.compare(ground, account)
    for key, proof in ground.proofs.items():
        proof.inputs = sha256("\n".join(sorted(ground.inputs[key])).encode()).hexdigest()
    return ground.proofs.values()


def _ground(wanted: Sequence[datetime], channels: Sequence[str], now: datetime) -> Ground:
    ways = policy()
    settled = [hour for hour in wanted if hour < now - ways.settle]
    proofs = {
        (channel, hour): HourProof(channel, hour, ended=hour + HOUR <= now - ways.settle)
        for channel in channels
        for hour in settled
    }
    return Ground(now, ways, proofs)


def _log(ground: Ground, hour: datetime, bodies: bool) -> None:
    """Every delivery that was acknowledged in an hour is kept, as it was acknowledged. The log is read once for all channels."""
    with transaction() as tx:
        journal = proving.name(tx)
    found = outsiders.acknowledged(journal, hour - ground.ways.skew, hour + HOUR + ground.ways.skew)
    noted: dict[str, list[Ack]] = defaultdict(list)
    for ack in () if isinstance(found, Silent) else found[0]:
        noted[ack.account].append(ack)
    for proof in [proof for proof in ground.proofs.values() if proof.hour == hour]:
        came = _events(
            ground, proof, None if isinstance(found, Silent) else {ack.delivery_id for ack in noted[proof.channel]}
        )
        if not isinstance(found, Silent):
            proof.parts.add("log")
            _acknowledged(ground, proof, noted[proof.channel], bodies or proof.ended)
        elif came or not found.quiet:
            ground.silent([proof], found)


def _acknowledged(ground: Ground, proof: HourProof, noted: Sequence[Ack], bodies: bool) -> None:
    answered = [ack for ack in noted if proof.hour <= ack.at < ground.end(proof)]
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


ACKNOWLEDGED = ("webhook", "api")  # doors at which somebody is answered


def _events(ground: Ground, proof: HourProof, logged: set[str] | None) -> int:
    """The hour's events by state, and how many of its webhooks the log does not have; answers how many webhooks came."""
    with transaction() as tx:
        rows = proving.events(tx, proof.channel, proof.hour, ground.end(proof))
    proof.count("received", len(rows))
    for row in rows:
        proof.count(row.state)
        ground.heard(proof, ["event", row.id, row.delivery_id, row.state])
        if logged is not None and row.door in ACKNOWLEDGED and row.delivery_id not in logged:
            proof.count("unlogged")
    return sum(row.door in ACKNOWLEDGED for row in rows)


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
