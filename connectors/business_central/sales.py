"""Where an order stands in Business Central: open, posted whole, or nowhere; and how it is made to have its total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.business_central.client import MOST, Ask, Client, Row, guid, text
from connectors.business_central.mapping import changes
from connectors.business_central.mapping.policy import Policy
from connectors.business_central.mapping.rows import ACCOUNT, number, row
from connectors.business_central.mapping.rows import Row as Line
from connectors.business_central.mapping.sales_order import Document, differs
from connectors.canonical.money import minor_unit
from connectors.canonical.order import Order
from connectors.kit import names
from connectors.kit.amounts import ZERO
from connectors.kit.errors import Rejected

LINES = "salesOrderLines"


class Sales:
    def __init__(self, client: Client, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    # ---- where it stands

    def open(self, order: Order, known: str | None = None) -> Row | None:
        """The open sales order with its lines: by its SystemId, else by our name for it, alone or with a shipment's."""
        if known:
            found = self._client.get(f"salesOrders({guid(known)})", expand=LINES)
            if found is not None:
                return found
        rows = self._client.rows("salesOrders", self._named(order), expand=LINES)
        return next((one for one in rows if _ours(one, order)), None)

    def invoices(self, order: Order) -> list[Row]:
        return [one for one in self._client.rows("salesInvoices", self._named(order)) if _ours(one, order)]

    def invoice_of(self, name: str) -> str:
        """The number of the invoice that was posted under a shipment's name; empty while no list shows it."""
        rows = self._client.rows("salesInvoices", f"externalDocumentNumber eq {text(name)}")
        return str(rows[0]["number"]) if rows else ""

    def _named(self, order: Order) -> str:
        name = names.of_order(order)
        return f"externalDocumentNumber eq {text(name)} or startswith(externalDocumentNumber,{text(name + '/')})"

    def booked(self, order: Order, known: str | None) -> Row:
        """The open sales order. Raises Rejected where it was posted whole (shipped), or is not there (not_booked)."""
        found = self.open(order, known)
        if found is not None:
            return found
        if self.invoices(order):
            raise _posted(order)
        raise Rejected(
            f"Order {order.number} is not in Business Central.",
            code="not_booked",
            remedy="Retry the booking of the order first; look whether the sales order was deleted.",
            owner="finance",
        )

    def shipped_whole(self, order: Order) -> bool:
        """Whether all that had to ship was posted, as the posted shipments tell."""
        rows = self._client.rows("salesShipments", self._named(order), expand="salesShipmentLines")
        lines = (line for one in rows if _ours(one, order) for line in one.get("salesShipmentLines", ()))
        left = sum((number(line.get("quantity")) for line in lines if line.get("lineType") == "Item"), ZERO)
        ours = sum((line.quantity for line in order.lines if line.sku), ZERO)
        return bool(ours) and left >= ours

    # ---- making it

    def create_or_complete(self, order: Order, document: Document, customer: str) -> str:
        """The order's SystemId once it stands with its total. What is there already is taken; where Business Central
        makes another total than the channel's, the order is removed again and refused with the difference.
        """
        record = self.open(order) or self._client.create("salesOrders", {**document.body(), "customerId": customer})
        return self._settled(order, document, record, undo=True)

    def complete(self, order: Order, document: Document) -> str | None:
        """The SystemId of the order where it is there with its total; posted orders have theirs."""
        record = self.open(order)
        if record is not None:
            return str(record["id"]) if _total(record) == document.stated else None
        posted = self.invoices(order)
        return str(posted[0]["orderId"]) if posted else None

    def amend(self, order: Order, document: Document, known: str | None) -> str:
        posted = self._posted_as(order, document, known)
        if posted is not None:
            return posted
        record = self.booked(order, known)
        asked = changes.towards(record, document)
        if asked:
            self._change(asked)
            record = self.booked(order, str(record["id"]))
        return self._settled(order, document, record, undo=False)

    def _posted_as(self, order: Order, document: Document, known: str | None) -> str | None:
        """The SystemId of an order that is invoiced completely, and for what it is to hold: a note that changed, or pieces that came back and are
        credited, amend nothing of it."""
        try:
            self.booked(order, known)
        except Rejected as refused:
            found = self.invoices(order) if refused.code == "shipped" else []
            if found and abs(total(found) - document.stated) <= document.slack:
                return str(found[0]["orderId"])
        return None

    def amended(self, order: Order, document: Document, known: str | None) -> str | None:
        posted = self._posted_as(order, document, known)
        if posted is not None:
            return posted
        record = self.booked(order, known)
        stands = _total(record) == document.stated and not changes.towards(record, document)
        return str(record["id"]) if stands else None

    def _change(self, asked: list[Ask]) -> None:
        """In one transaction. More requests than a $batch takes are refused, as half of a change would be none."""
        if len(asked) > MOST:
            raise Rejected(
                f"The change needs {len(asked)} requests; Business Central takes {MOST} in one transaction.",
                code="too_many_lines",
                remedy="Change the order by hand in Business Central, then mark the step as done.",
                owner="finance",
            )
        self._client.batch(asked, "sales order")

    def set_leaving(self, asked: list[Ask]) -> None:
        self._change(asked)

    def _settled(self, order: Order, document: Document, record: Row, undo: bool) -> str:
        """Business Central's own rounding of taxes, within what it may differ by, goes to the account for rounding."""
        found, made = str(record["id"]), _total(record)
        left = document.stated - made
        if not left:
            return found
        if abs(left) > document.slack:
            if undo:
                self._client.remove(f"salesOrders({found})", str(record["@odata.etag"]))
            raise differs(order, document.stated, made)
        self._round(record, left, minor_unit(document.currency))
        again = self._client.get(f"salesOrders({found})") or {}
        if _total(again) != document.stated:
            raise differs(order, document.stated, _total(again))
        return found

    def rounding(self, ref: str, left: Decimal, unit: Decimal) -> Line:
        """A line of the account for rounding."""
        code = self._policy.wanted("no_tax", "the tax code of a line without tax")
        account = self._policy.account("rounding")
        return row(ref, ACCOUNT, account, Decimal(1), left, ZERO, unit, words="Rounding", tax_code=code)

    def _round(self, record: Mapping[str, Any], left: Decimal, unit: Decimal) -> None:
        """The one line that settles the difference, made or changed."""
        order, lines = f"salesOrders({record['id']})", record.get(LINES, ())
        old = next((line for line in lines if line.get("description2") == changes.SETTLED), None)
        was = number(old["quantity"]) * number(old["unitPrice"]) if old else ZERO
        made = self.rounding(changes.SETTLED, left + was, unit)
        steps = [Ask("DELETE", f"salesOrderLines({old['id']})")] if old else []
        if left + was:
            steps.append(Ask("POST", f"{order}/{LINES}", made.body()))
        self._change(steps)


def total(records: Sequence[Mapping[str, Any]]) -> Decimal:
    return sum((_total(one) for one in records), ZERO)


def _ours(record: Mapping[str, Any], order: Order) -> bool:
    """Exactly our name: a filter knows no case and may be wider than what it was asked."""
    told = str(record.get("externalDocumentNumber", "")).upper()
    return told.partition("/")[0] == names.of_order(order)


def _total(record: Mapping[str, Any]) -> Decimal:
    return number(record.get("totalAmountIncludingTax"))


def _posted(order: Order) -> Rejected:
    return Rejected(
        f"Order {order.number} is shipped and invoiced completely in Business Central.",
        code="shipped",
        remedy="Refund it: a credit memo is how Business Central takes back what is invoiced.",
        owner="customer service",
    )
