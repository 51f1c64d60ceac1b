"""The one place that turns what an attempt met into what becomes of its step."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from sqlalchemy.exc import InterfaceError, OperationalError

from config.reader import config
from connectors.kit import errors
from connectors.kit.errors import Trouble
from tasks.engine.work import NotSettled, Overtaken, Submitted
from tasks.flows.table import Skip

# The database is away, restarts, or says that somebody else holds the row (a lock's timeout, a deadlock): all of it passes.
AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
ILL, WELL, SILENT = "ill", "well", "silent"  # what the attempt says about the account's health


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the step. `later` is seconds until it is due again; `untried`: the attempt does not count as a try."""

    state: str
    outcome: str
    later: float = 0.0
    untried: bool = False
    health: str = WELL
    doubtful: bool = False
    code: str = ""
    sentence: str = ""
    remedy: str = ""
    owner: str = ""
    fact: tuple[str, str, str] | None = None
    hold: str = ""  # what a held order's step is parked on
    job: str | None = None
    result: str = ""
    pause: bool = False

    @property
    def again(self) -> bool:
        return self.state in ("ready", "unknown", "submitted")


def backoff(tries: int, spent: bool = False) -> float:
    """Seconds until the next try: full jitter over an exponential, never above the longest; the longest when the budget is spent."""
    policy = config().settings["retry"]
    longest = float(policy["most"])
    if spent:
        return longest * (0.5 + random.random() / 2)  # noqa: S311 - jitter, not a secret
    return random.uniform(0.1, min(longest, float(policy["first"]) * float(policy["factor"]) ** min(tries, 20)))  # noqa: S311


def _told(trouble: Trouble) -> dict[str, Any]:
    return {"code": trouble.code, "sentence": trouble.sentence, "remedy": trouble.remedy, "owner": trouble.owner}


def _transient(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    if tries >= int(config().settings["retry"]["tries"]):
        return Verdict("dead", "given up", health=ILL, **_told(trouble))
    return Verdict("ready", "retry", later=backoff(tries, spent), health=ILL, **_told(trouble))


def _throttled(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    wait = (
        trouble.retry_after
        if isinstance(trouble, errors.Throttled) and trouble.retry_after is not None
        else backoff(min(tries + 2, 6))
    )
    return Verdict("ready", "throttled", later=max(0.05, wait), untried=True, health=SILENT, **_told(trouble))


def _ambiguous(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    if tries >= int(config().settings["retry"]["tries"]):
        return Verdict("dead", "given up", health=ILL, doubtful=True, **_told(trouble))
    return Verdict("unknown", "unknown", later=backoff(tries, spent), health=ILL, doubtful=True, **_told(trouble))


def _rejected(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    return Verdict("dead", "rejected", **_told(trouble))


def _missing(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    assert isinstance(trouble, errors.Missing)
    return Verdict(
        "parked",
        "parked",
        untried=True,
        health=SILENT,
        fact=(trouble.account, trouble.kind, trouble.value),
        **_told(trouble),
    )


def _not_there(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    if tries >= int(config().settings["retry"]["not_there"]):
        return Verdict("dead", "given up", **_told(trouble))
    return Verdict("ready", "retry", later=backoff(tries), **_told(trouble))


def _unauthorized(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    return Verdict("ready", "unauthorised", later=1.0, untried=True, health=SILENT, pause=True, **_told(trouble))


def _not_offered(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    return Verdict("skipped", "skipped", health=SILENT, **_told(trouble))


def _lease_lost(trouble: Trouble, tries: int, spent: bool) -> Verdict:
    return Verdict("ready", "lease lost", untried=True, health=SILENT, **_told(trouble))


def _unexpected(error: Exception, tries: int, sending: Trouble | None) -> Verdict:
    """A fault of our own, or an answer that nobody foresaw: a few tries, then an engineer."""
    sentence = f"The hub met an error of its own: {type(error).__name__}."
    told: dict[str, Any] = {
        "code": "unexpected",
        "sentence": sentence,
        "remedy": "An engineer must look at the log under this waybill.",
        "owner": "engineering",
    }
    if tries >= int(config().settings["retry"]["unexpected"]):
        return Verdict("dead", "given up", health=SILENT, doubtful=sending is not None, **told)
    state = "unknown" if sending is not None else "ready"
    return Verdict(state, "error", later=backoff(tries), health=SILENT, doubtful=sending is not None, **told)


def _journal_away(tries: int, sending: Trouble | None) -> Verdict:
    """The journal could not be asked in the middle of an attempt: nobody's fault, and no try of the step's."""
    return Verdict(
        "unknown" if sending is not None else "ready",
        "retry",
        later=backoff(min(tries, 4)),
        untried=True,
        health=SILENT,
        doubtful=sending is not None,
        code="journal_away",
        sentence="The hub's own database did not answer, or was busy with the same rows, in the middle of this attempt.",
    )


VERDICTS: Mapping[type[Exception], Callable[[Trouble, int, bool], Verdict]] = {
    errors.Transient: _transient,
    errors.Throttled: _throttled,
    errors.Ambiguous: _ambiguous,
    errors.Rejected: _rejected,
    errors.Missing: _missing,
    errors.NotThere: _not_there,
    errors.Unauthorized: _unauthorized,
    errors.NotOffered: _not_offered,
    errors.LeaseLost: _lease_lost,
    errors.Unreadable: _rejected,
}


def judge(error: Exception, tries: int, spent: bool, sending: Trouble | None, doubtful: bool) -> Verdict:
    """The verdict on what an attempt raised. `sending`: it broke off in the middle of a write; `doubtful`: an earlier write is unresolved."""
    if isinstance(error, Skip):
        return Verdict("skipped", "skipped", health=SILENT, sentence=str(error))
    if isinstance(error, Overtaken):
        return Verdict(
            "cancelled", "overtaken", health=SILENT, sentence="A cancellation came before anything was done."
        )
    if isinstance(error, Submitted):
        return Verdict(
            "submitted",
            "submitted",
            later=error.seconds,
            untried=True,
            job=error.job,
            sentence=f"Accepted as job {error.job}.",
        )
    if isinstance(error, NotSettled):
        return Verdict(
            "unknown",
            "not found yet",
            later=error.seconds,
            untried=True,
            doubtful=True,
            sentence="Not found, but it may still arrive.",
        )
    found = VERDICTS.get(type(error))
    if isinstance(error, AWAY):
        verdict = _journal_away(tries, sending)
    elif found is None or not isinstance(error, Trouble):
        return _unexpected(error, tries, sending)
    else:
        verdict = found(error, tries, spent)
    return _still_in_doubt(verdict) if doubtful else verdict


def _still_in_doubt(verdict: Verdict) -> Verdict:
    """A look-up that failed leaves the write as unknown as it was."""
    return replace(verdict, state="unknown" if verdict.state == "ready" else verdict.state, doubtful=True)
