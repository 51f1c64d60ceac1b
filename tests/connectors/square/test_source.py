"""What Square tells when asked: late tills, moving lists, ended tokens, and an order with all that belongs to it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors import registry
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Ignored, Pointer, Snapshot
from connectors.canonical.stock import StockLevel
from connectors.kit.errors import NotOffered, Rejected, Throttled, Transient, Unauthorized
from connectors.square.client import VERSION
from tests.connectors.square.conftest import MakeSeller, Seller
from tests.connectors.square.contract import told
from tests.contract import samples

NOON = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


def listed(at: Seller, since: datetime, until: datetime) -> list[str]:
    found = []
    for message in at.connector.changed("order", since, until):
        (reading,) = registry.read(at.bench.account, message)
        assert isinstance(reading, Pointer)
        found.append(reading.id)
    return found


def late(at: Seller, hours: float) -> str:
    """A till that was offline rang it up so long before noon; it came just now, and bears the till's time."""
    rung = told(NOON - timedelta(hours=hours))
    return at.rung_up("offline", created_at=rung, updated_at=rung, silent=True)


# ---- refunds


def test_a_refund_whose_end_no_webhook_told_is_found(seller: MakeSeller) -> None:
    """A refund comes to its end without touching its order: the list of orders does not say so, that of refunds does, page by page."""
    at = seller()
    orders = [at.place() for _ in range(5)]
    for order in orders:
        at.done(at.connector.give_back(order, samples.refund(order), key=f"k-{order.id}"))
    began = datetime.now(UTC)
    assert at.system.post("/_sim/refunds/settlement", {"state": "COMPLETED"})["settled"] == 5
    ended = datetime.now(UTC) + timedelta(seconds=1)
    found = listed(at, began - timedelta(milliseconds=1), ended)
    assert Counter(found) == Counter(order.id for order in orders)
    assert not listed(at, ended, ended + timedelta(minutes=1))
    at.settings(locations=["LOC2"])
    assert not listed(at, began - timedelta(milliseconds=1), ended), "of another location, whose orders are not read"


@pytest.mark.parametrize("wrong", ["sort_field=MOVED_AT", "sort_order=UP", "updated_at_begin_time=noon"])
def test_a_list_of_refunds_that_square_would_refuse_is_refused(seller: MakeSeller, wrong: str) -> None:
    at = seller()
    client = at.connector.client
    with pytest.raises(Rejected) as refused:
        client._call("GET", "v2/refunds", "refunds.list", query=dict([wrong.split("=")]))
    assert refused.value.field == wrong.partition("=")[0]


# ---- offline tills


def test_what_came_late_is_found_within_the_hour(seller: MakeSeller) -> None:
    """Out of order, up to 72 hours old, and never told by a webhook: once each, whatever its time."""
    at = seller()
    names = [late(at, hours) for hours in (3, 50, 1, 26, 71.5)]
    assert listed(at, NOON, NOON + timedelta(minutes=10)) == []
    assert listed(at, NOON + timedelta(minutes=20), NOON + timedelta(minutes=30)) == []
    assert Counter(listed(at, NOON + timedelta(minutes=45), NOON + timedelta(minutes=65))) == Counter(names) - Counter(
        names[4:]
    )
    assert Counter(listed(at, NOON - timedelta(minutes=20), NOON)) == Counter(names)


def test_every_hour_lies_in_some_window(seller: MakeSeller) -> None:
    """Windows that meet leave no hour out, so nothing that is late can fall between them."""
    at = seller()
    name, found = late(at, 20), 0
    start = NOON
    for _ in range(9):
        found += listed(at, start, start + timedelta(minutes=7)).count(name)
        start += timedelta(minutes=7)
    assert found == 1


def test_known_rows_cost_no_second_delivery(seller: MakeSeller) -> None:
    at = seller()
    late(at, 5)
    window = (NOON - timedelta(minutes=20), NOON)
    first = [one.delivery_id for one in at.connector.changed("order", *window)]
    assert first == [one.delivery_id for one in at.connector.changed("order", *window)]


def test_an_offline_payment_that_waits_and_then_comes(seller: MakeSeller) -> None:
    """The same sale told twice is one; the later telling knows more."""
    at = seller()
    name = at.rung_up("offline")
    payment = next(iter(at.simulator.memory.table("payments").values()))
    at.simulator.memory.put("payments", payment["id"], {**payment, "status": "PENDING"})
    assert at.again(name).payment_status == "pending"
    at.simulator.memory.put("payments", payment["id"], payment)
    assert at.again(name).payment_status == "paid"


# ---- lists


def test_a_list_that_moves_is_walked_again(seller: MakeSeller) -> None:
    """A row that is touched between two pages moves to the end, and another would fall into the gap: it does not."""
    at = seller()
    names = [at.rung_up(silent=True) for _ in range(8)]
    at.system.bad_day("page_shift", times=1)
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert set(listed(at, NOON, soon)) == set(names)


def test_a_list_that_never_rests_is_said(seller: MakeSeller) -> None:
    at = seller()
    for _ in range(8):
        at.rung_up(silent=True)
    at.system.bad_day("page_shift")
    with pytest.raises(Transient):
        listed(at, NOON, datetime.now(UTC) + timedelta(hours=1))


def test_more_locations_than_a_request_takes(seller: MakeSeller) -> None:
    places = [f"LOC{n}" for n in range(1, 24)]
    at = seller(locations=places)
    names = {at.rung_up(location=place, silent=True) for place in places}
    soon = datetime.now(UTC) + timedelta(hours=1)
    at.settings(locations=[])
    assert set(listed(at, NOON, soon)) == names
    at.settings(locations=["LOC3"])
    assert len(listed(at, NOON, soon)) == 1


def test_what_is_not_told(seller: MakeSeller) -> None:
    at = seller()
    with pytest.raises(NotOffered):
        list(at.connector.changed("product", NOON, NOON))
    with pytest.raises(NotOffered):
        at.connector.fetch(Pointer("customer", "C1"))


# ---- one order


def test_only_what_an_order_names_is_asked_for(seller: MakeSeller) -> None:
    at = seller()
    name = at.rung_up("cash")
    before = len(at.system.calls())
    at.connector.fetch(Pointer("order", name))
    asked = Counter(call["operation"] for call in at.system.calls()[before:])
    assert asked - Counter(("oauth.token",)) == Counter(("orders.get", "payments.get", "catalog.get"))


def test_a_return_is_the_refund_of_its_sale(seller: MakeSeller) -> None:
    """Sold in one store, brought back to another: the sale's fetch and the return's tell one and the same."""
    at = seller()
    sold = at.rung_up("split", location="LOC2")
    back = at.staff(at.again(sold), "returns", lines={"line-1": 1})
    (reading,) = registry.read(at.bench.account, at.connector.fetch(Pointer("order", back["id"])))
    assert isinstance(reading, Snapshot)
    assert (reading.kind, reading.id) == ("refund", sold)
    (known,) = at.again(sold).refunds
    assert reading.document == known
    assert at.again(sold).lines[0].current_quantity == 1


def test_several_returns_of_one_sale(seller: MakeSeller) -> None:
    """Piece by piece until nothing is left: never more than was paid, to the cent."""
    at = seller()
    sold = at.again(at.rung_up("percent"))
    for lines in ({"line-1": 1}, {"line-1": 1}, {"line-2": 1}):
        at.staff(sold, "returns", lines=lines)
    made = at.again(sold)
    assert [line.current_quantity for line in made.lines] == [0, 0]
    given = sum((one.total.shop.amount for one in made.refunds), Decimal(0))
    assert abs(given - made.totals.total.shop.amount) <= Decimal("0.01")
    assert len({one.id for one in made.refunds}) == 3


def test_a_sold_article_that_is_gone_keeps_its_name(seller: MakeSeller) -> None:
    at = seller()
    name = at.rung_up()
    for row in list(at.simulator.memory.table("articles").values()):
        at.simulator.memory.put("articles", row["id"], {**row, "is_deleted": True})
    assert [line.sku for line in at.again(name).lines] == ["WB-TEE", "WB-MUG"]
    at.simulator.memory.tables["articles"].clear()
    made = at.again(name)
    assert [(line.sku, line.title) for line in made.lines] == [("", "Tee"), ("", "Mug")]
    assert made.lines[0].variant_id


def test_a_count_says_its_sku(seller: MakeSeller) -> None:
    at = seller()
    row = at.system.put("/_sim/counts", {"sku": "WB-TEA", "location": "LOC2", "quantity": "1.25"})
    name = f"{row['catalog_object_id']}@LOC2"
    (reading,) = registry.read(at.bench.account, at.connector.fetch(Pointer("stock", name)))
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, StockLevel)
    assert (reading.id, reading.document.sku, reading.document.available) == (name, "WB-TEA", Decimal("1.25"))
    assert at.connector.fetch(Pointer("stock", "NOTHING@LOC2")) is None


def test_a_draft_is_no_order(seller: MakeSeller) -> None:
    at = seller()
    (reading,) = registry.read(at.bench.account, at.connector.fetch(Pointer("order", at.rung_up("draft"))))
    assert isinstance(reading, Ignored)


def test_hundreds_of_sales_of_every_kind(seller: MakeSeller) -> None:
    """Drawn at random, read back to the minor unit."""
    at = seller()
    made = at.system.post("/_sim/orders", {"count": 200, "seed": 11})
    for one in made:
        order = at.again(one["id"])
        unit = {"JPY": 1, "KWD": 1000}.get(order.currency, 100)
        assert isinstance(order, Order)
        assert order.totals.total.shop.amount * unit == one["total_money"]["amount"]
        assert (
            sum((line.gross.shop.amount for line in order.lines if line.gross), Decimal(0))
            == order.totals.lines.shop.amount
        )


# ---- who may ask, and how fast


def test_a_token_that_ends_is_bought_once(seller: MakeSeller) -> None:
    at = seller()
    name = at.rung_up()
    at.connector.fetch(Pointer("order", name))
    at.system.post("/_sim/tokens/expiry")
    assert at.connector.fetch(Pointer("order", name))
    assert len(at.system.calls("oauth.token")) == 2


@pytest.mark.parametrize(("serves", "fell"), [("", False), ("2027-01-20", True)])
def test_another_version_that_answers_is_seen(seller: MakeSeller, serves: str, fell: bool) -> None:
    client = seller(serves=serves).connector.client
    client.locations()
    assert client.fell_forward is fell
    assert client.served == (serves or VERSION)


@pytest.mark.parametrize("wrong", ["application_secret", "refresh_token"])
def test_a_consent_that_was_revoked(seller: MakeSeller, wrong: str) -> None:
    at = seller(**{wrong: "another"})
    with pytest.raises(Unauthorized) as met:
        at.connector.fetch(Pointer("order", "X"))
    assert met.value.code == "consent"


def test_subscriptions_need_the_applications_own_token(seller: MakeSeller) -> None:
    at = seller(application_token="another")
    with pytest.raises(Unauthorized):
        at.connector.subscriptions()


def test_a_busy_square_stops_everybody(seller: MakeSeller) -> None:
    at = seller()
    for kind, more in (("throttle", {"value": 7}), ("throttle_silent", {})):
        at.system.bad_day(kind, times=1, operations=["orders.get"], **more)
        with pytest.raises(Throttled):
            at.connector.fetch(Pointer("order", "X"))
    assert at.blocked == [7, 2]


def test_versions_order_what_happens_in_one_millisecond(seller: MakeSeller) -> None:
    at = seller()
    order = at.place()
    raw: dict[str, Any] = {**at.raw(order), "version": 7}
    at.simulator.memory.put("orders", order.id, raw)
    (first,) = registry.read(at.bench.account, at.connector.fetch(Pointer("order", order.id)))
    at.simulator.memory.put("orders", order.id, {**raw, "version": 8})
    (second,) = registry.read(at.bench.account, at.connector.fetch(Pointer("order", order.id)))
    assert first.version < second.version
