"""An order is acknowledged or given up by an acknowledgement feed, and the order itself shows what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.amazon.client import Client
from connectors.amazon.documents import ACKNOWLEDGEMENT, CANCEL_REASONS, XML, acknowledgement, cancellation
from connectors.amazon.feeds import Feed
from connectors.amazon.refusals import OWNER
from connectors.canonical.order import CancelReason, FulfilledBy, Order
from connectors.kit.account import Connection
from connectors.kit.errors import NotOffered, Rejected
from connectors.kit.writes import ExternalId, Job, Write

REASONS = {
    CancelReason.CUSTOMER.value: "BuyerCanceled",
    CancelReason.INVENTORY.value: "NoInventory",
    CancelReason.ADDRESS.value: "ShippingAddressUndeliverable",
}
SENT_BY_AMAZON = "Amazon sends this order itself, so there is nothing to tell it."


@dataclass(frozen=True)
class Standing:
    """How one order stands at Amazon, as far as we decide it."""

    client: Client
    connection: Connection
    order: Order

    def acknowledge(self, number: str) -> Write:
        """Our number, as the order's SELLER_ORDER_ID."""
        if not self.connection.account.settings.get("acknowledge", True):
            raise NotOffered("This account does not acknowledge orders (settings.acknowledge).")
        self._ours()
        feed, content = self._feed, acknowledgement(self.client.seller, self.order.id, number)
        return Write(
            "acknowledgement",
            send=lambda: feed.submit(content),
            find=lambda: number if number in _numbers(self._there) else None,
            poll=lambda job: feed.ended(job, number),
        )

    def cancel(self) -> Write:
        """Every item, for one reason."""
        self._ours()
        return Write("cancellation", self._give_up, self._gone, lambda job: self._feed.ended(job, self.order.id))

    def _give_up(self) -> ExternalId | Job:
        there = self._there
        shipped = sum(int((item.get("fulfillment") or {}).get("quantityFulfilled") or 0) for item in _items(there))
        if shipped or _status(there) in ("SHIPPED", "PARTIALLY_SHIPPED"):
            words = f"Order {self.order.number} has left, at least in part: Amazon cancels it no more."
            raise Rejected(words, code="shipped", remedy="Take it back as a return.", owner=OWNER)
        items = [str(item["orderItemId"]) for item in _items(there)] or [line.id for line in self.order.lines]
        return self._feed.submit(cancellation(self.client.seller, self.order.id, items, self._reason))

    def _gone(self) -> ExternalId | None:
        return self.order.id if _status(self._there) == "CANCELLED" else None

    @property
    def _feed(self) -> Feed:
        return Feed(self.client, ACKNOWLEDGEMENT, XML)

    @property
    def _there(self) -> Any:
        return self.client.order(self.order.id)

    @property
    def _reason(self) -> str:
        """The order's own where it is one of Amazon's, or has a word there."""
        ours = REASONS.get(self.order.cancel_reason, self.order.cancel_reason)
        return ours if ours in CANCEL_REASONS else str(self._settings.get("cancel_reason", "GeneralAdjustment"))

    @property
    def _settings(self) -> Any:
        return self.connection.account.settings

    def _ours(self) -> None:
        """Raises NotOffered for what Amazon fulfils."""
        if sent_by_amazon(self.order):
            raise NotOffered(SENT_BY_AMAZON)


def sent_by_amazon(order: Order) -> bool:
    return bool(order.lines) and all(line.fulfilled_by is FulfilledBy.CHANNEL for line in order.lines)


def _items(there: Any) -> list[Any]:
    return list((there or {}).get("orderItems") or ())


def _status(there: Any) -> str:
    return str(((there or {}).get("fulfillment") or {}).get("fulfillmentStatus") or "")


def _numbers(there: Any) -> list[str]:
    """The numbers that sellers gave the order."""
    aliases = (there or {}).get("orderAliases") or ()
    return [str(one["aliasId"]) for one in aliases if one.get("aliasType") == "SELLER_ORDER_ID"]
