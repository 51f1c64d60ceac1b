"""Money is given back by a quote, which says what it comes to and how it can go, and then by a refund that says the same.

A refund takes no key: ours stands in the reason of its items, by which it is found again.
Source: ../shared/specs/bigcommerce/orders.v3.yml, createOrderRefundQuotes and createOrderRefund.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.bigcommerce.client import Client, Row
from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import Order
from connectors.canonical.returns import Adjustment, Refund
from connectors.kit.account import Connection
from connectors.kit.errors import Owner, Rejected
from connectors.kit.writes import ExternalId, Write

OWNER: Owner = "finance"
CREDIT = "storecredit"
Method = Sequence[Row]
AT_ADDRESS = {"shipping": "SHIPPING", "handling": "HANDLING"}


@dataclass(frozen=True)
class GivingBack:
    client: Client
    connection: Connection
    order: Order
    refund: Refund
    key: str

    def write(self) -> Write:
        links = (("refund", self.refund.id),)
        return Write("refund", send=self._send, find=self._find, links=links)

    @property
    def _reason(self) -> str:
        return f"{self.refund.note or 'Refund'} [{self.key}]"[-1000:]

    @property
    def _wanted(self) -> Decimal:
        return self.refund.total.in_role(self.order.money_role).amount

    def _send(self) -> ExternalId:
        items = list(self._items())
        quote = self.client.quote_refund(self.order.id, items)
        override = self._override(Decimal(quote["total_refund_amount"]))
        payments = self._payments(quote.get("refund_methods") or (), bool(override))
        made = self.client.refund(self.order.id, {"items": items, "payments": payments, **override})
        declined = [one for one in made.get("payments") or () if one.get("is_declined")]
        if declined:
            words = f"The payment provider declined the refund: {declined[0].get('declined_message') or 'no reason'}."
            raise Rejected(words, code="declined", remedy="Refund through another tender.", owner=OWNER)
        return str(made["id"])

    def _find(self) -> ExternalId | None:
        """The refund whose items bear our key and that some provider took."""
        for row in self.client.refunds(self.order.id):
            ours = any(f"[{self.key}]" in str(item.get("reason") or "") for item in row.get("items") or ())
            declined = [one for one in row.get("payments") or () if one.get("is_declined")]
            if ours and not (declined and len(declined) == len(row["payments"])):
                return str(row["id"])
        return None

    # ---- what for

    def _items(self) -> Iterator[dict[str, Any]]:
        """Pieces by line; shipping and handling at their address; any other sum at the order."""
        why = {"reason": self._reason}
        for line in self.refund.lines:
            yield {"item_type": "PRODUCT", "item_id": int(line.line_id), "quantity": int(line.quantity), **why}
        rest = Decimal(0)
        for one in self.refund.adjustments:
            if one.kind in AT_ADDRESS:
                amount = {"amount": one.amount.in_role(self.order.money_role).amount}
                yield {"item_type": AT_ADDRESS[one.kind], "item_id": self._address(), **amount, **why}
            else:
                rest += self._whole(one)
        if not self.refund.lines and not self.refund.adjustments:
            rest = self._wanted
        if rest > 0:
            yield {"item_type": "ORDER", "item_id": int(self.order.id), "amount": rest, **why}

    def _whole(self, one: Adjustment) -> Decimal:
        """BigCommerce reckons no tax on a sum at the order, so its tax is in it."""
        tax = one.tax.in_role(self.order.money_role).amount if one.tax and not self.order.taxes_included else Decimal(0)
        return one.amount.in_role(self.order.money_role).amount + tax

    def _address(self) -> int:
        shipped = (one.id for one in self.order.deliveries if one.kind is DeliveryKind.SHIP)
        found = next(shipped, "")
        if not found.isdigit():
            words = f"Order {self.order.number} names no address whose shipping could be refunded."
            raise Rejected(words, code="no_address", field="adjustments", owner=OWNER)
        return int(found)

    # ---- how much, and through what

    def _override(self, quoted: Decimal) -> dict[str, Any]:
        """Nothing where the quote is what was asked for; else our own sum, where the account lets it stand."""
        if quoted == self._wanted:
            return {}
        if not self.connection.account.settings.get("refund_override", False):
            raise Rejected(
                f"BigCommerce would give back {quoted} {self.order.currency}, not the {self._wanted} that was decided.",
                code="quote_differs",
                field="total",
                remedy="Decide the refund anew, or allow our own sums (settings.refund_override).",
                owner=OWNER,
            )
        taxes = (one.tax.in_role(self.order.money_role).amount for one in self.refund.lines)
        return {"merchant_calculated_override": {"total_amount": self._wanted, "total_tax": sum(taxes, Decimal(0))}}

    def _payments(self, methods: Sequence[Method], overridden: bool) -> list[dict[str, Any]]:
        """The tenders that the refund names, else the first way that is no store credit. Raises Rejected without one."""
        method = self._method(methods)
        if not overridden:
            return [_payment(one, Decimal(one["amount"])) for one in method]
        if len(method) == 1:
            return [_payment(method[0], self._wanted)]
        raise Rejected("A sum of our own cannot be split over several tenders.", code="split_override", owner=OWNER)

    def _method(self, methods: Sequence[Method]) -> Method:
        named = {one.gateway for one in self.refund.payments}
        same = [one for one in methods if {row["provider_id"] for row in one} == named]
        money = [one for one in methods if all(row["provider_id"] != CREDIT for row in one)]
        if not (same or money or methods):
            raise Rejected("BigCommerce offers no way to refund this order.", code="no_method", owner=OWNER)
        return (same or money or list(methods))[0]


def _payment(row: Row, amount: Decimal) -> dict[str, Any]:
    return {"provider_id": row["provider_id"], "amount": amount, "offline": bool(row.get("offline", False))}
