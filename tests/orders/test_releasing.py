"""What is left of an authorisation is let go once nothing more will be taken of it, once, and never before what is owed was taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.orders import capturing, releasing, worth
from app.orders.money import Move
from app.orders.standing import tallies
from app.stock.departed import left_of
from connectors.canonical.order import Order
from connectors.canonical.payment import Takes
from tests.core.generated_orders import order as generated
from tests.orders.test_capture import (
    NOW,
    authorised,
    held,
    leaves,
    payment_states,
    ship,
    taken,
    tell,
    whole,
    with_holds,
)
from tests.world import World, world


@pytest.fixture
def acme(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[World]:
    """A shop whose payments the hub captures and releases."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "money.toml").write_text('[default]\ncapture = "shipment"\nrest = "hub"\n')
    with world(tmp_path / "config", database_url, redis_url) as made:
        for sku in ("WB-TEE", "WB-MUG"):
            made.code("erp", "sku", sku, sku)
        yield made


def released(acme: World) -> list[str]:
    return list(acme.effects("shop")["released"].values())


def follow(acme: World) -> None:
    from tasks.feeds import moved

    for _ in range(2):
        moved.run()
        acme.pump()


def give_up(acme: World, order: dict[str, Any]) -> None:
    acme.deliver("order.cancelled", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={}))
    acme.pump()
    follow(acme)


@pytest.mark.parametrize("fault", ["", "commit_then_drop", "drop", "server_error"])
def test_a_cancelled_orders_authorisation_is_let_go_once(acme: World, fault: str) -> None:
    order = authorised(acme, held("card", "57.36"))
    if fault:
        acme.bad_day("shop", fault, operations=("orders.void",), times=1)
    give_up(acme, order)
    assert (released(acme), taken(acme)) == (["57.36"], [])
    assert payment_states(acme) == {"card": "voided"}
    tell(acme, order)
    follow(acme)
    assert acme.one("SELECT count(*) FROM money_moves") == 1
    assert acme.settled()


def test_what_was_authorised_beyond_what_left_is_let_go_after_it_was_taken(acme: World) -> None:
    authorised(acme, held("card", "60.00"))
    leaves(acme, ("WB-TEE", 1))
    follow(acme)
    assert (taken(acme), released(acme)) == (["26.54"], []), "more is to leave"
    leaves(acme, ("WB-TEE", 1), ("WB-MUG", 1))
    follow(acme)
    assert (taken(acme), released(acme)) == (["26.54", "30.82"], ["2.64"])
    assert acme.settled()


def test_after_a_part_has_left_the_rest_of_a_cancelled_order_is_let_go(acme: World) -> None:
    order = authorised(acme, held("card", "57.36"))
    leaves(acme, ("WB-TEE", 1))
    give_up(acme, order)
    assert (taken(acme), released(acme)) == (["26.54"], ["30.82"])


def test_nothing_is_let_go_while_something_is_owed_or_where_the_channel_does_it(acme: World) -> None:
    """The capture is refused: what is authorised stays, for somebody to take. And policy may leave it to the channel."""
    from config.reader import config

    order = authorised(acme, held("card", "57.36"))
    acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"payments": [held("card", "1.00")]})
    leaves(acme)
    follow(acme)
    assert (taken(acme), released(acme)) == ([], [])
    (acme.folder / "money.toml").write_text('[default]\ncapture = "shipment"\n')
    config.cache_clear()
    give_up(acme, authorised(acme, held("card", "57.36")))
    assert released(acme) == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 5000), st.data())
def test_what_is_taken_and_let_go_is_never_more_than_was_authorised(number: int, data: Any) -> None:
    """Any parcels, then the rest is cancelled; the channel tells of what it did at once or not at all."""
    made = generated(number)
    total, unit = whole(made), worth.unit(made)
    if total <= 0 or any(line.quantity <= 0 for line in made.lines):
        return
    cut = (total * data.draw(st.integers(0, 100)) / 100).quantize(unit)
    order = with_holds(made, [one for one in (cut, total - cut + unit * 7) if one > 0])
    order = replace(
        order, payments=tuple(replace(p, takes=data.draw(st.sampled_from([*Takes][:2]))) for p in order.payments)
    )
    to_send = {line.id: line.quantity for line in order.lines if line.requires_shipping}
    moves: list[Move] = []
    for n, event in enumerate(("ship", "ship", "cancel the rest", "look again")):
        if event == "ship":
            pieces = {name: Decimal(data.draw(st.integers(0, int(many)))) for name, many in to_send.items()}
            order, to_send = ship(order, pieces, n), {name: many - pieces[name] for name, many in to_send.items()}
        if event == "cancel the rest":
            off = [replace(one, current_quantity=one.quantity - to_send.get(one.id, 0)) for one in order.lines]
            order = replace(order, lines=tuple(off))
        order = moved(order, moves, "capture", f"s{n}", data)
        order = moved(order, moves, "void", f"s{n}", data)
    for tally in tallies(order):
        assert tally.captured + tally.voided <= tally.authorised
    for one in capturing.held(order):
        used = [move for move in moves if move.parent == one.id]
        assert sum((move.amount for move in used), Decimal(0)) <= one.amount.in_role(order.money_role).amount
        assert len([move for move in used if move.kind == "void"]) <= 1
    took = sum((move.amount for move in moves if move.kind == "capture"), Decimal(0))
    if any(move.kind == "void" for move in moves):
        assert took >= worth.due(order, left_of(order)), "nothing was let go that was still owed"


def moved(order: Order, moves: list[Move], kind: str, cause: str, data: Any) -> Order:
    """What is decided now, and the order as the channel shows it."""
    took = kind == "capture"
    shares = capturing.decide(order, moves, NOW).shares if took else releasing.decide(order, moves, NOW)
    for share in shares:
        n = len(moves)
        move = Move(n, 1, f"M{n}", kind, cause, "", share.authorisation.id, share.amount, order.currency)
        if data.draw(st.booleans()):
            made = capturing.payment(move, order) if took else releasing.payment(move, order)
            order = replace(order, payments=(*order.payments, replace(made, id=f"theirs-{n}")))
            move = replace(move, state="done", moved_as=f"theirs-{n}")
        moves.append(move)
    return order
