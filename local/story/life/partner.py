"""Somebody with a key to our API: the marketplace that tells its orders, or the desk of a store."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import requests

from app.database import transaction
from app.web import keys

WHO = "make run"
LATER, TRIES = (429, 503), 6  # "nothing was done, send it again"
MANY = 100_000  # requests a minute: a rush is all in one


class Partner:
    """`ask` answers (status, body); what is posted bears a key of its own, under which it is sent again where the hub asks for that."""

    def __init__(self, web: str, name: str, **more: Any) -> None:
        with transaction() as tx:
            token = keys.make(tx, name, WHO, **{"scopes": keys.SCOPES, "per_minute": MANY, **more})
        self._web, self._headers = f"{web}/api/v1", {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        named = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        told = {**self._headers, **named, **{name.replace("_", "-"): value for name, value in headers.items()}}
        for _ in range(TRIES):
            answer = requests.request(method, f"{self._web}{path}", json=body, headers=told, timeout=30)
            if answer.status_code not in LATER:
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        return answer.status_code, json.loads(answer.text, parse_float=Decimal) if answer.text else None

    def must(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Raises RuntimeError for anything but a success, in the API's own words."""
        status, said = self.ask(method, path, body, **headers)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status} {said}")
        return said


def order(name: str, lines: Mapping[str, tuple[int, str]], **more: Any) -> dict[str, Any]:
    """SKU -> (pieces, price of one); prices hold their tax, sent for 4.90, paid by card. In EUR."""
    parts = [
        {"id": f"{name}-{n}", "sku": sku, "title": sku, "quantity": str(many), "unit_price": _money(Decimal(price))}
        for n, (sku, (many, price)) in enumerate(lines.items(), 1)
    ]
    goods = sum((Decimal(price) * many for many, price in lines.values()), Decimal(0))
    freight = Decimal("4.90")
    none = Decimal(0)
    sums = {
        "lines": goods,
        "discounts": none,
        "shipping": freight,
        "charges": none,
        "tax": none,
        "total": goods + freight,
    }
    home = {"name": "Mo Muster", "line1": "Probestr. 7", "city": "Köln", "postcode": "50667", "country": "DE"}
    paid = {"id": f"{name}-p", "kind": "sale", "tender": "card", "gateway": "card"}
    return {
        "id": name,
        "number": f"#{name}",
        "currency": "EUR",
        "taxes_included": True,
        "lines": parts,
        "shipping_lines": [{"id": f"{name}-s", "title": "Standard", "price": _money(freight), "code": "standard"}],
        "totals": {what: _money(amount) for what, amount in sums.items()},
        "shipping": {**home, "email": f"{name.lower()}@example.com"},
        "payments": [{**paid, "amount": _money(goods + freight)}],
        "payment_status": "paid",
        **more,
    }


def _money(amount: Decimal) -> dict[str, Any]:
    return {"shop": {"amount": f"{amount:.2f}", "currency": "EUR"}}
