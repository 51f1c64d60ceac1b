"""Applying a snapshot: what it adds to what was known of its subject, and what that starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Connection

from app.journal import links, runs, subjects
from app.journal.events import Event
from app.journal.runs import NewRun, NewStep
from app.journal.subjects import Subject
from app.orders import (
    addresses,
    authority,
    falling_short,
    fulfilling,
    fulfilments,
    looping,
    papers,
    planning,
    supplying,
)
from app.orders.difference import Difference, Kind, content, differences, fingerprint, state_of
from app.orders.merge import echo_of, merge, with_refund, with_shipment
from app.orders.refused import Refused
from app.stock import authority as ownership
from app.stock import dirty, parts, positions
from config.reader import config
from connectors.canonical.codec import dump, load
from connectors.canonical.gate import equation
from connectors.canonical.money import CurrencyMismatch
from connectors.canonical.order import Order
from connectors.canonical.product import Product
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import GONE, Shipment
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.canonical.stock import StockLevel
from tasks.flows.book import FLOWS
from tasks.reading import beginning, laying, refusing, routing, sourced, telling, voided
from tasks.reading.outcome import Outcome

KIND_OF_CHILD: dict[str, Any] = {"shipment": Shipment, "refund": Refund, "void": Refund}


def order(tx: Connection, event: Event, told: Snapshot) -> Outcome:
    """A whole order as its channel sees it now."""
    new = cast(Order, told.document)
    subject = subjects.lock(tx, "order", event.account, told.id)
    roles = subject.roles or routing.roles("order", _facts(event.account, new))
    if roles is None:
        return Outcome("ignored", "no route takes this order", subject=subject.id, waybill=subject.waybill)
    if (wrong := _money(new)) is not None:
        return Outcome("quarantined", wrong, "money_gate", subject.id, subject.waybill)
    old = cast(Order | None, subject.document)
    echoes = _shipment_links(tx, event.account, subject)
    new, refused = authority.screen(old, new, event.account, roles, subject.account, echoes)
    refusing.refuse(tx, subject, event.account, refused)
    merged = merge(
        old,
        new,
        newer=told.version >= subject.version,
        account=event.account,
        links=echoes,
    )
    complete = _with_pending(tx, merged.order, subject, roles)
    cause = laying.Cause(event.id, event.at, event.lane, event.account)
    return _changed(tx, cause, subject, roles, old, complete, told.version, bool(merged.echoes))


def _facts(account: str, new: Order) -> Mapping[str, Any]:
    """What a route may look at."""
    country = new.shipping.country if new.shipping else ""
    return {
        "account": account,
        "id": new.id,
        "source": new.source.value,
        "country": country,
        "currency": new.currency,
        "test": new.test,
        "location": new.location,
        "hold": new.hold,
        "address": addresses.fault(new),
        "payment_status": new.payment_status,
    }


def _money(new: Order) -> str | None:
    """The money gate: why the order's parts do not make its total, or None."""
    try:
        sums = equation(new)
    except CurrencyMismatch as mixed:
        return f"Order {new.number} mixes currencies: {mixed}."
    if sums.holds:
        return None
    return f"Order {new.number} does not add up: its parts make {sums.sum}, its total is {sums.total} (difference {sums.difference})."


def _shipment_links(tx: Connection, account: str, subject: Subject) -> Mapping[str, str]:
    """The account's shipment ids that stand for shipments of ours."""
    return {
        theirs: ours
        for name, kind, ours, theirs in links.of_subject(tx, subject.id)
        if name == account and kind == "shipment"
    }


def _with_pending(tx: Connection, merged: Order, subject: Subject, roles: Mapping[str, Any]) -> Order:
    """Children that were told before their order was known belong to it now, if their teller may tell them."""
    whole = merged
    for fragment in subject.pending:
        child = load(KIND_OF_CHILD[fragment["kind"]], fragment["body"])
        refusal = authority.child(child, child.origin, roles, subject.account)
        if refusal is not None:
            refusing.refuse(tx, subject, child.origin, [refusal])
            continue
        if fragment["kind"] == "void":
            whole = voided.kept(tx, subject, replace(whole, channel=subject.account), child)
            continue
        whole = with_shipment(whole, child) if isinstance(child, Shipment) else with_refund(whole, child)
    return whole


def _changed(
    tx: Connection,
    cause: laying.Cause,
    subject: Subject,
    roles: Mapping[str, Any],
    old: Order | None,
    new: Order,
    version: str,
    echo: bool,
) -> Outcome:
    """Keeps the new state and starts what its differences call for."""
    if old is not None and content(new) == subject.content:
        return _nothing_new(subject, version, echo)
    document = _keep(tx, subject, roles, new, version)
    _note_numbers(tx, subject, old, new)
    setting = laying.Setting(cause, replace(subject, roles=roles), roles, document, new)
    found = differences(old, new)
    telling.lay(tx, setting, found)
    started = beginning.begin(tx, setting, old, _facts(subject.account, new))
    if not started:
        return _recorded(tx, subject, found, old, echo)
    caught = looping.caught(tx, subject.id) if any(one.kind is Kind.CHANGED for one in started) else ""
    words = "; ".join(filter(None, (_words(started), caught)))
    return Outcome("running", words, subject=subject.id, waybill=subject.waybill, accounts=_accounts(tx, subject.id))


def _nothing_new(subject: Subject, version: str, echo: bool) -> Outcome:
    if echo:
        return Outcome("echo", "our own change coming back", subject=subject.id, waybill=subject.waybill)
    reason = "older than what is known" if version < subject.version else "says nothing new"
    return Outcome("superseded", reason, subject=subject.id, waybill=subject.waybill)


def _recorded(tx: Connection, subject: Subject, found: list[Difference], old: Order | None, echo: bool) -> Outcome:
    """Newer, but nothing that any flow is about: recorded, no write."""
    if echo:
        return Outcome("echo", "our own change coming back", subject=subject.id, waybill=subject.waybill)
    if old is None and not found:
        return Outcome(
            "applied", "cancelled before it was known: nothing to do", subject=subject.id, waybill=subject.waybill
        )
    reason = "what follows from it was started before" if found else "recorded; nothing in it calls for a write"
    fed = _accounts(tx, subject.id)  # a hold that was lifted frees steps without a difference of its own
    return Outcome("applied" if not found else "superseded", reason, "", subject.id, subject.waybill, fed)


def _keep(tx: Connection, subject: Subject, roles: Mapping[str, Any], new: Order, version: str) -> int:
    party = new.customer or new.shipping or new.billing
    total = new.totals.total.in_role(new.money_role)
    return subjects.save(
        tx,
        subject,
        new,
        version=version,
        content=content(new),
        state=state_of(new),
        roles=dict(roles),
        number=new.number,
        customer=party.name if party else "",
        email=new.email,
        phone=party.phone if party else "",
        amount=total.amount,
        currency=total.currency,
        placed_at=new.placed_at,
    )


def _note_numbers(tx: Connection, subject: Subject, old: Order | None, new: Order) -> None:
    """A parcel's number finds its order, and so does a receipt's, and the lot of what left (which orders got it, when it is called back)."""
    known = {tracking.number for shipment in (old.shipments if old else ()) for tracking in shipment.trackings}
    for shipment in new.shipments:
        for number in {tracking.number for tracking in shipment.trackings if tracking.number} - known:
            links.link(tx, shipment.origin, "tracking", number, number, subject.id)
    for origin, lot in sorted(_lots(new) - (_lots(old) if old else set())):
        links.link(tx, origin, "lot", f"{subject.waybill}:{lot}", lot, subject.id)
    for ours, number in set(papers.receipts(new)) - set(papers.receipts(old) if old else ()):
        links.link(tx, subject.account, "receipt", ours, number, subject.id)


def _lots(order: Order) -> set[tuple[str, str]]:
    """Who sent pieces of which lot."""
    return {(one.origin, lot.name) for one in order.shipments for line in one.lines for lot in line.lots if one.origin}


def _words(started: Sequence[Difference]) -> str:
    return ", ".join(f"{d.kind}" + (f" ({', '.join(sorted(d.facets))})" if d.facets else "") for d in started)


def _accounts(tx: Connection, subject: int) -> frozenset[str]:
    return frozenset(runs.ready_accounts(tx, subject))


def child(tx: Connection, event: Event, told: Snapshot) -> Outcome:
    """A shipment or refund told by itself, by the channel or by whoever ships."""
    subject = _subject_of_child(tx, event, told)
    if subject is None:
        return Outcome(
            "ignored",
            f"{told.kind} {told.document.id if isinstance(told.document, Shipment | Refund) else ''} belongs to no order of ours",
        )
    piece = replace(cast("Shipment | Refund", told.document), origin=event.account)
    old = cast(Order | None, subject.document)
    if old is None:
        subjects.pend(tx, subject, {"kind": told.kind, "body": dump(piece)})
        return Outcome("applied", "kept until its order is known", subject=subject.id, waybill=subject.waybill)
    if (
        isinstance(piece, Shipment)
        and echo_of(old, piece, event.account, _shipment_links(tx, event.account, subject)) is not None
    ):
        return Outcome("echo", "our own shipment coming back", subject=subject.id, waybill=subject.waybill)
    refusal = authority.child(piece, event.account, subject.roles, subject.account)
    if refusal is not None and any(one.account == event.account for one in fulfilments.of(tx, subject.id)):
        asked = {**subject.roles, "supplier": event.account}  # by the sourcing rules, whatever the route says
        refusal = authority.child(piece, event.account, asked, subject.account)
    if refusal is not None:
        return refusing.outcome(tx, subject, event.account, refusal, known=_knows(old, piece))
    new = with_shipment(old, piece) if isinstance(piece, Shipment) else with_refund(old, piece)
    cause = laying.Cause(event.id, event.at, event.lane, event.account)
    if isinstance(piece, Shipment):
        _told_of(tx, _setting(cause, subject, old), told.reference, piece)
    return _changed(tx, cause, subject, subject.roles, old, new, subject.version, False)


def _told_of(tx: Connection, setting: laying.Setting, number: str, parcel: Shipment) -> None:
    """What a parcel means for the request that it is of: it has left, or will not leave from there."""
    if parcel.status in GONE:
        fulfilling.told_by_account(tx, number, "ship")
        _received(tx, setting, number, parcel)
    short = falling_short.told(tx, setting.cause.account, number, setting.order, parcel)
    if short is not None and not short.let_go:
        sourced.fall_short(tx, setting, short)
    if short is None and setting.cause.account == setting.roles.get("warehouse"):
        _unruled(tx, setting, number, parcel)


def _unruled(tx: Connection, setting: laying.Setting, number: str, parcel: Shipment) -> None:
    """Of an order that no rules sourced; what is said of a request that was withdrawn meanwhile is no news."""
    subject, account = setting.subject, setting.cause.account
    last = links.theirs(tx, subject.id, account, "reference") or subject.waybill
    if number in ("", last) and not planning.begun(tx, subject.id):
        falling_short.unruled(tx, falling_short.Unruled(subject.id, subject.waybill, account, setting.order), parcel)


def _setting(cause: laying.Cause, subject: Subject, order: Order) -> laying.Setting:
    return laying.Setting(cause, subject, subject.roles, subject.document_id, order)


def _received(tx: Connection, setting: laying.Setting, number: str, parcel: Shipment) -> None:
    """What a supplier has sent of a purchase order comes into the ERP before it leaves it."""
    for one in fulfilments.of(tx, setting.subject.id):
        if one.number == number and one.purchase:
            sourced.received(tx, setting, one, parcel)


def acknowledgement(tx: Connection, event: Event, told: Snapshot) -> Outcome:
    """A supplier's answer to a purchase order of ours: what he does not send is offered elsewhere by whoever follows (tasks/feeds/fulfilled.py)."""
    subject = subjects.lock_referenced(tx, event.account, told.id, told.reference)
    if subject is None:
        return Outcome("ignored", f"{told.reference or told.id} is no purchase order of ours")
    answer = supplying.acknowledged(tx, told.reference, event.account, cast(Shipment, told.document))
    state = {"unknown": "ignored", "known": "superseded"}.get(answer.code, "applied")
    follows = FOLLOWS_ANSWER.get(answer.code)
    if follows is not None and isinstance(subject.document, Order):
        setting = _setting(laying.Cause(event.id, event.at, event.lane, event.account), subject, subject.document)
        one = next(one for one in fulfilments.of(tx, subject.id) if one.number == told.reference)
        follows(tx, setting, one)
    return Outcome(state, answer.sentence, "", subject.id, subject.waybill, _accounts(tx, subject.id))


# What a supplier's answer does to the ERP's purchase order.
FOLLOWS_ANSWER: Mapping[str, Callable[[Connection, laying.Setting, fulfilments.Fulfilment], None]] = {
    "part": sourced.cut_down,
    "rejected": sourced.refused,
}


def cancellation(tx: Connection, event: Event, told: Snapshot) -> Outcome:
    """A channel's word that an order, or some of its pieces, is not wanted any more. Nothing left is the whole order."""
    subject = subjects.lock(tx, "order", event.account, told.id)
    old, gone = cast(Order | None, subject.document), replace(cast(Refund, told.document), origin=event.account)
    if old is None:
        return Outcome("ignored", "the order is not known", subject=subject.id, waybill=subject.waybill)
    fact = "line.edit" if gone.lines else "order.cancel"
    if not authority.may(fact, authority.roles_of(event.account, subject.roles, subject.account)):
        refusal = authority.Refusal(fact, fact.replace(".", " "), authority.owners(fact))
        return refusing.outcome(tx, subject, event.account, refusal, known=False)
    new = with_refund(old, gone) if gone.lines else old
    if not gone.lines or (not new.shipments and not any(line.current_quantity for line in new.lines)):
        new = replace(new, cancelled_at=old.cancelled_at or gone.at, cancel_reason=gone.note)
    cause = laying.Cause(event.id, event.at, event.lane, event.account)
    return _changed(tx, cause, subject, subject.roles, old, new, subject.version, False)


def void(tx: Connection, event: Event, told: Snapshot) -> Outcome:
    """A till's word that pieces of a sale were taken back at once, with the money for them."""
    subject = subjects.lock(tx, "order", event.account, told.id)
    old, gone = cast(Order | None, subject.document), replace(cast(Refund, told.document), origin=event.account)
    if old is None:
        subjects.pend(tx, subject, {"kind": told.kind, "body": dump(gone)})
        return Outcome("applied", "kept until its sale is known", subject=subject.id, waybill=subject.waybill)
    try:
        with tx.begin_nested():
            new = voided.applied(tx, subject, old, gone)
    except Refused as wrong:
        return Outcome("quarantined", wrong.sentence, "void_refused", subject.id, subject.waybill)
    cause = laying.Cause(event.id, event.at, event.lane, event.account)
    return _changed(tx, cause, subject, subject.roles, old, new, subject.version, False)


def keep_changed(tx: Connection, cause: laying.Cause, subject: Subject, old: Order, new: Order) -> Outcome:
    """An order that the hub itself learned something of (a store's word), in the way of a delivery."""
    return _changed(tx, cause, subject, subject.roles, old, new, subject.version, False)


def keep_placed(tx: Connection, cause: laying.Cause, subject: Subject, new: Order) -> Outcome:
    """An order that the hub itself places (an exchange), in the way of a delivery; nothing when it was placed before."""
    if subject.document is not None:
        return _nothing_new(subject, subject.version, False)
    return _changed(tx, cause, subject, subject.roles, None, new, "", False)


def _knows(old: Order, piece: Shipment | Refund) -> bool:
    """A refund's id is its channel's, whoever repeats it; each house numbers its shipments by itself."""
    if isinstance(piece, Shipment):
        return any((one.origin, one.id) == (piece.origin, piece.id) for one in old.shipments)
    return any(one.id == piece.id for one in old.refunds)


def _subject_of_child(tx: Connection, event: Event, told: Snapshot) -> Subject | None:
    """A channel's child names its order; another system's names our reference, or its own id for what we asked of it."""
    sells = any(route.roles.get("channel") == event.account for route in config().routes)
    if sells and told.id:
        return subjects.lock(tx, "order", event.account, told.id)
    return subjects.lock_referenced(tx, event.account, told.id, told.reference)


def stock(tx: Connection, event: Event, told: Snapshot) -> Outcome:
    """A stock level: its owner's word changes our position; anyone else's is an echo or drift, never a write."""
    level = cast(StockLevel, told.document)
    if not positions.concerns(event.account, level):
        known = dirty.is_echo(tx, event.account, level.sku, level.available, level.location)
        positions.observe(tx, event.account, level)
        return (
            Outcome("echo", "our own stock coming back")
            if known
            else Outcome("ignored", "this account does not own the stock (authority.toml)")
        )
    if positions.set_level(tx, event.account, level, told.version):
        return Outcome("applied", f"{level.sku} at {level.location or 'all locations'}: {level.available}")
    return Outcome("superseded", "says nothing new")


def product(tx: Connection, event: Event, told: Snapshot) -> Outcome:
    """A product: its canonical state is kept; flows about products come with the catalogue's feeds."""
    subject = subjects.lock(tx, "product", event.account, told.id)
    known = fingerprint(dump(told.document))
    if subject.content == known or told.version < subject.version:
        return Outcome("superseded", "says nothing new", subject=subject.id)
    document = subjects.keep(tx, subject, told.document)
    subjects.note(tx, subject, document, told.version, known, getattr(told.document, "sku", ""))
    if isinstance(told.document, Product) and ownership.owns_product(event.account):
        dirty.mark(tx, {told.document.sku} if parts.learn(tx, event.account, told.document) else ())
    return Outcome("applied", "recorded", subject=subject.id)


def pointer(tx: Connection, event: Event, told: Pointer) -> Outcome:
    """A thin delivery: fetch what it points at; one fetch serves all that came before it began."""
    subject = subjects.lock(tx, told.kind, event.account, told.id)
    flow = FLOWS["object_fetched"]
    if _known(told, subject, event.door):
        return Outcome("superseded", "this version is known", subject=subject.id, waybill=subject.waybill)
    if runs.fetch_waiting(tx, subject.id, flow.name):
        return Outcome(
            "superseded", "the fetch that waits will see it too", subject=subject.id, waybill=subject.waybill
        )
    difference = event.message.delivery_id
    step = NewStep(
        "fetch_object",
        "source",
        event.account,
        "outer",
        laying.key(subject, flow.name, difference, "fetch_object", event.account),
        ordered=False,
    )
    run = NewRun(
        subject.id,
        event.id,
        event.at,
        flow.name,
        flow.version,
        difference,
        None,
        event.account,
        event.lane,
        (step,),
        detail={"pointer": dump(told)},
    )
    runs.give_way(tx, subject.id, flow.name)
    runs.lay(tx, run)
    return Outcome(
        "running",
        f"fetching {told.kind} {told.id}",
        subject=subject.id,
        waybill=subject.waybill,
        accounts=frozenset((event.account,)),
    )


def _known(told: Pointer, subject: Subject, door: str) -> bool:
    """Whether this version was seen whole. A list tells each version once; a webhook of the same instant may mean a later change."""
    return bool(told.version) and (
        told.version < subject.version or (door == "poll" and told.version == subject.version)
    )


SNAPSHOTS: Mapping[str, Callable[[Connection, Event, Snapshot], Outcome]] = {
    "order": order,
    "shipment": child,
    "refund": child,
    "acknowledgement": acknowledgement,
    "cancellation": cancellation,
    "void": void,
    "stock": stock,
    "product": product,
}
