"""What left the warehouse, booked as Tryton's shipment: the moves of its lines are picked, packed and done."""

from __future__ import annotations

from connectors.canonical.order import Order
from connectors.canonical.shipment import Shipment
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected
from connectors.kit.writes import Write, Writes
from connectors.tryton.client import Client, Row
from connectors.tryton.moves import Move, changes, taking, told, touched
from connectors.tryton.sales import Sales

OUT = "stock.shipment.out"
# state -> button (trytond/modules/stock). Force: the parcel has left, whatever Tryton believes to be on the shelf.
ONWARD = {
    "draft": "wait",
    "waiting": "assign_force",
    "assigned": "pick",
    "picked": "pack",
    "packed": "do",
    "shipped": "do",
}
STATE = ("state", "number", "warehouse_storage", "warehouse_output")
OPEN = ("draft", "waiting", "assigned")


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
        return (yield Write("departure", send=lambda: self._depart_all(wanted), find=lambda: self._departed(wanted)))

    def _shipped(self, wanted: str) -> str | None:
        row = self.client.first(OUT, [["reference", "=", wanted]])
        return str(row["id"]) if row else None

    def _take(self, sale: Row, shipment: Shipment, wanted: str) -> str:
        """One transaction: the shipment gets our reference, keeps what left, and gives the rest back to the sale.

        Lines that were added later wait in a shipment of their own: it gets the reference with "+2".
        """
        moves = self._waiting(sale)
        taken = taking(moves, shipment.lines, self._code)
        left_on = {"effective_date": shipment.shipped_at.date()} if shipment.shipped_at else {}
        pairs: list[tuple[int, Row]] = []
        for number in touched(moves, taken):
            reference = f"{wanted}+{len(pairs) + 1}" if pairs else wanted
            pairs.append((number, {"reference": reference, "moves": changes(moves, taken, number), **left_on}))
        self.client.write_each(OUT, *pairs)
        return str(pairs[0][0])

    def _waiting(self, sale: Row) -> list[Move]:
        """All moves of the shipments of the sale and its supplements that nobody has taken yet."""
        lines = {int(row["id"]): str(row["note"]) for row in self.sales.lines([sale, *self.sales.made_from(sale)])}
        where = [["moves.origin", "in", [f"sale.line,{number}" for number in lines]], ["reference", "=", None]]
        rows = self.client.rows(OUT, [*where, ["state", "in", list(OPEN)]], "state")
        assigned = [int(row["id"]) for row in rows if row["state"] == "assigned"]
        if assigned:  # a clerk has taken the goods from the shelf for it: its moves are fixed until it waits again
            self.client.press(OUT, "wait", assigned)
        names = [f"{OUT},{row['id']}" for row in rows]
        fields = ("origin", "quantity", "product.code", "shipment")
        found = self.client.rows("stock.move", [["shipment", "in", names], ["state", "!=", "cancelled"]], *fields)
        return [told(row, lines) for row in found]

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
            button = ONWARD.get(str(row["state"]))
            if button is None:
                raise Rejected(
                    f"Shipment {row['number']} is {row['state']} in Tryton.", code="state", owner="logistics"
                )
            one_zone = row["warehouse_storage"] == row["warehouse_output"]  # then nothing is picked
            row = self._pressed(shipment, "pack" if one_zone and button == "pick" else button, str(row["state"]))
        return str(row["number"])

    def _pressed(self, shipment: int, button: str, before: str) -> Row:
        """The shipment after a button. One that is refused because it has been pressed already (late) is no refusal."""
        refused: Rejected | None = None
        try:
            self.client.press(OUT, button, [shipment])
        except Rejected as said:
            refused = said
        row = self._state(shipment)
        if row["state"] == before:
            stays = f"Shipment {row['number']} stays {before} in Tryton."
            raise refused or Rejected(stays, code="state", owner="logistics")
        return row

    def _depart_all(self, wanted: str) -> str:
        numbers = [self._depart(int(row["id"])) for row in self._parts(wanted)]
        return numbers[0]

    def _departed(self, wanted: str) -> str | None:
        rows = self._parts(wanted)
        return str(rows[0]["number"]) if all(row["state"] == "done" for row in rows) else None

    def _parts(self, wanted: str) -> list[Row]:
        """Tryton's shipments of this one, the first first; % and _ in a reference are no wildcards to us."""
        where = ["OR", ["reference", "=", wanted], ["reference", "like", f"{wanted}+%"]]
        rows = self.client.rows(OUT, [where], "reference", *STATE)
        return [row for row in rows if row["reference"] == wanted or str(row["reference"]).startswith(f"{wanted}+")]

    def _state(self, shipment: int) -> Row:
        row = self.client.first(OUT, [["id", "=", shipment]], *STATE)
        if row is None:
            raise Rejected(f"Tryton has no shipment with the id {shipment}.", code="gone")
        return row

    def _code(self, sku: str) -> str:
        return self.connection.codes.theirs("sku", sku)


def _words(shipment: Shipment) -> list[str]:
    return [
        part for tracking in shipment.trackings for part in (tracking.carrier, tracking.number, tracking.url) if part
    ]
