"""An order of a partner's channel is never asked of the partner; a person here takes pieces off it, by the rules of the partner's own API."""

from __future__ import annotations

import pytest

from app.orders import cancelling
from app.orders.refused import Refused
from connectors.canonical.order import CancelReason
from tests.api.conftest import Market, order
from tests.api.test_papers import somebody
from tests.web.conftest import Person


def test_a_channel_that_cannot_be_told_names_the_way_instead(market: Market) -> None:
    from app.database import transaction

    waybill = market.mine.place(order("C-1"))
    market.world.pump()
    with pytest.raises(Refused) as refused, transaction() as tx:
        cancelling.ask(tx, waybill, CancelReason.CUSTOMER, "olga", "rang up")
    assert refused.value.code == "not_offered"
    assert "Ask the partner, which tells it by POST /api/v1/orders/<waybill>/cancellations." in refused.value.sentence
    assert market.world.one("SELECT count(*) FROM deadlines WHERE kind = 'cancel_sale'") == 0


OPEN = "SELECT line_id, quantity FROM reservations WHERE state = 'open' ORDER BY line_id"


def says(market: Market, who: Person, waybill: str, **form: str) -> str:
    """What the order's page says afterwards."""
    page = f"/admin/orders/{waybill}"
    who.get(page)
    answer = who.press(f"{page}/reductions", back=page, kind="customer", **form)
    assert answer.status_code == 302, answer.status_code
    return who.page(page)


def test_a_person_takes_pieces_off_a_partners_order(market: Market) -> None:
    waybill = market.mine.place(order())
    market.world.pump()
    page, path = f"/admin/orders/{waybill}", f"/admin/orders/{waybill}/reductions"
    support, operator = somebody(market, "support"), somebody(market, "operator")
    assert path not in support.page(page)
    assert support.press(path, kind="customer", **{"pieces:M-1-1": "1"}).status_code == 403
    shown = operator.page(page)
    assert path in shown
    assert "Cancel in the channel" not in shown
    for form in ({}, {"whole": "1", "pieces:M-1-1": "1"}, {"pieces:M-1-1": "1", "reason": " "}):
        assert operator.press(path, **{"kind": "customer", **form}).status_code == 400
    assert operator.press(path, kind="weather", **{"pieces:M-1-1": "1"}).status_code == 400

    one = {"key": "one", "pieces:M-1-1": "1", "reason": "rang up"}
    for _ in range(2):
        assert "It is taken off within seconds" in says(market, operator, waybill, **one)
    over = says(market, operator, waybill, key="two", **{"pieces:M-1-1": "2"})
    assert "Not so many of these lines are still to be sent." in over, "what is not read yet counts"
    asked = {"lines": [{"line_id": "M-1-1", "quantity": "2"}]}
    assert market.mine.ask("POST", f"/orders/{waybill}/cancellations", asked).status_code == 409
    market.world.pump()
    assert [(row.line_id, int(row.quantity)) for row in market.world.rows(OPEN)] == [("M-1-1", 1), ("M-1-2", 1)]
    assert len(market.world.effects("erp")["amended"]) == 1
    assert market.world.rows("SELECT door, topic, state FROM events ORDER BY id DESC")[0] == (
        "desk",
        "cancellation",
        "applied",
    )
    kept = market.world.rows("SELECT who, reason, after FROM audit WHERE action = 'call off pieces'")
    assert [(row.who, row.reason, row.after["lines"]) for row in kept] == [("operator", "rang up", {"M-1-1": "1"})]

    says(market, operator, waybill, key="three", whole="1")
    assert "The order is cancelled already." in says(market, operator, waybill, key="four", whole="1")
    market.world.pump()
    assert market.mine.ask("GET", f"/orders/{waybill}").json["state"] == "cancelled"
    assert not market.world.rows(OPEN)
    assert path not in operator.page(page)


def test_what_has_left_is_not_called_off(market: Market) -> None:
    waybill = market.mine.place(order())
    market.world.pump()
    part = {"lines": [{"sku": "WB-TEE", "quantity": "2"}]}
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json=part)
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    operator = somebody(market, "operator")
    assert "name the lines that are still here" in says(market, operator, waybill, key="a", whole="1")
    assert "Not so many" in says(market, operator, waybill, key="b", **{"pieces:M-1-1": "1"})
    assert "It is taken off" in says(market, operator, waybill, key="c", **{"pieces:M-1-2": "1"})
