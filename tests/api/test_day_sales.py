"""Till sales move the store's stock, and come before the ERP as one booking for each till and day where the policy says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.orders import summing, worth
from app.stock.counter import VOID
from connectors.canonical.gate import captured, equation
from connectors.canonical.money import MoneyBag, Role, zero
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, Tender
from connectors.canonical.returns import Refund, RefundLine
from tests.api.conftest import Market, money
from tests.api.test_tills import sale, tell
from tests.core.generated_orders import order as generated

DAY = '[accounts.market]\nsales = "day"\n[default]\nzone = "Europe/Berlin"\nsales_after = 3600\n'
CLOSED = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)  # 01:30 in Berlin: the 20th is over, and an hour has passed


@pytest.fixture
def daily(market: Market) -> Market:
    from config.reader import config

    (market.world.folder / "money.toml").write_text(DAY)
    config.cache_clear()
    return market


def at_store(n: int, at: str = "2026-11-20T10:00:00+01:00", **more: Any) -> dict[str, Any]:
    return sale(n, at, location="store", **more)


def shelf(market: Market, sku: str) -> Decimal:
    return Decimal(
        market.world.one("SELECT coalesce(sum(told), 0) FROM shelves WHERE sku = :s AND location = 'store'", s=sku)
    )


def bookings(market: Market) -> dict[str, Any]:
    state = market.world.ask("erp", "GET", "/_sim/state").get("bookings", {})
    return {row["reference"]: row["body"] for row in state.values()}


def close(market: Market, now: datetime = CLOSED) -> None:
    from tasks.feeds import day_sales

    for _ in range(2):
        day_sales.run(now)
        market.world.pump()


def test_a_till_sale_leaves_the_shelf_of_its_store_once_and_a_void_brings_it_back(market: Market) -> None:
    for _ in range(2):
        tell(market, at_store(1), at_store(2), first=1)
    market.world.pump()
    assert (shelf(market, "WB-TEE"), shelf(market, "WB-MUG")) == (-4, -2)
    assert market.world.one("SELECT count(*) FROM reservations") == 0
    waybill = market.world.one("SELECT waybill FROM subjects WHERE external_id = 'T1-1'")
    answer = market.mine.ask("POST", f"/orders/{waybill}/cancellations", {"reason": "wrong article", "lines": []})
    assert answer.status_code == 202, answer.json
    market.world.pump()
    assert (shelf(market, "WB-TEE"), shelf(market, "WB-MUG")) == (-2, -1)
    assert market.world.settled()


def test_a_count_after_the_sale_has_it_already_though_the_till_told_later(market: Market) -> None:
    """The store was counted at noon; the till, offline since the morning, tells of a sale at ten."""
    from app.database import transaction
    from app.stock import positions
    from config.reader import config
    from connectors.canonical.stock import StockLevel

    (market.world.folder / "authority.toml").write_text(
        '[stock]\nowner = "warehouse"\n[stock.locations]\nstore = "pos"\n'
    )
    config.cache_clear()
    noon = datetime(2026, 11, 20, 11, tzinfo=UTC)
    with transaction() as tx:
        positions.set_level(tx, "pos", StockLevel("WB-TEE", "store", on_hand=Decimal(7), as_of=noon), "1")
    tell(market, at_store(1), at_store(2, "2026-11-20T15:00:00+01:00"), first=1)
    market.world.pump()
    assert shelf(market, "WB-TEE") == 5, "only the sale of the afternoon is taken off"


def test_a_day_is_booked_once_it_is_over_and_sums_to_its_sales(daily: Market) -> None:
    tell(
        daily, at_store(1), at_store(2, "2026-11-20T23:30:00+01:00"), at_store(3, "2026-11-21T00:10:00+01:00"), first=1
    )
    daily.world.pump()
    assert bookings(daily) == {}, "no sale is booked by itself"
    close(daily, datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    assert bookings(daily) == {}, "the day is over, but its tills may still tell"
    close(daily)
    ((name, body),) = bookings(daily).items()
    assert name == "market-T1/2026-11-20/1"
    assert Decimal(body["total"]) == Decimal("96.60")
    assert [(one["sku"], one["quantity"]) for one in body["lines"]] == [("WB-TEE", "4"), ("WB-MUG", "2")]
    assert [(one["method"], one["amount"]) for one in body["payments"]] == [("card", "96.60")]
    assert (shelf(daily, "WB-TEE"), shelf(daily, "WB-MUG")) == (-6, -3), "the booking moves no stock again"
    assert daily.world.effects("warehouse")["requests"] == {}
    assert daily.world.settled()


def test_a_sale_that_comes_late_is_in_a_further_booking(daily: Market) -> None:
    tell(daily, at_store(1), at_store(3), first=1)
    daily.world.pump()
    close(daily)
    tell(daily, at_store(2))
    daily.world.pump()
    close(daily)
    found = {name.partition("-")[2]: Decimal(body["total"]) for name, body in bookings(daily).items()}
    assert found == {"T1/2026-11-20/1": Decimal("48.30"), "T1/2026-11-20/2": Decimal("96.60")}, "3 waited for 2"
    assert daily.world.one("SELECT count(*) FROM day_sales WHERE summary = ''") == 0


@pytest.mark.parametrize("fault", ["commit_then_drop", "drop", "server_error"])
def test_a_bad_day_books_the_day_once(daily: Market, fault: str) -> None:
    tell(daily, at_store(1), first=1)
    daily.world.pump()
    daily.world.bad_day("erp", fault, operations=("bookings.create",), times=1)
    close(daily)
    assert daily.world.effects("erp")["bookings"] == {"market-T1/2026-11-20/1": 1}


def test_a_voided_sale_is_in_no_booking_and_after_it_a_person_is_asked(daily: Market) -> None:
    tell(daily, at_store(1), at_store(2), first=1)
    daily.world.pump()
    first, second = (
        daily.world.one("SELECT waybill FROM subjects WHERE external_id = :n", n=name) for name in ("T1-1", "T1-2")
    )
    daily.mine.ask("POST", f"/orders/{first}/cancellations", {"reason": "void", "lines": []})
    daily.world.pump()
    close(daily)
    assert [Decimal(body["total"]) for body in bookings(daily).values()] == [Decimal("48.30")]
    daily.mine.ask("POST", f"/orders/{second}/cancellations", {"reason": "void", "lines": []})
    daily.world.pump()
    assert daily.world.one("SELECT code FROM cases WHERE status <> 'resolved'") == "voided_after_summary"
    assert shelf(daily, "WB-TEE") == 0


def void(n: int, of: int, at: str = "2026-11-20T11:00:00+01:00", paid: str = "19.90", **more: Any) -> dict[str, Any]:
    """One tee of a sale is taken back at the till, and paid back by card."""
    back = {"id": f"v{n}", "tender": "card", "gateway": "card", "amount": money(paid)}
    lines = [{"line_id": "x-1", "quantity": "1"}]
    return {
        "sequence": n,
        "at": at,
        "void": {"sale": of, "currency": "EUR", "lines": lines, "payments": [back], **more},
    }


def resumed(market: Market) -> None:
    """What waited for a till's day is tried again, as the slow sweep does."""
    from app.bell import ring
    from app.database import transaction
    from app.journal import facts

    with transaction() as tx:
        rings = facts.try_again(tx, 0)
    ring(rings)
    market.world.pump()


def credited(market: Market) -> list[str]:
    found = market.world.ask("erp", "GET", "/_sim/state").get("credits", {})
    return [one["body"]["total"] for one in found.values()]


def test_pieces_that_are_voided_before_their_day_is_booked_are_no_part_of_it(daily: Market) -> None:
    """Told twice, out of order and by a till that was offline: the void waits for its sale, and is one void."""
    answer = tell(daily, at_store(1), void(3, of=2), void(5, of=1, paid="19.90"), first=1)
    assert [one["verdict"] for one in answer["results"]] == ["posted", "waiting", "waiting"]
    daily.world.pump()
    assert shelf(daily, "WB-TEE") == -2, "nothing is back before its number is reached"
    for _ in range(2):
        tell(daily, at_store(2), void(3, of=2))
    tell(daily, at_store(4, "2026-11-20T12:00:00+01:00"))
    daily.world.pump()
    assert (shelf(daily, "WB-TEE"), shelf(daily, "WB-MUG")) == (-4, -3)
    refused = tell(daily, void(7, of=9))
    assert [one["verdict"] for one in refused["results"]] == ["refused"], "a void of a sale to come"
    close(daily)
    (body,) = bookings(daily).values()
    assert Decimal(body["total"]) == Decimal("105.10"), "3 x 48.30 less two tees"
    assert [(one["sku"], one["quantity"]) for one in body["lines"]] == [("WB-TEE", "4"), ("WB-MUG", "3")]
    assert [(one["method"], one["amount"]) for one in body["payments"]] == [("card", "105.10")]
    resumed(daily)
    assert credited(daily) == []
    assert daily.world.one("SELECT count(*) FROM return_requests") == 0
    assert daily.world.settled()


def test_what_is_voided_after_its_day_was_booked_is_a_return(daily: Market) -> None:
    now = datetime.now(UTC)
    tell(daily, at_store(1, now.isoformat()), at_store(2, now.isoformat()), first=1)
    daily.world.pump()
    close(daily, now + timedelta(days=2))
    for _ in range(2):
        tell(daily, void(3, of=1, at=(now + timedelta(minutes=5)).isoformat()))
    daily.world.pump()
    from tasks.feeds import returned

    returned.run()
    daily.world.pump()
    assert shelf(daily, "WB-TEE") == -3
    assert daily.world.one("SELECT state FROM return_requests") == "refunded"
    assert credited(daily) == ["19.90"]
    assert [Decimal(body["total"]) for body in bookings(daily).values()] == [Decimal("96.60")], (
        "the day stays as booked"
    )
    tell(daily, void(4, of=1, at=now.isoformat()), void(5, of=1, at=now.isoformat()), void(6, of=2, paid="1.00"))
    daily.world.pump()
    rows = daily.world.rows("SELECT state, reason FROM events WHERE topic = 'till.void' ORDER BY id")
    assert [row.state for row in rows[2:]] == ["quarantined", "quarantined"]
    assert "not so many were sold" in rows[2].reason
    assert "were sold for 19.90, and 1.00" in rows[3].reason
    assert shelf(daily, "WB-TEE") == -2


def test_a_sale_of_which_every_piece_is_voided_is_in_no_booking(daily: Market) -> None:
    lines = [{"line_id": "x-1", "quantity": "2"}, {"line_id": "x-2", "quantity": "1"}]
    tell(daily, at_store(1), void(2, of=1, paid="48.30", lines=lines), first=1)
    daily.world.pump()
    close(daily)
    assert bookings(daily) == {}
    assert (shelf(daily, "WB-TEE"), shelf(daily, "WB-MUG")) == (0, 0)
    assert daily.world.one("SELECT count(*) FROM day_sales") == 0
    resumed(daily)
    assert daily.world.states()["order_refunded.record_refund"] == "skipped"
    assert daily.world.settled()


def test_an_order_taken_in_the_store_to_be_sent_is_no_till_sale(daily: Market) -> None:
    """Endless aisle: it is claimed, booked by itself and sent by the warehouse; the store's shelf keeps what it has."""
    from tests.api.conftest import order

    daily.mine.place(order("EA-1", source="pos", location="store"))
    daily.world.pump()
    assert list(bookings(daily)) == ["market-EA-1"]
    assert len(daily.world.effects("warehouse")["requests"]) == 1
    assert (shelf(daily, "WB-TEE"), daily.world.one("SELECT count(*) FROM movements")) == (0, 0)
    assert daily.world.one("SELECT sum(quantity) FROM reservations WHERE state = 'open'") == 3


# ---- where money is added up


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=6))
def test_any_day_comes_to_the_sum_of_its_sales_tender_by_tender(numbers: list[int]) -> None:
    sales = [replace(generated(n), money_role=Role.SHOP, id=f"{k}") for k, n in enumerate(numbers)]
    like = sales[0]
    alike = [s for s in sales if (s.currency, s.taxes_included) == (like.currency, like.taxes_included)]
    made = summing.summary("T1/2026-11-20/1", alike)
    assert equation(made).difference.amount == 0
    assert made.totals.total.shop == sum((s.totals.total.shop for s in alike[1:]), alike[0].totals.total.shop)
    tenders: dict[str, Decimal] = {}
    for one in alike:
        for name, amount in captured(one).items():
            tenders[name] = tenders.get(name, Decimal(0)) + amount
    assert captured(made) == tenders
    assert sum(line.quantity for line in made.lines) == sum(
        line.quantity for s in alike for line in s.lines if not line.bundle_id
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_any_day_less_its_voids_comes_to_what_its_tills_kept(numbers: list[int], dice: Any) -> None:
    """Voided by whole pieces through the tender that took the most: totals and tenders are what was taken less what went back."""
    sales, back = [], Decimal(0)
    for k, n in enumerate(numbers):
        made = replace(generated(n), money_role=Role.SHOP, id=f"{k}", refunds=())
        took = max(captured(made).items(), key=lambda one: one[1], default=("", Decimal(0)))
        line = dice.choice(made.lines)
        many = Decimal(dice.randint(1, int(line.quantity)) if line.quantity >= 1 else 0)
        worth_ = worth.paid_for(made, line, Decimal(0), many) if many else Decimal(0)
        if 0 < worth_ <= took[1] and not line.bundle_id and many < line.quantity:
            bag = MoneyBag(replace(made.totals.total.shop, amount=worth_))
            paid = Payment("v", PaymentKind.REFUND, Tender.CARD, bag, gateway=took[0])
            refund = Refund("v", bag, (RefundLine(line.id, many, bag, bag),), payments=(paid,), reason=VOID)
            made, netted = summing.left(replace(made, refunds=(refund,)))
            back += worth_ if netted else Decimal(0)
        sales.append(made)
    like = sales[0]
    alike = [s for s in sales if (s.currency, s.taxes_included) == (like.currency, like.taxes_included)]
    day = summing.summary("T1/2026-11-20/1", alike)
    assert equation(day).difference.amount == 0
    assert day.totals.total.shop == sum((s.totals.total.shop for s in alike[1:]), alike[0].totals.total.shop)
    tenders: dict[str, Decimal] = {}
    for one in alike:
        for name, amount in captured(one).items():
            tenders[name] = tenders.get(name, Decimal(0)) + amount
    assert captured(day) == {name: tenders.get(name, Decimal(0)) for name in captured(day)}
    if len(alike) == len(numbers):
        whole = sum((replace(generated(n), money_role=Role.SHOP).totals.total.shop.amount for n in numbers), Decimal(0))
        assert day.totals.total.shop.amount == whole - back


def test_a_refund_of_one_sale_names_its_days_lines() -> None:
    sold: Order = replace(generated(7), money_role=Role.SHOP)
    made = summing.summary("T1/2026-11-20/1", [sold, replace(sold, id="other")])
    line = sold.lines[0]
    back = Refund("r", line.unit_price, (RefundLine(line.id, Decimal(1), line.unit_price, line.unit_price),))
    (named,) = summing.in_day(made, sold, back).lines
    assert next(one for one in made.lines if one.id == named.line_id).sku == line.sku


def test_a_web_order_comes_back_to_a_store_that_counts_it(market: Market) -> None:
    """Cross-channel: another partner's key receives at its own place only; told again it is the same."""
    from tests.api.conftest import order

    waybill = market.mine.place(order("W-1"))
    market.world.pump()
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    wanted = {"lines": [{"line_id": "W-1-1", "quantity": "1"}], "exchange": [{"line_id": "W-1-2", "quantity": "1"}]}
    asked = market.mine.ask("POST", f"/returns/of/{waybill}", wanted)
    assert (asked.status_code, asked.json["state"]) == (201, "authorised")
    told = {"location": "store", "lines": [{"line_id": "W-1-1", "quantity": "1", "disposition": "restock"}]}
    number = asked.json["number"]
    assert market.rival.ask("POST", f"/returns/{number}/receipt", told).status_code == 409
    desk = market.partner("store desk", "rival", locations=["store"])
    for _ in range(2):
        answer = desk.ask("POST", f"/returns/{number}/receipt", told)
        assert (answer.status_code, answer.json["state"]) == (200, "restocked"), answer.json
    assert answer.json["refunds"] == [{"tender": "card", "amount": "11.40"}], "19.90 less a mug of 8.50"
    assert shelf(market, "WB-TEE") == 1
    other = {**told, "lines": [{"line_id": "W-1-1", "quantity": "1", "disposition": "scrap"}]}
    assert desk.ask("POST", f"/returns/{number}/receipt", other).status_code == 409
    assert desk.ask("POST", "/returns/WB99999999-R1/receipt", told).status_code == 404
    from tasks.feeds import returned

    returned.run()
    market.world.pump()
    replaced = market.mine.ask("GET", f"/returns/{number}").json["replaced_by"]
    assert market.world.effects("warehouse")["requests"][replaced] == 1


def test_a_refund_of_a_sale_waits_for_its_day_and_is_credited_there(daily: Market) -> None:
    from app.bell import ring
    from app.database import transaction
    from app.journal import facts, subjects
    from app.orders.merge import with_refund
    from tasks.reading import apply, laying

    tell(daily, at_store(1), at_store(2), first=1)
    daily.world.pump()
    with transaction() as tx:
        mine = subjects.lock(tx, "order", "market", "T1-1")
        assert isinstance(mine.document, Order)
        mug, paid = mine.document.lines[1], mine.document.payments[0]
        back = replace(paid, id="back", kind=PaymentKind.REFUND, amount=mug.unit_price)
        line = RefundLine(mug.id, Decimal(1), mug.unit_price, MoneyBag(zero("EUR")))
        told = with_refund(mine.document, Refund("r1", mug.unit_price, (line,), payments=(back,), origin="market"))
        apply.keep_changed(tx, laying.Cause(None, None, 0, "market"), mine, mine.document, told)
    daily.world.pump()
    assert daily.world.states()["order_refunded.record_refund"] == "parked"
    close(daily)
    with transaction() as tx:
        rings = facts.try_again(tx, 0)
    ring(rings)
    daily.world.pump()
    (credit,) = daily.world.ask("erp", "GET", "/_sim/state")["credits"].values()
    assert (credit["body"]["total"], credit["body"]["order"]) == ("8.50", "T1/2026-11-20/1")
    assert daily.world.settled()
