"""A shipment is reported by moving the order's fulfilment on, under the order's version.

A fulfilment has one state and one tracking number, and the API makes no second one. So each shipment of ours leaves an entry in the fulfilment's
metadata, by which it is found again; it is PREPARED while pieces are missing and COMPLETED with the last. Of several numbers the first stands in
tracking_number, the others in shipping_note.
Source: ../shared/specs/square/api.json, UpdateOrder, Fulfillment and FulfillmentShipmentDetails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.shipment import LEFT, Shipment, ShipmentStatus
from connectors.kit.account import Connection
from connectors.kit.errors import Missing, NotOffered, Rejected
from connectors.kit.pieces import Lines, pieces_of
from connectors.kit.place import Place
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.square.client import Client, Row
from connectors.square.mapping.fulfilments import OURS, WAITS, WHOLE, details, pieces, uid
from connectors.square.refusals import OWNER

PARTS = ("shipment", "shipment_2", "shipment_3")
ENDED = ("COMPLETED", "CANCELED", "FAILED")
MOST, LONGEST_ENTRY = 10, 255  # entries of one metadata field, characters of a value
NUMBER, CARRIER, URL, NOTE = 100, 50, 2000, 500  # characters that shipment_details take


@dataclass(frozen=True)
class Confirmation:
    """One shipment as Square is to know it."""

    client: Client
    connection: Connection
    order: Order
    shipment: Shipment

    def writes(self) -> Writes:
        """One update for each fulfilment that the shipment's pieces belong to. Returns the id of the first."""
        if self.shipment.status not in LEFT:
            raise NotOffered("Square is told of what has left, and of what waits for its customer.")
        parts = self._parts()
        if len(parts) > len(PARTS):
            raise Rejected(
                f"The shipment belongs to {len(parts)} fulfilments of the order.", code="many_parcels", owner=OWNER
            )
        done: list[ExternalId] = []
        for name, (fulfilment, some) in zip(PARTS, parts.items(), strict=False):
            done.append((yield self._write(name, fulfilment, some, first=not done)))
        return done[0]

    def _parts(self) -> dict[str, Lines]:
        """The pieces by the fulfilment that takes their line. Raises NotOffered for what was sold at the till."""
        found: dict[str, Lines] = {}
        ways = {line.id: line.delivery_id for line in self.order.lines}
        for line, count in pieces_of(self.order, self.shipment).items():
            if not ways.get(line):
                raise NotOffered("The pieces were handed over at the till: Square has no fulfilment for them.")
            found.setdefault(ways[line], Lines())[line] = count
        return found

    def _write(self, name: str, fulfilment: str, some: Lines, first: bool) -> Write:
        links = (("shipment", self.shipment.id),) if first else ()
        return Write(name, lambda: self._send(fulfilment, some), lambda: self._find(fulfilment), links=links)

    # ---- the write

    @property
    def _entry(self) -> str:
        """Our name of this shipment in the fulfilment's metadata."""
        return OURS + hashlib.sha256(f"{self.shipment.origin}:{self.shipment.id}".encode()).hexdigest()[:16]

    def _send(self, fulfilment: str, some: Lines) -> ExternalId:
        """Told already is told: a completed order takes nothing any more."""
        node = self._order()
        row = self._fulfilment(node, fulfilment)
        if not self._there(row):
            self._still_open(row)
            change = self._change(node, row, some)
            said = f"{self.order.id}:{fulfilment}:{self._entry}:{change['version']}:{self.shipment.status}"
            self.client.update_order(self.order.id, change, hashlib.sha256(said.encode()).hexdigest()[:40])
        return f"{fulfilment}:{self._entry}"

    def _find(self, fulfilment: str) -> ExternalId | None:
        there = self._there(self._fulfilment(self._order(), fulfilment))
        return f"{fulfilment}:{self._entry}" if there else None

    def _there(self, row: Place) -> bool:
        """Our entry stands there; one that waits for its customer is not yet one that was fetched."""
        entry = str((row.at("metadata").value or {}).get(self._entry) or "")
        return bool(entry) and (self._waits(row) or not entry.startswith(WAITS))

    def _waits(self, row: Place) -> bool:
        """Set out in the store, not yet fetched."""
        return row.at("type").text() == "PICKUP" and self.shipment.status is ShipmentStatus.READY_FOR_PICKUP

    def _order(self) -> Place:
        node = self.client.order(self.order.id)
        if node is None:
            raise Rejected(f"Square has no order {self.order.number}.", code="not_found", owner=OWNER)
        return Place(node)

    def _fulfilment(self, node: Place, name: str) -> Place:
        row = next((one for one in node.at("fulfillments").items() if uid(one) == name), None)
        if row is None:
            words = f"Order {self.order.number} has no fulfilment {name} any more."
            raise Rejected(words, code="no_fulfilment", owner=OWNER)
        return row

    def _still_open(self, row: Place) -> None:
        state = row.at("state").text()
        if state == "COMPLETED":
            raise NotOffered("The fulfilment was completed in Square already, which takes nothing after that.")
        if state in ENDED:
            words = f"The fulfilment of order {self.order.number} is {state.lower()} in Square: nothing can be added."
            raise Rejected(words, code="fulfilment_ended", remedy="Compare the order in Square.", owner=OWNER)

    def _change(self, node: Place, row: Place, some: Lines) -> dict[str, Any]:
        """The sparse order: state, details and our entry; the order itself is completed with its last fulfilment, when it is paid."""
        if not node.has("version"):
            raise NotOffered("Square changes no order that was made without its API.")
        kept = dict(row.at("metadata").value or {})
        entries = {name: value for name, value in kept.items() if name.startswith(OURS)}
        entries[self._entry] = self._words(node, some, self._waits(row))
        if len({**kept, **entries}) > MOST:
            raise Rejected("The fulfilment's metadata is full: too many shipments.", code="many_parcels", owner=OWNER)
        whole = sum(pieces(row, node).values(), Decimal(0))
        left = sum((_count(value) for value in entries.values()), Decimal(0))
        state = "PREPARED" if self._waits(row) or left < whole else "COMPLETED"
        told = {"uid": uid(row), "state": state, "metadata": {**kept, **entries}, **self._details(row)}
        rest = [
            one
            for one in node.at("fulfillments").items()
            if uid(one) != uid(row) and one.at("state").text() not in ENDED
        ]
        paid = node.at("net_amount_due_money").at("amount").value == 0 and bool(node.at("tenders").items())
        done = {"state": "COMPLETED"} if state == "COMPLETED" and not rest and paid else {}
        place = node.at("location_id").text()
        return {"location_id": place, "version": node.at("version").value, "fulfillments": [told], **done}

    def _words(self, node: Place, some: Lines, waits: bool) -> str:
        """Before a blank position:pieces by line, after it the numbers; or how many pieces where that is too long."""
        at = {one.at("uid").text(): n for n, one in enumerate(node.at("line_items").items())}
        numbers = " ".join(one.number.replace(" ", "") for one in self.shipment.trackings if one.number)
        said = ",".join(f"{at[line]}:{count}" for line, count in some.items() if line in at)
        short = said if len(said) <= LONGEST_ENTRY // 2 else f"{WHOLE}{sum(some.values())}"
        return f"{WAITS if waits else ''}{short} {numbers}"[:LONGEST_ENTRY].rstrip()

    def _details(self, row: Place) -> dict[str, Any]:
        """What a shipment says of its parcels; a pickup says nothing but its state."""
        trackings = self.shipment.trackings
        if row.at("type").text() != "SHIPMENT" or not trackings:
            return {}
        told = details(row)
        first = told.at("tracking_number").text()
        numbers = [one.number for one in trackings if one.number and one.number != first]
        own: dict[str, Any] = {}
        if not first and numbers:
            own["tracking_number"] = numbers.pop(0)[:NUMBER]
            own.update(self._carrier(trackings[0].carrier))
            own.update({"tracking_url": trackings[0].url} if 0 < len(trackings[0].url) <= URL else {})
        if numbers:
            note = told.at("shipping_note").text()
            own["shipping_note"] = f"{note}\nFurther parcel: {', '.join(numbers)}".strip()[-NOTE:]
        return {"shipment_details": own} if own else {}

    def _carrier(self, ours: str) -> Mapping[str, str]:
        """A carrier without a code goes under its own name: the field is free."""
        if not ours:
            return {}
        try:
            theirs = self.connection.codes.theirs("carrier", ours)
        except Missing:
            theirs = ours
        return {"carrier": theirs[:CARRIER]}


def _count(entry: str) -> Decimal:
    """Pieces that left, of one of our entries."""
    said = entry.partition(" ")[0]
    if said.startswith(WAITS):
        return Decimal(0)
    if said.startswith(WHOLE):
        return Decimal(said[len(WHOLE) :])
    return sum((Decimal(one.partition(":")[2]) for one in said.split(",") if one), Decimal(0))


def open_fulfilments(node: Row) -> Iterator[Place]:
    """Those that may still be changed."""
    return (one for one in Place(node).at("fulfillments").items() if one.at("state").text() not in ENDED)
