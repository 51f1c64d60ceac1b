"""Fulfilments of an order: where its lines go, and which have left.

A fulfilment has one state and one tracking number. What we report in parts stands in its metadata, one entry a part
(connectors/square/fulfilments.py), and is read back as a shipment each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connectors.canonical.delivery import Delivery, DeliveryKind
from connectors.canonical.party import Address
from connectors.canonical.shipment import Shipment, ShipmentLine, ShipmentStatus, Tracking
from connectors.kit.place import Place

OURS = "waybill-"  # prefix of our entries in a fulfilment's metadata
CANCELLED = "CANCELED"
WAITS = "w"  # before an entry: set out for its customer, not yet fetched
WHOLE = "*"  # the entry says no lines: too many to write down
KINDS = {
    "shipment": DeliveryKind.SHIP,
    "pickup": DeliveryKind.PICKUP,
    "delivery": DeliveryKind.LOCAL,
    "digital": DeliveryKind.DIGITAL,  # payment links make it; the published list leaves it out
}
DETAILS = {"shipment": "shipment_details", "pickup": "pickup_details", "delivery": "delivery_details"}
DONE = {"SHIPMENT": ShipmentStatus.SHIPPED, "PICKUP": ShipmentStatus.DELIVERED, "DELIVERY": ShipmentStatus.DELIVERED}


@dataclass(frozen=True, slots=True)
class Ways:
    """`by_line`: the delivery of each line that a fulfilment takes."""

    deliveries: tuple[Delivery, ...]
    by_line: Mapping[str, str]

    def kind(self, line: str) -> DeliveryKind | None:
        found = self.by_line.get(line)
        return next((one.kind for one in self.deliveries if one.id == found), None)


def ways(node: Place) -> Ways:
    """What was cancelled or failed comes last: a line belongs to a way that is still open, where there is one."""
    rows = sorted(node.at("fulfillments").items(), key=lambda one: one.at("state").text() in (CANCELLED, "FAILED"))
    by_line: dict[str, str] = {}
    for row in rows:
        for name in pieces(row, node):
            by_line.setdefault(name, uid(row))
    return Ways(tuple(_delivery(one, node) for one in rows), by_line)


def given_up(node: Place) -> frozenset[str]:
    """Lines that only cancelled fulfilments take: Square cancels no paid order, but what of it was to leave."""
    taken: dict[str, set[str]] = {}
    for row in node.at("fulfillments").items():
        for name in pieces(row, node):
            taken.setdefault(name, set()).add(row.at("state").text())
    return frozenset(name for name, states in taken.items() if states == {CANCELLED})


def uid(row: Place) -> str:
    return row.at("uid").needed().id()


def pieces(row: Place, node: Place) -> dict[str, Decimal]:
    """Pieces by line that a fulfilment takes: its entries, or every line of the order."""
    if row.at("line_item_application").text() == "ENTRY_LIST":
        found: dict[str, Decimal] = {}
        for entry in row.at("entries").items():
            name = entry.at("line_item_uid").needed().text()
            found[name] = found.get(name, Decimal(0)) + entry.at("quantity").needed().number()
        return found
    return {one.at("uid").text(): one.at("quantity").number() for one in node.at("line_items").items()}


def details(row: Place) -> Place:
    return row.at(DETAILS.get(row.at("type").text().lower(), "digital_details"))


def _delivery(row: Place, node: Place) -> Delivery:
    kind, told = row.at("type").one_of(KINDS), details(row)
    person = told.at("recipient")
    due = told.at("pickup_at") if told.at("pickup_at").value else told.at("deliver_at")
    return Delivery(
        id=uid(row),
        kind=kind,
        address=address(person),
        location=node.at("location_id").text() if kind is DeliveryKind.PICKUP else "",
        service=told.at("shipping_type").text(),
        ship_by=told.at("expected_shipped_at").time(),
        deliver_by=due.time(),
        instructions=told.at("note").text() or told.at("shipping_note").text() or told.at("dropoff_notes").text(),
        pickup_person=person.at("display_name").text() if kind is DeliveryKind.PICKUP else "",
    )


def address(person: Place) -> Address | None:
    """A recipient's; None where there is neither a name nor a place. ZZ is Square's word for an unknown country."""
    place = person.at("address")
    if not isinstance(person.value, dict) or not (person.at("display_name").text() or place.value):
        return None
    country = place.at("country").country()
    return Address(
        name=person.at("display_name").text() or _name(place),
        line1=place.at("address_line_1").text(),
        line2=place.at("address_line_2").text(),
        line3=place.at("address_line_3").text(),
        city=place.at("locality").text(),
        region=place.at("administrative_district_level_1").text().removeprefix(f"{country}-"),
        postcode=place.at("postal_code").text(),
        country="" if country == "ZZ" else country,
        phone=person.at("phone_number").text(),
        email=person.at("email_address").text(),
        first_name=place.at("first_name").text(),
        last_name=place.at("last_name").text(),
        district=place.at("sublocality").text(),
    )


def _name(place: Place) -> str:
    return f"{place.at('first_name').text()} {place.at('last_name').text()}".strip()


# ---- what has left


def shipments(node: Place, skus: Mapping[str, str]) -> tuple[Shipment, ...]:
    return tuple(one for row in node.at("fulfillments").items() for one in _of(row, node, skus))


def _of(row: Place, node: Place, skus: Mapping[str, str]) -> Iterator[Shipment]:
    kept = row.at("metadata").value
    ours = sorted(name for name in kept if name.startswith(OURS)) if isinstance(kept, dict) else []
    status = status_of(row)
    if ours:
        told = details(row).at("tracking_number").text()
        for name in ours:
            yield _part(row, node, skus, name, str(kept[name]), status or ShipmentStatus.SHIPPED, told)
    elif status is not None:
        lines = tuple(ShipmentLine(count, skus.get(name, ""), name) for name, count in pieces(row, node).items())
        yield _shipment(row, node, uid(row), status, lines, details(row).at("tracking_number").text())


def status_of(row: Place) -> ShipmentStatus | None:
    """None while nothing has left."""
    state, kind = row.at("state").text(), row.at("type").text()
    if state == "COMPLETED":
        return DONE.get(kind, ShipmentStatus.DELIVERED)
    if state == "PREPARED" and kind == "PICKUP":
        return ShipmentStatus.READY_FOR_PICKUP
    return None


def _part(
    row: Place, node: Place, skus: Mapping[str, str], name: str, entry: str, status: ShipmentStatus, number: str
) -> Shipment:
    """Our own word of a part: "lines numbers", lines as position:pieces."""
    said, _, numbers = entry.partition(" ")
    status = ShipmentStatus.READY_FOR_PICKUP if said.startswith(WAITS) else status
    said = said.removeprefix(WAITS)
    items = node.at("line_items").items()
    pairs = [] if said.startswith(WHOLE) else [one.partition(":")[::2] for one in said.split(",") if one]
    lines = tuple(
        ShipmentLine(Decimal(count), skus.get(items[int(at)].at("uid").text(), ""), items[int(at)].at("uid").text())
        for at, count in pairs
        if int(at) < len(items)
    )
    return _shipment(row, node, f"{uid(row)}:{name}", status, lines, numbers.split(" ")[0] or number)


def _shipment(
    row: Place, node: Place, name: str, status: ShipmentStatus, lines: tuple[ShipmentLine, ...], number: str
) -> Shipment:
    told = details(row)
    url, carrier = told.at("tracking_url").text(), told.at("carrier").text()
    done = told.at("picked_up_at") if told.at("picked_up_at").value else told.at("delivered_at")
    return Shipment(
        id=name,
        status=status,
        lines=lines,
        trackings=(Tracking(number, carrier, url),) if number or url else (),
        location=node.at("location_id").text(),
        service=told.at("shipping_type").text(),
        shipped_at=told.at("shipped_at").time(),
        updated_at=node.at("updated_at").time(),
        delivered_at=done.time(),
    )
