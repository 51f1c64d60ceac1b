"""A shipment is confirmed as one package for each parcel, each under a reference of ours by which it is found again.

Source: ../shared/specs/amazon-spapi/models/ordersV0.json, confirmShipment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.amazon.cancelling import SENT_BY_AMAZON, sent_by_amazon
from connectors.amazon.client import Client, stamp
from connectors.amazon.refusals import OWNER
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, Tracking
from connectors.kit.account import Connection
from connectors.kit.errors import NotOffered, Rejected
from connectors.kit.pieces import Lines, pieces_of
from connectors.kit.writes import ExternalId, Write, Writes

PARTS = ("shipment", "shipment_2", "shipment_3", "shipment_4", "shipment_5")
OTHER = "Other"  # the carrier code under which a carrier that Amazon does not list goes by its own name


@dataclass(frozen=True)
class Package:
    """What one parcel holds. `reference` is ours: digits only, as Amazon wants it; `carrier` as Amazon names it."""

    reference: str
    lines: Lines
    tracking: Tracking
    carrier: Mapping[str, str]


@dataclass(frozen=True)
class Confirmation:
    """One shipment as Amazon is to know it."""

    client: Client
    connection: Connection
    order: Order
    shipment: Shipment

    def writes(self) -> Writes:
        """As many packages as it takes. Returns the id of the first."""
        if sent_by_amazon(self.order):
            raise NotOffered(SENT_BY_AMAZON)
        packages = list(self._packages())
        if len(packages) > len(PARTS):
            words = f"This shipment has {len(packages)} parcels, more than {len(PARTS)}."
            raise Rejected(words, code="many_parcels", owner=OWNER)
        done: list[ExternalId] = []
        for name, package in zip(PARTS, packages, strict=False):
            done.append((yield self._write(name, package, first=not done)))
        return done[0]

    def _write(self, name: str, package: Package, first: bool) -> Write:
        links = (("shipment", self.shipment.id),) if first else ()
        return Write(name, lambda: self._send(package), lambda: self._find(package), links=links)

    # ---- parcel by parcel

    def _packages(self) -> Iterator[Package]:
        """Each parcel with its pieces where the warehouse told them apart; else all in one, under the first number."""
        trackings = self.shipment.trackings
        if len(trackings) > 1 and all(one.lines for one in trackings):
            for n, one in enumerate(trackings):
                part = Shipment(self.shipment.id, self.shipment.status, one.lines)
                yield self._package(n, part, one)
            return
        yield self._package(0, self.shipment, trackings[0] if trackings else None)

    def _package(self, n: int, part: Shipment, tracking: Tracking | None) -> Package:
        if tracking is None or not tracking.number:
            words = f"The shipment of order {self.order.number} has no tracking number, and Amazon wants one."
            raise Rejected(words, code="no_tracking", field="trackings", owner="logistics")
        carrier = self._carrier(tracking.carrier)
        return Package(reference(self.shipment.id, n), pieces_of(self.order, part), tracking, carrier)

    # ---- the write

    def _send(self, package: Package) -> ExternalId:
        body = {
            "marketplaceId": self.order.store or self.client.marketplaces[0],
            "packageDetail": self._detail(package),
        }
        self.client.confirm_shipment(self.order.id, body)
        return package_id(self.order.id, package.reference)

    def _detail(self, package: Package) -> dict[str, Any]:
        at = max(self.shipment.shipped_at or self.connection.now(), self.order.placed_at)
        items = [{"orderItemId": line, "quantity": quantity} for line, quantity in package.lines.items()]
        return {
            "packageReferenceId": package.reference,
            **package.carrier,
            **({"shippingMethod": self.shipment.service} if self.shipment.service else {}),
            "trackingNumber": package.tracking.number,
            "shipDate": stamp(at),
            "orderItems": items,
        }

    def _carrier(self, ours: str) -> dict[str, str]:
        """Amazon has a list of its own: one that nobody has mapped raises Missing, and one mapped to Other goes so, under its own name."""
        code = self.connection.codes.theirs("carrier", ours) if ours else OTHER
        return {"carrierCode": OTHER, "carrierName": ours or OTHER} if code == OTHER else {"carrierCode": code}

    def _find(self, package: Package) -> ExternalId | None:
        there = self.client.order(self.order.id) or {}
        known = [str(one["packageReferenceId"]) for one in there.get("packages") or ()]
        return package_id(self.order.id, package.reference) if package.reference in known else None


def reference(shipment: str, n: int) -> str:
    """A positive number of at most nine digits, the same whenever it is asked."""
    return str(int(hashlib.sha256(f"{shipment}/{n}".encode()).hexdigest(), 16) % 999_999_999 + 1)


def package_id(order: str, package: str) -> ExternalId:
    """A reference is unique within its order only."""
    return f"{order}/{package}"
