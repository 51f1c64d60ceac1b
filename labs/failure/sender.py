"""Senders of deliveries: signed as their vendor signs them, tried again until they are acknowledged, every answer in a log of their own."""

from __future__ import annotations

import heapq
import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from standardwebhooks.webhooks import Webhook
from werkzeug.wrappers import Request, Response

from connectors.kit.simulator import serve
from labs.judge.evidence import Try
from local.ports import LOCALHOST, pick

RETRIES = (
    0.2,
    0.5,
    1.0,
    2.0,
    3.0,
    5.0,
)  # seconds before each further try, the last one for ever: Acme's hours, compressed
PATIENCE = 10.0
FORGER = "whsec_Zm9yZ2VyLWZvcmdlci1mb3JnZXItZm9yZ2VyLTAwMDE="


@dataclass(frozen=True)
class Habits:
    """How the mail travels.

    `copies`: each delivery so often; `hold`: each copy comes up to so many seconds late, at random (shuffled); `never`: the share of orders'
    deliveries that is never sent; `late`: the share that comes only when `release` is called; `forged`: the share that has a forgery beside it.
    """

    copies: int = 1
    hold: float = 0.0
    never: float = 0.0
    late: float = 0.0
    forged: float = 0.0


@dataclass(frozen=True)
class Letter:
    """A delivery that is to be posted."""

    account: str
    id: str
    topic: str
    subject: str
    body: bytes
    forged: bool = False


class Sender:
    """Posts to the hub's webhooks from threads of its own. `secrets`: whoever signs next signs with one of them, at random."""

    def __init__(self, hub: str, log: Path, secrets: list[str], seed: int = 1, crowd: int = 8) -> None:
        self._hub, self._log, self.secrets = hub, log, secrets
        self.habits = Habits()
        self.dice = random.Random(seed)  # noqa: S311 - weather, not a secret
        self._stir = threading.Condition()
        self._due: list[tuple[float, int, Letter, int]] = []
        self._busy, self._count = 0, itertools.count()
        self._kept: list[Letter] = []
        self.never: list[Letter] = []
        self._tries: list[Try] = []
        self._open: set[tuple[str, str]] = set()
        self._ended = False
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        self._crowd = [threading.Thread(target=self._work, daemon=True) for _ in range(crowd)]
        for one in self._crowd:
            one.start()

    # ---- what is to be sent

    def take(self, letter: Letter) -> None:
        """A vendor has something to tell: it travels by the habits of the day."""
        with self._stir:
            chance = self.dice.random()
            listed = letter.topic.startswith("order.")  # only what the source lists can be found there
            if listed and chance < self.habits.never:
                self.never.append(letter)
                return
            if chance < self.habits.never + self.habits.late:
                self._kept.append(letter)
                return
        self.post(letter)

    def post(self, letter: Letter) -> None:
        """To be sent now, as often as the habits say, with forgeries beside."""
        for _ in range(self.habits.copies):
            self._enqueue(letter, self.dice.uniform(0, self.habits.hold), 0)
        if self.dice.random() < self.habits.forged:
            forged = replace(letter, id=f"{letter.id}-forged", forged=True)
            self._enqueue(forged, self.dice.uniform(0, self.habits.hold), 0)

    def release(self) -> int:
        """What was kept back comes now, a day late."""
        with self._stir:
            kept, self._kept = self._kept, []
        for letter in kept:
            self.post(letter)
        return len(kept)

    def _enqueue(self, letter: Letter, later: float, tried: int) -> None:
        with self._stir:
            if not letter.forged:
                self._open.add((letter.account, letter.id))
            heapq.heappush(self._due, (time.monotonic() + later, next(self._count), letter, tried))
            self._stir.notify()

    # ---- sending

    def _work(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (found := self._next()) is not None:
                try:
                    self._try(session, *found)
                finally:
                    with self._stir:
                        self._busy -= 1

    def _next(self) -> tuple[Letter, int] | None:
        with self._stir:
            while not self._ended and (not self._due or self._due[0][0] > time.monotonic()):
                self._stir.wait(self._due[0][0] - time.monotonic() if self._due else 1.0)
            if self._ended:
                return None
            self._busy += 1
            _, _, letter, tried = heapq.heappop(self._due)
            return letter, tried

    def _try(self, session: requests.Session, letter: Letter, tried: int) -> None:
        made = self.deliver(letter, session)
        if not made.taken and not letter.forged:
            self._enqueue(letter, RETRIES[min(tried, len(RETRIES) - 1)], tried + 1)

    def deliver(self, letter: Letter, session: requests.Session | None = None) -> Try:
        """One try, now, and its answer in the log before anything else happens."""
        at = time.time()
        status, told = self._posted(session or requests.Session(), letter)
        event, fresh = str(told.get("event", "")), told.get("duplicate") is False
        made = Try(
            at,
            letter.account,
            letter.id,
            letter.topic,
            letter.subject,
            status,
            event,
            fresh,
            letter.forged,
            time.time(),
        )
        with self._stir:
            self._tries.append(made)
            if made.taken:
                self._open.discard((letter.account, letter.id))
            with self._log.open("a") as log:
                log.write(json.dumps(asdict(made)) + "\n")
        return made

    def _posted(self, session: requests.Session, letter: Letter) -> tuple[int, dict[str, Any]]:
        try:
            answer = session.post(
                f"{self._hub}/hooks/{letter.account}", letter.body, headers=self._signed(letter), timeout=PATIENCE
            )
            told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        except (requests.RequestException, ValueError):
            return 0, {}
        return answer.status_code, told if isinstance(told, dict) else {}

    def _signed(self, letter: Letter) -> dict[str, str]:
        at = datetime.now(UTC)
        secret = FORGER if letter.forged else self.dice.choice(self.secrets)
        return {
            "content-type": "application/json",
            "webhook-id": letter.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(letter.id, at, letter.body.decode()),
        }

    # ---- what became of it

    @property
    def tries(self) -> tuple[Try, ...]:
        """The log, as far as it is written."""
        with self._stir:
            return tuple(self._tries)

    @property
    def waiting(self) -> frozenset[tuple[str, str]]:
        """Deliveries that nobody has acknowledged yet, and that will be tried again."""
        with self._stir:
            return frozenset(self._open)

    @property
    def idle(self) -> bool:
        with self._stir:
            return not self._due and not self._busy

    def quiet(self, seconds: float = 60.0) -> None:
        """Waits until nothing is on its way. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not self.idle:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.waiting)} deliveries are still on their way after {seconds:g} s")
            time.sleep(0.05)

    def stop(self) -> None:
        with self._stir:
            self._ended = True
            self._stir.notify_all()
        for one in self._crowd:
            one.join(PATIENCE + 1)


@contextmanager
def mailroom(port: int = 0) -> Iterator[tuple[str, list[Sender]]]:
    """Where the systems leave what they have to tell: an address, and the list whose first sender carries it on."""
    senders: list[Sender] = []

    @Request.application
    def room(request: Request) -> Response:
        body = request.get_data()
        told = json.loads(body)
        subject = str(told["data"].get("order_id") or told["data"].get("request") or told["data"].get("id", ""))
        letter = Letter(request.path.strip("/"), request.headers["webhook-id"], told["type"], subject, body)
        if senders:
            senders[0].take(letter)
        return Response("")

    server = serve(room, LOCALHOST, port or pick())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://{LOCALHOST}:{server.server_port}", senders
    finally:
        server.shutdown()
        server.server_close()
