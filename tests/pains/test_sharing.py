"""Other software uses the account too: we take what remains, meet few refusals, and have it all again once we are alone (pain 23)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import pytest
import redis
from flask import Response

from connectors.kit.account import Account
from connectors.kit.errors import Throttled
from connectors.kit.http import Http
from connectors.kit.limiter import Limiter
from connectors.kit.manifest import Limit
from connectors.kit.simulator import Simulator

NAME, PREFIX = "shared", "waybill:test:sharing"
TRIES = 4  # a machine whose processor is taken away calls too little, and then in bunches


@dataclass
class Vendor:
    """100 calls a second, 30 at once, for all who call; `other` of them somebody else makes, steadily."""

    rate: float = 100.0
    burst: float = 30.0
    other: float = 0.0
    level: float = 30.0
    seen: float = field(default_factory=time.monotonic)
    answered: list[tuple[float, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self) -> Response:
        with self.lock:
            now = time.monotonic()
            self.level = min(self.burst, max(0.0, self.level + (now - self.seen) * (self.rate - self.other)))
            self.seen = now
            status = 200 if self.level >= 1 else 429
            self.level -= status == 200
            self.answered.append((now, status))
        return Response("{}", status)

    def of(self, seconds: float) -> tuple[int, int]:
        """Calls that passed and that were refused in the seconds from now on."""
        began = time.monotonic()
        time.sleep(seconds)
        statuses = [status for at, status in self.answered if began <= at < began + seconds]
        return statuses.count(200), statuses.count(429)


@contextmanager
def crowd(redis_url: str, vendor: Vendor, limit: Limit) -> Iterator[Limiter]:
    """Three workers with a backlog."""
    simulator = Simulator(NAME)
    simulator.operation("/thing", "thing", ["GET"])(vendor.call)
    over = threading.Event()

    def work(address: str) -> None:
        http = Http(Account(NAME, "acme", address), limiter(redis_url, limit))
        while not over.is_set():
            with suppress(Throttled):
                http.call("GET", "/thing", operation="thing")

    with simulator.served() as address:
        first = limiter(redis_url, limit)
        first.warm(NAME)
        workers = [threading.Thread(target=work, args=(address,)) for _ in range(3)]
        for one in workers:
            one.start()
        try:
            yield first
        finally:
            over.set()
            for one in workers:
                one.join()


def limiter(redis_url: str, *limits: Limit) -> Limiter:
    return Limiter(redis.Redis.from_url(redis_url), lambda account: limits, patience=0.1, prefix=PREFIX)


@pytest.fixture(autouse=True)
def nothing_kept(redis_url: str) -> None:
    forget(redis_url)


def forget(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    for key in client.scan_iter(f"{PREFIX}:*"):
        client.delete(key)


def share(found: Limiter, limit: str = "all") -> float:
    return found.shares([NAME])[NAME].get(limit, 1.0)


def test_what_another_leaves_is_used_and_all_of_it_once_he_is_gone(redis_url: str, figure: Callable[..., None]) -> None:
    """Half is eaten: at least 90 % of the other half passes and at most 5 % are refused; alone again, all of it is used."""
    told = []
    for _ in range(TRIES):
        forget(redis_url)
        told.append(shared(redis_url))
        if told[-1]["used"] >= 0.9 and told[-1]["refused"] <= 0.05 and told[-1]["after"] >= 0.9:
            break
    assert told[-1]["used"] >= 0.9, told
    assert told[-1]["refused"] <= 0.05, told
    assert told[-1]["after"] >= 0.9, told
    assert all(0.3 < one["share"] < 0.8 for one in told), "it found out how much remains"
    figure("23 shared", tries=len(told), **told[-1])


def shared(redis_url: str) -> dict[str, float]:
    """One spell: what of the rest was used, which part of the calls was refused, and what was used when the other had gone."""
    vendor = Vendor()
    with crowd(redis_url, vendor, Limit("all", "bucket", burst=29, rate=98)) as ours:
        vendor.other = vendor.rate / 2
        vendor.of(1.0)
        passed, refused = vendor.of(1.5)
        met = share(ours)
        vendor.other = 0.0
        until = time.monotonic() + 10
        while share(ours) < 1 and time.monotonic() < until:
            time.sleep(0.05)
        after, _ = vendor.of(0.8)
    return {
        "used": round(passed / (1.5 * vendor.rate / 2), 3),
        "refused": round(refused / max(1, passed + refused), 3),
        "after": round(after / (0.8 * vendor.rate), 3),
        "share": round(met, 3),
    }


def test_one_refusal_is_one_step_for_all_that_were_under_way(redis_url: str) -> None:
    """Twelve calls left together and all meet 429: the share shrinks once, the bucket is empty, and of what is declared nothing changes."""
    ours = limiter(
        redis_url, Limit("all", "bucket", burst=20, rate=50), Limit("other", "bucket", 9, 9, operations=("b",))
    )
    ours.warm(NAME)
    for _ in range(12):
        with ours.leave(NAME, "a"):
            pass
    for _ in range(12):
        ours.refused(NAME, "a", seconds=0.5)
    assert ours.shares([NAME, "nobody"]) == {NAME: {"all": pytest.approx(0.9, abs=0.01)}, "nobody": {}}
    assert ours.levels(NAME) == {"all": 0.0, "other": 9.0}
    with pytest.raises(Throttled), limiter(redis_url, Limit("all", "bucket", 20, 0.1)).leave(NAME, "a"):
        pass


def test_a_refusal_while_little_was_used_is_not_ours(redis_url: str) -> None:
    """Random refusals of a system that is ill must not slow an account that is nowhere near its limits."""
    ours = limiter(
        redis_url, Limit("all", "window", burst=40, seconds=60), Limit("at_once", "concurrency", 8, seconds=30)
    )
    ours.warm(NAME)
    for _ in range(19):
        with ours.leave(NAME, "a"):
            ours.refused(NAME, "a", seconds=0.0)
    assert ours.shares([NAME]) == {NAME: {}}
    with ours.leave(NAME, "a"):
        ours.refused(NAME, "a", seconds=0.0)
    assert ours.shares([NAME]) == {NAME: {"all": pytest.approx(0.9, abs=0.01)}}


def test_slots_are_shared_too(redis_url: str) -> None:
    """NetSuite counts all integrations' calls under way together: refused with five of ours there, we make four, and five again."""
    ours = limiter(redis_url, Limit("at_once", "concurrency", burst=5, seconds=60))
    ours.warm(NAME)
    with under_way(ours, 5):
        ours.refused(NAME, "a", seconds=0.0)
        ours.refused(NAME, "a", seconds=0.0)
    assert share(ours, "at_once") == pytest.approx(0.81, abs=0.01)
    with under_way(ours, 5):
        pass  # 0.81 of five is five yet
    with under_way(ours, 5):
        ours.refused(NAME, "a", seconds=0.0)
    with under_way(ours, 4), pytest.raises(Throttled), ours.leave(NAME, "a"):
        pass
    for _ in range(250):
        with ours.leave(NAME, "a"):
            pass
    assert ours.shares([NAME]) == {NAME: {}}
    with under_way(ours, 5), pytest.raises(Throttled), ours.leave(NAME, "a"):
        pass


@contextmanager
def under_way(ours: Limiter, calls: int) -> Iterator[None]:
    with ExitStack() as held:
        for _ in range(calls):
            held.enter_context(ours.leave(NAME, "a"))
        yield


def test_what_the_vendor_says_is_left_is_heard_before_anything_is_refused(redis_url: str) -> None:
    """Of a hundred we used twenty and two are left: others took the rest. Alone, the same two are our own doing."""
    ours = limiter(redis_url, Limit("all", "window", burst=100, seconds=60))
    ours.warm(NAME)
    for made in range(98):
        with ours.leave(NAME, "a"):
            pass
        if made == 19:
            ours.report(NAME, left=50)  # no matter: half is left
            ours.report(NAME, left=2)
            ours.report(NAME, left=1)  # the step that was made cannot have shown yet
            assert share(ours) == pytest.approx(0.9, abs=0.01)
            client = redis.Redis.from_url(redis_url)
            client.delete(f"{PREFIX}:{NAME}:pace")
    ours.report(NAME, left=2)
    assert ours.shares([NAME]) == {NAME: {}}


def test_a_share_is_whole_again_within_the_hour_and_after_a_flush(redis_url: str) -> None:
    client, pace = redis.Redis.from_url(redis_url), f"{PREFIX}:{NAME}:pace"
    ours = limiter(redis_url, Limit("all", "bucket", burst=4, rate=0.01))
    for _ in range(40):
        ours.refused(NAME, "a", seconds=0.0)
    assert share(ours) == pytest.approx(0.1, abs=0.01)  # never less than a tenth
    assert 3_500_000 < client.pttl(pace) <= 3_600_000
    client.hincrbyfloat(pace, "at:all", -1_800_000)  # as half an hour later
    assert share(ours) == pytest.approx(0.6, abs=0.01)
    client.hincrbyfloat(pace, "at:all", -1_800_000)
    assert ours.shares([NAME]) == {NAME: {}}
    ours.refused(NAME, "a", seconds=0.0)
    assert share(ours) < 1
    client.flushall()
    assert ours.shares([NAME]) == {NAME: {}}
    with pytest.raises(Throttled), ours.leave(NAME, "a"):
        pass  # at the declared rate, from empty
