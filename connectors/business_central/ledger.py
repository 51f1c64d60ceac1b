"""Orders as Business Central itself lists them, for those who hold its books against their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from connectors.business_central.catalogue import instant
from connectors.business_central.client import GUID, Client, Row
from connectors.business_central.mapping.policy import Policy
from connectors.canonical.money import Money, parse
from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit import names
from connectors.kit.capabilities import Booking, Delivered

LATE = timedelta(days=14)  # an order placed so long before a window may have been made in it, and changed since
NONE = "00000000-0000-0000-0000-000000000000"


class Listed:
    client: Client
    policy: Policy

    def booked(self, since: datetime, until: datetime) -> Iterator[Booking]:
        """Open sales orders, and those that were invoiced whole and live on in their invoices.

        API v2.0 tells when a record was last changed, never when it was made (resources dynamics_salesorder, dynamics_salesinvoice): what was
        changed since is read. An order changed after the window is told where it was placed in it, or up to 14 days before; of invoiced ones all.
        """
        changed = f"lastModifiedDateTime ge {instant(since)}"
        open_orders = self.client.all_rows("salesOrders", changed)
        for row in open_orders:
            if self._may_be_of(row, since, until):
                yield Booking(str(row["id"]), _reference(row), self._total(row))
        told = {str(row["id"]) for row in open_orders}
        for row in self.client.all_rows("salesInvoices", changed):
            order = str(row.get("orderId") or NONE)
            if GUID.fullmatch(order) and order not in {*told, NONE}:
                told.add(order)
                yield Booking(order, _reference(row))

    def delivered(self, since: datetime, until: datetime) -> Iterator[Delivered]:
        """Posted sales shipments, by when they were last changed and, of those changed after the window, by their posting date.

        A shipment names its order by number alone (resource dynamics_salesshipment): whose number it is, open orders and invoices say.
        """
        changed = f"lastModifiedDateTime ge {instant(since)}"
        orders = {str(row["number"]): str(row["id"]) for row in self.client.all_rows("salesOrders", changed)}
        for row in self.client.all_rows("salesInvoices", changed):
            if GUID.fullmatch(order := str(row.get("orderId") or NONE)) and order != NONE:
                orders.setdefault(str(row.get("orderNumber") or ""), order)
        for row in self.client.all_rows("salesShipments", changed):
            if _changed(row) <= until or self._posted_in(row, since, until):
                name, number = str(row.get("externalDocumentNumber") or ""), str(row.get("orderNumber") or "")
                yield Delivered(str(row["id"]), name, orders.get(number, ""))

    def delivery_reference(self, order: Order, shipment: Shipment) -> str:
        return names.of_shipment(order, shipment)

    def _posted_in(self, row: Row, since: datetime, until: datetime) -> bool:
        return self.policy.day(since) <= str(row.get("postingDate")) <= self.policy.day(until)

    def _may_be_of(self, row: Row, since: datetime, until: datetime) -> bool:
        """Whether an order may have been made in a window: it was left alone since, or placed at about that time."""
        if _changed(row) <= until:
            return True
        return self.policy.day(since - LATE) <= str(row.get("orderDate")) <= self.policy.day(until)

    def _total(self, row: Row) -> Money | None:
        """As the order adds itself up. What invoices tell is perhaps not all of an order's, so theirs is not said."""
        theirs, said = str(row.get("currencyCode") or ""), row.get("totalAmountIncludingTax")
        ours = next((one for one, code in self.policy.currencies.items() if code == theirs), theirs)
        return parse(str(said), ours) if ours and said is not None else None

    def reference(self, order: Order) -> str:
        return names.of_order(order)


def _changed(row: Row) -> datetime:
    return datetime.fromisoformat(str(row["lastModifiedDateTime"]).replace("Z", "+00:00"))


def _reference(row: Row) -> str:
    """Our name for the order; a shipment's mark behind it is left off."""
    return str(row.get("externalDocumentNumber") or "").partition("/")[0]
