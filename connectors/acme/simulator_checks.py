"""What the simulated Acme demands of a record: required fields, known goods, money that comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.acme.simulator_refusal import Refusal
from connectors.kit.simulator import Memory

Body = Mapping[str, Any]
CENT = Decimal("0.005")
CONDITIONS = ("sellable", "quarantined", "scrapped")


class Checks:
    """The rules of one account: SKUs `withdrawn`, e-mail addresses `blocked`."""

    def __init__(self, memory: Memory, settings: Mapping[str, Any]) -> None:
        self._memory = memory
        self._withdrawn = frozenset(settings.get("withdrawn", ("WB-GONE",)))
        self._blocked = frozenset(settings.get("blocked", ("blocked@example.com",)))

    def booking(self, body: Body) -> None:
        _needs(body, "reference", "currency", "lines", "total")
        self.goods(body["lines"])
        if body.get("email") in self._blocked:
            raise Refusal(422, "customer_blocked", "This customer is blocked for new orders.", "email")
        if abs(_sum(body) - _number(body["total"], "total")) >= CENT:
            raise Refusal(422, "total_mismatch", f"The parts make {_sum(body)}, not {body['total']}.", "total")

    def delivery(self, body: Body) -> None:
        _needs(body, "reference", "booking", "lines")
        self.booked(body)
        self.goods(body["lines"])

    def credit(self, body: Body) -> None:
        """Money alone may still go back for a booking that was cancelled."""
        _needs(body, "reference", "booking", "total", "tenders")
        self.booked(body, "open" if body.get("lines") else "cancelled")
        paid = sum((_number(one["amount"], "tenders") for one in body["tenders"]), Decimal(0))
        if abs(paid - _number(body["total"], "total")) >= CENT:
            raise Refusal(422, "total_mismatch", f"The tenders make {paid}, not {body['total']}.", "total")

    def request(self, body: Body) -> None:
        _needs(body, "reference", "ship_to", "lines")
        self.goods(body["lines"])
        for name in ("line1", "city", "country"):
            if not (body["ship_to"] or {}).get(name):
                raise Refusal(422, "address_incomplete", f"The address has no {name}.", f"ship_to.{name}")

    def dispatch(self, body: Body) -> None:
        _needs(body, "reference", "order", "lines")
        if body["order"] not in self._memory.table("orders"):
            raise Refusal(422, "unknown_order", "There is no such order in this shop.", "order")

    def letter(self, body: Body) -> None:
        _needs(body, "reference", "to", "occasion")

    def returned(self, body: Body) -> None:
        """No more comes back of a line than was booked of it, however often."""
        _needs(body, "reference", "booking", "lines")
        self.booked(body)
        self.goods(body["lines"])
        sold = self._memory.table("bookings")[body["booking"]]["body"]["lines"]
        earlier = self._lines("returns", "booking", body["booking"])
        for line in body["lines"]:
            if line.get("condition") not in CONDITIONS:
                raise Refusal(422, "unknown_condition", f"{line.get('condition')!r} is no condition.", "lines")
            if _many((*earlier, *body["lines"]), "line", line["line"]) > _many(sold, "line", line["line"]):
                raise Refusal(422, "never_left", f"Line {line['line']}: so many were never sold.", "lines")

    def disposal(self, body: Body) -> None:
        """Only what is in quarantine, each piece once."""
        _needs(body, "reference", "return", "lines")
        came = self._open("returns", body["return"], "return")["body"]["lines"]
        held = [line for line in came if line["condition"] == "quarantined"]
        earlier = self._lines("disposals", "return", body["return"])
        for line in body["lines"]:
            if line.get("condition") not in ("sellable", "scrapped"):
                raise Refusal(422, "unknown_condition", f"{line.get('condition')!r} ends no quarantine.", "lines")
            if _many((*earlier, *body["lines"]), "line", line["line"]) > _many(held, "line", line["line"]):
                raise Refusal(422, "not_in_quarantine", f"Line {line['line']}: no such pieces are held.", "lines")

    def buy(self, body: Body) -> None:
        _needs(body, "reference", "supplier", "currency", "lines")
        self.goods(body["lines"])

    def arrival(self, body: Body) -> None:
        """No more comes of a purchase order than it asks for."""
        _needs(body, "reference", "buy", "lines")
        self.goods(body["lines"])
        bought = self._open("buys", body["buy"], "buy")["body"]["lines"]
        earlier = self._lines("arrivals", "buy", body["buy"])
        for line in body["lines"]:
            if _many((*earlier, *body["lines"]), "sku", line["sku"]) > _many(bought, "sku", line["sku"]):
                raise Refusal(422, "not_bought", f"So many of {line['sku']} were not bought.", "lines")

    def payment(self, body: Body) -> None:
        _needs(body, "reference", "booking", "method", "currency", "amount")
        self.booked(body)
        if _number(body["amount"], "amount") <= 0:
            raise Refusal(422, "no_amount", "A payment has an amount.", "amount")

    def _open(self, table: str, name: str, field: str) -> Any:
        record = self._memory.table(table).get(name)
        if record is None or record["state"] == "cancelled":
            raise Refusal(422, "not_open", f"There is no open {name} among {table}.", field)
        return record

    def _lines(self, table: str, field: str, name: str) -> list[Any]:
        """The lines of all records of a table that belong to one."""
        rows = [row["body"] for row in self._memory.table(table).values() if row["state"] != "draft"]
        return [line for body in rows if body.get(field) == name for line in body["lines"]]

    def booked(self, body: Body, still: str = "open") -> None:
        record = self._memory.table("bookings").get(body["booking"])
        if record is None or record["state"] not in ("open", still):
            raise Refusal(422, "unknown_booking", "There is no open booking of this id.", "booking")

    def goods(self, lines: Any) -> None:
        for n, line in enumerate(lines):
            if not line.get("sku") or line["sku"] in self._withdrawn:
                raise Refusal(422, "unknown_sku", f"There is no article {line.get('sku')}.", f"lines[{n}].sku")
            if _number(line.get("quantity"), f"lines[{n}].quantity") <= 0:
                raise Refusal(422, "no_quantity", "A line needs a quantity.", f"lines[{n}].quantity")


def _unless_draft(check: Callable[[Checks, Body], None]) -> Callable[[Checks, Body], None]:
    """A draft needs its reference only."""

    def checked(checks: Checks, body: Body) -> None:
        _needs(body, "reference")
        if not body.get("draft"):
            check(checks, body)

    return checked


def _many(lines: Any, field: str, name: str) -> Decimal:
    return sum((Decimal(line["quantity"]) for line in lines if line.get(field) == name), Decimal(0))


def _needs(body: Body, *names: str) -> None:
    for name in names:
        if body.get(name) in (None, "", []):
            raise Refusal(422, "required", f"{name} is required.", name)


def _number(text: Any, field: str) -> Decimal:
    """Amounts and quantities are text; a JSON number has lost the cent already."""
    try:
        if not isinstance(text, str):
            raise Refusal(422, "no_number", f"{field} must be a number as text.", field)
        return Decimal(text)
    except InvalidOperation:
        raise Refusal(422, "no_number", f"{field} is no number.", field) from None


def _sum(body: Body) -> Decimal:
    """Lines, shipping, charges, tax where it is not included, less discounts, with the rounding."""

    def net(row: Body, gross: Decimal) -> Decimal:
        tax = Decimal(0) if body.get("taxes_included") else _number(row.get("tax", "0"), "tax")
        return gross - _number(row.get("discount", "0"), "discount") + tax

    lines = [
        net(row, _number(row["unit_price"], "unit_price") * _number(row["quantity"], "quantity"))
        for row in body["lines"]
    ]
    extras = [
        net(row, _number(row["amount"], "amount")) for row in (*body.get("shipping", ()), *body.get("charges", ()))
    ]
    rest = _number(body.get("rounding", "0"), "rounding") - _number(body.get("discount", "0"), "discount")
    return sum((*lines, *extras), rest)


CHECKS: dict[str, Callable[[Checks, Body], None]] = {
    "bookings": _unless_draft(Checks.booking),
    "deliveries": _unless_draft(Checks.delivery),
    "credits": _unless_draft(Checks.credit),
    "requests": _unless_draft(Checks.request),
    "dispatches": _unless_draft(Checks.dispatch),
    "purchases": _unless_draft(Checks.request),
    "letters": _unless_draft(Checks.letter),
    "returns": _unless_draft(Checks.returned),
    "disposals": _unless_draft(Checks.disposal),
    "buys": _unless_draft(Checks.buy),
    "arrivals": _unless_draft(Checks.arrival),
    "payments": _unless_draft(Checks.payment),
}
