"""A simulated source's webhooks: to each address once, twice, late, out of order, forged or never; tried again on the vendor's schedule."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import requests

from connectors.kit.simulator_agenda import Agenda

PATIENCE = 10.0


@dataclass
class Delivery:
    """One event to one address. `state`: waiting, delivered, failed, never_sent; a `forged` one must be refused. `hook` is the subscription."""

    id: str
    topic: str
    subject: str
    url: str
    body: str
    hook: str = ""
    state: str = "waiting"
    forged: bool = False
    copy_of: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Habits:
    """Switches; shares are between 0 and 1. `duplicates`: sent twice under one id; `reordered`: held back up to `hold` seconds; `forged`: followed
    by one signed with a secret that nobody has; `never_sent`: lost at the source; `old_share`: signed with the secret before the rotation.
    `paused`: nothing leaves. `url` is told every topic. A vendor adds its own switches, and says what they do to the schedule."""

    secret: str = ""
    old_secret: str = ""
    old_share: float = 0.0
    duplicates: float = 0.0
    reordered: float = 0.0
    hold: float = 1.5
    forged: float = 0.0
    never_sent: float = 0.0
    paused: bool = False
    url: str = ""

    def schedule(self) -> Sequence[float]:
        """Seconds before each further try."""
        return ()

    def patience(self) -> float:
        """Seconds for one try."""
        return PATIENCE

    def loses(self, topic: str) -> bool:
        """Whether one of this topic may be among the `never_sent`."""
        return True


class Sender(Protocol):
    """What is the vendor's own: how a delivery is signed, what another's forgery looks like, what becomes of a hook that fails for good."""

    def headers(self, delivery: Delivery) -> dict[str, str]: ...

    def forgery(self, delivery: Delivery) -> dict[str, Any]:
        """The fields in which a forged copy differs."""

    def give_up(self, delivery: Delivery) -> None: ...


class _Wire(threading.local):
    """A session for each thread."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False


class Mailing:
    """Sends what is due, from `senders` threads; from none nothing ever leaves."""

    def __init__(self, habits: Habits, sender: Sender, seed: int = 7, senders: int = 1) -> None:
        self.habits, self._sender = habits, sender
        self.deliveries: list[Delivery] = []
        self.chance = random.Random(seed)
        self._drawing, self._wire = threading.Lock(), _Wire()
        self._agenda = Agenda("mailing", senders, held=lambda: self.habits.paused)

    def secret(self) -> str:
        """The habits' secret; now and then the one before the rotation."""
        old = self.habits.old_secret and self.chance.random() < self.habits.old_share
        return self.habits.old_secret if old else self.habits.secret

    def post(self, delivery: Delivery) -> None:
        habits = self.habits
        with self._drawing:
            lost, twice = self.chance.random() < habits.never_sent, self.chance.random() < habits.duplicates
            late = habits.hold * self.chance.random() if self.chance.random() < habits.reordered else 0.0
            forged = self.chance.random() < habits.forged
            self.deliveries.append(delivery)
        if lost and habits.loses(delivery.topic):
            delivery.state = "never_sent"
            return
        copies = []
        if twice:
            copies.append((_copy(delivery, copy_of=delivery.id), late + 0.05))
        if forged:
            copies.append((_copy(delivery, **self._sender.forgery(delivery), forged=True), late))
        self._enqueue(delivery, late)  # from here on it changes
        for copy, due in copies:
            self.deliveries.append(copy)
            self._enqueue(copy, due)

    def _enqueue(self, delivery: Delivery, delay: float) -> None:
        self._agenda.after(delay, lambda: self._try(delivery))

    def _try(self, delivery: Delivery) -> None:
        began, status, answer = time.time(), 0, ""
        try:
            headers = self._sender.headers(delivery)
            patience = self.habits.patience()
            said = self._wire.session.post(delivery.url, delivery.body.encode(), headers=headers, timeout=patience)
            status, answer = said.status_code, said.text[:200]
        except requests.RequestException as broken:
            answer = type(broken).__name__
        delivery.attempts.append({"at": began, "status": status, "answer": answer, "seconds": time.time() - began})
        self._judge(delivery, 200 <= status < 300)

    def _judge(self, delivery: Delivery, taken: bool) -> None:
        schedule, tried = self.habits.schedule(), len(delivery.attempts)
        if taken:
            delivery.state = "delivered"
        elif delivery.forged or tried > len(schedule):
            delivery.state = "failed"
            if not delivery.forged:
                self._sender.give_up(delivery)
        else:
            self._enqueue(delivery, schedule[tried - 1])


def _copy(delivery: Delivery, **other: Any) -> Delivery:
    """With tries of its own."""
    return replace(delivery, attempts=[], **other)
