"""A person who asked the location decides on what it cannot send: asked of others, or waited for; each with a reason, once."""

from __future__ import annotations

import pytest

from app.orders import deciding
from app.orders.refused import Refused
from tests.orders.test_fulfilment import claims, first_parcel, follow, legs, says, short, waybill
from tests.world import World


def test_what_could_not_be_withdrawn_is_asked_of_others_once_somebody_has_asked_there(many: World) -> None:
    """The mug is out of the door when the withdrawal comes, so all of it is refused; the tee stays behind."""
    number = first_parcel(many)
    mug = {"lines": [{"sku": "WB-MUG", "quantity": "1"}]}
    sent = many.ask("warehouse", "POST", f"/_sim/requests/{number}/shipments", json=mug)
    short(many, number, "failed", ("WB-TEE", 1), ("WB-MUG", 1))
    follow(many)
    assert many.states()["order_fell_short.withdraw_rest"] == "dead"
    many.deliver("shipment.sent", {**sent, "trackings": [{"number": "second", "carrier": "dhl"}]}, account="warehouse")
    many.pump()
    rest = f"{waybill(many)}-F2"
    says(many, deciding.wait, rest, "anna", "they look for it")
    assert len(legs(many)) == 2
    says(many, deciding.elsewhere, rest, "anna", "they rang: it is lost")
    follow(many)
    assert legs(many)[2:] == [("store", "requested", "1 WB-TEE")], "what has left meanwhile is asked of nobody"
    assert many.states()["order_fell_short.withdraw_rest"] == "cancelled"
    with pytest.raises(Refused) as refused:
        says(many, deciding.elsewhere, rest, "anna", "again")
    assert refused.value.code == "nothing_to_decide"
    rows = many.rows("SELECT action, reason FROM audit WHERE who = 'anna' AND action LIKE '%short pieces%' ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("wait for short pieces", "they look for it"),
        ("source short pieces elsewhere", "they rang: it is lost"),
    ]
    assert claims(many) == 1
    assert many.settled()


def test_the_case_of_a_location_that_cannot_be_told_says_who_waits_and_ends_with_the_decision(many: World) -> None:
    from app.database import transaction
    from app.journal import subjects
    from app.orders import falling_short
    from connectors.canonical.shipment import Shipment, ShipmentStatus

    number = first_parcel(many)
    with transaction() as tx:  # as a location without RestCanceller tells it
        subject = subjects.lock_waybill(tx, waybill(many))
        assert subject is not None
        word = Shipment("s", ShipmentStatus.FAILED, (), origin="warehouse")
        fell = falling_short.told(tx, "warehouse", number, subject.document, word)  # type: ignore[arg-type]
        assert fell is not None
        falling_short.ask_a_person(tx, fell, subject.waybill)
    case = "SELECT sentence FROM cases WHERE code = 'cannot_send' AND status = 'open'"
    rest = f"{waybill(many)}-F2"
    assert f"on the page of request {rest}" in many.one("SELECT remedy FROM cases WHERE code = 'cannot_send'")
    for why in ("tomorrow", "on Friday"):
        says(many, deciding.wait, rest, "anna", why)
    assert many.one(case).endswith("cannot be told by us to stop. Waited for by anna: on Friday")
    follow(many)
    assert len(legs(many)) == 2, "nobody else is asked meanwhile"
    says(many, deciding.elsewhere, rest, "anna", "they rang")
    follow(many)
    assert legs(many)[2:] == [("store", "requested", "1 WB-MUG, 1 WB-TEE")]
    assert many.one(case) is None
    assert many.settled()
