"""The stage: the shop's counter where orders are placed and changed, and everybody's bad days."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.story.erps import Erp
from local.story.outsiders import Desk
from local.story.plan import Spec
from local.story.progress import Progress

Placed = dict[str, Any]


@dataclass
class Stage:
    """`desks` by system; `placed` holds the shop's answers by the kind that was asked for."""

    desks: Mapping[str, Desk]
    erp: Erp
    progress: Progress
    web: str
    placed: dict[str, list[Placed]] = field(default_factory=dict)

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
        for system in ("shopify", "erp", "shipbob", "mail"):
            self.faults(system)
