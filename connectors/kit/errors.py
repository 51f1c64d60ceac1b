"""Errors are chosen by what the hub must do next, not by what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Who is to act, in the words of config/owners.toml; nobody named: whom that file says for code and role.
Owner = Literal[
    "",
    "catalogue",
    "customer service",
    "e-commerce",
    "finance",
    "finance systems",
    "integration desk",
    "logistics",
    "operations",
]


@dataclass
class Trouble(Exception):
    """Something a call met. `code` groups like with like; `sentence` is for support staff; `remedy` says what to do."""

    sentence: str
    code: str = ""
    remedy: str = ""
    owner: Owner = ""

    def __str__(self) -> str:
        return self.sentence


@dataclass
class Transient(Trouble):
    """Try again later: nothing was done. Counts as a try and against the account's breaker."""

    code: str = "transient"


@dataclass
class Throttled(Trouble):
    """Too fast: try again after `retry_after` seconds (None: the engine's own pace). Is no try."""

    code: str = "throttled"
    retry_after: float | None = None
    daily: bool = False


@dataclass
class Ambiguous(Trouble):
    """A write was sent and its answer is unknown: look it up before asking again."""

    code: str = "no_answer"


@dataclass
class Rejected(Trouble):
    """The other system refuses what we ask: a person must change something. `field` is the path of what it refuses.

    One without a remedy of its own gets the general one; one without an owner is given to whom config/owners.toml names for code and role.
    """

    code: str = "rejected"
    field: str = ""

    def __post_init__(self) -> None:
        self.remedy = self.remedy or "Read what the other system says, correct it there or in our data, then retry."


@dataclass
class Missing(Trouble):
    """A fact is missing; its arrival resumes the step. `kind` and `value` name it: ("sku", "ABC-1") at `account`."""

    code: str = "missing"
    kind: str = ""
    value: str = ""
    account: str = ""


@dataclass
class NotThere(Trouble):
    """What a source told of is not there when it is asked for: late perhaps, so it is asked for again, and after a while a person looks.

    Counts as a try, and says nothing against the account, which answered.
    """

    code: str = "not_there"


@dataclass
class Unauthorized(Trouble):
    """The account's credentials are refused: the account pauses, its steps keep waiting."""

    code: str = "unauthorized"

    def __post_init__(self) -> None:
        self.remedy = self.remedy or "Renew the credentials, then resume the account."
        self.owner = self.owner or "operations"


@dataclass
class NotOffered(Trouble):
    """The vendor's published API cannot do this: the step is skipped and says so."""

    code: str = "not_offered"


@dataclass
class Unreadable(Trouble):
    """A delivery that cannot be mapped for a defect of its own; `field` names it. It is quarantined."""

    code: str = "unreadable"
    field: str = ""


@dataclass
class Forged(Trouble):
    """A delivery whose signature does not prove its sender."""

    code: str = "forged"


@dataclass
class LeaseLost(Trouble):
    """The lease ran out before the first byte was sent: another worker owns the step now, so nothing is sent."""

    code: str = "lease_lost"
