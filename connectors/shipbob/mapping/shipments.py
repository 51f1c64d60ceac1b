"""ShipBob's shipments, told one by one or inside their order, as canonical shipments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.canonical.snapshot import Ignored, Reading, Snapshot
from connectors.canonical.stock import Lot
from connectors.kit.errors import Unreadable
from connectors.shipbob.mapping.fields import identifier, moment, part, parts, quantity, text

# https://developer.shipbob.com/status-reference. Exception: cannot be fulfilled as it is; OnHold: waits for the
# merchant.
STATUS = {
    "None": ShipmentStatus.PENDING,
    "ImportReview": ShipmentStatus.PENDING,
    "Processing": ShipmentStatus.PENDING,
    "OnHold": ShipmentStatus.PENDING,
    "LabeledCreated": ShipmentStatus.SHIPPED,
    "Completed": ShipmentStatus.SHIPPED,
    "Exception": ShipmentStatus.FAILED,
    "Cancelled": ShipmentStatus.CANCELLED,
}
# What left is known by its label, so a topic that says more than the status it came with is believed.
TOPIC_STATUS = {"order.shipment.delivered": ShipmentStatus.DELIVERED}


def read_shipments(body: Mapping[str, Any], topic: str) -> tuple[Reading, ...]:
    """ShipBob publishes no schema of its webhooks' bodies, only that they mirror its resources: an order or a
    shipment is read."""
    if "order_id" in body:
        return (_reading(body, "", text(body, "reference_id"), identifier(body, "order_id"), topic),)
    if "shipments" in body:
        order_id, reference = identifier(body, "id"), text(body, "reference_id")
        rows = enumerate(parts(body, "shipments"))
        return tuple(_reading(row, f"shipments[{n}].", reference, order_id, topic) for n, row in rows) or (
            Ignored("the order has no shipment yet"),
        )
    raise Unreadable("The delivery is neither a shipment nor an order with its shipments.", field="order_id")


def _reading(row: Mapping[str, Any], path: str, reference: str, order_id: str, topic: str) -> Reading:
    shipment_id, said = identifier(row, "id", path), text(row, "status", path)
    if not said:
        raise Unreadable(f"{path}status is missing.", field=f"{path}status")
    if said not in STATUS:
        return Ignored(f"shipment {shipment_id} is in status {said}, for which the hub has no word")
    document = _shipment(row, path, shipment_id, TOPIC_STATUS.get(topic, STATUS[said]))
    if document.updated_at is None:
        raise Unreadable(f"{path}last_update_at and {path}created_date are missing.", field=f"{path}last_update_at")
    version = document.updated_at.isoformat(timespec="microseconds")
    return Snapshot("shipment", order_id, version, document, reference=reference)


def _shipment(row: Mapping[str, Any], path: str, shipment_id: str, status: ShipmentStatus) -> Shipment:
    delivered = moment(row, "delivery_date", path)
    tracking = part(row, "tracking", path)
    return Shipment(
        id=shipment_id,
        status=ShipmentStatus.DELIVERED if status is ShipmentStatus.SHIPPED and delivered else status,
        lines=tuple(_lines(row, path, must=status in LEFT)),
        trackings=tuple(_trackings(tracking, f"{path}tracking.")),
        location=str(part(row, "location", path).get("id") or ""),
        service=text(tracking, "carrier_service", f"{path}tracking.") or text(row, "ship_option", path),
        shipped_at=moment(row, "actual_fulfillment_date", path),
        updated_at=_updated(row, path),
    )


TIMES = ("last_update_at", "last_tracking_update_at", "delivery_date", "actual_fulfillment_date", "created_date")


def _updated(row: Mapping[str, Any], path: str) -> datetime | None:
    """The newest of the shipment's times: a tracking update need not touch last_update_at."""
    return max((at for name in TIMES if (at := moment(row, name, path))), default=None)


LEFT = (ShipmentStatus.SHIPPED, ShipmentStatus.DELIVERED)


def pieces(row: Mapping[str, Any]) -> tuple[ShipmentLine, ...]:
    """What a shipment of an order holds, as far as ShipBob states it."""
    return tuple(_lines(row, "", must=False))


def _lines(row: Mapping[str, Any], path: str, must: bool) -> Iterator[ShipmentLine]:
    """ShipBob states quantities by inventory item (one row for each lot), not by product; what left `must` be
    stated."""
    for number, product in enumerate(parts(row, "products", path)):
        at = f"{path}products[{number}]."
        sku = text(product, "reference_id", at) or text(product, "sku", at)
        if not sku:
            raise Unreadable(f"{at}reference_id and {at}sku are missing.", field=f"{at}reference_id")
        items = [
            _item(item, f"{at}inventory_items[{n}].") for n, item in enumerate(parts(product, "inventory_items", at))
        ]
        count = _count(items)
        if count is None and must:
            raise Unreadable("How many of the product were shipped is not stated.", field=f"{at}inventory_items")
        if count:
            serials = tuple(number for item in items for number in item.serials)
            yield ShipmentLine(count, sku, serials=serials, lots=_lots(items))


@dataclass(frozen=True)
class Picked:
    """Pieces of one inventory item, of one lot."""

    item_id: str
    lot: Lot
    serials: tuple[str, ...]


def _item(row: Mapping[str, Any], path: str) -> Picked:
    """A last day in the year 1 is how such systems write that there is none."""
    expires = moment(row, "expiration_date", path)
    last = expires.date() if expires and expires.year > 1 else None
    lot = Lot(text(row, "lot", path), quantity(row, "quantity", path), last)
    return Picked(identifier(row, "id", path), lot, tuple(str(one) for one in row.get("serial_numbers") or () if one))


def _count(items: Sequence[Picked]) -> Decimal | None:
    """Lots of one item are added up. For a ShipBob bundle (several items) the number of bundles is not stated unless
    all agree: None."""
    by_item: dict[str, Decimal] = {}
    for item in items:
        by_item[item.item_id] = by_item.get(item.item_id, Decimal(0)) + item.lot.quantity
    return next(iter(by_item.values())) if len(set(by_item.values())) == 1 else None


def _lots(items: Sequence[Picked]) -> tuple[Lot, ...]:
    """What was picked of each lot; of a bundle's items none is the bundle's."""
    if len({item.item_id for item in items}) != 1:
        return ()
    return tuple(item.lot for item in items if item.lot.name and item.lot.quantity)


def _trackings(tracking: Mapping[str, Any], path: str) -> Iterator[Tracking]:
    """The parcel's number, and for freight the carrier's PRO number: each once."""
    carrier, url = text(tracking, "carrier", path), text(tracking, "tracking_url", path)
    parcel, freight = text(tracking, "tracking_number", path), text(tracking, "pro_number", path)
    if parcel:
        yield Tracking(parcel, carrier, url)
    if freight and freight != parcel:
        yield Tracking(freight, carrier or text(tracking, "scac", path), "" if parcel else url)
