"""The stage: the shop's counter where orders are placed and changed, and everybody's bad days."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.story.channels import Act, Channel
from local.story.desk import Desk
from local.story.erps import Erp
from local.story.plan import Spec
from local.story.progress import Progress

Placed = dict[str, Any]


@dataclass
class Stage:
    """`desks` by system; `placed` holds the shop's answers by the kind that was asked for; `channels` sell beside it."""

    desks: Mapping[str, Desk]
    erp: Erp
    progress: Progress
    web: str
    placed: dict[str, list[Placed]] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)  # of each simulator
    life: Any = None  # the people of local/story/life

    def say(self, words: str) -> None:
        self.progress.say(words)

    # ---- customers

    def place(self, specs: Iterable[Spec], pause: float = 0.0) -> list[Placed]:
        """Customers order, one after another."""
        made = []
        for spec in specs:
            made += self.desks["shopify"].post("orders", spec)
            self.placed.setdefault(spec["kind"], []).append(made[-1])
            time.sleep(pause)
        return made

    def change(self, orders: Iterable[Placed], what: str, asked: Mapping[str, Any]) -> None:
        """The shop edits, refunds, cancels, pays (simulator_shop.CHANGES)."""
        for order in orders:
            self.desks["shopify"].post(f"orders/{order['id']}/{what}", dict(asked))

    # ---- customers of the other channels

    def sell(self, channel: Channel, specs: Iterable[Mapping[str, Any]], kind: str = "") -> None:
        """They order there; what the channel answers is kept under its account and the kind, where one is named."""
        made = self.desks[channel.system].post("orders", [dict(spec) for spec in specs])
        self.placed.setdefault(f"{channel.account} {kind}", []).extend(made)

    def sold(self, channel: Channel, kind: str) -> list[Placed]:
        return self.placed.get(f"{channel.account} {kind}", [])

    def then(self, channel: Channel, act: Act | None, orders: Iterable[Placed]) -> None:
        """Something happens to orders of a channel that knows of it."""
        if act is None:
            return
        for order in orders:
            act(self.desks[channel.system], order)

    # ---- bad days

    def mail_room(self, **habits: Any) -> None:
        """How the shop's webhooks travel from now on."""
        self.desks["shopify"].put("webhooks", habits)

    def faults(self, system: str, *faults: Mapping[str, Any]) -> None:
        """A system's bad days from now on; a real ERP has only its own."""
        desk = self.erp.desk if system == "erp" else self.desks[system]
        if desk is not None:
            desk.faults(*(dict(fault) for fault in faults))

    def good_day(self) -> None:
        for system in ("shopify", "erp", "shipbob", "mail", *(one.system for one in self.channels)):
            self.faults(system)
