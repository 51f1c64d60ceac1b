"""Goods that come back without money: received from the customer, and moved to where they belong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.returns import Return, ReturnLine
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import Write, Writes
from connectors.tryton.client import Client, Row
from connectors.tryton.papers import Papers
from connectors.tryton.places import Places
from connectors.tryton.sales import Sales, reference

BACK, INSIDE = "stock.shipment.out.return", "stock.shipment.internal"
MOVES = {"quarantined": "quarantining", "scrapped": "scrapping"}
# Force: the pieces are in somebody's hands, whatever Tryton believes to be at a place.
INWARD = {"request": "draft", "draft": "wait", "waiting": "assign_force", "assigned": "do"}

Piece = tuple[str, Decimal]  # product code, quantity


class Returns:
    connection: Connection
    client: Client
    sales: Sales
    places: Places

    def record_return(self, order: Order, returned: Return, *, key: str) -> Writes:
        """A customer return without a sale of its own, so without an invoice; what is not for sale is moved on to its place."""
        sale = self.sales.of(order)
        wanted = f"{reference(order)}/{returned.id}"
        back = Papers(self.client, BACK, {"draft": "receive", "received": "do"})
        places = {line.condition: self.places.of(line.condition, returned.location) for line in returned.lines}
        made = yield Write(
            "goods_back",
            send=lambda: back.named(wanted) or self._come_back(order, returned, sale, wanted),
            find=lambda: back.named(wanted),
            links=(("return_receipt", returned.id),),
        )
        number = int(made)
        yield Write("goods_back_receipt", send=lambda: back.advance(number), find=lambda: back.at_end(number))
        shelf = self.places.of("sellable", returned.location)
        for condition, name in MOVES.items():
            pieces = self._pieces(order, (line for line in returned.lines if line.condition == condition))
            if pieces:
                yield from self._move(name, f"{wanted}/{condition}", shelf, places[condition], pieces)
        return made

    def record_disposition(self, order: Order, returned: Return, *, key: str) -> Writes:
        held = self.places.of("quarantined", returned.location)
        number = ""
        for line_id, condition in dict.fromkeys((line.line_id, line.condition) for line in returned.lines):
            lines = [line for line in returned.lines if (line.line_id, line.condition) == (line_id, condition)]
            name = f"{reference(order)}/{returned.id}/{line_id}/{condition}"
            place = self.places.of(condition, returned.location)
            number = yield from self._move("disposition", name, held, place, self._pieces(order, lines))
        return number

    def _come_back(self, order: Order, returned: Return, sale: Row, wanted: str) -> str:
        """One transaction. RPC fills in nothing by itself: places, units and the customer's location are given."""
        warehouse = self.places.warehouse(returned.location)
        party = self.client.rows("party.party", [["id", "=", sale["party"]]], "customer_location")[0]
        inlet = warehouse["input_location"]
        pieces = self._pieces(order, returned.lines)
        left = self._left(sale)
        moves = [
            {**move, "unit_price": Decimal(0), "currency": sale["currency"], "origin": left.get(code) or _never(code)}
            for (code, _), move in zip(
                pieces, self._moves(pieces, int(party["customer_location"]), int(inlet)), strict=True
            )
        ]
        values = {
            "reference": wanted,
            "customer": sale["party"],
            "warehouse": warehouse["id"],
            "warehouse_input": inlet,
            "warehouse_storage": warehouse["storage_location"],
            "incoming_moves": [["create", moves]],
            **({"effective_date": returned.at.date()} if returned.at else {}),
        }
        return str(self.client.create(BACK, values)[0])

    def _left(self, sale: Row) -> dict[str, str]:
        """Product code -> the move by which it left for the customer: Tryton wants to know where what comes back comes from."""
        lines = self.sales.lines([sale, *self.sales.made_from(sale)])
        where = [["origin", "in", [f"sale.line,{row['id']}" for row in lines]], ["state", "=", "done"]]
        rows = self.client.rows("stock.move", [*where, ["to_location.type", "=", "customer"]], "product.code")
        return {str(row["product."]["code"]): f"stock.move,{row['id']}" for row in rows}

    def _move(self, name: str, wanted: str, start: int, end: int, pieces: Sequence[Piece]) -> Writes:
        """From one place to another by an internal shipment of that reference."""
        papers = Papers(self.client, INSIDE, INWARD)

        def create() -> str:
            values = {"reference": wanted, "from_location": start, "to_location": end}
            moves = [["create", self._moves(pieces, start, end)]]
            return papers.named(wanted) or str(self.client.create(INSIDE, {**values, "moves": moves})[0])

        made = yield Write(name, send=create, find=lambda: papers.named(wanted))
        number = int(made)
        yield Write(f"{name}_done", send=lambda: papers.advance(number), find=lambda: papers.at_end(number))
        return made

    def _moves(self, pieces: Sequence[Piece], start: int, end: int) -> list[dict[str, Any]]:
        products = self.sales.goods({code for code, _ in pieces})
        return [
            {
                "product": products[code]["id"],
                "unit": products[code]["default_uom"],
                "quantity": float(quantity),  # as with sales: rounded to the unit's digits by Tryton
                "from_location": start,
                "to_location": end,
            }
            for code, quantity in pieces
        ]

    def _pieces(self, order: Order, lines: Iterable[ReturnLine]) -> list[Piece]:
        """What came, as the goods that are on a shelf: a bundle is its parts."""
        sold = {line.id: line for line in order.lines}
        found: list[Piece] = []
        for one in (line for line in lines if line.received_quantity):
            line, many = sold.get(one.line_id), one.received_quantity or Decimal(0)
            parts = [(part.sku, part.quantity * many) for part in line.components] if line else []
            found += parts or [(one.sku or (line.sku if line else ""), many)]
        return [(self.connection.codes.theirs("sku", sku), quantity) for sku, quantity in found]


def _never(code: str) -> str:
    raise Rejected(f"Nothing of {code} has left for this order in Tryton.", code="never_left", owner="logistics")
