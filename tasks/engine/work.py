"""Work is what a step is handed beside its document: its key, its waybill, and the way to make each write once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.accounts import entries, listeners
from app.bell import ring_event
from app.catalogue import price_marks, price_reports
from app.catalogue.price_marks import PriceMark
from app.database import transaction
from app.journal import accept, steps, subjects
from app.journal.steps import Claimed, Context, Taken
from app.orders import cancelling, day_sales
from app.orders.difference import fingerprint
from app.stock import dirty
from connectors.canonical.order import Order
from connectors.canonical.product import Price
from connectors.canonical.snapshot import Document
from connectors.canonical.stock import StockLevel
from connectors.kit.capabilities import Message
from connectors.kit.errors import Ambiguous, LeaseLost, Missing, Rejected, Throttled
from connectors.kit.http import Exchange
from connectors.kit.manifest import WriteRule
from connectors.kit.writes import Doubled, ExternalId, Job, Write, Writes
from tasks.flows.table import Skip


@dataclass
class NotSettled(Exception):
    """The look-up found nothing, but the write may still arrive: look again after `seconds`."""

    seconds: float


@dataclass
class Submitted(Exception):
    """The other system works on it under a job id; poll after `seconds`."""

    job: str
    seconds: float


class Overtaken(Exception):
    """A cancellation came before anything of this step was done: nothing is sent."""


@dataclass
class Work:
    """One attempt at one step. `found`: a look-up, not a send, brought the result; `doubles`: it found more than one."""

    step: Claimed
    context: Context
    lease: float
    began: float = field(default_factory=time.monotonic)
    exchanges: list[Exchange] = field(default_factory=list)
    links: list[tuple[str, str, str]] = field(default_factory=list)
    made: list[tuple[str, str, str]] = field(default_factory=list)  # of these, what a write that was made has brought
    results: dict[str, ExternalId] = field(default_factory=dict)
    found: bool = False
    doubles: list[Doubled] = field(default_factory=list)
    sending: bool = False
    resent: bool = False
    marks: Sequence[dirty.Mark | PriceMark] = ()
    told_items: list[Any] = field(default_factory=list)
    document: Document | None = None  # decoded when it was first asked for
    _unsaved: tuple[str, ExternalId] | None = None

    @property
    def known(self) -> int | None:
        """The id of the document that was decoded for this step."""
        return self.context.document_id if self.document is not None else None

    def following(self, taken: Taken, began: float) -> Work:
        """The work on a step that was taken with this one's end; the same document is not decoded again."""
        step, context = taken
        same = context.document_id is not None and context.document_id == self.known
        return Work(step, context, self.lease, began, document=self.document if same else None)

    @property
    def key(self) -> str:
        return self.step.key

    def key_of(self, content: object) -> str:
        """A key for a content that is read at each attempt: other values under the same key would be answered with the old."""
        return f"{self.step.key}-{fingerprint(content)}"

    @property
    def subject(self) -> int:
        return self.step.subject_id

    @property
    def waybill(self) -> str:
        return self.context.waybill

    # What a warehouse calls an order of ours changes when an edit makes us ask again.

    def ask_under(self, reference: str) -> str:
        """Notes the reference that this request is made under."""
        self.links.append(("reference", self.context.external_id, reference))
        return reference

    def linked(self, kind: str) -> bool:
        """Whether the step's account knows this subject's thing of that kind: an earlier step's write left its id."""
        return self.linked_as(kind, self.context.external_id)

    def linked_as(self, kind: str, ours: str) -> bool:
        """Whether it knows one of this subject's things (a return, a purchase order) by our name of it."""
        return any(tuple(link[:3]) == (self.step.account, kind, ours) for link in self.context.links)

    @property
    def last_reference(self) -> str:
        mine = (self.step.account, "reference", self.context.external_id)
        return next((link[3] for link in self.context.links if tuple(link[:3]) == mine), self.waybill)

    @property
    def next_reference(self) -> str:
        return f"{self.waybill}-{self.context.difference[:6]}"

    def result_of(self, act: Callable[..., Any]) -> str:
        """The id that an earlier step of this run ended with."""
        return self.context.results.get(act.__name__, "")

    def accept(self, message: Message) -> str:
        """Takes in a document that was fetched, by the door for all deliveries."""
        kept = accept.accept(
            self.step.account,
            message.delivery_id,
            message.topic,
            dict(message.headers),
            message.body,
            door="fetch",
            lane=self.step.lane,
        )
        if kept.fresh:
            ring_event(kept.event_id)
        return f"event {kept.event_id}"

    def listener(self, name: str) -> tuple[str, tuple[str, ...]] | None:
        """Where a partner is told and the secrets that sign now; None where nobody listens there any more.

        Raises Throttled while that house rests, since it did not answer: the account's other listeners have their turn.
        """
        with transaction() as tx:
            found = listeners.one(tx, name)
            if found is None or not found.active:
                return None
            left, secrets = listeners.rests(tx, name, self.lease), listeners.valid(tx, name)
        if left > 0:
            words = f"{found.shown} does not answer: it is tried again in a while."
            raise Throttled(words, code="rests", retry_after=left * random.uniform(1, 3))  # noqa: S311 - jitter, not a secret
        return found.url, secrets

    @property
    def house(self) -> str:
        """The listener that the step tells, where its account stands for several houses; '' where the account is the house."""
        return str((self.context.child or {}).get("listener", "")) if self.step.role == "partner" else ""

    def booked_day(self, sale: Order) -> Order:
        """The booking that a till's sale stands in. Raises Missing until the ERP has it: the step waits for it."""
        with transaction() as tx:
            found = day_sales.booked(tx, self.subject, self.step.account)
        if found is None:
            raise Missing(
                f"The day of sale {sale.number} is not booked yet.",
                code="missing_till_day",
                kind="till_day",
                value=f"{sale.channel}/{sale.store}/{sale.placed_at:%Y-%m-%d}",
                account=self.step.account,
                remedy="It goes on by itself once its till's day was booked.",
            )
        return found

    def left_out(self, sale: Order, refund: str) -> bool:
        """Whether a refund of a till's sale was a void in time: its day is booked without those pieces."""
        with transaction() as tx:
            return day_sales.left_out(tx, self.subject, sale, refund)

    def nothing_left(self) -> None:
        """Of an order that is about to be cancelled in its channel. Raises Rejected once something has left or is set out; Skip where it is
        cancelled already."""
        with transaction() as tx:
            refused = cancelling.why_not(tx, subjects.lock_id(tx, self.subject))
        if refused is not None and refused.code == "cancelled":
            raise Skip("its channel has cancelled it already")
        if refused is not None:
            remedy = "Give this step up, and take back what left as a return." if refused.code == "shipped" else ""
            raise Rejected(refused.sentence, code=refused.code, remedy=remedy)

    def levels(self, most: int) -> list[StockLevel]:
        """The stock that this account is to be told, as it is now; what it knows already is left out.

        After a call whose answer was lost nobody can say what it knows: then everything that is marked is told.
        """
        with transaction() as tx:
            taken = dirty.take(tx, self.step.account, most)
            wanted = [mark for mark in taken if mark.news or (mark.known and self.step.doubtful)]
            dirty.sending(tx, self.step.account, wanted)
            for mark in sorted(taken, key=lambda mark: (mark.sku, mark.location)):
                if mark not in wanted:
                    dirty.nothing_to_tell(tx, self.step.account, mark)
        self.marks, now = wanted, datetime.now(UTC)
        levels = [StockLevel(mark.sku, mark.location, available=mark.available, as_of=now) for mark in wanted]
        self.told_items = levels
        return levels

    def prices(self, most: int) -> list[Price]:
        """The prices that this account is to be told, as they are now; as with levels, what it knows already is left out."""
        with transaction() as tx:
            taken = price_marks.take(tx, self.step.account, most)
            wanted = [mark for mark in taken if mark.price is not None and (self.step.doubtful or not mark.told)]
            for mark in sorted(taken, key=lambda mark: mark.key):
                if mark not in wanted:
                    price_marks.clean(tx, self.step.account, mark)
        self.marks = wanted
        prices = [mark.price for mark in wanted if mark.price is not None]
        self.told_items = list(prices)
        return prices

    def report(self, run: int) -> bytes:
        """What is said about a price file: the run has been checked, so it says the same at every attempt."""
        with transaction() as tx:
            return price_reports.report(tx, run)

    def guard(self) -> None:
        """Right before the first byte: the lease must outlast the call at its slowest, else it is renewed, else nothing is sent."""
        left = self.lease - (time.monotonic() - self.began)
        if left < min(2 * entries.account(self.step.account).timeout + 1, self.lease * 0.75):
            self._renew()

    def _renew(self) -> None:
        began = time.monotonic()
        with transaction() as tx:
            if not steps.renew(tx, self.step, self.lease):
                raise LeaseLost("The lease ran out before the call was made.")
        self.began = began

    def tap(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def carry_out(self, writes: Writes) -> ExternalId:
        """Makes each write of a capability once, in turn; the result of each is kept before the next is asked for.

        Writes of one name are told apart by their order, which must be the same at each attempt: "withdrawal", "withdrawal#2".
        """
        result, seen = "", Counter[str]()
        try:
            write = next(writes)
            while True:
                seen[write.name] += 1
                result = self.once(_numbered(write, seen[write.name]))
                write = self._next(writes, result)
        except StopIteration as end:
            return str(end.value) if end.value is not None else result

    def _next(self, writes: Writes, result: ExternalId) -> Write:
        """The write after this one. Whatever a capability meets on its way there, what was made is kept; the last is kept by concluding."""
        ended = False
        try:
            return writes.send(result)
        except StopIteration:
            ended = True
            raise
        finally:
            if not ended:
                self._save()

    def once(self, write: Write) -> ExternalId:
        """A write that is recorded is replayed, one in doubt is looked up, a job is polled; else it is sent."""
        known, job = self.context.calls.get(write.name, (None, None))
        if known is not None:
            result = known
        elif job is not None and write.poll is not None:
            result = self._polled(write, job)
        elif self.step.doubtful and not self.resent:
            result = self._looked_up(write)
        else:
            result = self._sent(write)
        self.made += [(kind, ours, result) for kind, ours in write.links]
        self.links += [(kind, ours, result) for kind, ours in write.links]
        self.results[write.name] = result
        if known is None:
            self._unsaved = (write.name, result)
        return result

    def _sent(self, write: Write) -> ExternalId:
        if self.step.preempted and not self.results:
            raise Overtaken
        self.sending = True
        sent = write.send()
        self.sending = False
        return self._awaited(write, sent)

    def _polled(self, write: Write, job: str) -> ExternalId:
        if write.poll is None:
            raise TypeError(f"{write.name} answered a job but cannot be polled")
        return self._awaited(write, write.poll(job))

    def _awaited(self, write: Write, sent: ExternalId | Job) -> ExternalId:
        if not isinstance(sent, Job):
            return sent
        self._unsaved = (write.name, sent.id)
        with transaction() as tx:
            if not steps.record_call(tx, self.step, write.name, None, sent.id):
                raise LeaseLost("The lease ran out while a job was handed over.")
        self._unsaved = None
        raise Submitted(sent.id, sent.after)

    def _looked_up(self, write: Write) -> ExternalId:
        """Look before asking again. Not found is not yet not done: only after `settles_after` does it count."""
        found = write.find()
        if isinstance(found, Doubled):
            self.doubles.append(found)
        if found is not None:
            self.found = True
            return str(found)
        self.settle(write.name)
        return self._sent(write)

    def settle(self, name: str) -> None:
        """Nothing until what was sent and not answered has arrived or never will. Raises NotSettled."""
        if self.step.doubtful and not self.resent:
            left = self._settles_in(self.rule(name))
            if left > 0:
                raise NotSettled(left)
            self.resent = True

    def rule(self, name: str) -> WriteRule:
        """The manifest's word on how this write is made once. Raises KeyError for a write that the manifest does not name."""
        return entries.manifest(self.step.account).writes[name.partition("#")[0]]

    def _settles_in(self, rule: WriteRule) -> float:
        sent_at = self.step.sent_at or self.step.claimed_at
        after = max(rule.settles_after, entries.account(self.step.account).settles_after)
        return (sent_at + timedelta(seconds=after) - self.step.claimed_at).total_seconds() - (
            time.monotonic() - self.began
        )

    def _save(self) -> None:
        """Before another write is made, the last one's result is committed under its own name."""
        if self._unsaved is None:
            return
        name, result = self._unsaved
        with transaction() as tx:
            if not steps.record_call(tx, self.step, name, result):
                raise LeaseLost("The lease ran out between two calls of this step.")
        self._unsaved = None

    @property
    def unsaved(self) -> bool:
        """Something was made whose result could not be kept (the lease, the database): it is in doubt, and looked up."""
        return self._unsaved is not None

    def broke_off(self) -> Ambiguous | None:
        """What an error of our own in the middle of a send means: the write may have happened."""
        broken = self.sending or self.unsaved
        return Ambiguous("The worker broke off while it was sending.", code="broke_off") if broken else None


def _numbered(write: Write, nth: int) -> Write:
    return write if nth == 1 else replace(write, name=f"{write.name}#{nth}")
