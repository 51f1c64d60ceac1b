"""A contract is what a connector offers to the suite that all inherit: data, no tests.

tests/connectors/<name>/contract.py says either `CONTRACT = Contract(...)` or, where accounts differ in shape,
`CONTRACTS = {"fat": Contract(...), ...}`. What does not apply stands in `exempt` with its reason, and is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer
from connectors.kit.manifest import Limit
from connectors.kit.receiver import Incoming
from tests.contract.samples import CODES, sample_order
from tests.contract.system import System, told_effects

NO_STEPS = ("none",)

# What the suite tests, by the name that `exempt` uses.
PARTS = {
    "manifest": "complete: tier, sources, every absent method with its source, a rule for every write seen",
    "fixtures": "are ours: no address, telephone or host of anyone real",
    "readings": "every fixture reads as expected",
    "schema_drift": "a new field is fine, a missing one is Unreadable and named",
    "unknown_topic": "an unknown topic is Ignored under its name",
    "out_of_order": "versions of one subject compare as text",
    "money": "every order holds its equation and survives the codec to the digit",
    "addresses": "countries are ISO codes; foreign letters and missing parts arrive as they are",
    "signature": "good passes, bad and missing are Forged",
    "raw_body": "one changed byte is Forged",
    "rotation": "two secrets hold at once, an expired one no longer",
    "handshake": "a challenge is answered",
    "duplicates": "the same delivery has the same id, another one another",
    "steps": "every method offered does its one effect",
    "lost_answer": "done, but the answer is lost: found, not done twice",
    "not_done": "the connection broke before anything was done: not found, then done once",
    "late_answer": "done while we gave up waiting: found",
    "late_index": "done, but a search finds it only later: waited for",
    "stable_key": "the same key twice is one effect",
    "throttled": "429 with and without Retry-After is Throttled",
    "daily_quota": "a used-up day is Throttled(daily=True)",
    "server_errors": "503 is Transient; 500 leaves a write Ambiguous, a read Transient",
    "unreadable_answer": "an HTML page or half an answer is no success",
    "refused_login": "401 after a fresh token is Unauthorized",
    "batch": "each item of a batch has its own verdict",
    "missing_code": "an unmapped SKU parks as Missing",
    "too_late": "cancelling what has left is Rejected as shipped",
    "paging": "none, one, a full page, one more, two pages: each row once; shifting rows are not lost",
    "cursor": "ties in one second, both ends included, whatever the time zone",
    "ledger": "what was booked is listed whole, once each, under its identity and with its total",
    "fetch": "one object is fetched as a message that reads; a gone one is None",
    "queue": "received is invisible, settled is gone",
    "token_expiry": "fifty threads meet an expired token: one refresh",
    "version": "every call names the API version of the manifest",
    "echo": "what we wrote back changes nothing of what the channel sold",
    "masking": "no secret in what is kept of a call, no personal data in its address or headers",
    "foreign_host": "no call leaves the account's own host, whatever an id says",
    "limits": "counted at the system: no window exceeded, at least 95 % used",
}


@dataclass(frozen=True)
class Fixture:
    """tests/connectors/<name>/fixtures/<file>.json under a topic, and what it is read as.

    `reads`, in order: "order:1001", "shipment:1001", "pointer:order:1001", "ignored". A child names its order's id.
    `required`: paths whose absence is Unreadable with exactly that `field`.
    `maps`: paths of objects whose keys are data, to which no new field is added.
    """

    file: str
    topic: str
    reads: tuple[str, ...]
    required: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Webhooks:
    """`sign(topic, delivery_id, body, secret, at)` gives the request that the vendor would send.

    `secrets` are two in its form; `challenge(secret)` is a handshake's request. `proof`: where the proof stands, "headers"
    (or address), or "body" (a shared secret that the delivery says, where the vendor signs nothing).
    """

    sign: Callable[[str, str, bytes, str, datetime], Incoming]
    secrets: tuple[str, str]
    challenge: Callable[[str], Incoming] | None = None
    proof: str = "headers"


@dataclass(frozen=True)
class Poll:
    """`place(system, times)` puts one object of `kind` there for each update time and gives their subject ids in order.

    `page` is how many rows a page holds for this account (small, by settings, so that edges are cheap).
    `settings` are the account's on top of the contract's.
    """

    kind: str
    place: Callable[[System, Sequence[datetime]], Sequence[str]]
    page: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """publish_stock of the sample's SKUs plus `refused`, which the vendor does not take (mapped, but unknown there)."""

    refused: str


@dataclass(frozen=True)
class Token:
    """Tokens that expire: `expire(system)` ends them all; `operation` names the token endpoint in the call log."""

    operation: str
    expire: Callable[[System], None]


@dataclass(frozen=True)
class Rate:
    """A limit small enough to be counted in seconds.

    `limit` is what the connector would declare, `simulator` the settings under which the simulator enforces it,
    `call(connector)` one cheap call that counts, `operation` its name. Calls are then counted at the simulator.
    """

    limit: Limit
    simulator: Mapping[str, Any]
    call: Callable[[Any], Any]
    operation: str


@dataclass(frozen=True)
class Contract:
    """One account of a connector as the suite tries it. `simulator` are the settings of its create()."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)
    simulator: Mapping[str, Any] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: CODES)
    prepare: Callable[[System], Mapping[str, Any]] = lambda system: {}  # fields of Account to replace once it runs
    fixtures: tuple[Fixture, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()  # (older, newer) fixture files of one subject
    webhooks: Webhooks | None = None
    order: Callable[[System], Order] = sample_order  # a channel places it in its shop first
    authorised: Callable[[System], Order] = sample_order  # as `order`, but its payment is only authorised
    seen: Callable[[System], Mapping[str, Any]] = told_effects  # by business identity; equal worlds are equal
    polls: tuple[Poll, ...] = ()
    fetch: Callable[[System], Pointer] | None = None
    batch: Batch | None = None
    ship: Callable[[System, Order, str], None] | None = None  # (system, order, reference): the warehouse ships it
    enqueue: Callable[[System, int], None] | None = None  # put so many deliveries into the queue
    daily: Callable[[System], None] | None = None  # use up the day's quota
    token: Token | None = None
    rate: Rate | None = None
    version: str = ""  # how the API version shows in each call's address or headers; the manifest's when empty
    steps: tuple[str, ...] = ()  # only these "Capability.method" (NO_STEPS for none); all that are offered when empty
    settles: float | None = None  # seconds, where the simulator is faster than the manifest's settles_after
    # part, "Capability.method" or "part:Capability.method" -> why not
    exempt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Live:
    """A real system instead of a simulator, run by `--live <name>`: tests/connectors/<name>/live.py has LIVE.

    `serve()` starts it and gives its address. The suite puts a proxy before it that plays the bad days, so
    `operation(method, path, body)` tells an operation's name and whether it writes. Nothing is forgotten between tests:
    `contract.order` makes an order with a new id each time (samples.another), and `contract.seen` asks the system
    itself, at `system.upstream`.
    """

    contract: Contract
    serve: Callable[[], AbstractContextManager[str]]
    operation: Callable[[str, str, bytes], tuple[str, bool]]
