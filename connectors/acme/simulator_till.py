"""The simulated Acme's till: what a customer authorised is taken when the merchant says so, never more than that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from flask import request

from connectors.acme import simulator_goods as goods
from connectors.acme.simulator_door import Door, document
from connectors.acme.simulator_refusal import Refusal

Row = Mapping[str, Any]


class Till:
    """Captures and refunds by key. `there(name)` is an order, `changed(order)` keeps and tells it, `given(order, refund)` makes a refund known."""

    def __init__(
        self,
        door: Door,
        there: Callable[[str], Any],
        changed: Callable[[dict[str, Any]], Any],
        given: Callable[[Row, dict[str, Any]], Any],
        now: Callable[[], str],
    ) -> None:
        self._memory, self._now = door.simulator.memory, now
        self._there, self._changed, self._given = there, changed, given
        door.on("/v1/orders/<name>/charges", "orders.charge", "POST", self._charge, write=True)
        door.on("/v1/orders/<name>/refunds", "orders.refund", "POST", self._reimburse, write=True)
        door.on("/v1/orders/<name>/voids", "orders.void", "POST", self._void, write=True)
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
            if held.get("takes") == "whole" and amount != Decimal(held["amount"]):
                raise Refusal(422, "whole_only", f"It is taken whole: {held['amount']}.", "amount")
            if amount <= 0 or amount > left(order, held):
                raise Refusal(
                    422, "above_authorisation", f"{left(order, held)} are left of this authorisation.", "amount"
                )
            number = self._memory.next_id("captures", 1)
            made = {**held, "id": f"cap-{number}", "kind": "capture", "parent_id": held["id"], "amount": str(amount)}
            made = {**made, "reference": wanted.get("reference", ""), "at": self._now()}
            self._memory.put("capture_keys", key, made)
            self._memory.put("captured", f"{name} {made['reference']} #{number}", made)
            payments = [*order["payments"], made]
            self._changed({**order, "payments": payments, "payment_status": _status({**order, "payments": payments})})
            return made

    def _void(self, name: str) -> Any:
        """Releases what is left of an authorisation; the same key is answered with the first release."""
        wanted, key = document(), request.headers.get("Idempotency-Key", "")
        with self._memory.lock:
            known = self._memory.table("void_keys").get(key)
            if known:
                return known
            order = self._there(name)
            held = _held(order, str(wanted.get("authorisation")))
            rest = left(order, held)
            if rest <= 0:
                raise Refusal(422, "nothing_left", "Nothing is left of this authorisation.", "authorisation")
            number = self._memory.next_id("voids", 1)
            made = {**held, "id": f"voi-{number}", "kind": "void", "parent_id": held["id"], "amount": str(rest)}
            made = {**made, "reference": wanted.get("reference", ""), "at": self._now()}
            self._memory.put("void_keys", key, made)
            self._memory.put("released", f"{name} {made['reference']} #{number}", made)
            self._changed({**order, "payments": [*order["payments"], made]})
            return made

    def _charge(self, name: str) -> Any:
        """The same key is answered with the first charge. A card that has run dry (any amount above 1,000) is declined."""
        wanted, key = document(), request.headers.get("Idempotency-Key", "")
        with self._memory.lock:
            known = self._memory.table("charge_keys").get(key)
            if known:
                return known
            order = self._there(name)
            like = [
                row
                for row in order["payments"]
                if row["id"] == wanted.get("like") and row["kind"] in ("sale", "capture")
            ]
            if not like:
                raise Refusal(422, "unknown_transaction", "There is no such transaction that took money.", "like")
            amount = Decimal(str(wanted.get("amount", "0")))
            if not 0 < amount <= 1000:
                raise Refusal(422, "declined", "The card was declined.", "amount")
            number = self._memory.next_id("charges", 1)
            made = {
                **like[0],
                "id": f"cha-{number}",
                "kind": "sale",
                "parent_id": "",
                "amount": str(amount),
                "at": self._now(),
            }
            made["reference"] = wanted.get("reference", "")
            self._memory.put("charge_keys", key, made)
            self._memory.put("charged", f"{name} {made['reference']} #{number}", made)
            self._changed({**order, "payments": [*order["payments"], made]})
            return made

    def _reimburse(self, name: str) -> Any:
        """The same key is answered with the first refund. Each transaction gives back at most what it took, store credit at most what all did."""
        order, wanted, key = self._there(name), document(), request.headers.get("Idempotency-Key", "")
        with self._memory.lock:
            known = self._memory.table("reimbursed").get(key)
            if known:
                return known
            number = f"ref-{self._memory.next_id('refunds', 1)}"
            made = goods.refund(number, order, wanted.get("lines") or (), self._now())
            payments = [_back(order, n, one, made) for n, one in enumerate(wanted.get("payments") or (), 1)]
            total = sum((Decimal(one["amount"]) for one in payments), Decimal(0))
            if not payments or str(total) != wanted.get("total"):
                raise Refusal(422, "total_differs", f"The transactions come to {total}.", "total")
            if total > taken(order) - returned(order):
                raise Refusal(
                    422, "above_captured", f"{taken(order) - returned(order)} are left of what was taken.", "total"
                )
            told = {"total": str(total), "payments": payments, "note": wanted.get("note", "")}
            kept = {**made, **told, "reference": wanted["reference"]}
            self._memory.put("reimbursed", key, kept)
            return self._given(order, kept)


def taken(order: Row) -> Decimal:
    return sum((Decimal(row["amount"]) for row in order["payments"] if row["kind"] in ("sale", "capture")), Decimal(0))


def returned(order: Row, parent: str | None = None) -> Decimal:
    """What went back of an order, or through one of its transactions."""
    rows = [row for refund in order["refunds"] for row in refund["payments"]]
    return sum((Decimal(row["amount"]) for row in rows if parent is None or row.get("parent_id") == parent), Decimal(0))


def _back(order: Row, n: int, wanted: Row, refund: Row) -> dict[str, Any]:
    """One transaction of a refund: back through one that took money, or as store credit."""
    made = {**wanted, "id": f"{refund['id']}-p{n}", "kind": "refund", "status": "success", "at": refund["updated_at"]}
    if wanted.get("tender") == "store_credit" and not wanted.get("parent_id"):
        return made
    paid = [
        row for row in order["payments"] if row["id"] == wanted.get("parent_id") and row["kind"] in ("sale", "capture")
    ]
    if not paid:
        raise Refusal(422, "unknown_transaction", "There is no such transaction that took money.", "payments")
    left = Decimal(paid[0]["amount"]) - returned(order, paid[0]["id"])
    if Decimal(wanted["amount"]) > left:
        raise Refusal(422, "above_captured", f"{left} are left of {paid[0]['id']}.", "payments")
    return made


def _held(order: Row, authorisation: str) -> dict[str, Any]:
    for row in order["payments"]:
        if row["id"] == authorisation and row["kind"] == "authorisation" and row["status"] == "success":
            return dict(row)
    raise Refusal(422, "unknown_authorisation", "There is no such authorisation.", "authorisation")


def left(order: Row, held: Row) -> Decimal:
    """What may still be taken of an authorisation; nothing once it was used, where it can be used only once."""
    mine = [
        row for row in order["payments"] if row.get("parent_id") == held["id"] and row["kind"] in ("capture", "void")
    ]
    if mine and held.get("takes", "parts") != "parts":
        return Decimal(0)
    return Decimal(held["amount"]) - sum((Decimal(row["amount"]) for row in mine), Decimal(0))


def _status(order: Row) -> str:
    return "paid" if taken(order) >= Decimal(order["totals"]["total"]) else "partially_paid"
