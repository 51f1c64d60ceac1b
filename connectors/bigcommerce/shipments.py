"""A shipment is confirmed in BigCommerce as one shipment for each parcel and order address, each once.

POST shipments takes no key and one tracking number, so what is there is looked at first, and a shipment is recognised
by its tracking number and pieces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.bigcommerce.client import Client, Row
from connectors.bigcommerce.refusals import OWNER
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, Tracking
from connectors.kit.account import Connection
from connectors.kit.errors import Missing, NotOffered, Rejected
from connectors.kit.pieces import Lines, pieces_of
from connectors.kit.writes import ExternalId, Write, Writes

PARTS = ("shipment", "shipment_2", "shipment_3", "shipment_4", "shipment_5")
# The core shipping providers (createOrderShipments); any other carrier goes as tracking_carrier.
PROVIDERS = frozenset(
    "auspost canadapost endicia usps fedex ups upsready upsonline shipperhq royalmail".split(),
)
LONGEST = 50  # characters of a tracking number


@dataclass(frozen=True)
class Part:
    """What one shipment of BigCommerce holds: pieces that went to one address in one parcel."""

    address: str
    lines: Lines
    tracking: Tracking | None
    further: tuple[str, ...]  # numbers of parcels that nobody told apart
    carrier: Mapping[str, str]

    @property
    def number(self) -> str:
        return self.tracking.number[:LONGEST] if self.tracking else ""


@dataclass(frozen=True)
class Confirmation:
    """One shipment as BigCommerce is to know it."""

    client: Client
    connection: Connection
    order: Order
    shipment: Shipment

    def writes(self) -> Writes:
        """As many shipments as it takes. Returns the id of the first."""
        parts = list(self._parts())
        if len(parts) > len(PARTS):
            words = f"BigCommerce would need {len(parts)} shipments for this one, more than {len(PARTS)}."
            raise Rejected(words, code="many_parcels", owner=OWNER)
        done: list[ExternalId] = []
        for name, part in zip(PARTS, parts, strict=False):
            done.append((yield self._write(name, part, tuple(done))))
        return done[0]

    def _write(self, name: str, part: Part, done: Sequence[ExternalId]) -> Write:
        links = () if done else (("shipment", self.shipment.id),)
        return Write(name, send=lambda: self._send(part), find=lambda: self._find(part, done), links=links)

    # ---- parcel by parcel, address by address

    def _parts(self) -> Iterator[Part]:
        for lines, tracking, further in self._parcels():
            for address, some in self._by_address(lines).items():
                yield Part(address, some, tracking, further, self._carrier(tracking.carrier if tracking else ""))

    def _parcels(self) -> Iterator[tuple[Lines, Tracking | None, tuple[str, ...]]]:
        """Each parcel with its pieces where the warehouse told them apart; else all in one, under the first number."""
        trackings = self.shipment.trackings
        if len(trackings) > 1 and all(one.lines for one in trackings):
            for one in trackings:
                yield self._pieces(Shipment(self.shipment.id, self.shipment.status, one.lines)), one, ()
            return
        further = tuple(one.number for one in trackings[1:] if one.number)
        yield self._pieces(self.shipment), trackings[0] if trackings else None, further

    def _pieces(self, shipment: Shipment) -> Lines:
        return pieces_of(self.order, shipment)

    def _by_address(self, lines: Lines) -> dict[str, Lines]:
        found: dict[str, Lines] = {}
        for line, quantity in lines.items():
            found.setdefault(self._address(line), Counter())[line] = quantity
        return found

    def _address(self, line: str) -> str:
        """The order address of a line. What is picked up or downloaded has none."""
        told = next(one.delivery_id for one in self.order.lines if one.id == line)
        kinds = {one.id: one.kind for one in self.order.deliveries}
        if kinds.get(told, DeliveryKind.SHIP) is not DeliveryKind.SHIP:
            raise NotOffered("BigCommerce takes no shipment of what is picked up or downloaded.")
        if not told:
            words = f"Order {self.order.number} names no address for line {line}."
            raise Rejected(words, code="no_address", field=f"lines[{line}]", owner=OWNER)
        return told

    # ---- the write

    def _send(self, part: Part) -> ExternalId:
        items = [{"order_product_id": int(line), "quantity": quantity} for line, quantity in part.lines.items()]
        body = {"order_address_id": int(part.address), "items": items, **self._tracking(part)}
        return str(self.client.ship(self.order.id, body)["id"])

    def _tracking(self, part: Part) -> dict[str, Any]:
        further = {"comments": f"Further parcels: {', '.join(part.further)}"} if part.further else {}
        if part.tracking is None:
            return further
        url = {"tracking_link": part.tracking.url} if 0 < len(part.tracking.url) <= 500 else {}
        return {"tracking_number": part.number, **url, **part.carrier, **further}

    def _carrier(self, ours: str) -> dict[str, str]:
        """One of the core providers, else a code of Aftership's list: a carrier that is neither and that nobody has mapped raises Missing."""
        if not ours:
            return {}
        try:
            theirs = self.connection.codes.theirs("carrier", ours)
        except Missing:
            if ours not in PROVIDERS:
                raise
            theirs = ours
        return {"shipping_provider": theirs} if theirs in PROVIDERS else {"tracking_carrier": theirs}

    def _find(self, part: Part, done: Sequence[ExternalId]) -> ExternalId | None:
        """The shipment with this tracking number and exactly these pieces, that is no other shipment's."""
        others = {*done, *self._others()}
        for row in self.client.order_rows(self.order.id, "shipments"):
            same = str(row.get("tracking_number") or "") == part.number and _held(row) == part.lines
            if same and str(row["id"]) not in others:
                return str(row["id"])
        return None

    def _others(self) -> set[str]:
        """Shipments that are known to stand for the order's other shipments."""
        known = (
            self.connection.known.id("shipment", one.id) for one in self.order.shipments if one.id != self.shipment.id
        )
        return {found for found in known if found}


def _held(row: Row) -> Lines:
    return Counter({str(item["order_product_id"]): int(item["quantity"]) for item in row.get("items") or ()})
