"""The simulated Acme's till: what a customer authorised is taken when the merchant says so, never more than that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask import request

from connectors.acme.simulator_door import Door, document
from connectors.acme.simulator_refusal import Refusal

Row = Mapping[str, Any]


class Till:
    """Captures by key. `there(name)` is an order, `changed(order)` keeps and tells it."""

    def __init__(self, door: Door, there: Callable[[str], Any], changed: Callable[[dict[str, Any]], Any]) -> None:
        self._memory, self._there, self._changed = door.simulator.memory, there, changed
        door.on("/v1/orders/<name>/captures", "orders.capture", "POST", self._capture, write=True)

    def _capture(self, name: str) -> Any:
        """The same key is answered with the first capture."""
        wanted, key = document(), request.headers.get("Idempotency-Key", "")
        with self._memory.lock:
            known = self._memory.table("capture_keys").get(key)
            if known:
                return known
            order = self._there(name)
            held = _held(order, str(wanted.get("authorisation")))
            amount = Decimal(str(wanted.get("amount", "0")))
            if amount <= 0 or amount > left(order, held):
                raise Refusal(
                    422, "above_authorisation", f"{left(order, held)} are left of this authorisation.", "amount"
                )
            number = self._memory.next_id("captures", 1)
            made = {**held, "id": f"cap-{number}", "kind": "capture", "parent_id": held["id"], "amount": str(amount)}
            made = {**made, "reference": wanted.get("reference", ""), "at": datetime.now(UTC).isoformat()}
            self._memory.put("capture_keys", key, made)
            self._memory.put("captured", f"{name} {made['reference']} #{number}", made)
            payments = [*order["payments"], made]
            self._changed({**order, "payments": payments, "payment_status": _status({**order, "payments": payments})})
            return made


def _held(order: Row, authorisation: str) -> dict[str, Any]:
    for row in order["payments"]:
        if row["id"] == authorisation and row["kind"] == "authorisation" and row["status"] == "success":
            return dict(row)
    raise Refusal(422, "unknown_authorisation", "There is no such authorisation.", "authorisation")


def left(order: Row, held: Row) -> Decimal:
    """What may still be taken of an authorisation."""
    mine = [
        row for row in order["payments"] if row.get("parent_id") == held["id"] and row["kind"] in ("capture", "void")
    ]
    return Decimal(held["amount"]) - sum((Decimal(row["amount"]) for row in mine), Decimal(0))


def _status(order: Row) -> str:
    taken = sum((Decimal(row["amount"]) for row in order["payments"] if row["kind"] in ("sale", "capture")), Decimal(0))
    return "paid" if taken >= Decimal(order["totals"]["total"]) else "partially_paid"
