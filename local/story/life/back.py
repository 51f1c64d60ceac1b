"""Goods that were sold by one channel and come back to another: allowed by the hub, counted in by the store, paid back by who sold them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.database import transaction
from app.journal import subjects
from app.orders import return_requests
from connectors.canonical.order import Order

if TYPE_CHECKING:
    from local.story.life.scenes import Life

Json = dict[str, Any]


def to_the_store(life: Life, kind: str, sku: str) -> None:
    """One piece of the first order of this kind; nothing where it has not left in time (the judge will say so)."""
    name = next(one for one in life.waybills if one.startswith(kind))
    bought = life.notebook.get("state")["orders"][name]
    line = next(one for one in bought["lines"] if one["sku"] == sku)
    wanted = {"lines": [{"line_id": line["id"], "quantity": "1", "reason": "changed my mind"}]}
    allowed: list[Json] = []

    def allowed_now() -> bool:
        asked = life.market.must("POST", f"/returns/of/{life.waybills[name]}", wanted)
        allowed.extend([asked] if asked["state"] == "authorised" else ())
        return bool(allowed)

    if life.waits(allowed_now):
        counted = {"location": life.store_at, "lines": [{**_line(line), "disposition": "restock"}]}
        told = life.store.must("POST", f"/returns/{allowed[0]['number']}/receipt", counted)
        life.told(
            {**bought, "updated_at": datetime.now(UTC).isoformat(), "refunds": [_refund(name, line, told["refunds"])]}
        )


def allowed_by_the_desk(life: Life, account: str, order_id: str, sku: str) -> None:
    """One piece of an order of a channel that asks for no return itself: customer service allows it on its page, the store counts it."""
    with transaction() as tx:
        subject = subjects.lock(tx, "order", account, order_id)
        order = subject.document
        assert isinstance(order, Order)
        line = next(one for one in order.lines if one.sku == sku)
    life.service.allows(subject.waybill, line.id, "changed my mind")
    with transaction() as tx:
        row = next(iter(return_requests.of(tx, subject.id)), None)
    if row is not None and row.state == "authorised":  # else the judge misses its money
        counted = {"line_id": line.id, "quantity": "1", "disposition": "restock"}
        life.store.must("POST", f"/returns/{row.number}/receipt", {"location": life.store_at, "lines": [counted]})


def _line(line: Json) -> Json:
    return {"line_id": line["id"], "quantity": "1"}


def _refund(name: str, line: Json, paid: list[Json]) -> Json:
    """As the hub reckoned it when the goods were counted, by each tender."""
    total = str(sum((Decimal(one["amount"]) for one in paid), Decimal(0)))
    worth, none = _euros(total), _euros("0")
    payments = [
        {
            "id": f"{name}-back-{n}",
            "kind": "refund",
            "tender": one["tender"],
            "gateway": one["tender"],
            "amount": _euros(str(one["amount"])),
        }
        for n, one in enumerate(paid)
    ]
    return {
        "id": f"{name}-back",
        "total": worth,
        "lines": [{**_line(line), "subtotal": worth, "tax": none}],
        "payments": payments,
    }


def _euros(amount: str) -> Json:
    return {"shop": {"amount": amount, "currency": "EUR"}}
