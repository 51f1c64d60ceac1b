"""Orders go to a place and are promised for a day: the nearer location, the one that may send there, the one in time is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from connectors.acme.simulator_goods import ADDRESS
from tests.orders.places import in_force, shelves
from tests.world import World

RULES = """
name = "near"
[limits]
split = 2
late = {late}
[weights]
cost = 1
distance = 1
split = 2
[places.DE]
"" = [51.2, 10.4]
"5" = [50.9, 6.9]
"10" = [52.5, 13.4]
[places.GB]
"SW1" = [51.5, -0.1]
[locations.dc]
kind = "dc"
account = "warehouse"
stock = {{ account = "warehouse", location = "main" }}
at = [50.9, 6.9]
cost = "3.00"
days = 1
excluded_regions = ["DE-BE"]
[locations.store]
kind = "store"
stock = {{ account = "pos", location = "store" }}
at = [52.5, 13.4]
cost = "4.00"
days = 3
leaves_in = 2
ships_to = ["DE", "GB"]
[[channel]]
when = {{ service = "overnight" }}
most_days = 1
"""


def rules(late: bool = True) -> str:
    return RULES.format(late=str(late).lower())


def to(postcode: str, country: str = "DE", region: str = "") -> dict[str, Any]:
    return {"shipping_address": {**ADDRESS, "postcode": postcode, "country": country, "region": region}}


def promised(days: float, what: str = "deliver_by", service: str = "") -> dict[str, Any]:
    by = datetime.now(UTC) + timedelta(days=days)
    return {"delivery": {"kind": "ship", "service": service, what: by.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}}


def asked(world: World, **wanted: Any) -> list[tuple[str, str]]:
    """Who is asked for one tee, and why."""
    world.order(lines=[{"sku": "WB-TEE", "quantity": "1"}], **wanted)
    world.pump()
    last = "SELECT max(id) FROM subjects WHERE kind = 'order'"
    rows = world.rows(f"SELECT location, why FROM fulfilments WHERE subject_id = ({last}) ORDER BY id")
    return [(row.location, row.why) for row in rows]


def test_the_nearer_one_is_asked_by_the_postcode_that_the_order_goes_to(acme: World) -> None:
    in_force(rules())
    shelves(acme, dc_WB_TEE=99, store_WB_TEE=99)
    assert asked(acme, **to("10115")) == [("store", "store at a cost of 4.00, 3 days, 0 km")]
    assert asked(acme, **to("50667")) == [("dc", "dc at a cost of 3.00, 1 days, 0 km")]
    assert asked(acme, **to("80331"))[0][0] == "dc", "the whole country is the last resort"
    assert asked(acme, **to("sw1a 1aa", "GB"))[0][0] == "dc"
    assert asked(acme, **to("BT1 1AA", "GB")) == [
        ("dc", "dc at a cost of 3.00, 1 days, distance not known, so the same for all")
    ]


def test_who_may_not_send_there_is_left_out_and_the_reason_stands_with_the_request_and_in_the_case(acme: World) -> None:
    in_force(rules())
    shelves(acme, dc_WB_TEE=99, store_WB_TEE=99)
    assert asked(acme, **to("50667", region="BE")) == [
        ("store", "store at a cost of 4.00, 3 days, 482 km; left out: dc (may not send to DE-BE)")
    ]
    assert asked(acme, **to("1010", "AT"))[0][1].endswith("; left out: store (does not send to AT)")
    shelves(acme, dc_WB_TEE=0)
    assert asked(acme, **to("1010", "AT")) == []
    assert "(store: does not send to AT)" in acme.one("SELECT sentence FROM cases WHERE code = 'unsourced'")


def test_who_would_be_late_is_left_out_and_where_all_would_be_it_goes_late_rather_than_not(acme: World) -> None:
    in_force(rules())
    shelves(acme, dc_WB_TEE=99, store_WB_TEE=99)
    for promise in (promised(2), promised(1.5, "ship_by")):
        assert asked(acme, **to("10115"), **promise)[0][1].endswith("; left out: store (later than promised)"), promise
    assert asked(acme, **to("10115"), **promised(3.5))[0][0] == "store"
    assert asked(acme, **to("10115"), **promised(2.5, "ship_by"))[0][0] == "store"
    assert asked(acme, **to("10115"), **promised(0.5)) == [
        ("store", "store at a cost of 4.00, 3 days, 0 km, later than promised")
    ]


def test_a_rule_may_have_a_person_look_where_nobody_is_in_time(acme: World) -> None:
    in_force(rules(late=False))
    shelves(acme, dc_WB_TEE=99, store_WB_TEE=99)
    assert asked(acme, **to("10115"), **promised(0.5)) == []
    told = acme.one("SELECT sentence FROM cases WHERE code = 'unsourced'")
    assert "dc: later than promised; store: later than promised" in told


def test_a_rule_asks_for_the_service_that_the_customer_chose(acme: World) -> None:
    in_force(rules())
    shelves(acme, dc_WB_TEE=99, store_WB_TEE=99)
    express = {"delivery": {"kind": "ship", "service": "overnight"}}
    assert asked(acme, **to("10115"), **express)[0][1].endswith("; left out: store (too slow)")


def test_a_draft_says_how_many_places_it_does_not_know_and_who_would_be_late(acme: World, tmp_path: Path) -> None:
    from app.web.commands import waybill

    in_force(rules().replace("distance = 1", "distance = 0"))
    shelves(acme, dc_WB_TEE=99, store_WB_TEE=99)
    asked(acme, **to("1010", "AT"))
    asked(acme, **to("10115"), **promised(0.5))
    asked(acme, **to("10115"))
    draft = tmp_path / "draft.toml"
    draft.write_text(rules())
    told = CliRunner().invoke(waybill, ["simulate-routing", str(draft), "--since", "2020-01-01"])
    assert told.exit_code == 0, told.output
    assert "1 orders later than promised, 1 to a place that is not known" in told.output
    assert "draft store 1  now dc 1" in told.output
