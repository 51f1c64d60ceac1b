"""Outsiders are asked for their own lists: what the receivers answered, what a source has, what an ERP has booked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app import acks
from app.accounts import entries
from config.reader import config
from connectors import registry
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.capabilities import Booking, Delivered, Ledger, Message, ShipmentLedger
from connectors.kit.errors import Trouble
from tasks.engine.connecting import counted


@dataclass(frozen=True, slots=True)
class Listed:
    """An order as its source lists it; `at` is when the source changed it last, None where its version is no time."""

    id: str
    version: str
    delivery_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Silent:
    """Why somebody was not asked or did not answer. `passing`: it may answer the next time; `quiet`: nothing is wrong with
    that where nothing came."""

    why: str
    passing: bool
    quiet: bool = False


def channels() -> list[str]:
    """The accounts whose orders some route takes."""
    named = [
        route.when.get("account") or route.roles.get("channel") for route in config().routes if route.kind == "order"
    ]
    flat = {one for name in named for one in ([name] if isinstance(name, str) else name or ())}
    return [name for name in config().accounts if name in flat]


def ledgers() -> list[str]:
    """The accounts that some route books orders at."""
    named = [route.roles.get("erp") for route in config().routes if route.kind == "order"]
    flat = {one for name in named for one in ([name] if isinstance(name, str) else name or ())}
    return [name for name in config().accounts if name in flat]


def acknowledged(journal: str, since: datetime, until: datetime) -> tuple[list[acks.Ack], acks.Reader] | Silent:
    """What the receivers noted; Silent where no log can be read from here."""
    where = acks.folder()
    if where is None:
        return Silent("the acknowledgement log is switched off (ACKS=off)", passing=False)
    reader = acks.Reader(where, journal)
    found = list(reader.between(since, until))
    if not reader.files:
        return Silent("no acknowledgement log of this hour can be read here", passing=False, quiet=True)
    return found, reader


def source_list(channel: str, since: datetime, until: datetime) -> list[Listed] | Silent:
    """All orders that the channel says changed in the window."""
    manifest = entries.manifest(channel)
    if "Poller" not in manifest.offers or "order" not in manifest.polls:
        return Silent(f"{channel} lists no orders", passing=False)
    try:
        with counted(channel) as source:
            told: Iterator[Message] = source.changed("order", since, until)
            return [one for message in told if (one := _listed(channel, message))]
    except Trouble as trouble:
        return Silent(f"{channel} did not give its list: {trouble.sentence}", passing=True)


def _listed(channel: str, message: Message) -> Listed | None:
    """What a row is about; one that cannot be read is kept under no id and found by its delivery."""
    try:
        readings = registry.read(entries.account(channel), message)
    except Trouble:
        return Listed("", "", message.delivery_id, None)
    about = next((r for r in readings if isinstance(r, Snapshot | Pointer) and r.kind == "order"), None)
    return Listed(about.id, about.version, message.delivery_id, time_of(about.version)) if about else None


def time_of(version: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(version)
    except ValueError:
        return None
    return at if at.tzinfo else None


def gone(channel: str, order_id: str) -> bool:
    """Whether the source, asked for this one order, has it no more. A list may lose a row that is changed while it is walked."""
    if "Fetcher" not in entries.manifest(channel).offers:
        return True
    with counted(channel) as source:
        return source.fetch(Pointer("order", order_id)) is None


@dataclass(frozen=True, slots=True)
class Books:
    """An ERP's own list, and the names under which it would have these orders."""

    account: str
    rows: Sequence[Booking]
    ledger: Ledger

    def reference(self, order: Order) -> str:
        return self.ledger.reference(order)


def books(account: str, since: datetime, until: datetime) -> Books | Silent:
    manifest = entries.manifest(account)
    if "Ledger" not in manifest.offers:
        return Silent(f"{account} cannot list its bookings", passing=False)
    if "booked" in manifest.absent:
        return Silent(f"{account} cannot list its bookings: {manifest.absent['booked']}", passing=False)
    try:
        with counted(account) as ledger:
            return Books(account, list(ledger.booked(since, until)), ledger)
    except Trouble as trouble:
        return Silent(f"{account} did not give its list: {trouble.sentence}", passing=True)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """An ERP's own list of shipments, and the names under which it would have these."""

    account: str
    rows: Sequence[Delivered]
    ledger: ShipmentLedger

    def reference(self, order: Order, shipment: Shipment) -> str:
        return self.ledger.delivery_reference(order, shipment)


def deliveries(account: str, since: datetime, until: datetime) -> Deliveries | Silent | None:
    """None where its books list no shipments: its card says so, and no hour waits for it."""
    if "ShipmentLedger" not in entries.manifest(account).offers:
        return None
    try:
        with counted(account) as ledger:
            return Deliveries(account, list(ledger.delivered(since, until)), ledger)
    except Trouble as trouble:
        return Silent(f"{account} did not give its list of shipments: {trouble.sentence}", passing=True)
