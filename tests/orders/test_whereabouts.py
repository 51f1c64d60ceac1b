"""Where is my order: plain words for its buyer, and nothing that only we should know."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tests.world import World

OURS = ("shop", "erp", "warehouse", "Musterweg", "ana@example.com", "Ana Example", "+49")


def told(acme: World) -> Any:
    from app.database import transaction
    from app.orders.whereabouts import whereabouts

    with transaction() as tx:
        found = whereabouts(tx, acme.one("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id DESC LIMIT 1"))
    assert found is not None
    words = json.dumps(asdict(found), default=str)
    assert not [word for word in OURS if word in words], "nobody else's business"
    return found


def test_the_answer_follows_the_order_from_its_hold_to_its_return(acme: World) -> None:
    order = acme.order(hold="payment")
    acme.pump()
    assert told(acme).state == "held"
    acme.deliver("order.changed", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"hold": ""}))
    acme.pump()
    assert told(acme).sentence == "We have your order."
    waybill = acme.one("SELECT waybill FROM subjects WHERE kind = 'order'")
    part = {"line": order["lines"][1]["id"], "sku": "WB-MUG", "quantity": "1"}
    parcel = acme.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={"lines": [part]})
    acme.deliver("shipment.sent", parcel, account="warehouse")
    acme.pump()
    found = told(acme)
    assert found.sentence.startswith("A part of your order is on its way")
    assert [(p.state, p.number, [(str(x.quantity), x.title) for x in p.pieces]) for p in found.parcels] == [
        ("on its way", parcel["trackings"][0]["number"], [("1", "Mug")])
    ]
    refund = acme.ask(
        "shop",
        "POST",
        f"/_sim/orders/{order['id']}/refunds",
        json={"lines": [{"line_id": part["line"], "quantity": "1"}]},
    )
    acme.deliver("refund.made", refund)
    acme.pump()
    assert told(acme).back == [f"{refund['total']} EUR were given back."]


def test_a_stuck_order_says_that_somebody_looks_and_not_what_the_erp_said(acme: World) -> None:
    acme.order(customer={"id": "c-9", "email": "blocked@example.com"})
    acme.pump()
    found = told(acme)
    assert found.sentence == "Something about your order needs a look by one of us; somebody has been told."
    assert "blocked" not in json.dumps(asdict(found), default=str)


def test_an_unknown_number_has_no_answer(acme: World) -> None:
    from app.database import transaction
    from app.orders.whereabouts import whereabouts

    with transaction() as tx:
        assert whereabouts(tx, "WB99999999") is None
