"""Money is given back by an adjustment feed, by price component, and found again among the order's financial events.

Amazon uses our adjustment id in settlements only; events of the last two days may be missing (financesV0.json).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.amazon.cancelling import sent_by_amazon
from connectors.amazon.client import Client
from connectors.amazon.documents import ADJUSTMENT, REFUND_REASONS, XML, Adjusted, adjustment
from connectors.amazon.feeds import Feed
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund
from connectors.kit.account import Connection
from connectors.kit.errors import NotOffered, Rejected
from connectors.kit.writes import ExternalId, Write

Sums = Mapping[tuple[str, str], Decimal]  # by order item and price component
AT_SHIPPING = ("shipping", "handling")


@dataclass(frozen=True)
class GivingBack:
    client: Client
    connection: Connection
    order: Order
    refund: Refund

    def write(self) -> Write:
        if sent_by_amazon(self.order):
            raise NotOffered("Amazon sends this order itself, and gives money back for it itself.")
        if self.order.cancelled_at is not None:
            raise NotOffered("Amazon gives back by itself what was paid for a cancelled order.")
        sums = self._sums(self.refund)
        wanted = self.refund.total.in_role(self.order.money_role).amount
        if sum(sums.values(), Decimal(0)) != wanted or wanted <= 0:
            words = f"The refund's parts make {sum(sums.values(), Decimal(0))}, not {wanted} {self.order.currency}."
            raise Rejected(words, code="sum_differs", field="total", owner="finance")
        feed = Feed(self.client, ADJUSTMENT, XML)
        return Write(
            "refund",
            send=lambda: feed.submit(self._document(sums)),
            find=lambda: self._find(sums),
            poll=lambda job: feed.ended(job, self._id),
            links=(("refund", self.refund.id),),
        )

    @property
    def _id(self) -> ExternalId:
        return f"{self.order.id}-{self.refund.id}"  # others name what they book after it

    def _document(self, sums: Sums) -> bytes:
        items: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
        for (item, kind), amount in sums.items():
            items[item].append((kind, amount))
        rows = [Adjusted(item, self.refund.id[:80], tuple(parts)) for item, parts in items.items()]
        named = str(self.connection.account.settings.get("refund_reason", "GeneralAdjustment"))
        reason = self.refund.reason if self.refund.reason in REFUND_REASONS else named
        return adjustment(self.client.seller, self.order.id, rows, reason, self.order.currency)

    # ---- what for

    def _sums(self, refund: Refund) -> Sums:
        found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for item, kind, amount in self._parts(refund):
            found[item, kind] += amount
        return {name: amount for name, amount in found.items() if amount}

    def _parts(self, refund: Refund) -> Iterator[tuple[str, str, Decimal]]:
        """Lines as they are; what is beside them at the first of them, for Amazon adjusts items only."""
        role, apart = self.order.money_role, not self.order.taxes_included
        for line in refund.lines:
            yield line.line_id, "Principal", line.subtotal.in_role(role).amount
            if apart:
                yield line.line_id, "Tax", line.tax.in_role(role).amount
        first = next((line.line_id for line in refund.lines), self.order.lines[0].id)
        for one in refund.adjustments:
            kind = "Shipping" if one.kind in AT_SHIPPING else "Principal"
            yield first, kind, one.amount.in_role(role).amount
            if one.tax is not None and apart:
                yield first, "ShippingTax" if kind == "Shipping" else "Tax", one.tax.in_role(role).amount
        if not refund.lines and not refund.adjustments:
            yield first, "Principal", refund.total.in_role(role).amount

    # ---- whether it is there

    def _find(self, sums: Sums) -> ExternalId | None:
        """There when more events have these items and sums than other refunds of ours that do."""
        there = sum(1 for event in self.client.refunds(self.order.id) if _told(event) == sums)
        others = sum(1 for one in self._others() if self._sums(one) == sums)
        return self._id if there > others else None

    def _others(self) -> Iterator[Refund]:
        for one in self.order.refunds:
            if one.id != self.refund.id and self.connection.known.id("refund", one.id):
                yield one


def _told(event: Any) -> Sums:
    """Amazon tells what the seller pays: negative."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for item in event.get("ShipmentItemAdjustmentList") or ():
        for charge in item.get("ItemChargeAdjustmentList") or ():
            told = Decimal(str((charge.get("ChargeAmount") or {}).get("CurrencyAmount") or 0))
            found[str(item.get("OrderItemId")), str(charge.get("ChargeType"))] -= told
    return {name: amount for name, amount in found.items() if amount}
