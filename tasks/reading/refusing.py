"""Refusing: a fact from somebody who does not own it changes nothing; it is a case with the owner's name, or an echo."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from app import cases
from app.journal.subjects import Subject
from app.orders.authority import Refusal
from tasks.reading.outcome import Outcome


def refuse(tx: Connection, subject: Subject, account: str, refusals: Iterable[Refusal]) -> None:
    for one in refusals:
        cases.open_case(
            tx,
            "refused",
            account,
            "not_the_owner",
            sentence(account, one),
            member=f"refused:{subject.id}:{account}:{one.what}",
            subject=subject.id,
            step=one.fact,
            role=one.owners[0] if one.owners else "",
            remedy="Let the owner tell it, or change the owner in config/authority.toml and replay the delivery.",
        )


def sentence(account: str, one: Refusal) -> str:
    return f"{account} told of {one.what}, which belongs to {' or '.join(one.owners)} (authority.toml): it changed nothing."


def outcome(tx: Connection, subject: Subject, account: str, refusal: Refusal, *, known: bool) -> Outcome:
    """What is known already is an echo, whoever says it."""
    told = {"subject": subject.id, "waybill": subject.waybill}
    if known:
        return Outcome("echo", "known already, from its owner", **told)  # type: ignore[arg-type]
    refuse(tx, subject, account, [refusal])
    return Outcome("ignored", sentence(account, refusal), "not_the_owner", **told)  # type: ignore[arg-type]
