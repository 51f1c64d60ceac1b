"""Sales in Tryton: made under a reference, taken through their workflow, changed by amendments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.kit.account import Connection
from connectors.kit.errors import Missing, Rejected
from connectors.tryton.client import Client, Row
from connectors.tryton.customers import Buyer
from connectors.tryton.lines import SaleLine, booked_currency

BOOKED = ("processing", "done")
# state -> the button that brings a sale on (trytond/modules/sale: draft, quotation, confirmed, processing, done)
ONWARD = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
BACKWARD = {"draft": "cancel", "quotation": "cancel", "confirmed": "draft"}
SALE = ("reference", "number", "state", "origin", "shipment_state", "party", "currency", "total_amount")
LINE = ("sale", "note", "quantity", "unit_price", "product", "product.code", "unit", "description")


def reference(order: Order) -> str:
    """One sale for each channel order: by the order's own identity, not by our key."""
    return f"{order.channel}-{order.id}"


@dataclass(frozen=True)
class Sales:
    client: Client
    connection: Connection

    def by_reference(self, wanted: str) -> str | None:
        row = self.client.first("sale.sale", [["reference", "=", wanted]])
        return str(row["id"]) if row else None

    def of(self, order: Order) -> Row:
        """The booked sale. Raises Rejected when there is none."""
        known = self.connection.known.id("order", order.id)
        where = ["id", "=", int(known)] if known else ["reference", "=", reference(order)]
        row = self.client.first("sale.sale", [where], *SALE)
        if row is None:
            sentence = f"Tryton has no sale {reference(order)}."
            raise Rejected(sentence, code="not_booked", remedy="Book the order first.")
        return row

    def made_from(self, sale: Row) -> list[Row]:
        """What was made out of a sale: supplements (lines added later) and returns."""
        return self.client.rows("sale.sale", [["origin", "=", f"sale.sale,{sale['id']}"]], *SALE)

    def lines(self, sales: Iterable[Row]) -> list[Row]:
        return self.client.rows("sale.line", [["sale", "in", [sale["id"] for sale in sales]]], *LINE)

    def create(self, values: Mapping[str, Any], lines: Sequence[SaleLine]) -> str:
        """A draft with all its lines, in one transaction."""
        products = self.products({line.code for line in lines})
        rows = [self._values(line, products) for line in lines]
        made = self.client.create("sale.sale", {**values, "lines": [["create", rows]]})
        return str(made[0])

    def header(self, order: Order, buyer: Buyer) -> dict[str, Any]:
        """Everything that the client would fill in by itself when a person types (on_change): RPC does not."""
        currency = self._id("currency.currency", "code", booked_currency(order))
        warehouse = str(self.connection.account.settings.get("warehouse", "WH"))
        return {
            "party": buyer.party,
            "invoice_party": buyer.party,
            "shipment_party": buyer.party,
            "invoice_address": buyer.billing,
            "shipment_address": buyer.shipping,
            "currency": currency,
            "warehouse": self._id("stock.location", "code", warehouse),
            "sale_date": date(*order.placed_at.timetuple()[:3]),
            "invoice_method": "order",
            "shipment_method": "order",
            "description": " ".join(part for part in (order.channel, order.number, order.purchase_order) if part),
            "comment": order.note,
        }

    def advance(self, sale: int) -> str:
        """On to processing, from whatever state it is in; the number that it got on the way."""
        return self._walk(sale, ONWARD, BOOKED)

    def booked(self, sale: int) -> str | None:
        row = self.client.first("sale.sale", [["id", "=", sale]], "state", "number")
        return str(row["number"]) if row and row["state"] in BOOKED else None

    def withdraw(self, sale: int, key: str) -> str:
        """Cancelled where the workflow allows it; a sale in processing is amended to nothing."""
        state = self._state(sale)["state"]
        if state in BACKWARD:
            return self._walk(sale, BACKWARD, ("cancelled",))
        if state != "cancelled":
            rows = [row for row in self.lines([{"id": sale}]) if row["quantity"]]
            self.amend(sale, key, [self.changed(row, Decimal(0), row["unit_price"]) for row in rows])
        return str(sale)

    def withdrawn(self, sale: int) -> str | None:
        if self._state(sale)["state"] == "cancelled":
            return str(sale)
        return None if any(row["quantity"] for row in self.lines([{"id": sale}])) else str(sale)

    def amend(self, sale: int, key: str, changes: Sequence[Mapping[str, Any]]) -> str:
        """One amendment under our key, made once and applied once."""
        row = self.amendment(sale, key)
        number = int(row["id"]) if row else self._create_amendment(sale, key, changes)
        if row is None or row["state"] == "draft":
            self.client.press("sale.amendment", "validate_amendment", [number])
        return str(number)

    def amendment(self, sale: int, key: str) -> Row | None:
        return self.client.first("sale.amendment", [["sale", "=", sale], ["description", "=", key]], "state")

    def _create_amendment(self, sale: int, key: str, changes: Sequence[Mapping[str, Any]]) -> int:
        values = {"sale": sale, "description": key, "lines": [["create", list(changes)]]}
        return self.client.create("sale.amendment", values)[0]

    @staticmethod
    def changed(row: Row, quantity: Decimal, price: Decimal) -> dict[str, Any]:
        """A line of an amendment that gives a sale's line another quantity and price."""
        kept = {name: row[name] for name in ("product", "unit", "description")}
        return {"action": "line", "line": row["id"], "quantity": float(quantity), "unit_price": price, **kept}

    def products(self, codes: Iterable[str]) -> dict[str, Row]:
        """Our codes -> {"id", "sale_uom"}. Raises Missing for one that Tryton does not have."""
        named = dict(self.connection.account.settings.get("products", {}))
        theirs = {code: str(named.get(code, code)) for code in codes}
        known = self._coded(theirs.values(), "sale_uom")
        return {code: known[name] for code, name in theirs.items()}

    def goods(self, codes: Iterable[str]) -> dict[str, Row]:
        """Tryton's codes -> {"id", "default_uom", "cost_price"}. Raises Missing as `products` does."""
        return self._coded(codes, "default_uom", "cost_price")

    def _coded(self, codes: Iterable[str], *fields: str) -> dict[str, Row]:
        wanted = sorted(codes)
        rows = self.client.rows("product.product", [["code", "in", wanted]], "code", *fields)
        known = {str(row["code"]): row for row in rows}
        for code in wanted:
            if code not in known:
                self._missing(code)
        return known

    def _missing(self, code: str) -> None:
        account = self.connection.account.name
        sentence = f"Tryton has no product {code}."
        raise Missing(sentence, remedy="Add the product in Tryton.", kind="sku", value=code, account=account)

    @staticmethod
    def _values(line: SaleLine, products: Mapping[str, Row]) -> dict[str, Any]:
        product = products[line.code]
        return {
            "type": "line",
            "product": product["id"],
            "unit": product["sale_uom"],
            "quantity": float(line.quantity),  # Tryton's quantities are floats, rounded to the unit's digits
            "unit_price": line.price,
            "description": line.text,
            "note": line.name,
        }

    def _walk(self, sale: int, buttons: Mapping[str, str], ends: Sequence[str]) -> str:
        """Press the next button until an end is reached. A button that is refused because another worker, or our own
        late call, has pressed it already is no refusal: the state then is another one."""
        row = self._state(sale)
        while row["state"] not in ends:
            button = buttons.get(str(row["state"]))
            if button is None:
                raise Rejected(f"Sale {row['number']} is {row['state']} in Tryton.", code="state")
            before = row["state"]
            row = self._pressed(sale, button, str(before))
        return str(row["number"] or sale)

    def _pressed(self, sale: int, button: str, before: str) -> Row:
        refused: Rejected | None = None
        try:
            self.client.press("sale.sale", button, [sale])
        except Rejected as said:
            refused = said
        row = self._state(sale)
        if row["state"] == before:
            raise refused or Rejected(f"Sale {row['number']} stays {before} in Tryton.", code="state")
        return row

    def _state(self, sale: int) -> Row:
        row = self.client.first("sale.sale", [["id", "=", sale]], "state", "number")
        if row is None:
            raise Rejected(f"Tryton has no sale with the id {sale}.", code="not_booked")
        return row

    def _id(self, model: str, field: str, value: str) -> int:
        row = self.client.first(model, [[field, "=", value]])
        if row is None:
            raise Rejected(f"Tryton has no {model} {value}.", code=model, remedy=f"Add {value} in Tryton.")
        return int(row["id"])
