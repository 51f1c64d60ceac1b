"""What the story needs of a channel that sells beside the web shop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.story.desk import Desk
from local.story.facts import Delivery, Sold

Spec = Mapping[str, Any]
Act = Callable[[Desk, Mapping[str, Any]], object]  # with an order, as the simulator answered it
Codes = Mapping[str, tuple[tuple[str, str], ...]]  # kind -> (ours, theirs) at the channel's account


def _nothing(desk: Desk) -> None:
    return None


def _nowhere(desk: Desk) -> Iterable[Delivery]:
    return ()


@dataclass(frozen=True)
class Channel:
    """A channel of the play, every word of it told by its simulator's desk.

    `system` is its name there (local/simulators.py), `account` the hub's (local/story/config). `orders` are ordinary ones; `to_call_off`
    are cancelled there by the hub's word, `to_cancel` by the customer; `to_refund` are given back at the channel once they have left;
    `to_change` are edited there; of each of `to_bring` a piece of `brought` comes back to a store of ours, and the hub gives its money back.
    `payments` says which tender each payment of a refund went through; `priced` what it asks for an article; `absent` what its API cannot do,
    and why; `lost_answers` are the bad days that its writes may have within the story, at the operations `lost_at` (at all, when empty).
    """

    system: str
    account: str
    orders: tuple[Spec, ...]
    sold: Callable[[Desk], tuple[Sold, ...]]
    offered: Callable[[Desk], Mapping[str, int]]
    to_call_off: tuple[Spec, ...] = ()
    to_cancel: tuple[Spec, ...] = ()
    cancel: Act | None = None
    to_refund: tuple[Spec, ...] = ()
    refund: Act | None = None
    to_change: tuple[Spec, ...] = ()
    change: Act | None = None
    to_bring: tuple[Spec, ...] = ()
    brought: str = ""  # the SKU of which a piece of each comes back
    priced: Callable[[Desk, str], Decimal | None] | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    opens: Callable[[Desk], None] = _nothing
    deliveries: Callable[[Desk], Iterable[Delivery]] = _nowhere
    payments: Callable[[Desk], Mapping[str, str]] = lambda desk: {}
    lost_answers: tuple[str, ...] = ("commit_then_drop", "commit_late", "drop")
    lost_at: tuple[str, ...] = ()
    codes: Codes = field(default_factory=dict)

    @property
    def variable(self) -> str:
        """The environment's name of where it answers."""
        return f"{self.account.upper().replace('-', '_')}_URL"

    def name(self, placed: Mapping[str, Any]) -> str:
        """The id of an order as its simulator answers it."""
        return str(placed.get("id") or placed.get("orderNo"))
