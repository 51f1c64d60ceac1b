"""Preorders: sold before they are there, waited for in plain words, sent by themselves once their day has come and the goods are there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.orders.places import in_force, shelves, text
from tests.orders.test_fulfilment import claims, parcel, requests, waybill
from tests.orders.test_whereabouts import told
from tests.world import World

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
GONE = SOON - timedelta(days=60)


def declare(world: World, at: datetime, most: int = 5, sku: str = "WB-TEE") -> None:
    """What config/availability.toml says from now on, and the job that follows it."""
    from config.reader import HERE, config

    shipped = (Path(HERE) / "availability.toml").read_text()
    (world.folder / "availability.toml").write_text(
        f'{shipped}\n[preorders."{sku}"]\nfrom = {at.isoformat()}\nmost = {most}\n'
    )
    config.cache_clear()
    run(world)


def run(world: World) -> str:
    from tasks.feeds import fulfilled, preorders

    said = preorders.run()
    fulfilled.run()
    world.pump()
    return said


def asked(world: World) -> list[tuple[str, str]]:
    rows = world.rows(
        "SELECT l->>'sku' AS sku, l->>'quantity' AS n FROM fulfilments f, jsonb_array_elements(f.lines) l WHERE f.state <> 'cancelled' ORDER BY f.id"
    )
    return [(row.sku, row.n) for row in rows]


def left(world: World) -> int:
    from app.database import transaction
    from app.stock import availability, rules

    with transaction() as tx:
        return int(availability.read(tx, ["WB-TEE"], rules.of("shop"))["WB-TEE"].visible)


def test_the_rest_leaves_first_and_the_preordered_pieces_on_their_day_the_oldest_order_first(many: World) -> None:
    declare(many, SOON)
    shelves(many, dc_WB_TEE=9, dc_WB_MUG=9)
    assert left(many) == 5, "the limit, whatever lies on the shelf"
    many.order()
    many.pump()
    first = requests(many)["dc"][0]
    assert asked(many) == [("WB-MUG", "1")]
    assert left(many) == 3
    found = told(many)
    day = f"{SOON.day} {SOON:%B %Y}"
    assert f"can leave from {day} on, when it is released, and follows by itself." in found.next
    assert f"can leave from {day} on" in [parcel.state for parcel in found.parcels]
    many.order()
    many.pump()
    assert run(many) == "1 preorders, 0 orders went on"
    later = SOON + timedelta(days=7)
    declare(many, later)
    assert [row.due_at for row in many.rows("SELECT due_at FROM deadlines WHERE kind = 'preorder'")] == [later] * 2
    assert many.one("SELECT count(*) FROM cases WHERE code = 'unsourced'") == 0, "nobody needs to look before the day"
    shelves(many, dc_WB_TEE=2)
    declare(many, GONE)
    assert asked(many) == [("WB-MUG", "1"), ("WB-MUG", "1"), ("WB-TEE", "2")]
    numbers = many.rows("SELECT number FROM fulfilments ORDER BY id")
    assert numbers[2].number.partition("-")[0] == first.partition("-")[0], "the older order's"
    assert many.one("SELECT count(*) FROM reservations WHERE location = '~ahead' AND state = 'open'") == 0
    assert claims(many) == 6
    assert "2 x WB-TEE" in many.one("SELECT sentence FROM cases WHERE code = 'unsourced' AND status = 'open'")
    shelves(many, dc_WB_TEE=5)
    from tasks.feeds import backorders

    assert backorders.run() == "1 of 1 backorders were sourced"
    assert many.one("SELECT count(*) FROM deadlines WHERE kind = 'preorder' AND state = 'open'") == 0


def test_where_the_rules_allow_no_split_all_waits_and_a_cancellation_gives_its_claim_back(many: World) -> None:
    in_force(text(split=1))
    declare(many, SOON)
    shelves(many, dc_WB_TEE=9, dc_WB_MUG=9)
    order = many.order()
    many.pump()
    assert asked(many) == []
    found = told(many)
    assert found.state == "preordered"
    assert found.sentence == (f"We have your order. It can leave from {SOON.day} {SOON:%B %Y} on, when it is released.")
    assert many.one("SELECT state FROM steps WHERE name = 'book_order'") == "done", "it is booked all the same"
    assert left(many) == 3
    many.deliver("order.cancelled", many.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    many.pump()
    assert (left(many), claims(many)) == (5, 0)
    assert many.one("SELECT state FROM deadlines WHERE kind = 'preorder'") == "void"
    declare(many, GONE)
    assert asked(many) == []
    assert many.settled()


def test_without_rules_the_whole_order_is_held_until_its_day_and_until_the_goods_are_there(acme: World) -> None:
    declare(acme, SOON)
    acme.order()
    acme.pump()
    hold = acme.rows("SELECT reason, owner, deadline_at FROM holds WHERE released_at IS NULL")
    assert [(one.reason, one.owner, one.deadline_at) for one in hold] == [("stock", "warehouse", SOON)]
    assert told(acme).state == "preordered"
    shelves(acme, dc_WB_TEE=1, dc_WB_MUG=9)
    later = SOON + timedelta(days=1)
    declare(acme, later)
    assert acme.one("SELECT deadline_at FROM holds") == later
    declare(acme, GONE)
    assert not acme.effects("warehouse").get("requests")
    shelves(acme, dc_WB_TEE=2)
    assert run(acme) == "1 preorders, 1 orders went on"
    assert acme.effects("warehouse")["requests"] == {waybill(acme): 1}
    assert acme.settled()


def gift(world: World) -> None:
    """A box of one tee and two mugs, as the shop's catalogue has it."""
    from app.database import transaction
    from app.stock import parts
    from connectors.canonical.product import Component, Product

    made = (Component("WB-TEE", Decimal(1)), Component("WB-MUG", Decimal(2)))
    with transaction() as tx:
        parts.learn(tx, "shop", Product("9", "WB-GIFT", "Gift box", components=made))
    world.code("erp", "sku", "WB-GIFT", "WB-GIFT")


def test_a_bundle_with_a_preordered_part_waits_for_it_and_leaves_whole_once_every_part_is_there(many: World) -> None:
    """The tee of the box is a preorder: the box is sold up to the tee's limit, waits as a whole, and what else is ordered leaves first."""
    from app.database import transaction
    from app.stock import availability, rules
    from tasks.feeds import backorders

    gift(many)
    declare(many, SOON)
    shelves(many, dc_WB_MUG=5)
    with transaction() as tx:
        seen = availability.read(tx, ["WB-GIFT", "WB-TEE"], rules.of("shop"))
    assert {sku: int(one.visible) for sku, one in seen.items()} == {"WB-GIFT": 2, "WB-TEE": 5}, (
        "five mugs make two boxes"
    )
    many.order(lines=[{"sku": "WB-GIFT"}, {"sku": "WB-MUG"}])
    many.pump()
    assert asked(many) == [("WB-MUG", "1")]
    rows = many.rows("SELECT sku, location, quantity FROM reservations WHERE bundle = 'WB-GIFT' ORDER BY sku")
    assert [(row.sku, row.location, int(row.quantity)) for row in rows][1] == ("WB-TEE", "~ahead", 1)
    assert [(row.sku, int(row.quantity)) for row in rows] == [("WB-MUG", 2), ("WB-TEE", 1)]
    assert left(many) == 4, "one of the tee's limit is the box's"
    day = f"can leave from {SOON.day} {SOON:%B %Y} on"
    assert day in [parcel.state for parcel in told(many).parcels]
    assert many.one("SELECT count(*) FROM cases WHERE code = 'unsourced'") == 0
    declare(many, GONE)
    assert asked(many) == [("WB-MUG", "1")], "two mugs make no box"
    assert "1 x WB-GIFT" in many.one("SELECT sentence FROM cases WHERE code = 'unsourced' AND status = 'open'")
    shelves(many, dc_WB_TEE=1)
    assert backorders.run() == "1 of 1 backorders were sourced"
    run(many)
    assert asked(many) == [("WB-MUG", "1"), ("WB-GIFT", "1")]
    assert many.one("SELECT count(*) FROM cases WHERE status = 'open' AND code = 'unsourced'") == 0
    mugs, box = (row.number for row in many.rows("SELECT number FROM fulfilments ORDER BY id"))
    for number in (mugs, box):
        parcel(many, "warehouse", number)
    assert many.one("SELECT state FROM subjects WHERE kind = 'order'") == "shipped"
    assert claims(many) == 0, "each part of the box is let go of once"
    assert many.settled()


def test_boxes_and_single_pieces_share_what_lies_on_a_shelf(many: World) -> None:
    gift(many)
    shelves(many, store_WB_TEE=2, store_WB_MUG=5)
    many.order(lines=[{"sku": "WB-GIFT", "quantity": "2"}])
    many.pump()
    assert asked(many) == [("WB-GIFT", "2")]
    many.order(lines=[{"sku": "WB-MUG", "quantity": "2"}])
    many.pump()
    assert asked(many) == [("WB-GIFT", "2"), ("WB-MUG", "1")], (
        "four of five mugs are in the boxes that the store was asked for"
    )
    assert "1 x WB-MUG" in many.one("SELECT sentence FROM cases WHERE code = 'unsourced' AND status = 'open'")
