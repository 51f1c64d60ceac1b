"""The kept states follow what owners tell; what others tell changes nothing, and what cannot be is put before a person."""

from __future__ import annotations

from typing import Any

import pytest

from app.orders.machines import MACHINES, Illegal, Machine
from app.orders.states import plan
from tests.world import World

KEPT = "SELECT machine || ':' || part AS part, state FROM order_states"


def kept(acme: World) -> dict[str, str]:
    return {row.part: row.state for row in acme.rows(KEPT)}


def changed(acme: World, order: dict[str, Any], **what: Any) -> dict[str, Any]:
    told: dict[str, Any] = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json=what)
    acme.deliver("order.changed", told)
    return told


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda machine: machine.name)
def test_every_state_is_reached_and_only_rest_is_final(machine: Machine) -> None:
    for state in machine.states:
        assert machine.path(machine.start, state) is not None, f"{state} is never reached"
        leaves = any(start == state for start, _ in machine.table)
        assert leaves or state in machine.rest, f"{state} is a trap that nobody calls an end"
    assert machine.rest <= machine.states
    with pytest.raises(Illegal):
        machine.after(machine.start, "no such event")


def test_a_document_that_skips_events_is_followed_through_the_machine() -> None:
    moves, impossible = plan({("payment", "card"): "none"}, {("payment", "card"): "refunded"})
    assert [move.moves for move in moves] == [("capture_all", "refund_all")]
    assert not impossible
    _, impossible = plan({("payment", "card"): "refunded"}, {("payment", "card"): "authorised"})
    assert (impossible[0].before, impossible[0].told) == ("refunded", "authorised")


def test_what_the_hub_knows_itself_is_not_taken_back_by_a_document_that_says_less() -> None:
    assert plan({("order", ""): "released"}, {("order", ""): "placed"}) == ([], [])


def test_an_orders_life_is_kept_part_by_part(acme: World) -> None:
    order = acme.order()
    acme.pump()
    assert kept(acme) == {
        "order:": "released",
        f"line:{order['id']}-1": "open",
        f"line:{order['id']}-2": "open",
        "payment:card": "captured",
    }
    waybill = acme.one("SELECT waybill FROM subjects WHERE kind = 'order'")
    for n, (line, sku) in enumerate(((1, "WB-TEE"), (2, "WB-MUG")), 1):
        part = {"line": f"{order['id']}-{line}", "sku": sku, "quantity": order["lines"][line - 1]["quantity"]}
        parcel = acme.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={"lines": [part]})
        acme.deliver("shipment.sent", parcel, account="warehouse")
        acme.pump()
        assert kept(acme)["order:"] == ("partly_shipped", "shipped")[n - 1]
    assert kept(acme)[f"line:{order['id']}-1"] == "shipped"
    refund = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json={})
    acme.deliver("refund.made", refund)
    acme.pump()
    assert kept(acme)["order:"] == "returned"
    assert kept(acme)["payment:card"] == "partly_refunded", "the delivery charge is not given back"
    assert not acme.one("SELECT count(*) FROM cases")
    assert acme.settled()


def test_a_refund_told_by_the_warehouse_is_refused_and_a_known_one_is_an_echo(acme: World) -> None:
    """Authority is enforced: a write against the declared owner changes nothing and becomes a case."""
    order = acme.order()
    acme.pump()
    refund = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json={})
    told = {**refund, "request": acme.one("SELECT waybill FROM subjects WHERE kind = 'order'")}
    _told_by_warehouse(acme, told, "first")
    assert acme.one("SELECT state || ' ' || code FROM events WHERE delivery_id = 'first'") == "ignored not_the_owner"
    assert acme.one("SELECT owner FROM cases WHERE code = 'not_the_owner'") == "integration desk"
    assert not acme.effects("erp")["credits"]
    acme.deliver("refund.made", refund)
    acme.pump()
    _told_by_warehouse(acme, told, "second")
    assert acme.one("SELECT state FROM events WHERE delivery_id = 'second'") == "echo"
    assert len(acme.effects("erp")["credits"]) == 1


def _told_by_warehouse(acme: World, refund: dict[str, Any], name: str) -> None:
    """Acme's refunds name the order by its id at the teller; a warehouse knows what it calls it by."""
    theirs = acme.one("SELECT theirs FROM links WHERE account = 'warehouse' AND kind = 'request'")
    acme.deliver("refund.made", {**refund, "order_id": theirs}, name=name, account="warehouse")
    acme.pump()


def test_a_channel_that_may_not_cancel_changes_nothing(acme: World) -> None:
    (acme.folder / "authority.toml").write_text('[order]\nowner = "channel"\n[transitions]\n"order.cancel" = ["erp"]\n')
    from config.reader import config

    config.cache_clear()
    order = acme.order()
    acme.pump()
    acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    acme.pump()
    assert acme.one("SELECT state FROM subjects WHERE kind = 'order'") == "open"
    assert not acme.effects("erp").get("cancelled")
    assert "order cancel" in acme.one("SELECT sentence FROM cases WHERE code = 'not_the_owner'")


def test_a_parcel_that_left_though_cancelled_and_an_edit_after_shipment_are_cases_with_the_difference(
    acme: World,
) -> None:
    """Pains 37, 38: a person sees what both sides did; nothing is put back on the shelf."""
    first, second = acme.order(), acme.order()
    acme.pump()
    acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{first['id']}/cancellation", json={}))
    acme.pump()
    _parcel(acme, first)
    assert "has left all the same" in acme.one(
        "SELECT sentence FROM cases WHERE code = 'shipped_though_cancelled' LIMIT 1"
    )
    assert acme.one("SELECT count(*) FROM reservations WHERE state = 'open' AND subject_id = 1") == 0
    _parcel(acme, second)
    lines = [{**line, "current_quantity": "1"} for line in second["lines"]]
    changed(acme, second, lines=lines)
    acme.pump()
    words = acme.one("SELECT sentence FROM cases WHERE code = 'edit_conflict'")
    assert words == "WB-TEE: 2 became 1 in the channel, but 2 were picked already."


def _parcel(acme: World, order: dict[str, Any]) -> None:
    waybill = acme.one("SELECT waybill FROM subjects WHERE external_id = :id", id=order["id"])
    parcel = {
        "id": f"par-{order['id']}",
        "status": "shipped",
        "lines": [{"sku": line["sku"], "quantity": line["quantity"]} for line in order["lines"]],
        "trackings": [{"number": f"T{order['id']}", "carrier": "dhl"}],
        "request": waybill,
        "updated_at": "2030-01-01T00:00:00.000000Z",
        "shipped_at": "2030-01-01T00:00:00.000000Z",
    }
    acme.deliver("shipment.sent", parcel, account="warehouse")
    acme.pump()
