"""An address that cannot be read holds its order, visibly and by the field's code; it neither loses nor blocks anything (pains 13, 14)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.orders import addresses
from connectors.canonical.party import Address
from tests.core.generated_orders import order as generated
from tests.orders.test_holds import changed, release
from tests.world import World

HOLDS = "SELECT reason, note, owner FROM holds WHERE released_at IS NULL"


def to(country: str, region: str = "", name: str = "", phone: str = "") -> str:
    place = Address(line1="1 Example St", country=country, region=region, region_name=name, phone=phone)
    return addresses.fault(replace(generated(1), shipping=place))


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (("ZZ",), "address_country"),
        (("DE",), ""),
        (("VA",), ""),
        (("US", "FL"), ""),
        (("US", "", "Florida"), ""),
        (("US", "AE", "Armed Forces Europe"), ""),
        (("US", "Flevoland"), "address_region"),
        (("US", "", "Flevoland"), "address_region"),
        (("CA", "TX"), "address_region"),
        (("DE", "anything"), ""),
        (("", "FL"), ""),
        (("DE", "", "", "n/a"), "address_phone"),
        (("DE", "", "", "+49 555 0100"), ""),
    ],
)
def test_a_fault_has_the_code_of_its_field(place: tuple[str, ...], code: str) -> None:
    assert to(*place) == code


def mended(order: dict[str, Any], **more: str) -> dict[str, Any]:
    return {**order["shipping_address"], **more}


def test_an_order_to_nowhere_is_held_and_goes_on_when_its_address_is_mended(acme: World) -> None:
    order = acme.place()
    wrong = acme.ask(
        "shop", "POST", f"/_sim/orders/{order['id']}", json={"shipping_address": mended(order, country="ZZ")}
    )
    acme.deliver("order.placed", wrong)
    acme.pump()
    assert "quarantined" not in acme.events()
    assert [tuple(row) for row in acme.rows(HOLDS)] == [("address", "address_country", "customer service")]
    assert not acme.effects("erp")["bookings"]
    changed(acme, order, shipping_address=mended(order, country="DEU"))
    acme.pump()
    assert acme.rows(HOLDS) == []
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
    assert acme.settled()


def test_a_person_lets_it_go_as_it_is(acme: World) -> None:
    order = acme.place()
    told = mended(order, country="US", region="Flevoland")
    acme.deliver(
        "order.placed", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"shipping_address": told})
    )
    acme.pump()
    assert [tuple(row) for row in acme.rows(HOLDS)] == [("address", "address_region", "customer service")]
    release(acme, acme.one("SELECT id FROM holds"))
    acme.pump()
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}
    changed(acme, order, shipping_address=told, note="ring twice")
    acme.pump()
    assert acme.rows(HOLDS) == [], "what a person has freed is not held again for the same fault"
    assert acme.settled()
