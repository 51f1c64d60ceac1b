"""What the simulated Acme demands of a record: required fields, known goods, money that comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.acme.simulator_refusal import Refusal
from connectors.kit.simulator import Memory

Body = Mapping[str, Any]
CENT = Decimal("0.005")


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
}
