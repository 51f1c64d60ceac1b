"""A request is stopped while it can be; shipped is never undone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.canonical.order import Order
from connectors.kit.errors import Ambiguous, Rejected
from tests.connectors.shipbob.conftest import House, MakeHouse, Remembered, order, run


def requested(house: MakeHouse) -> House:
    at = house()
    made = run(at.shipbob.request(order(), key="k", reference="WB-1"))
    at.connection = replace(at.connection, known=Remembered({("request", "5001"): made}))
    return at


def cancel(at: House) -> str:
    return run(at.shipbob.cancel_request(order(), key="k-cancel", reference="WB-1"))


def test_stopped(house: MakeHouse) -> None:
    at = requested(house)
    assert cancel(at) == str(at.effects()["WB-1"]["ids"][0])
    assert at.effects()["WB-1"]["cancelled"] is True


def test_twice_is_once(house: MakeHouse) -> None:
    at = requested(house)
    assert cancel(at) == cancel(at)


def test_found_by_reference_where_its_id_is_not_known(house: MakeHouse) -> None:
    at = requested(house)
    at.connection = replace(at.connection, known=Remembered())
    cancel(at)
    assert at.effects()["WB-1"]["cancelled"] is True


def test_nothing_was_asked_for_so_nothing_is_stopped(house: MakeHouse) -> None:
    assert cancel(house()) == ""


def test_answer_lost_then_read_back(house: MakeHouse) -> None:
    at = requested(house)
    at.fault("commit_then_drop", operations=["orders.cancel"], times=1)
    write = next(at.shipbob.cancel_request(order(), key="k", reference="WB-1"))
    with pytest.raises(Ambiguous):
        write.send()
    assert write.find() == str(at.effects()["WB-1"]["ids"][0])


def test_not_yet_cancelled_is_not_found(house: MakeHouse) -> None:
    assert next(requested(house).shipbob.cancel_request(order(), key="k", reference="WB-1")).find() is None


def test_too_late(house: MakeHouse) -> None:
    at = requested(house)
    at.tell("ship", reference_id="WB-1")
    with pytest.raises(Rejected) as met:
        cancel(at)
    assert met.value.code == "shipped"
    assert met.value.remedy
    assert at.effects()["WB-1"]["cancelled"] is False


def test_too_late_for_a_part_of_it(house: MakeHouse) -> None:
    at = requested(house)
    at.tell("ship", reference_id="WB-1", lines={"MUG-2": 1})
    with pytest.raises(Rejected) as met:
        cancel(at)
    assert met.value.code == "shipped"
    assert "1 of 2 shipments" in met.value.sentence
    found = at.shipbob._client.order(str(at.effects()["WB-1"]["ids"][0]))
    assert sorted(shipment["status"] for shipment in found["shipments"]) == ["Cancelled", "Completed"]


def test_gone_from_there_is_done(house: MakeHouse) -> None:
    at = house()
    at.connection = replace(at.connection, known=Remembered({("request", "5001"): "42"}))
    assert cancel(at) == "42"


def test_the_rest_is_stopped_once_a_part_has_left_and_what_has_left_is_not(house: MakeHouse) -> None:
    at = requested(house)
    at.tell("ship", reference_id="WB-1", lines={"MUG-2": 1})

    def rest(**left: int) -> Order:
        whole = order()
        lines = tuple(
            replace(line, current_quantity=Decimal(left.get(line.sku.replace("-", "_"), 0))) for line in whole.lines
        )
        return replace(whole, lines=tuple(line for line in lines if line.current_quantity))

    wanted = {line.sku.replace("-", "_"): int(line.current_quantity) for line in order().lines}
    with pytest.raises(Rejected) as met:
        run(at.shipbob.cancel_rest(rest(**wanted), key="k-all", reference="WB-1"))
    assert met.value.code == "shipped", "a mug has left"
    left = {**wanted, "MUG_2": wanted["MUG_2"] - 1}
    for _ in range(2):
        assert run(at.shipbob.cancel_rest(rest(**left), key="k-rest", reference="WB-1"))
    found = at.shipbob._client.order(str(at.effects()["WB-1"]["ids"][0]))
    assert sorted(shipment["status"] for shipment in found["shipments"]) == ["Cancelled", "Completed"]
