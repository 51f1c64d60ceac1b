"""Where is my order: the whole answer in plain words, with nothing in it that only its buyer or we should know."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from app.journal.reading import order as reading
from app.journal.reading.timeline import SETTLED
from app.orders import deadlines, fulfilments, holds, preordering, return_requests
from app.orders.fulfilments import Fulfilment
from app.orders.shipping import to_ship
from app.orders.standing import life_of, order_state
from app.stock import preorders
from connectors.canonical.order import Order
from connectors.canonical.shipment import LEFT, Shipment, ShipmentStatus


@dataclass(frozen=True, slots=True)
class Piece:
    quantity: Decimal
    title: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """What travels or waits together. `state` in plain words; `number` and `url` to follow it by, where there are any."""

    state: str
    pieces: Sequence[Piece]
    carrier: str = ""
    number: str = ""
    url: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """`sentence` says where it is, `next` what happens next without anybody doing anything (empty when nothing does)."""

    number: str
    state: str
    sentence: str
    next: str
    parcels: Sequence[Parcel]
    back: Sequence[str]
    placed_at: datetime
    as_of: datetime | None


def whereabouts(tx: Connection, waybill: str) -> Whereabouts | None:
    """The answer for a waybill number; None when there is no such order. For the page and for the API."""
    page = reading.order(tx, waybill)
    if page is None or page.document is None:
        return None
    order, subject = page.document, page.subject.id
    asked = fulfilments.of(tx, subject)
    pickups = [one for one in deadlines.of(tx, subject) if one.kind == "pickup"]
    due = {one.part: one.due_at for one in pickups if one.state == "open"}
    late = {one.part for one in pickups if one.state == "passed"}
    state = _state(order, asked, any(hold.open for hold in holds.of(tx, subject)), late)
    sentence, later = WORDS[state]
    busy = any(step.state not in SETTLED for step in page.steps)
    lacking = bool(tx.execute(UNSOURCED, {"member": f"unsourced:{subject}"}).scalar())
    days = _days(tx, subject, order)
    if days and state in WAITS_IN and not lacking:
        state, sentence, later = _ahead(state, days, order, asked)
    stuck = state in STUCK_IN and (lacking or any(step.state == "dead" for step in page.steps))
    return Whereabouts(
        number=order.number or page.subject.waybill,
        state=state,
        sentence=STUCK if stuck else sentence,
        next=later if not stuck else "Nothing is asked of you.",
        parcels=[*_sent(order, _instead(asked)), *_waiting(order, asked, due), *_to_come(order, days)],
        back=_back(order, return_requests.of(tx, subject)),
        placed_at=order.placed_at,
        as_of=page.subject.updated_at if not busy else None,
    )


# ---- what is sold before it is there

WAITS_IN = frozenset(("held", "received", "preparing", "partly_shipped"))


def _days(tx: Connection, subject: int, order: Order) -> dict[str, datetime]:
    """Line id -> the release date that its pieces wait for."""
    held = [hold for hold in holds.of(tx, subject) if hold.open]
    if held and any(hold.rule != holds.PREORDER for hold in held):
        return {}  # something else holds it as well: that is said
    due = {
        one.part: one.due_at
        for one in deadlines.of(tx, subject)
        if one.kind == preordering.KIND and one.state == "open"
    }
    left = to_ship(order)
    lines = [line for line in order.lines if left.get(line.id, Decimal(0)) > 0]
    if held:
        due = preorders.ahead(tx, {line.sku for line in lines})
    return {line.id: due[line.sku] for line in lines if line.sku in due}


def _ahead(state: str, days: Mapping[str, datetime], order: Order, asked: Sequence[Fulfilment]) -> tuple[str, str, str]:
    day = _day(max(days.values()))
    if state != "partly_shipped" and not any(one.open for one in asked):
        return "preordered", f"We have your order. It can leave from {day} on, when it is released.", NEXT
    titles = ", ".join(line.title or line.sku for line in order.lines if line.id in days)
    return state, WORDS[state][0], f"{titles} can leave from {day} on, when it is released, and follows by itself."


def _day(at: datetime) -> str:
    there = at.astimezone(UTC)
    return f"{there.day} {there:%B %Y}"


NEXT = "It is sent by itself then."


def _to_come(order: Order, days: Mapping[str, datetime]) -> list[Parcel]:
    left = to_ship(order)
    return [
        Parcel(f"can leave from {_day(days[line.id])} on", [Piece(left[line.id], line.title)])
        for line in order.lines
        if line.id in days
    ]


STUCK_IN = frozenset(("received", "preparing"))
UNSOURCED = text("SELECT 1 FROM case_members WHERE member = :member AND closed_at IS NULL LIMIT 1")
STUCK = "Something about your order needs a look by one of us; somebody has been told."
WORDS: Mapping[str, tuple[str, str]] = {
    "held": ("We have your order and check something before we go on.", "It goes on as soon as that is done."),
    "received": ("We have your order.", "It is prepared next."),
    "preparing": ("Your order is being prepared.", "You hear from us when it is on its way."),
    "ready": ("Your order is ready to be fetched.", "Bring the code that we sent you."),
    "partly_ready": (
        "A part of your order is ready to be fetched; the rest is not there yet.",
        "Bring the code that we sent you.",
    ),
    "rest_ready": (
        "A part of your order is yours already; the rest is ready to be fetched.",
        "Bring the code that we sent you.",
    ),
    "not_fetched": ("Your order was not fetched in time.", "We write to you about what happens now."),
    "partly_shipped": (
        "A part of your order is on its way; the rest is being prepared.",
        "The rest follows by itself.",
    ),
    "shipped": ("Your order is on its way.", "The carrier tells when it arrives."),
    "delivered": ("Your order has arrived.", ""),
    "cancelled": ("Your order was cancelled.", "What you paid is given back to where it came from."),
    "returned": ("Everything came back to us.", "What you paid is given back to where it came from."),
}


def _state(order: Order, asked: Sequence[Fulfilment], held: bool, late: Collection[str]) -> str:
    """`late` are the requests that were kept until their hour. Nothing is handed over of a held order, whatever is set out."""
    found = order_state(order, life_of(order))
    states = {one.state for one in asked}
    if found == "partly_shipped" and not held and {"ready", "no_show"} & states:
        return "rest_ready" if "ready" in states else "not_fetched"
    if found in ("shipped", "delivered", "returned", "cancelled", "partly_shipped"):
        return found
    if held:
        return "held"
    if "ready" in states:
        return "ready" if _all_set_out(order, asked) else "partly_ready"
    if "no_show" in states or _put_back(asked, late):
        return "not_fetched"
    return "preparing" if states & {"accepted", "picked", "packed"} else "received"


def _all_set_out(order: Order, asked: Sequence[Fulfilment]) -> bool:
    """Whether no piece is still to come to where it is fetched."""
    out = sum((want.quantity for one in asked if one.state == "ready" for want in one.wants), Decimal(0))
    return out >= sum(to_ship(order).values(), Decimal(0))


def _put_back(asked: Sequence[Fulfilment], late: Collection[str]) -> bool:
    """Nobody came, its pieces lie on the shelf again, and nobody was asked for them anew."""
    return not any(one.open for one in asked) and any(one.state == "cancelled" and one.number in late for one in asked)


SHIPMENTS: Mapping[ShipmentStatus, str] = {
    ShipmentStatus.SHIPPED: "on its way",
    ShipmentStatus.IN_TRANSIT: "on its way",
    ShipmentStatus.READY_FOR_PICKUP: "ready to be fetched",
    ShipmentStatus.DELIVERED: "arrived",
    ShipmentStatus.FAILED: "could not be delivered",
}


Instead = Collection[tuple[str, str]]  # (line id, SKU) of articles that go out in place of what was sold


def _instead(asked: Sequence[Fulfilment]) -> Instead:
    return {(line["line_id"], line["sku"]) for one in asked for line in one.lines if "instead_of" in line}


def _sent(order: Order, instead: Instead) -> list[Parcel]:
    return [
        parcel
        for shipment in order.shipments
        if shipment.status in (*LEFT, ShipmentStatus.FAILED)
        for parcel in _parcels(order, shipment, instead)
    ]


def _parcels(order: Order, shipment: Shipment, instead: Instead) -> list[Parcel]:
    """One for each tracking number; a source that does not tell parcels apart names all pieces with each."""
    state = SHIPMENTS[shipment.status]
    if not shipment.trackings:
        return [Parcel(state, _pieces(order, shipment, instead), since=shipment.shipped_at)]
    return [
        Parcel(state, _pieces(order, shipment, instead), one.carrier, one.number, _safe(one.url), shipment.shipped_at)
        for one in shipment.trackings
    ]


def _safe(url: str) -> str:
    """A link is only ever followed over TLS."""
    return url if url.startswith("https://") else ""


def _pieces(order: Order, shipment: Shipment, instead: Instead) -> list[Piece]:
    titles = {line.id: line.title for line in order.lines} | {line.sku: line.title for line in order.lines}
    return [
        Piece(one.quantity, _title(titles.get(one.line_id) or titles.get(one.sku, ""), one.line_id, one.sku, instead))
        for one in shipment.lines
    ]


def _title(sold: str, line_id: str, sku: str, instead: Instead) -> str:
    """What the customer gets by its name; of what goes out in its place no name was told but its SKU."""
    return f"{sku} in place of {sold or 'an item'}" if (line_id, sku) in instead else sold


PLACES: Mapping[str, str] = {
    "requested": "asked for",
    "accepted": "being prepared",
    "picked": "being prepared",
    "packed": "packed",
    "ready": "ready to be fetched",
    "no_show": "not fetched in time",
}


def _waiting(order: Order, asked: Sequence[Fulfilment], due: Mapping[str, datetime]) -> list[Parcel]:
    titles = {line.id: line.title for line in order.lines}
    instead = _instead(asked)
    return [
        Parcel(
            PLACES[one.state],
            [
                Piece(want.quantity, _title(titles.get(want.line_id, ""), want.line_id, want.sku, instead))
                for want in one.wants
            ],
            since=one.updated_at,
            until=due.get(one.number),
        )
        for one in asked
        if one.state in PLACES
    ]


def _back(order: Order, rows: Sequence[return_requests.ReturnRow]) -> list[str]:
    """Returns and refunds, each a sentence."""
    told = [RETURNS[row.state].format(number=row.number) for row in rows if row.state in RETURNS]
    for refund in order.refunds:
        moved = refund.total.in_role(order.money_role)
        if moved:
            told.append(f"{moved.rounded().amount:f} {moved.currency} were given back.")
    return told


RETURNS: Mapping[str, str] = {
    "authorised": "Return {number}: we wait for your parcel.",
    "declined": "Return {number} is not possible; we have written to you why.",
    "restocked": "Return {number} has arrived; the money follows.",
    "quarantined": "Return {number} has arrived; the money follows.",
    "scrapped": "Return {number} has arrived; the money follows.",
    "refunded": "Return {number} is done.",
}
