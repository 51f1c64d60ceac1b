"""What left the warehouse, booked as Tryton's shipment: the moves of its lines are picked, packed and done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment, ShipmentLine
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import Write, Writes
from connectors.tryton.client import Client, Row
from connectors.tryton.sales import Sales

OUT = "stock.shipment.out"
# state -> buttons (trytond/modules/stock). Waiting: the moves are laid out anew for what this shipment holds.
# Force: the parcel has left, whatever Tryton believes to be on the shelf.
ONWARD = {
    "draft": ("wait",),
    "waiting": ("wait", "assign_force"),
    "assigned": ("pick",),
    "picked": ("pack",),
    "packed": ("do",),
    "shipped": ("do",),
}
OPEN = ("draft", "waiting", "assigned")


@dataclass(frozen=True, slots=True)
class Demand:
    """An open move of a shipment that nobody has taken yet."""

    move: int
    shipment: int
    line: str
    code: str
    quantity: Decimal


class Goods:
    connection: Connection
    client: Client
    sales: Sales

    def record_shipment(self, order: Order, shipment: Shipment, *, key: str) -> Writes:
        """Take these quantities out of what waits, note the trackings, and let it leave. Returns Tryton's number.

        Tryton itself makes the next waiting shipment of what is left. A shipment is known by its origin and id.
        """
        sale = self.sales.of(order)
        wanted = f"{shipment.origin}-{shipment.id}"
        made = yield Write(
            "shipment",
            send=lambda: self._shipped(wanted) or self._take(sale, shipment, wanted),
            find=lambda: self._shipped(wanted),
            links=(("shipment", shipment.id),),
        )
        number = int(made)
        if shipment.trackings:
            yield self._tracking(number, " ".join(_words(shipment)))
        return (yield Write("departure", send=lambda: self._depart(number), find=lambda: self._departed(number)))

    def _shipped(self, wanted: str) -> str | None:
        row = self.client.first(OUT, [["reference", "=", wanted]])
        return str(row["id"]) if row else None

    def _take(self, sale: Row, shipment: Shipment, wanted: str) -> str:
        """One transaction: the shipment gets our reference, keeps what left, and gives the rest back to the sale."""
        demands = self._demands(sale)
        taken = _taken(demands, shipment.lines, self._code)
        numbers = {demand.shipment for demand in demands if demand.move in taken}
        if len(numbers) != 1:
            sentence = f"What left is in {len(numbers)} waiting shipments of sale {sale['number']} in Tryton."
            raise Rejected(sentence, code="split", remedy="Put the lines into one shipment there.", owner="warehouse")
        (number,) = numbers
        mine = [demand for demand in demands if demand.shipment == number]
        written = [
            ["write", [d.move], {"quantity": float(taken[d.move])}]
            for d in mine
            if taken.get(d.move, d.quantity) != d.quantity
        ]
        gone = [d.move for d in mine if d.move not in taken]
        changes = [*written, *([["delete", gone]] if gone else [])]
        values: dict[str, Any] = {"reference": wanted, **({"moves": changes} if changes else {})}
        if shipment.shipped_at:
            values["effective_date"] = shipment.shipped_at.date()
        self.client.write(OUT, [number], values)
        return str(number)

    def _demands(self, sale: Row) -> list[Demand]:
        """Open moves of the sale and its supplements, in shipments without a reference."""
        lines = {int(row["id"]): row for row in self.sales.lines([sale, *self.sales.made_from(sale)])}
        origins = [f"sale.line,{number}" for number in lines]
        fields = ("origin", "quantity", "product.code", "shipment", "shipment.state", "shipment.reference", "state")
        rows = self.client.rows(
            "stock.move", [["origin", "in", origins], ["state", "in", ["staging", "draft", "assigned"]]], *fields
        )
        free = self._free({int(str(row["shipment"]).split(",")[1]) for row in rows if _out(row)})
        return [_demand(row, lines) for row in rows if _out(row) and int(str(row["shipment"]).split(",")[1]) in free]

    def _free(self, numbers: Iterable[int]) -> set[int]:
        where = [["id", "in", sorted(numbers)], ["state", "in", list(OPEN)]]
        return {int(row["id"]) for row in self.client.rows(OUT, where, "reference") if not row["reference"]}

    def _tracking(self, shipment: int, text: str) -> Write:
        """As a note: Tryton's own field for it comes with a module that not everybody has."""
        resource = f"{OUT},{shipment}"

        def find() -> str | None:
            row = self.client.first("ir.note", [["resource", "=", resource], ["message", "=", text]])
            return str(row["id"]) if row else None

        def send() -> str:
            return find() or str(self.client.create("ir.note", {"resource": resource, "message": text})[0])

        return Write("tracking", send=send, find=find)

    def _depart(self, shipment: int) -> str:
        """On to done from whatever state it is in."""
        row = self._state(shipment)
        while row["state"] != "done":
            buttons = ONWARD.get(str(row["state"]))
            if buttons is None:
                raise Rejected(
                    f"Shipment {row['number']} is {row['state']} in Tryton.", code="state", owner="warehouse"
                )
            for button in buttons:
                self.client.press(OUT, button, [shipment])
            row = self._moved(shipment, row)
        return str(row["number"])

    def _moved(self, shipment: int, before: Row) -> Row:
        row = self._state(shipment)
        if row["state"] == before["state"]:
            raise Rejected(f"Shipment {row['number']} stays {row['state']} in Tryton.", code="state", owner="warehouse")
        return row

    def _departed(self, shipment: int) -> str | None:
        row = self._state(shipment)
        return str(row["number"]) if row["state"] == "done" else None

    def _state(self, shipment: int) -> Row:
        row = self.client.first(OUT, [["id", "=", shipment]], "state", "number")
        if row is None:
            raise Rejected(f"Tryton has no shipment with the id {shipment}.", code="gone")
        return row

    def _code(self, sku: str) -> str:
        return self.connection.codes.theirs("sku", sku)


def _taken(demands: Sequence[Demand], lines: Sequence[ShipmentLine], code: Any) -> dict[int, Decimal]:
    """How many of each open move left, by our order line, else by product. Raises Rejected for more than is open."""
    taken: dict[int, Decimal] = {}
    for line in lines:
        rest = line.quantity
        theirs = code(line.sku) if line.sku else ""
        for demand in demands:
            fits = demand.line == line.line_id or (theirs and demand.code == theirs and _by_code(demands, line))
            part = min(rest, demand.quantity - taken.get(demand.move, Decimal(0))) if fits else Decimal(0)
            if part > 0:
                taken[demand.move] = taken.get(demand.move, Decimal(0)) + part
                rest -= part
        if rest > 0:
            sentence = f"{rest:f} more of {line.sku or line.line_id} left than Tryton has open for this order."
            raise Rejected(sentence, code="not_open", field="lines", owner="warehouse")
    return taken


def _by_code(demands: Sequence[Demand], line: ShipmentLine) -> bool:
    """Only where the line itself is not among them: the warehouse may not know our lines, or it is a bundle's part."""
    return not any(demand.line == line.line_id for demand in demands)


def _out(row: Row) -> bool:
    return str(row["shipment"] or "").startswith(f"{OUT},")


def _demand(row: Row, lines: dict[int, Row]) -> Demand:
    line = lines[int(str(row["origin"]).split(",")[1])]
    shipment = int(str(row["shipment"]).split(",")[1])
    return Demand(int(row["id"]), shipment, str(line["note"]), str(row["product."]["code"]), Decimal(row["quantity"]))


def _words(shipment: Shipment) -> list[str]:
    return [
        part for tracking in shipment.trackings for part in (tracking.carrier, tracking.number, tracking.url) if part
    ]
