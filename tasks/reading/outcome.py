"""What became of an event: one of the states that all accepted events end in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

# When a delivery says several things, the most telling of what became of them is the event's state.
TELLING = ("quarantined", "running", "applied", "echo", "superseded", "ignored")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`accounts` are to be fed; `running` while flows that it started are open.

    Of one in quarantine: `remedy` where it is not the usual one, `cause` what its case is about, so that all deliveries of it are one case.
    """

    state: str
    reason: str = ""
    code: str = ""
    subject: int | None = None
    waybill: str = ""
    accounts: frozenset[str] = field(default_factory=frozenset)
    remedy: str = ""
    cause: str = ""


def sum_up(outcomes: Sequence[Outcome]) -> Outcome:
    """One state for a delivery that said several things."""
    if not outcomes:
        return Outcome("ignored", "the delivery says nothing that this hub uses")
    first = min(outcomes, key=lambda outcome: TELLING.index(outcome.state))
    fed = frozenset(account for outcome in outcomes for account in outcome.accounts)
    return replace(first, accounts=fed)
