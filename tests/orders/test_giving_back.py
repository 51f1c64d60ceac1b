"""Refunds made by the hub: after a return or a cancellation, to each tender, never above what it took, at the channel and in the books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.orders import repaying, worth
from app.orders.life import Life, TenderLife
from app.orders.money import Move
from app.orders.standing import life_of
from connectors.canonical.order import Order
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from tests.core.generated_orders import order as generated
from tests.orders.conftest import places
from tests.orders.test_capture import bag, held, leaves, taken, whole
from tests.orders.test_returns import ask, count, shipped
from tests.world import World, world

TWO = [
    {"id": "p1", "kind": "sale", "status": "success", "tender": "gift_card", "gateway": "gift", "amount": "47.36"},
    {"id": "p2", "kind": "sale", "status": "success", "tender": "card", "gateway": "card", "amount": "10.00"},
]


@pytest.fixture
def acme(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    """A shop at which the hub captures and gives back."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "money.toml").write_text(
        '[default]\ncapture = "shipment"\nrefund = "hub"\ncredit = "store_credit"\n'
    )
    with world(tmp_path / "config", database_url, redis_url) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        places(made)
        yield made


def follow(acme: World) -> None:
    """What the hub moves: begun, made, noted, booked."""
    from tasks.feeds import moved

    for _ in range(3):
        moved.run()
        acme.pump()


def given_back(acme: World) -> list[tuple[str, str]]:
    """(tender, amount) of everything that the shop gave back."""
    orders = acme.ask("shop", "GET", "/_sim/state")["orders"].values()
    return [(p["gateway"], p["amount"]) for o in orders for r in o["refunds"] for p in r["payments"]]


def tell_refunds(acme: World) -> None:
    """The shop's own word on each refund, whenever it comes."""
    for order in acme.ask("shop", "GET", "/_sim/state")["orders"].values():
        for refund in order["refunds"]:
            acme.deliver("refund.made", refund)
    acme.pump()


def kept_by_the_customer(order: dict[str, Any]) -> dict[str, Any]:
    """Every line is paid back, and nothing comes back."""
    return {"lines": [{"line_id": one["id"], "quantity": one["quantity"], "restock": False} for one in order["lines"]]}


def in_the_books(acme: World) -> list[Any]:
    return list(acme.ask("erp", "GET", "/_sim/state").get("credits", {}).values())


def test_a_return_is_paid_out_by_the_hub_tender_by_tender_and_booked_once(acme: World) -> None:
    order = shipped(acme, payments=TWO)
    line = order["lines"][0]["id"]
    first = ask(order, 1, "a")
    assert count(first.number, line, 1).payer == "hub"
    follow(acme)
    assert given_back(acme) == [("card", "10.00"), ("gift", "10.71")]
    assert acme.one("SELECT state FROM return_requests") == "refunded"
    assert acme.one("SELECT state FROM deadlines WHERE kind = 'refund'") == "met"
    second = ask(order, 1, "b")
    count(second.number, line, 1)
    follow(acme)
    assert given_back(acme)[2:] == [("gift", "20.70")]
    tell_refunds(acme)
    booked = in_the_books(acme)
    assert sorted(one["body"]["total"] for one in booked) == ["20.70", "20.71"], "the shop's word books nothing twice"
    assert [one["amount"] for one in booked[0]["body"]["tenders"]] == ["10.00", "10.71"]
    assert acme.settled()


def test_the_shops_webhook_may_come_before_its_answer(acme: World) -> None:
    order = shipped(acme)
    count(ask(order).number, order["lines"][0]["id"], 1)
    from tasks.feeds import moved

    acme.bad_day("shop", "commit_then_drop", operations=("orders.refund",), times=1)
    moved.run()
    acme.pump(until=lambda: bool(given_back(acme)))
    tell_refunds(acme)
    follow(acme)
    assert given_back(acme) == [("card", "20.71")]
    assert acme.outcomes("give_back")[0] == "unknown"
    assert len(in_the_books(acme)) == 1
    assert acme.one("SELECT state FROM return_requests") == "refunded"
    assert acme.settled()


def test_a_move_is_noted_once_though_two_hold_the_turn(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A beat job that stood still for longer than its turn comes back with a list that another has worked through."""
    from app.database import transaction
    from app.orders import money
    from tasks.feeds import moved

    order = shipped(acme)
    count(ask(order).number, order["lines"][0]["id"], 1)
    moved.run()
    acme.pump()
    with transaction() as tx:
        stale = list(money.pending(tx))
    follow(acme)
    assert stale
    monkeypatch.setattr(moved.apply, "keep_changed", lambda *_: pytest.fail("it was noted before"))
    for move in stale:
        moved._note(move)
    assert acme.settled()


@pytest.mark.parametrize("fault", ["drop", "server_error", "commit_late"])
def test_a_bad_day_gives_back_once(acme: World, fault: str) -> None:
    order = shipped(acme)
    count(ask(order).number, order["lines"][0]["id"], 1)
    acme.bad_day("shop", fault, operations=("orders.refund",), times=1, value=0.5)
    follow(acme)
    assert given_back(acme) == [("card", "20.71")]
    assert len(in_the_books(acme)) == 1


def test_a_refused_refund_is_a_case_and_stays_promised(acme: World) -> None:
    """Somebody gave it back in the shop meanwhile: the hub does not, and what it promised is not promised again."""
    order = shipped(acme)
    acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json=kept_by_the_customer(order))
    count(ask(order, 1, "a").number, order["lines"][0]["id"], 1)
    follow(acme)
    assert acme.states()["payment_refunded.give_back"] == "dead"
    assert acme.one("SELECT code FROM cases WHERE kind = 'dead'") == "above_captured"
    assert acme.one("SELECT state FROM return_requests") == "restocked"
    tell_refunds(acme)
    assert count(ask(order, 1, "b").number, order["lines"][0]["id"], 1).refunds == (), "nothing of it is left"


def test_a_gifts_return_is_store_credit_and_leaves_the_givers_card_alone(acme: World) -> None:
    order = shipped(acme)
    line = order["lines"][0]["id"]
    back = count(ask(order, 1, "gift", gift=True).number, line, 1)
    assert back.refunds == (("store_credit", Decimal("20.71")),)
    follow(acme)
    assert given_back(acme) == [("store_credit", "20.71")]
    (booked,) = in_the_books(acme)
    assert [(one["method"], one["amount"]) for one in booked["body"]["tenders"]] == [("store_credit", "20.71")]
    count(ask(order, 1, "mine").number, line, 1)
    follow(acme)
    assert given_back(acme)[1:] == [("card", "20.70")]
    tell_refunds(acme)
    assert acme.one("SELECT count(*) FROM cases WHERE code = 'refund_above_captured'") == 0
    assert acme.settled()


def test_a_gift_gives_back_no_more_than_its_giver_paid(acme: World) -> None:
    order = shipped(acme)
    acme.deliver(
        "refund.made", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json=kept_by_the_customer(order))
    )
    acme.pump()
    assert given_back(acme) == [("card", "51.53")]
    back = count(ask(order, 1, "gift", gift=True).number, order["lines"][0]["id"], 1)
    assert back.refunds == (("store_credit", Decimal("5.83")),), "only the delivery is still paid for"


def test_a_cancelled_order_that_was_paid_is_given_back_in_full(acme: World) -> None:
    order = acme.order(payments=TWO)
    acme.pump()
    for _ in range(2):
        acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
        acme.pump()
        follow(acme)
    assert given_back(acme) == [("card", "10.00"), ("gift", "47.36")]
    assert [one["body"]["total"] for one in in_the_books(acme)] == ["57.36"]
    assert acme.one("SELECT state FROM order_states WHERE machine = 'payment' AND part = 'card'") == "refunded"
    assert acme.one("SELECT count(*) FROM reservations WHERE state = 'open'") == 0
    assert acme.settled()


def test_after_a_part_has_left_only_the_rest_is_given_back(acme: World) -> None:
    order = acme.order()
    acme.pump()
    leaves(acme, ("WB-TEE", 1))
    acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    acme.pump()
    follow(acme)
    assert given_back(acme) == [("card", "30.82")], "one tee has left and the delivery was made: 26.54 are kept"
    assert acme.one("SELECT code FROM cases WHERE status <> 'resolved'") == "shipped", (
        "the warehouse is asked by a person"
    )


def test_what_was_only_authorised_is_not_given_back(acme: World) -> None:
    order = acme.order(payments=[held("card", "57.36")], payment_status="authorised")
    acme.pump()
    acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    acme.pump()
    follow(acme)
    assert (given_back(acme), acme.one("SELECT count(*) FROM money_moves")) == ([], 0)


@pytest.mark.parametrize("payer", ["hub", "channel"])
def test_what_can_only_be_taken_whole_is_taken_once_nothing_more_leaves_and_the_rest_given_back(
    acme: World, payer: str
) -> None:
    """A tee has left, the rest is cancelled: 57.36 are taken for 26.54. Where the channel gives back, a person takes and gives."""
    from config.reader import config

    (acme.folder / "money.toml").write_text(f'[default]\ncapture = "shipment"\nrefund = "{payer}"\n')
    config.cache_clear()
    order = acme.order(payments=[held("card", "57.36", takes="whole")], payment_status="authorised")
    acme.pump()
    leaves(acme, ("WB-TEE", 1))
    assert (taken(acme), acme.one("SELECT count(*) FROM cases WHERE kind = 'money'")) == ([], 0), "more is to leave"
    acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    acme.pump()
    follow(acme)
    told = [row.code for row in acme.rows("SELECT code FROM cases WHERE kind = 'money'")]
    if payer == "hub":
        assert (taken(acme), given_back(acme), told) == (["57.36"], [("card", "30.82")], [])
    else:
        assert (taken(acme), given_back(acme), told) == ([], [], ["capture_whole"])


def edit(acme: World, order: dict[str, Any], *pieces: str, **more: Any) -> dict[str, Any]:
    """The customer's order is edited in the shop; its change comes twice."""
    lines = [{**line, "current_quantity": left} for line, left in zip(order["lines"], pieces, strict=True)]
    changed: dict[str, Any] = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"lines": lines, **more})
    for name in ("once", "again"):
        acme.deliver("order.changed", changed, name=f"{name}-{changed['updated_at']}")
        acme.pump()
        follow(acme)
    return changed


def test_an_edit_that_makes_a_paid_order_cheaper_gives_the_difference_back_to_each_tender(acme: World) -> None:
    order = acme.order(payments=TWO)
    acme.pump()
    edit(acme, order, "1", "1")
    assert given_back(acme) == [("card", "10.00"), ("gift", "10.70")], "one tee of two"
    edit(acme, order, "2", "1")
    edit(acme, order, "1", "1")
    assert given_back(acme)[2:] == [], "more and less again: what is kept pays for what is wanted"
    edit(acme, order, "1", "0")
    total = sum(Decimal(amount) for _, amount in given_back(acme))
    assert total == Decimal("57.36") - Decimal("26.54"), "one tee and the delivery are kept"
    assert {tender for tender, _ in given_back(acme)[2:]} == {"gift"}, "the card has nothing left"
    acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    acme.pump()
    follow(acme)
    assert sum(Decimal(amount) for _, amount in given_back(acme)) == Decimal("57.36"), "the rest with the cancellation"
    assert acme.settled()


@pytest.mark.parametrize("paid", ["half", "nothing"])
def test_an_edit_gives_back_no_more_than_was_taken_beyond_what_is_still_wanted(acme: World, paid: str) -> None:
    """Paid in part only, an order that becomes cheaper is still owed for; authorised only, there is nothing to give back."""
    payments = [{**TWO[1], "amount": "30.00"}] if paid == "half" else [held("card", "57.36")]
    order = acme.order(payments=payments)
    acme.pump()
    edit(acme, order, "1", "1")
    assert given_back(acme) == [], "36.65 are wanted"
    edit(acme, order, "1", "0")
    assert given_back(acme) == ([("card", "3.46")] if paid == "half" else []), "26.54 are wanted"


def test_a_refund_that_is_still_on_its_way_is_not_given_back_again() -> None:
    """Some providers move money days later: until then it is promised."""
    order = replace(generated(3), refunds=(), returns=(), shipments=(), cancelled_at=None)
    whole_ = whole(order)
    order = paid(order, [whole_])
    off = replace(order, lines=tuple(replace(one, current_quantity=Decimal(0)) for one in order.lines))
    moved = repaying.refund(order, [Move(1, 1, "M1", "refund", "R1", "card 0", "", whole_, order.currency)])
    waits = replace(moved, payments=tuple(replace(one, status=PaymentStatus.PENDING) for one in moved.payments))
    assert repaying.cancelled(order, off, []) == whole_
    for refund in (waits, moved):
        assert repaying.cancelled(order, replace(off, refunds=(refund,)), []) == 0


def test_a_channel_that_refunds_by_itself_is_left_alone(acme: World) -> None:
    from config.reader import config

    (acme.folder / "money.toml").write_text('[default]\nrefund = "channel"\ncredit = "store_credit"\n')
    config.cache_clear()
    order = shipped(acme)
    assert count(ask(order).number, order["lines"][0]["id"], 1).payer == "channel"
    follow(acme)
    assert (given_back(acme), acme.one("SELECT count(*) FROM money_moves")) == ([], 0)


# ---- where money is split


def paid(order: Order, amounts: list[Decimal]) -> Order:
    took = tuple(
        Payment(f"p{n}-{half}", PaymentKind.SALE, Tender.CARD, bag(order, part), gateway=f"card {n}")
        for n, amount in enumerate(amounts)
        for half, part in enumerate(_halves(order, amount))
    )
    return replace(order, payments=took, refunds=(), returns=(), shipments=(), cancelled_at=None)


def _halves(order: Order, amount: Decimal) -> list[Decimal]:
    half = (amount / 2).quantize(worth.unit(order))
    return [one for one in (half, amount - half) if one > 0]


def tender(order: Order, name: str, kinds: tuple[PaymentKind, ...]) -> Decimal:
    rows = (*order.payments, *(p for r in order.refunds for p in r.payments))
    return sum(
        (p.amount.in_role(order.money_role).amount for p in rows if p.gateway == name and p.kind in kinds), Decimal(0)
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 5000), st.data())
def test_no_tender_and_no_transaction_gives_back_more_than_it_took(number: int, data: Any) -> None:
    """Pain 36: any refunds of any order, as store credit or not; the channel tells of them at once, late, or before its answer."""
    made = generated(number)
    total, unit = whole(made), worth.unit(made)
    if total <= 0:
        return
    cut = (total * data.draw(st.integers(0, 100)) / 100).quantize(unit)
    order = paid(made, [one for one in (cut, total - cut) if one > 0])
    moves: list[Move] = []
    given_out = Decimal(0)
    for n in range(6):
        wanted = total * 2 if n == 5 else (total * data.draw(st.integers(0, 60)) / 100).quantize(unit)
        credit = data.draw(st.sampled_from(["", "store_credit"]))
        life = repaying.less(life_of(order), repaying.promised(order, moves))
        shares, above = repaying.shares(life, wanted, credit)
        mine = [
            Move(10 * n + k, 1, f"M{n}-{k}", "refund", f"R{n}", name, "", amount, made.currency)
            for k, (name, amount) in enumerate(shares)
        ]
        assert sum((one.amount for one in mine), above) == wanted
        given_out += sum((one.amount for one in mine), Decimal(0))
        how = data.draw(st.sampled_from(["noted", "told first", "silent"]))
        if mine and how != "silent":
            shown = replace(repaying.refund(order, mine), id=f"theirs-{n}")
            assert sum(p.amount.in_role(order.money_role).amount for p in shown.payments) == sum(m.amount for m in mine)
            order = replace(order, refunds=(*order.refunds, shown))
        moves += [replace(one, state="done", moved_as=f"theirs-{n}") for one in mine] if how == "noted" else mine
    assert given_out == total, "in the end all of it went back, and not a cent more"
    for one in order.payments:
        back = [p for r in order.refunds for p in r.payments if p.parent_id == one.id]
        assert (
            sum((p.amount.in_role(order.money_role).amount for p in back), Decimal(0))
            <= one.amount.in_role(order.money_role).amount
        )
    for name in {one.gateway for one in order.payments}:
        assert tender(order, name, (PaymentKind.REFUND,)) <= tender(order, name, (PaymentKind.SALE,))
    assert all(one.refunded <= one.captured for one in life_of(order).tenders)


def test_store_credit_is_taken_off_the_last_tender_that_still_holds_something() -> None:
    life = Life((), (TenderLife("a", captured=Decimal(10)), TenderLife("b", captured=Decimal(5))))
    left = repaying.less(life, {"store_credit": Decimal(7), "b": Decimal(1)})
    assert [(one.name, one.refundable) for one in left.tenders] == [("a", Decimal(7)), ("b", Decimal(0))]
