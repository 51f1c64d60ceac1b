"""The simulated store captures what was authorised, or lets it go: whole, and a while after it was asked."""

from __future__ import annotations

from connectors.bigcommerce.simulator_store import Json, Refused, Store

PENDING = {"capture": "capture pending", "void": "void pending"}
DONE = {"capture": "captured", "void": "void"}


def ask(store: Store, order: Json, what: str) -> None:
    """Schedules it. Raises Refused unless the order's payment is authorised, and nothing else is asked of it."""
    if order["payment"] != "authorized":
        words = f"Unable to {what} the payment: it is {order['payment'] or 'not authorized'}."
        raise Refused(422, words, {"payment": "not authorized"})
    order["payment"], order["asked"] = PENDING[what], what
    store.changed(order)


def work_off(store: Store, order: Json) -> None:
    """What was asked comes to its end, unless the provider takes its time (`/_sim/orders/<id>/provider`)."""
    what, mood = order.get("asked"), order.get("provider", "")
    if not what or mood == "slow":
        return
    order["asked"] = None
    if mood == "declines":
        order["payment"] = "authorized"
        store.changed(order)
        return
    for row in [one for one in order["transactions"] if one["event"] == "authorization"]:
        made = store.transact(order, what, row["method"], row["gateway"], row["amount"], row["id"])
        told = {"type": "transaction", "order_id": order["id"], "id": made["id"]}
        store.tell("store/order/transaction/created", told)
    order["payment"] = DONE[what]
    store.changed(order)
