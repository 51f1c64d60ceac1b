"""Good days and bad ones: what a step does when all goes well, and what its attempts must meet when it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from connectors.kit.account import Account
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Trouble
from connectors.kit.http import Exchange
from tests.contract.steps import STEPS
from tests.contract.trial import Trial, change


@dataclass(frozen=True)
class GoodDay:
    """The step's effects by business identity, the writes it made, and all that went over the wire for it.

    `repeated`: what came back when it was looked up, and then sent, once more; `effects_then`: the effects after that.
    """

    account: Account
    effects: dict[str, Any]
    names: tuple[str, ...]
    met: tuple[Exception, ...]
    exchanges: tuple[Exchange, ...]
    number: str
    repeated: tuple[str | None, ...] = ()
    effects_then: dict[str, Any] | None = None


@dataclass(frozen=True)
class BadDay:
    """`faults` of the simulator, of which the first must be met as `expects`; the effects must come out all the same.

    `settles`: until when a look-up that finds nothing does not count; `patience`: how long an answer is waited for;
    `once`: for one step of a connector, because the kit meets it and the connector does not notice.
    """

    name: str
    part: str
    faults: tuple[dict[str, Any], ...]
    expects: type[Trouble]
    retry_after: float | None = None
    settles: float | None = None
    patience: float | None = None
    once: bool = False


def fault(kind: str, **how: Any) -> dict[str, Any]:
    return {"kind": kind, "writes_only": True, "times": 1, **how}


BAD_DAYS = (
    BadDay("lost_answer", "lost_answer", (fault("commit_then_drop"),), Ambiguous),
    BadDay("not_done", "not_done", (fault("drop"),), Ambiguous, settles=0.01),
    BadDay("committed_late", "late_answer", (fault("commit_late", value=0.3),), Ambiguous, settles=2.5),
    BadDay("timed_out", "late_answer", (fault("slow", value=0.9),), Ambiguous, settles=2.5, patience=0.4, once=True),
    BadDay(
        "indexed_late",
        "late_index",
        (fault("commit_then_drop"), {"kind": "index_late", "value": 0.4}),
        Ambiguous,
        settles=2.5,
    ),
    BadDay("throttled", "throttled", (fault("throttle", value=7),), Throttled, retry_after=7),
    BadDay("throttled_silently", "throttled", (fault("throttle_silent"),), Throttled),
    BadDay("unavailable", "server_errors", (fault("unavailable"),), Transient),
    BadDay("broken", "server_errors", (fault("broken"),), Ambiguous, settles=0.01),
    BadDay("html_page", "unreadable_answer", (fault("wrong_type"),), Ambiguous),
    BadDay("half_an_answer", "unreadable_answer", (fault("truncated"),), Ambiguous),
)


def good_day_of(trial: Trial, step: str) -> GoodDay:
    trial.stand(step)
    before = trial.effects()
    trial.bench.exchanges.clear()
    number, driver = trial.finish(step)
    assert number, f"{step} answers what its effect is known by"
    effects, calls = change(before, trial.effects()), tuple(trial.bench.exchanges)
    day = GoodDay(trial.bench.account, effects, tuple(driver.names), tuple(driver.met), calls, number)
    if {"stable_key", f"stable_key:{STEPS[step].method}"} & set(trial.case.contract.exempt):
        return day
    repeated = tuple(_repeated(trial, step, day))
    return replace(day, repeated=repeated, effects_then=change(before, trial.effects()))


def _repeated(trial: Trial, step: str, day: GoodDay) -> Iterator[str | None]:
    """Looked up by a worker that knows of nothing; then sent without looking, where something protects from a double."""
    yield trial.find_first(step)[0]
    if all(trial.case.rule(name).once_by != "neither" for name in day.names):
        yield _again(trial, step)


def _again(trial: Trial, step: str) -> str | None:
    """None where the vendor refuses the double."""
    try:
        return trial.finish(step)[0]
    except Rejected:
        return None


def complaint(trial: Trial, step: str, day: BadDay, good: GoodDay) -> str:
    """What went wrong on a bad day; empty when the trouble was rightly named and the effects are a good day's."""
    trial.stand(step)
    before = trial.effects()
    if day.patience:
        trial.patient(day.patience)
    trial.system.put("/_sim/faults", list(day.faults))
    _, driver = trial.finish(step, day.settles)
    effects = change(before, trial.effects())
    if not driver.met:
        return f"{day.name} was not met: is the call of {step} marked write=True at the simulator?"
    if effects != good.effects:
        return f"{day.name} left {effects}, a good day {good.effects}; met {driver.met}"
    return _misnamed(driver.met[0], day) or _indiscreet(driver.met, trial)


def _misnamed(met: Exception, day: BadDay) -> str:
    if not isinstance(met, day.expects):
        return f"{day.name} should be {day.expects.__name__}, not {met!r}"
    waits = met.retry_after if isinstance(met, Throttled) else None
    return "" if waits == day.retry_after else f"{day.name} says to wait {day.retry_after} s, not {waits} s"


def _indiscreet(met: list[Exception], trial: Trial) -> str:
    """Support staff read these sentences: no credential and no personal data may stand in them."""
    said = " ".join(str(trouble) for trouble in met)
    secrets = (secret for secret in trial.case.contract.credentials.values() if len(secret) > 3)
    return f"a secret or an e-mail address is said: {said}" if "@" in said or any(s in said for s in secrets) else ""
