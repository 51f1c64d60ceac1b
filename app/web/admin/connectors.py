"""Connectors: a card for each, as its manifest and README say it, with the accounts that use it and how they are doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar

from flask import abort
from flask.typing import ResponseReturnValue

from app.database import transaction
from app.journal.reading import overview
from app.web.admin.gate import Page, expose
from config.reader import config
from connectors import registry
from connectors.kit.card import ONCE_BY, Card

SOON, NOW = 90, 30  # days before a version ends from which it is worth a look, and from which it is trouble


@dataclass(frozen=True, slots=True)
class Used:
    """An account of a connector: its state in words with its tone, and when what it speaks ends (None: no day is known)."""

    line: overview.Line
    words: str
    tone: str
    ends: tuple[date, str] | None


class Connectors(Page):
    needs: ClassVar = {"index": "viewer", "one": "viewer"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        cards = registry.cards()
        return str(self.render("connectors.html", cards=cards, used=_used(cards), ending=ending))

    @expose("/<connector>")
    def one(self, connector: str) -> ResponseReturnValue:
        card = registry.cards().get(connector)
        if card is None:
            abort(404)
        used = _used({connector: card})[connector]
        return str(self.render("connector.html", card=card, used=used, once_by=ONCE_BY, ending=ending))


def _used(cards: Mapping[str, Card]) -> dict[str, list[Used]]:
    """Which accounts use each connector, in the order of the configuration."""
    names = [name for name, entry in config().accounts.items() if entry.connector in cards]
    with transaction() as tx:
        lines, held = overview.lines(tx, names), overview.held(tx, names)
    found: dict[str, list[Used]] = {name: [] for name in cards}
    for line in lines:
        entry = config().accounts[line.account]
        words, tone = overview.state(line, held[line.account])
        ends = cards[entry.connector].manifest.retired(entry.settings)
        found[entry.connector].append(Used(line, words, tone, ends))
    return found


def ending(days: Iterable[date]) -> tuple[str, str]:
    """The first of these days in words, and its tone; ("", "calm") where there is none."""
    first = min(days, default=None)
    if first is None:
        return "", "calm"
    left = (first - datetime.now(UTC).date()).days
    words = f"{first}, in {left} days" if left > 0 else f"{first}: it has ended"
    return words, "bad" if left <= NOW else "warn" if left <= SOON else "calm"
