"""An account is one contract with one system: whose shop, where it answers, which secrets open it, what may be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from connectors.kit.http import Http


@dataclass(frozen=True, slots=True)
class Account:
    """`credentials` holds secrets by the names that the manifest's [auth] asks for; they never appear in a repr or log.

    `settings` are the connector's own choices (location ids, subsidiary, match rule ...), as the configuration gives them.
    `timeout`: seconds that an answer is waited for. `settles_after`: seconds after which a write without an answer has arrived or never will,
    where this system is known to be slower than the connector's manifest says.
    """

    name: str
    connector: str
    base_url: str
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 10.0
    settles_after: float = 0.0


class Codes(Protocol):
    """The catalogue's cross references: what the other system calls our SKU, location, tax code, unit, carrier, method."""

    def theirs(self, kind: str, ours: str) -> str:
        """The account's own code. Raises Missing, which parks the step until someone adds it."""

    def ours(self, kind: str, theirs: str) -> str:
        """Our code for theirs. Raises Missing."""


class Tokens(Protocol):
    """Rotating tokens, shared by all workers and refreshed by one of them only."""

    def get(self, name: str, refresh: Callable[[], tuple[str, float]]) -> str:
        """The valid token called `name`; `refresh` returns (token, seconds it lives) and runs in one worker at a time."""

    def refused(self, name: str, token: str) -> None:
        """The vendor refused this token: the next get refreshes it (unless another worker already has)."""


class Known(Protocol):
    """Cross references of this subject at this account, as earlier writes and readings left them."""

    def id(self, kind: str, ours: str) -> str | None:
        """The other system's id of ("order", order.id), ("shipment", shipment.id) ...; None when not known."""

    def others(self, kind: str, ours: str) -> frozenset[str]:
        """The other system's ids of everything else of that kind: what a look-up must not take for ours."""


@dataclass(frozen=True)
class Connection:
    """All that a connector is handed: its account, the one door to the vendor, the codes, the tokens and the clock."""

    account: Account
    http: Http
    codes: Codes
    tokens: Tokens
    known: Known
    now: Callable[[], datetime]
