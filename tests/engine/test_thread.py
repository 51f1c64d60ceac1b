"""The thread: an order goes from the shop to the ERP, the warehouse and back, once."""

from __future__ import annotations

from tests.world import World


def test_an_order_is_booked_sent_and_acknowledged(acme: World) -> None:
    order = acme.order()
    acme.pump()
    assert set(acme.states().values()) == {"done"}
    assert acme.events() == {"applied": 1}
    print(acme.effects("erp"), acme.effects("warehouse"), acme.effects("shop"), order["id"])
