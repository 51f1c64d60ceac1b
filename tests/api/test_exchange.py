"""An exchange that costs more, at a channel that charges nobody by our word: somebody is told how, and it goes once it is paid."""

from __future__ import annotations

from tests.api.conftest import Market, order


def test_what_a_channel_cannot_charge_is_somebodys_to_have_paid(market: Market) -> None:
    from app.bell import ring
    from app.database import transaction
    from app.orders import holds
    from tasks.feeds import returned

    waybill = market.mine.place(order("E-1"))
    market.world.pump()
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    dearer = {"line_id": "E-1-2", "quantity": "1", "sku": "WB-TEE", "price": "19.90"}
    wanted = {"lines": [{"line_id": "E-1-2", "quantity": "1"}], "exchange": [dearer]}
    number = market.mine.ask("POST", f"/returns/of/{waybill}", wanted).json["number"]
    told = {"location": "store", "lines": [{"line_id": "E-1-2", "quantity": "1", "disposition": "restock"}]}
    desk = market.partner("store desk", "rival", locations=["store"])
    assert desk.ask("POST", f"/returns/{number}/receipt", told).status_code == 200
    for _ in range(2):
        returned.run()
        market.world.pump()
    (case,) = market.world.rows(
        "SELECT sentence, remedy, owner FROM cases WHERE code = 'to_be_charged' AND status = 'open'"
    )
    replaced = market.mine.ask("GET", f"/returns/{number}").json["replaced_by"]
    assert case.sentence.startswith(f"11.40 EUR are to be paid for exchange {number} before {replaced} goes")
    assert "have it charge the difference" in case.remedy
    assert case.owner == "customer service"
    assert replaced not in market.world.effects("warehouse")["requests"]
    reason = market.world.one("SELECT sentence FROM steps WHERE name = 'charge_difference'")
    assert "plays no Charger" in reason
    assert "charge the difference" in reason
    hold = market.world.one("SELECT id FROM holds WHERE released_at IS NULL")
    with transaction() as tx:
        rings = holds.release_by_hand(tx, hold, "anna", "paid by invoice")
    ring(rings or [])
    from tasks.feeds import held

    held.run()
    market.world.pump()
    assert market.world.effects("warehouse")["requests"][replaced] == 1
    assert market.world.one("SELECT status FROM cases WHERE code = 'to_be_charged'") == "resolved"
