"""The proof in production: each window proves the hours that may still change, keeps the result and opens or closes cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from app import cases
from app.database import transaction
from app.journal import proofs
from tasks.proving.proof import HOUR, hour_of, hours, policy, prove
from tasks.proving.words import KINDS, Difference, HourProof

KEEP_DAYS = 92


def run() -> str:
    """Proves what is not final; answers in words what was found."""
    now = datetime.now(UTC)
    found = prove(_wanted(now), now=now)
    keep(found)
    with transaction() as tx:
        proofs.forget(tx, KEEP_DAYS)
    differences = sum(len(proof.differences) for proof in found)
    silent = sorted({why for proof in found for why in proof.unproved})
    return f"{len(found)} hours of channels, {differences} differences" + (
        f"; not proved: {'; '.join(silent)}" if silent else ""
    )


def _wanted(now: datetime) -> list[datetime]:
    """Hours that are open, those that nobody has proved since the newest, and this one; no further back than the policy reaches."""
    earliest = hour_of(now - policy().reach)
    with transaction() as tx:
        still, newest = proofs.open_hours(tx, earliest), proofs.newest(tx)
    begin = max(earliest, newest + HOUR) if newest else hour_of(now - HOUR)
    return sorted({*still, *hours(begin, now + timedelta(seconds=1))})


def keep(found: Iterable[HourProof]) -> None:
    """Each hour in a transaction of its own: its result, its differences, and their cases."""
    for proof in found:
        with transaction() as tx:
            ids = [_open(tx, proof, one) for one in _distinct(proof.differences)]
            for kinds, accounts in _asked(proof):
                for closed in proofs.agreed(tx, proof.channel, proof.hour, kinds, accounts, ids):
                    cases.leave(tx, f"proof:{closed}", by="proof")
            figures = (proof.figures, proof.unproved, proof.inputs, len(ids), proof.final)
            proofs.keep(tx, proof.channel, proof.hour, *figures)


def _distinct(differences: Sequence[Difference]) -> Iterator[Difference]:
    yield from {(one.kind, one.account, one.about): one for one in differences}.values()


def _open(tx: Connection, proof: HourProof, one: Difference) -> int:
    """One case for each kind, channel and account; the difference is its member and the evidence."""
    told = proofs.Found(one.kind, one.account, one.about, one.ours, one.theirs, one.subject)
    number = proofs.found(tx, proof.channel, proof.hour, told)
    kind = KINDS[one.kind]
    cases.open_case(
        tx,
        "proof",
        one.account,
        f"proof_{one.kind}",
        kind.sentence.format(account=one.account),
        member=f"proof:{number}",
        subject=one.subject,
        role=kind.role,
        remedy=kind.remedy.format(account=one.account),
        owner="engineering" if kind.role == "engineer" else "",
        cause=proof.channel,
    )
    return number


def _asked(proof: HourProof) -> Iterator[tuple[list[str], list[str]]]:
    """What this proof could have found: kinds and accounts. What could not be asked closes nothing."""
    for part in proof.parts:
        word, _, account = part.partition(":")
        yield [name for name, kind in KINDS.items() if kind.part == word], [account or proof.channel]
