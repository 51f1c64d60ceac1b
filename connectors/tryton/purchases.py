"""What is bought of suppliers in Tryton: a purchase under our number, sent to the supplier as a quotation until something of it comes.

A drop-ship leg is received into the warehouse and leaves it by the sale's own shipment, so the stock comes out even.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import Write, Writes
from connectors.tryton.client import Client, Row
from connectors.tryton.moves import Move, taking
from connectors.tryton.papers import Papers
from connectors.tryton.places import Places
from connectors.tryton.sales import Sales

PURCHASE, LINE, IN = "purchase.purchase", "purchase.line", "stock.shipment.in"
SENT = ("quotation", "confirmed", "processing", "done")
BOUGHT = ("processing", "done")


class Purchases:
    connection: Connection
    client: Client
    sales: Sales
    places: Places

    def record_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        """Draft, then quotation: the supplier has been asked, and may still say no."""
        papers = self._papers(SENT)
        party = self._supplier(supplier)
        wanted = self._wanted(order)
        made = yield Write(
            "purchase",
            send=lambda: papers.named(reference) or self._order(order, party, reference, wanted),
            find=lambda: papers.named(reference),
            links=(("purchase", order.id),),
        )
        number = int(made)
        yield Write("purchase_quotation", send=lambda: papers.advance(number), find=lambda: papers.at_end(number))
        return made

    def amend_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        """Back to draft, its lines at these quantities, and on to quotation again; a state, so twice is once."""
        number = self._bought(order, reference)
        wanted = self._wanted(order)
        return (
            yield Write(
                "purchase_amendment",
                send=lambda: self._amend(number, wanted),
                find=lambda: str(number) if self._is(number, wanted) else None,
            )
        )

    def cancel_purchase(self, order: Order, *, supplier: str, reference: str, key: str) -> Writes:
        number = self._bought(order, reference)
        papers = Papers(
            self.client, PURCHASE, {"draft": "cancel", "quotation": "cancel", "confirmed": "draft"}, ("cancelled",)
        )

        def send() -> str:
            if papers.state(number) in BOUGHT:
                raise Rejected(
                    f"Something of purchase {reference} was received.",
                    code="received",
                    remedy="Send it back to the supplier, or close the purchase in Tryton.",
                    owner="finance",
                )
            return papers.advance(number)

        return (yield Write("purchase_cancellation", send=send, find=lambda: papers.at_end(number)))

    def record_receipt(self, order: Order, shipment: Shipment, *, supplier: str, reference: str, key: str) -> Writes:
        """The first receipt confirms the purchase; Tryton lays out what is still to come by itself."""
        number = self._bought(order, reference)
        papers, arrivals = self._papers(BOUGHT), Papers(self.client, IN, {"draft": "receive", "received": "do"})
        wanted = f"{reference}/{shipment.id}"
        yield Write("purchase_confirmation", send=lambda: papers.advance(number), find=lambda: papers.at_end(number))
        made = yield Write(
            "purchase_receipt",
            send=lambda: arrivals.named(wanted) or self._receive(number, shipment, wanted),
            find=lambda: arrivals.named(wanted),
            links=(("purchase_receipt", shipment.id),),
        )
        arrived = int(made)
        yield Write("purchase_arrival", send=lambda: arrivals.advance(arrived), find=lambda: arrivals.at_end(arrived))
        return made

    # ---- the purchase

    def _papers(self, ends: tuple[str, ...]) -> Papers:
        onward = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
        return Papers(self.client, PURCHASE, onward, ends)

    def _bought(self, order: Order, reference: str) -> int:
        known = self.connection.known.id("purchase", order.id) or self._papers(SENT).named(reference)
        if known is None:
            raise Rejected(f"Tryton has no purchase {reference}.", code="not_booked", remedy="Book the purchase first.")
        return int(known)

    def _supplier(self, ours: str) -> Row:
        """The party whose code the cross reference names, with its first address. Raises Rejected where Tryton has none."""
        code = self.connection.codes.theirs("supplier", ours)
        row = self.client.first("party.party", [["code", "=", code]], "addresses")
        if row is None or not row["addresses"]:
            words = f"Tryton has no party {code} with an address."
            raise Rejected(words, code="supplier", remedy=f"Add the supplier {code} in Tryton.", owner="finance")
        return row

    def _wanted(self, order: Order) -> list[dict[str, Any]]:
        """Our line's name, Tryton's product, how many, and at which cost (the product's own where we know none)."""
        codes = {line.id: self.connection.codes.theirs("sku", line.sku) for line in order.lines}
        products = self.sales.goods(set(codes.values()))
        return [
            {
                "type": "line",
                "note": line.id,
                "product": products[codes[line.id]]["id"],
                "unit": products[codes[line.id]]["default_uom"],
                "quantity": float(line.current_quantity),
                "unit_price": line.unit_cost.amount if line.unit_cost else products[codes[line.id]]["cost_price"],
            }
            for line in order.lines
            if line.current_quantity > 0
        ]

    def _order(self, order: Order, party: Row, reference: str, wanted: list[dict[str, Any]]) -> str:
        costs = {line.unit_cost.currency for line in order.lines if line.unit_cost}
        code = costs.pop() if len(costs) == 1 else order.currency
        currency = self.client.rows("currency.currency", [["code", "=", code]])[0]
        values = {
            "reference": reference,
            "party": party["id"],
            "invoice_party": party["id"],
            "invoice_address": party["addresses"][0],
            "currency": currency["id"],
            "warehouse": self.places.warehouse()["id"],
            "invoice_method": "fulfillment",
            "description": f"Sent to the customer of {order.channel} {order.number}",
            "lines": [["create", wanted]],
        }
        return str(self.client.create(PURCHASE, values)[0])

    def _lines(self, number: int) -> list[Row]:
        return self.client.rows(LINE, [["purchase", "=", number]], "note", "quantity")

    def _is(self, number: int, wanted: list[dict[str, Any]]) -> bool:
        there = {str(row["note"]): float(row["quantity"]) for row in self._lines(number)}
        sent = self._papers(SENT).at_end(number) is not None
        return sent and there == {str(row["note"]): row["quantity"] for row in wanted}

    def _amend(self, number: int, wanted: list[dict[str, Any]]) -> str:
        if self._is(number, wanted):
            return str(number)
        papers = self._papers(SENT)
        state = papers.state(number)
        if state not in ("draft", "quotation"):
            words = f"The purchase is {state} in Tryton: its lines stand."
            raise Rejected(words, code="received", remedy="Change the purchase by hand.", owner="finance")
        if state == "quotation":
            self.client.press(PURCHASE, "draft", [number])
        self.client.write(PURCHASE, [number], {"lines": _towards(self._lines(number), wanted)})
        return papers.advance(number)

    # ---- what comes of it

    def _receive(self, number: int, shipment: Shipment, wanted: str) -> str:
        """One transaction: a supplier shipment with the moves that wait, each at what has come of it."""
        purchase = self.client.rows(PURCHASE, [["id", "=", number]], "party", "warehouse")[0]
        moves = self._to_come(number)
        taken = taking(moves, shipment.lines, lambda sku: self.connection.codes.theirs("sku", sku))
        (zones,) = self.client.rows(
            "stock.location", [["id", "=", purchase["warehouse"]]], "input_location", "storage_location"
        )
        less = [move for move in moves if move.id in taken and taken[move.id] != move.quantity]
        values = {
            "reference": wanted,
            "supplier": purchase["party"],
            "warehouse": purchase["warehouse"],
            "warehouse_input": zones["input_location"],
            "warehouse_storage": zones["storage_location"],
            "incoming_moves": [
                ["add", sorted(taken)],
                *(["write", [move.id], {"quantity": float(taken[move.id])}] for move in less),
            ],
            **({"effective_date": shipment.shipped_at.date()} if shipment.shipped_at else {}),
        }
        return str(self.client.create(IN, values)[0])

    def _to_come(self, number: int) -> list[Move]:
        lines = {int(row["id"]): str(row["note"]) for row in self._lines(number)}
        origins = [["origin", "in", [f"{LINE},{name}" for name in lines]], ["state", "=", "draft"]]
        rows = self.client.rows("stock.move", [*origins, ["shipment", "=", None]], "origin", "quantity", "product.code")
        return [
            Move(
                int(row["id"]),
                0,
                Decimal(row["quantity"]),
                str(row["product."]["code"]),
                line=lines[int(str(row["origin"]).partition(",")[2])],
            )
            for row in rows
        ]


def _towards(rows: list[Row], wanted: list[dict[str, Any]]) -> list[list[Any]]:
    """What makes a purchase's lines the wanted ones."""
    known: Mapping[str, Row] = {str(row["note"]): row for row in rows}
    names = {str(row["note"]) for row in wanted}
    gone = [row["id"] for name, row in known.items() if name not in names]
    new = [row for row in wanted if row["note"] not in known]
    told = [["write", [known[row["note"]]["id"]], row] for row in wanted if row["note"] in known]
    return [*told, *([["delete", gone]] if gone else []), *([["create", new]] if new else [])]
