"""Money is given back by an adjustment feed, by price component, and found again among the order's financial events.

Amazon uses our adjustment id in settlements only; events of the last two days may be missing (financesV0.json). So a refund
of ours bears the name under which it will be read there (mapping/refunds.py), and its event starts nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connectors.amazon.cancelling import sent_by_amazon
from connectors.amazon.client import Client
from connectors.amazon.documents import ADJUSTMENT, REFUND_REASONS, XML, Adjusted, adjustment
from connectors.amazon.feeds import Feed
from connectors.amazon.mapping.refunds import posted, stem
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund
from connectors.kit.account import Connection
from connectors.kit.errors import NotOffered, Rejected
from connectors.kit.place import Place
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
            poll=lambda job: feed.ended(job, self._id(sums)),
            links=(("refund", self.refund.id),),
        )

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

    def _id(self, sums: Sums) -> ExternalId:
        """The next name of those that gave back the same; others name what they book after it."""
        taken, name, known = self._taken(sums), self._stem(sums), self.connection.known.id("refund", self.refund.id)
        free = next(number for number in range(1, len(taken) + 2) if f"{name}{number}" not in taken)
        return known or f"{name}{free}"

    def _find(self, sums: Sums) -> ExternalId | None:
        """There when more events gave back the same than other refunds that are known."""
        events = posted(Place(self.client.refunds(self.order.id)), self.order.currency)
        told = [stem(self.order.id, one.reason, one.by_sku(self.order)) for one in events]
        return self._id(sums) if told.count(self._stem(sums)) > len(self._taken(sums)) else None

    def _stem(self, sums: Sums) -> str:
        skus = {line.id: line.sku for line in self.order.lines}
        by_sku: dict[str, Decimal] = defaultdict(Decimal)
        for (item, _), amount in sums.items():
            by_sku[skus.get(item, "")] += amount
        return stem(self.order.id, "", by_sku)

    def _taken(self, sums: Sums) -> frozenset[str]:
        """Names that other refunds of this order bear, whoever made them."""
        others = {one.id for one in self.order.refunds if one.id != self.refund.id}
        others |= self.connection.known.others("refund", self.refund.id)
        return frozenset(one for one in others if one.startswith(self._stem(sums)))
