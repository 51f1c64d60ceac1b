"""Each step of each flow about an order fails for good once (pain 18): it leaves claims and states as they were and an owned case, and what is then
given up, cancelled or set right ends as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import text

from app.orders.shipping import to_ship
from tasks.flows.book import FLOWS
from tests.orders.small_hub import LIES, SmallHub, small_hub
from tests.orders.test_giving_back import acme as acme  # noqa: PLC0414 - a fixture
from tests.world import World

NOBODY = frozenset[str]()
DEAD = text("SELECT id FROM steps WHERE state = 'dead' ORDER BY id")
CASE = text("""
SELECT c.owner, c.remedy FROM cases c JOIN case_members m ON m.case_id = c.id
WHERE m.member = 'step:' || :step AND m.closed_at IS NULL AND c.status <> 'resolved'
""")
Story = Callable[[SmallHub], None]


def placed(hub: SmallHub) -> None:
    hub.place()


def edited(hub: SmallHub) -> None:
    hub.place()
    hub.edit(1)


def cancelled(hub: SmallHub) -> None:
    hub.place()
    hub.cancel()


def edited_and_cancelled(hub: SmallHub) -> None:
    edited(hub)
    hub.at_once()
    hub.cancel()


def shipped(hub: SmallHub) -> None:
    hub.place()
    hub.ship(1)


def refunded(hub: SmallHub) -> None:
    hub.place()
    hub.ship(2)
    hub.at_once()
    hub.refund(1, restock=False)


def came_back(hub: SmallHub) -> None:
    shipped(hub)
    hub.at_once()
    hub.ask_return(1)
    hub.count_return(1, "restock")


def looked_at(hub: SmallHub) -> None:
    """It came back into quarantine, and is sold again."""
    shipped(hub)
    hub.at_once()
    hub.ask_return(1)
    hub.count_return(1, "quarantine")
    hub.at_once()
    hub.looked_at("restock")


def paid_later(hub: SmallHub) -> None:
    hub.place()
    hub.pay("card", 5)


def asked_to_cancel(hub: SmallHub) -> None:
    hub.place()
    hub.ask_to_cancel()


# Flow -> step -> what has it made. A name of an undo function is that step's undoing.
STORIES: Mapping[str, Mapping[str, Story]] = {
    "order_placed": {
        **dict.fromkeys(("reserve_stock", "book_order", "request_fulfilment", "acknowledge_order"), placed),
        **dict.fromkeys(("release_stock", "cancel_booking", "cancel_fulfilment"), cancelled),
    },
    "order_changed": {
        **dict.fromkeys(("adjust_reservations", "amend_order", "withdraw_fulfilment", "request_again"), edited),
        "withdraw_again": edited_and_cancelled,
    },
    "order_shipped": dict.fromkeys(("commit_stock", "record_shipment", "confirm_shipment", "notify_customer"), shipped),
    "order_refunded": dict.fromkeys(("record_refund", "notify_refund"), refunded),
    "payment_refunded": dict.fromkeys(("give_back", "note_given_back"), came_back),
    "return_received": {"record_return": looked_at},
    "return_disposed": {"record_disposition": looked_at},
    "payment_received": {"record_payment": paid_later},
    "sale_cancelled": {"cancel_sale": asked_to_cancel},
}
ALL = [(flow, step) for flow, steps in STORIES.items() for step in steps]


def test_each_step_fails_for_good_once(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_hub(monkeypatch, lazy=NOBODY) as hub:
        for flow, step in ALL:
            undoes = FLOWS[flow].undoing(step) is not None
            for ends in (
                (set_right,) if undoes else (set_right, given_up)
            ):  # whoever gives an undoing up wants it as it is
                with hub.set_back():
                    _fails(hub, flow, step, ends)


def _fails(hub: SmallHub, flow: str, step: str, ends: Callable[[SmallHub, int], None]) -> None:
    hub.refuse(flow, step)
    STORIES[flow][step](hub)
    hub.at_once()
    assert hub.refusals, f"{flow}.{step} was never tried"
    assert all(before == after for before, after in hub.refusals), f"{flow}.{step} failed and left something behind"
    dead = list(hub.tx.execute(DEAD).scalars())
    assert len(dead) == 1, f"{flow}.{step}: {dead}"
    case = hub.tx.execute(CASE, {"step": f"{dead[0]}"}).one()
    assert case.owner, f"{flow}.{step}: nobody owns it"
    assert case.remedy, f"{flow}.{step}: nobody is told what to do"
    hub.refuse("", "")
    told = f"{flow}.{step}, {ends.__name__}"
    assert not (wrong := ends(hub, dead[0])), f"{told}: {wrong}"
    assert not hub.tx.execute(DEAD).first(), f"{flow}.{step}"
    assert hub.tx.execute(CASE, {"step": f"{dead[0]}"}).first() is None, f"{flow}.{step}: its case stays open"


def set_right(hub: SmallHub, step: int) -> str:
    """What was wrong at the other system is mended, and somebody tries again: it ends as if nothing had been."""
    from app.journal import actions

    actions.retry(hub.tx, [step], "anna", "mended there")
    hub.at_once()
    return _unsound(hub)


def given_up(hub: SmallHub, step: int) -> str:
    """Somebody gives the step up and has the order cancelled: what has not left is as free as it was before the order came."""
    from app.journal import actions

    actions.cancel_steps(hub.tx, [step], "anna", "it will not do")
    hub.at_once()
    if not hub.outside.cancelled:
        hub.cancel()
        hub.at_once()
    return "" if hub.outside.gone else _unsound(hub)


def _unsound(hub: SmallHub) -> str:
    """What is not as it was before, or as it would be without the failure; empty when all is."""
    wanted = 0 if hub.outside.cancelled else sum(to_ship(hub.order).values())
    there = LIES - hub.outside.gone + hub.outside.restocked
    shelf, claimed = hub.shelf(), hub.claimed()
    if not hub.rests:
        return f"it does not rest: {hub.state()}"
    if not claimed == shelf.reserved == wanted:
        return f"claims of {claimed}, {shelf.reserved} reserved, and {wanted} are still to leave"
    return "" if shelf.told == there else f"{shelf.told} lie there, and it should be {there}"


# ---- which flows are told of here, and where the others are

ELSEWHERE = {
    "order_sourced": "test_fulfilment.py: a location that refuses; test_sourcing.py",
    "order_purchased": "test_dropship.py: a supplier who refuses",
    "order_resourced": "one inner step: test_fulfilment.py",
    "order_fell_short": "test_deciding.py: a withdrawal that is refused",
    "order_ready": "one mail: test_fulfilment.py",
    "purchase_amended": "test_dropship.py",
    "purchase_received": "test_dropship.py",
    "payment_captured": "test_capture.py: a capture that is refused",
    "payment_charged": "test_exchange.py: a charge that is refused",
    "payment_released": "test_releasing.py",
    "partner_told": "moves no order",
    "feed_reported": "moves no order",
    "prices_published": "moves no order",
    "stock_published": "moves no order",
    "object_fetched": "moves no order",
}


def test_no_flow_and_no_step_is_forgotten() -> None:
    assert STORIES.keys() | ELSEWHERE.keys() == FLOWS.keys()
    for flow, told in STORIES.items():
        steps = FLOWS[flow].steps
        undo = {step.undo.__name__ for step in steps if step.undo is not None}
        assert {step.name for step in steps} | undo == told.keys(), flow


def test_a_change_of_prices_alone_writes_no_claim(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pain 18: not one row of the ledger is written again."""
    rows = text("SELECT key, quantity, shipped, state, xmin::text AS written FROM reservations ORDER BY key")
    with small_hub(monkeypatch, lazy=NOBODY) as hub:
        hub.place()
        before = hub.tx.execute(rows).all()
        shelves = hub.tx.execute(text("SELECT sku, location, xmin::text AS written FROM shelves ORDER BY 1, 2")).all()
        hub.reprice(7)
        hub.at_once()
        assert hub.order.lines[0].unit_price.shop.amount == 7
        assert hub.done("amend_order"), "the edit was booked"
        assert hub.tx.execute(rows).all() == before
        assert (
            hub.tx.execute(text("SELECT sku, location, xmin::text AS written FROM shelves ORDER BY 1, 2")).all()
            == shelves
        )
        hub.edit(1)
        hub.at_once()
        assert hub.tx.execute(rows).all() != before, "what is written is seen"
