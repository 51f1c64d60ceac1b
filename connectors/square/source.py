"""Square as a source: what changed, one order with all that belongs to it, and the state of its webhooks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.canonical.snapshot import Pointer
from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import NotOffered, Transient
from connectors.kit.http import dump_json
from connectors.square.client import PLACES, Client, Row
from connectors.square.mapping import FETCHED_ORDER, FETCHED_STOCK, LISTED_ORDER, LISTED_REFUND

WALKS = 3  # of a list whose rows move while it is walked
# "details for orders processed ... in offline mode might not be transmitted to Square for up to 72 hours" (SearchOrders)
OFFLINE = timedelta(hours=72)
NAME = "waybill"


@dataclass(frozen=True)
class Source:
    """What one seller's Square tells when asked."""

    client: Client
    connection: Connection

    # ---- one object

    def fetch(self, pointer: Pointer) -> Message | None:
        """The order whole, or a count with its article, as a message that the mapping reads; None when Square has it no more."""
        if pointer.kind == "order":
            return self._order(pointer.id)
        if pointer.kind == "stock":
            return self._count(pointer.id)
        raise NotOffered(f"Square tells no {pointer.kind} thinly, so there is nothing to fetch.")

    def _order(self, order_id: str) -> Message | None:
        node = self.client.order(order_id)
        if node is None:
            return None
        return message(FETCHED_ORDER, "order", node, {"order": node, **self._beside(node)})

    def _beside(self, node: Row) -> dict[str, Any]:
        """Only what the order names is asked for."""
        payments = self._payments(
            [
                str(one.get("payment_id") or one["id"])
                for one in node.get("tenders") or ()
                if one.get("type") != "NO_SALE"
            ]
        )
        refunds = self._refunds(node, payments)
        sold = {str(one["id"]) for one in payments}
        payments += self._payments(sorted({str(one["payment_id"]) for one in refunds if one.get("payment_id")} - sold))
        own = str(node["id"])
        others = sorted(
            {str(one["order_id"]) for one in refunds if one.get("order_id")}
            - {own}
            - {str(one.get("order_id")) for one in payments}
        )
        returns = self.client.orders(others) if others else []
        who = node.get("customer_id") or next((one["customer_id"] for one in payments if one.get("customer_id")), None)
        return {
            "payments": payments,
            "refunds": refunds,
            "returns": returns,
            "customer": self.client.customer(str(who)) if who else None,
            "variations": self._variations([node, *returns]),
        }

    def _payments(self, ids: Sequence[str]) -> list[Row]:
        """Tenders that are no payments (some were taken before there were any) are known by the order alone."""
        return [found for found in (self.client.payment(one) for one in ids) if found]

    def _refunds(self, node: Row, payments: Sequence[Row]) -> list[Row]:
        """Those that the order lists, and those of its payments."""
        ids = {str(one["id"]): None for one in node.get("refunds") or ()}
        ids.update({str(name): None for one in payments for name in one.get("refund_ids") or ()})
        return [found for found in (self.client.refund(one) for one in ids) if found]

    def _variations(self, orders: Sequence[Row]) -> list[Row]:
        sold = [item for one in orders for item in one.get("line_items") or ()]
        sold += [
            item
            for one in orders
            for entry in one.get("returns") or ()
            for item in entry.get("return_line_items") or ()
        ]
        ids = sorted({str(item["catalog_object_id"]) for item in sold if item.get("catalog_object_id")})
        return self.client.articles(ids) if ids else []

    def _count(self, name: str) -> Message | None:
        article, _, place = name.partition("@")
        count = next(iter(self.client.counts([article], [place])), None)
        known = self.client.articles([article]) if count else []
        if count is None or not known:
            return None
        return message(
            FETCHED_STOCK,
            "stock",
            {"id": name, "updated_at": count["calculated_at"]},
            {"count": count, "variation": known[0]},
        )

    # ---- what changed

    def changed(self, kind: str, since: datetime, until: datetime) -> Iterator[Message]:
        """Orders changed in [since, until], and those of which a refund changed, which does not touch the order itself; and, whenever an hour ends in
        the window, those that a till made in the 72 hours before it and sent late: they bear the time of the till."""
        if kind != "order":
            raise NotOffered(f"Square lists no changed {kind}.")
        seen: set[str] = set()
        for places in self._places():
            yield from self._whole(places, "updated_at", since, until, seen)
            if (since.date(), since.hour) != (until.date(), until.hour):
                yield from self._whole(places, "created_at", since - OFFLINE, since, seen)
        told = self.connection.account.settings.get("locations")
        for row in self.client.refunds(since, until):
            if not told or str(row.get("location_id")) in map(str, told):
                yield message(LISTED_REFUND, "refund", row, row)

    def _places(self) -> Iterator[list[str]]:
        """Ten locations a request: the account's own list, else all of the seller's."""
        told = self.connection.account.settings.get("locations")
        ids = [str(one) for one in told] if told else [str(one["id"]) for one in self.client.locations()]
        for start in range(0, len(ids), PLACES):
            yield ids[start : start + PLACES]

    def _whole(
        self, places: Sequence[str], field: str, since: datetime, until: datetime, seen: set[str]
    ) -> Iterator[Message]:
        """The list is walked until a walk finds nothing new: rows that move between pages leave gaps. Raises Transient where it never rests."""
        for _ in range(WALKS):
            rows, new = 0, 0
            for row in self.client.search_orders(places, field, since, until):
                told = message(LISTED_ORDER, "order", row, row)
                rows += 1
                if told.delivery_id not in seen:
                    seen.add(told.delivery_id)
                    new += 1
                    yield told
            if not new or rows <= self.client.page:
                return
        raise Transient("The list of orders changes faster than it can be walked.", code="list_moves")

    # ---- webhooks

    def subscriptions(self) -> dict[str, bool]:
        """Topic -> is it told, and to a subscription that is enabled. Square disables one that failed for long."""
        alive: dict[str, bool] = {}
        for row in self.client.subscriptions():
            for topic in row.get("event_types") or ():
                alive[topic] = alive.get(topic, False) or bool(row.get("enabled"))
        return alive

    def subscribed_at(self) -> dict[str, frozenset[str]]:
        """Topic -> addresses of the enabled subscriptions that tell it."""
        there: dict[str, frozenset[str]] = {}
        for row in self.client.subscriptions():
            if row.get("enabled"):
                for topic in row.get("event_types") or ():
                    there[topic] = there.get(topic, frozenset()) | {str(row.get("notification_url"))}
        return there

    def subscribe(self, topics: Sequence[str], address: str) -> None:
        """One subscription serves all topics at an address: made, or completed and enabled again."""
        known = next((row for row in self.client.subscriptions() if row.get("notification_url") == address), None)
        if known is None:
            key = hashlib.sha256(
                f"{address} {sorted(topics)} {self.connection.now():%Y-%m-%dT%H:%M}".encode()
            ).hexdigest()[:45]
            self.client.subscribe(NAME, sorted(topics), address, key)
            return
        told = set(known.get("event_types") or ())
        if not known.get("enabled") or not set(topics) <= told:
            self.client.change_subscription(
                str(known["id"]), {"enabled": True, "event_types": sorted({*told, *topics})}
            )


def message(topic: str, kind: str, node: Row, body: Any) -> Message:
    """An object as a message; its delivery id is its id, version and content."""
    raw = dump_json(body)
    content = hashlib.sha256(raw).hexdigest()[:16]
    at = node.get("updated_at") or node.get("created_at")
    return Message(topic, f"{kind}:{node['id']}:{node.get('version', 0)}:{at}:{content}", raw)
