"""A shipment is confirmed in Shopify as a fulfilment of the order's fulfilment orders, once.

fulfillmentCreate takes no key, so what is there is looked at first, and a fulfilment is recognised by its tracking
numbers and lines. One call fulfils at one location: a shipment that Shopify has assigned to several takes several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit.account import Connection
from connectors.kit.errors import Missing, Rejected
from connectors.kit.pieces import Lines
from connectors.kit.writes import ExternalId, Write, Writes
from connectors.shopify import documents, pages
from connectors.shopify.client import OWNER, Client, Row, accepted
from connectors.shopify.ids import gid, short
from connectors.shopify.whole import whole_fulfilments

PARTS = ("fulfilment", "fulfilment_2", "fulfilment_3")
OPEN = ("OPEN", "IN_PROGRESS")
LISTED = 100  # fulfilments in one answer (documents.FULFILLABLE)
LIVE = ("SUCCESS", "OPEN", "PENDING")


@dataclass(frozen=True)
class Confirmation:
    """One shipment as Shopify is to know it. `lines`: pieces by order line id."""

    client: Client
    connection: Connection
    order: Order
    shipment: Shipment
    lines: Lines

    def writes(self) -> Writes:
        """As many fulfilments as it takes. Returns the id of the first."""
        done: list[ExternalId] = []
        for name in PARTS:
            left = self.lines - self._lines_of(done)
            if not left:
                break
            done.append((yield self._write(name, left, tuple(done))))
        if self.lines - self._lines_of(done):
            raise Rejected(
                "Shopify has this shipment's lines at more than three locations.", code="many_locations", owner=OWNER
            )
        return done[0]

    def _write(self, name: str, left: Lines, done: Sequence[ExternalId]) -> Write:
        links = () if done else (("shipment", self.shipment.id),)
        return Write(name, send=lambda: self._send(left), find=lambda: self._find(left, done), links=links)

    def _lines_of(self, done: Sequence[ExternalId]) -> Lines:
        """What the fulfilments made so far hold, as Shopify shows them."""
        held: Lines = Counter()
        if done:
            for one in self._state()["fulfillments"]:
                if short(one["id"]) in done:
                    held += _pieces(one)
        return held

    def _state(self) -> Row:
        state = self.client.ask(documents.FULFILLABLE, id=gid("Order", self.order.id))
        if state is None:
            raise Rejected(
                f"Shopify does not know the order {self.order.number}.", code="unknown_order", field="id", owner=OWNER
            )
        self.client.whole(state["fulfillmentOrders"], pages.FULFILMENT_ORDERS, state["id"], "fulfillmentOrders")
        for one in state["fulfillmentOrders"]["nodes"]:
            self.client.whole(one["lineItems"], documents.FULFILLABLE_LINES, one["id"], "lineItems")
        state["fulfillments"] = whole_fulfilments(self.client, state["id"], state["fulfillments"], LISTED)
        found: Row = state
        return found

    def _send(self, left: Lines) -> ExternalId:
        wanted = {
            "lineItemsByFulfillmentOrder": _at_one_place(self._state(), left, self.order.number),
            "notifyCustomer": bool(self.connection.account.settings.get("notify_customer", False)),
            **self._tracking(),
        }
        answer = accepted(
            self.client.ask(documents.CREATE_FULFILMENT, fulfillment=wanted), f"the shipment of {self.order.number}"
        )
        return short(answer["fulfillment"]["id"])

    def _tracking(self) -> dict[str, Any]:
        trackings = self.shipment.trackings
        if not trackings:
            return {}
        told: dict[str, Any] = {"numbers": [one.number for one in trackings if one.number]}
        urls = [one.url for one in trackings if one.url]
        carrier = next((one.carrier for one in trackings if one.carrier), "")
        return {
            "trackingInfo": {
                **told,
                **({"urls": urls} if urls else {}),
                **({"company": self._carrier(carrier)} if carrier else {}),
            }
        }

    def _carrier(self, ours: str) -> str:
        """Shopify takes any text as a company and knows some, so a carrier without a code goes under its own name."""
        try:
            return self.connection.codes.theirs("carrier", ours)
        except Missing:
            return ours

    def _find(self, left: Lines, done: Sequence[ExternalId]) -> ExternalId | None:
        """The fulfilment with exactly these tracking numbers and none but these lines, that is no other shipment's."""
        numbers = {one.number for one in self.shipment.trackings if one.number}
        others = {*done, *self._others()}
        for one in self._state()["fulfillments"]:
            pieces = _pieces(one)
            told = {parcel["number"] for parcel in one["trackingInfo"] if parcel["number"]}
            fits = pieces == left if not numbers else bool(pieces) and pieces <= left
            if one["status"] in LIVE and short(one["id"]) not in others and told == numbers and fits:
                return short(one["id"])
        return None

    def _others(self) -> set[str]:
        """Fulfilments that are known to stand for the order's other shipments."""
        known = (
            self.connection.known.id("shipment", one.id) for one in self.order.shipments if one.id != self.shipment.id
        )
        return {found for found in known if found}


def _pieces(fulfilment: Row) -> Lines:
    return Counter(
        {short(row["lineItem"]["id"]): int(row["quantity"] or 0) for row in fulfilment["fulfillmentLineItems"]["nodes"]}
    )


def _at_one_place(state: Row, left: Lines, number: str) -> list[dict[str, Any]]:
    """What to fulfil, at the location that has most of it. Raises Rejected where less is left than was shipped."""
    places: dict[str, list[dict[str, Any]]] = {}
    held: Counter[str] = Counter()
    lacking = Counter(left)
    for one in state["fulfillmentOrders"]["nodes"]:
        rows = _taken(one, lacking) if one["status"] in OPEN else []
        if rows:
            place = str(((one["assignedLocation"] or {}).get("location") or {}).get("id"))
            places.setdefault(place, []).append({"fulfillmentOrderId": one["id"], "fulfillmentOrderLineItems": rows})
            held[place] += sum(row["quantity"] for row in rows)
    short_of = +lacking
    if short_of:
        line, missing = next(iter(short_of.items()))
        stopped = sorted({one["status"] for one in state["fulfillmentOrders"]["nodes"] if one["status"] not in OPEN})
        why = f" (fulfilment orders are {', '.join(stopped).lower()})" if stopped else ""
        raise Rejected(
            f"Shopify has {missing} less of line {line} left to ship in order {number} than was shipped{why}.",
            code="nothing_left",
            field=f"lines[{line}]",
            remedy="Compare the order's fulfilments in Shopify with the shipment.",
            owner=OWNER,
        )
    return places[held.most_common(1)[0][0]]


def _taken(one: Mapping[str, Any], lacking: Lines) -> list[dict[str, Any]]:
    """The rows of a fulfilment order that serve what is lacking, which they then lessen."""
    rows = []
    for item in one["lineItems"]["nodes"]:
        line = short(item["lineItem"]["id"])
        part = min(lacking[line], int(item["remainingQuantity"]))
        if part > 0:
            lacking[line] -= part
            rows.append({"id": item["id"], "quantity": part})
    return rows
