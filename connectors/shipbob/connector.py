"""ShipBob as the hub's warehouse: asks it to ship, asks it to stop, reads its stock, what it shipped and what came back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import Ambiguous, NotOffered, Rejected, Transient
from connectors.kit.http import dump_json
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.shipbob.client import Client, stamp
from connectors.shipbob.mapping.levels import levels
from connectors.shipbob.mapping.requests import request_body
from connectors.shipbob.mapping.shipments import pieces

FEW = 5  # so many SKUs are searched one by one; for more the whole list is read
LEFT = ("LabeledCreated", "Completed")  # a shipment whose label is printed cannot be stopped


def connect(connection: Connection) -> ShipBob:
    return ShipBob(connection)


class ShipBob:
    """Plays Fulfiller, RestCanceller, StockKeeper, Poller, Fetcher and Subscriber (kit/capabilities.py says what each promises)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = Client(connection)

    # ---- Fulfiller

    def request(self, order: Order, *, key: str, reference: str) -> Writes:
        """One ShipBob order under our reference. Raises NotOffered where nothing of the order is to be shipped."""
        codes, settings = self._connection.codes, self._connection.account.settings
        body = request_body(
            order,
            reference,
            key,
            lambda ours: codes.theirs("sku", ours),
            self._method(order),
            str(settings.get("location_id", "")),
        )
        links = (("request", order.id),)
        return (
            yield Write("request", lambda: self._create(body, reference), lambda: self._find(reference), links=links)
        )

    def _method(self, order: Order) -> str:
        settings = self._connection.account.settings
        line = next((line for line in order.shipping_lines if not line.removed), None)
        if settings.get("shipping_methods") == "mapped" and line is not None:
            return self._connection.codes.theirs("shipping_method", line.code or line.title)
        return str(settings.get("shipping_method", "Standard"))

    def _create(self, body: Mapping[str, Any], reference: str) -> ExternalId:
        """Create, or find what an earlier request made: ShipBob refuses a reference twice in a channel."""
        try:
            return _id(self._client.create_order(body))
        except Rejected as refused:
            if refused.code != "duplicate_reference":
                raise
            return self._made_before(reference, refused)

    def _made_before(self, reference: str, refused: Rejected) -> ExternalId:
        found = self._client.orders_by_reference(reference)
        if not found:
            raise Transient(
                "ShipBob has an order under this reference but does not list it yet.", code="not_listed_yet"
            ) from refused
        if found[0].get("status") == "Cancelled":
            raise Rejected(
                "The warehouse holds a cancelled order under this reference, and takes a reference once only.",
                code="cancelled_there",
                field="reference_id",
                remedy="Place the order there by hand, or ship it from elsewhere.",
            )
        return _id(found[0])

    def _find(self, reference: str) -> ExternalId | None:
        found = self._client.orders_by_reference(reference)
        return _id(found[0]) if found else None

    def cancel_request(self, order: Order, *, key: str, reference: str) -> Writes:
        """Stops the ShipBob order; "" where there is none. Raises Rejected(code="shipped") when a label is printed
        already."""
        order_id = self._connection.known.id("request", order.id) or self._find(reference)
        if order_id is None:
            return ""
        there: ExternalId = order_id
        return (yield Write("cancel", lambda: self._cancel(there), lambda: self._cancelled(there)))

    def cancel_rest(self, order: Order, *, key: str, reference: str) -> Writes:
        """ShipBob stops every shipment that is open, and answers for those that have left as for refused ones: what was stopped is read back.
        Raises Rejected(code="shipped") where these pieces are not all among it."""
        order_id = self._connection.known.id("request", order.id) or self._find(reference)
        if order_id is None:
            return ""
        there: ExternalId = order_id
        return (yield Write("cancel", lambda: self._stop(there, order), lambda: self._stopped(there, order)))

    def _stop(self, order_id: ExternalId, order: Order) -> ExternalId:
        refused = Rejected("The warehouse did not stop all of these pieces: some have left, or may.", code="shipped")
        try:
            self._client.cancel_order(order_id)
        except Rejected as told:
            refused = told
        if self._stopped(order_id, order) is None:
            raise refused
        return order_id

    def _stopped(self, order_id: ExternalId, order: Order) -> ExternalId | None:
        found = self._client.order(order_id)
        return order_id if found is None or all(many <= 0 for many in _still_to_stop(found, order).values()) else None

    def _cancel(self, order_id: ExternalId) -> ExternalId:
        try:
            answer = self._client.cancel_order(order_id) or {}
        except Rejected as refused:
            return self._too_late(order_id, refused)
        failed = [result for result in answer.get("canceled_shipment_results") or [] if not result.get("is_success")]
        if failed:
            said = str(failed[0].get("reason") or "no reason given")
            return self._too_late(
                order_id,
                Rejected(f"The warehouse did not cancel every shipment. ShipBob says: {said}", code="not_cancelled"),
            )
        return order_id

    def _too_late(self, order_id: ExternalId, refused: Rejected) -> ExternalId:
        """Why it was refused: cancelled before (then it is done), shipped, or as ShipBob says."""
        found = self._client.order(order_id)
        if found is None or found.get("status") == "Cancelled":
            return order_id
        gone = [shipment for shipment in found.get("shipments") or [] if shipment.get("status") in LEFT]
        if gone:
            raise Rejected(
                f"Too late to stop: {len(gone)} of {len(found['shipments'])} shipments have left or are labelled.",
                code="shipped",
                remedy="Let it arrive and handle it as a return, or intercept the parcel at the carrier.",
            )
        raise refused

    def _cancelled(self, order_id: ExternalId) -> ExternalId | None:
        found = self._client.order(order_id)
        return order_id if found is None or found.get("status") == "Cancelled" else None

    # ---- StockKeeper

    def stock(self, skus: Sequence[str] = ()) -> Iterator[StockLevel]:
        """Levels at each fulfilment centre, in our SKUs and locations. Raises Missing where a code has no
        counterpart here."""
        codes, asked = self._connection.codes, {"as_of": stamp(self._connection.now())}
        wanted = {codes.theirs("sku", sku): sku for sku in skus}
        for item in self._items(tuple(wanted)):
            theirs = item.get("sku") or ""
            if wanted and theirs not in wanted:
                continue
            for level in levels(item, asked):
                ours = wanted.get(theirs) or codes.ours("sku", theirs)
                yield replace(level, sku=ours, location=codes.ours("location", level.location))

    def _items(self, theirs: Sequence[str] = ()) -> Iterator[Mapping[str, Any]]:
        """Inventory items at each centre, with their lots where the account is set to ask for them."""
        by_lot = bool(self._connection.account.settings.get("lots"))
        for search in theirs if 0 < len(theirs) <= FEW else ("",):
            lots = {row.get("inventory_id"): row.get("lots") for row in self._client.lots(search)} if by_lot else {}
            for item in self._client.levels(search):
                yield {**item, "lots": lots.get(item.get("inventory_id"))} if by_lot else item

    # ---- Poller, Fetcher

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Shipments: the orders touched in the window, whole. Returns: those completed in it. Stock: every item now, for ShipBob tells no change of
        stock."""
        lister = LISTS.get(kind)
        if lister is None:
            raise NotOffered(f"ShipBob has no list of changed {kind}.")
        return lister(self, since, until)

    def _orders(self, since: datetime, until: datetime) -> Iterator[Message]:
        return (
            _message("polled.order", str(order.get("id")), order) for order in self._client.orders_updated(since, until)
        )

    def _returns(self, since: datetime, until: datetime) -> Iterator[Message]:
        for row in self._client.returns_completed(since, until):
            yield _message("polled.return", str(row.get("id")), row)

    def _levels(self, since: datetime, until: datetime) -> Iterator[Message]:
        as_of = stamp(until)
        for item in self._items():
            yield _message("polled.stock", f"{item.get('inventory_id')}-{as_of}", {"as_of": as_of, "item": item})

    def fetch(self, pointer: Pointer) -> Message | None:
        """The whole order (kind "order" or "shipment", by ShipBob's order id)."""
        found = self._client.order(pointer.id)
        return None if found is None else _message("polled.order", pointer.id, found)

    # ---- Subscriber

    def subscriptions(self) -> dict[str, bool]:
        alive: dict[str, bool] = {}
        for hook in self._client.webhooks():
            for topic in hook.get("topics") or ():
                alive[topic] = alive.get(topic, False) or bool(hook.get("enabled"))
        return alive

    def subscribed_at(self) -> Mapping[str, frozenset[str]]:
        there: dict[str, frozenset[str]] = {}
        for hook in self._client.webhooks():
            if hook.get("enabled"):
                for topic in hook.get("topics") or ():
                    there[topic] = there.get(topic, frozenset()) | {str(hook.get("url"))}
        return there

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        """One subscription for the topics that `address` does not get yet, signed with our own secret."""
        served = {
            t
            for hook in self._client.webhooks()
            if hook.get("url") == address and hook.get("enabled")
            for t in hook.get("topics") or ()
        }
        missing = [topic for topic in topics if topic not in served]
        secret = self._connection.account.credentials.get("webhook_secret", "")
        if missing and not secret:
            raise Rejected(
                "There is no secret to have ShipBob sign its webhooks with.",
                code="no_secret",
                field="credentials.webhook_secret",
                remedy="Name the variable that holds the webhook secret under the account's credentials.",
            )
        if missing:
            self._client.create_webhook({"topics": missing, "url": address, "secret": secret, "description": "Waybill"})


LISTS: dict[str, Callable[[ShipBob, datetime, datetime], Iterator[Message]]] = {
    "shipment": ShipBob._orders,
    "return": ShipBob._returns,
    "stock": ShipBob._levels,
}


def _id(order: Any) -> ExternalId:
    """The id of an order that ShipBob answered with; an answer without one tells nothing of what was done."""
    if not isinstance(order, Mapping) or not order.get("id"):
        raise Ambiguous("ShipBob's answer holds no order id.", code="unreadable_answer")
    return str(order["id"])


def _still_to_stop(found: Mapping[str, Any], order: Order) -> dict[str, Decimal]:
    """SKU -> pieces of the order's lines that no cancelled shipment holds."""
    left: dict[str, Decimal] = {}
    for line in order.lines:
        left[line.sku] = left.get(line.sku, Decimal(0)) + line.current_quantity
    for shipment in found.get("shipments") or []:
        for piece in pieces(shipment) if shipment.get("status") == "Cancelled" else ():
            left[piece.sku] = left.get(piece.sku, Decimal(0)) - piece.quantity
    return left


def _message(topic: str, subject: str, document: Mapping[str, Any]) -> Message:
    """A polled document as a delivery: the same content is the same delivery."""
    body = dump_json(document)
    return Message(topic, f"{topic}-{subject}-{hashlib.sha256(body).hexdigest()[:16]}", body)
