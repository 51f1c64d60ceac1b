"""A web order that nobody has a paper of comes back by its page: allowed by support, counted in by an operator, looked at, and paid back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.conftest import Hub, Person
from tests.world import World

LEFT = "SELECT waybill FROM subjects WHERE kind = 'order' AND state = 'shipped' ORDER BY id LIMIT 1"
STATES = "SELECT number, state, location, gift FROM return_requests ORDER BY id"
MOVED = "SELECT kind, sku, quantity FROM movements WHERE location = 'main' ORDER BY number, n"


@pytest.fixture
def played(busy: Hub) -> Iterator[World]:
    """Each story begins with an order of which nothing came back."""
    assert busy.world is not None
    busy.write("INSERT INTO shelves (sku, location) VALUES ('WB-TEE', 'main') ON CONFLICT DO NOTHING")
    yield busy.world
    busy.write("DELETE FROM return_requests")


def sold(hub: Hub) -> tuple[str, str, Any]:
    """(waybill, its page, its lines) of the order that has left."""
    from app.database import transaction
    from app.journal import subjects

    waybill = str(hub.one(LEFT))
    with transaction() as tx:
        subject = subjects.lock_waybill(tx, waybill)
        assert subject is not None
        return waybill, f"/admin/orders/{waybill}", subject.document.lines  # type: ignore[union-attr]


def says(who: Person, page: str, path: str, **form: str) -> str:
    """What the order's page says afterwards."""
    who.get(page)
    assert who.press(path, back=page, **form).status_code == 302
    return who.page(page)


def fresh(page: str) -> str:
    return str(re.search(r'name="key" value="([0-9a-f]{16})"', page)[1])  # type: ignore[index]


def test_one_piece_is_allowed_counted_in_and_paid_back(busy: Hub, played: World) -> None:
    waybill, page, (tee, *_) = sold(busy)
    viewer, support, operator = (busy.come_in(role) for role in ("viewer", "support", "operator"))
    allow, number = f"/admin/returns/of/{waybill}", f"{waybill}-R1"
    seen = viewer.page(page)
    assert "May come back" in seen
    assert allow not in seen
    shown = support.page(page)
    wanted = {"key": fresh(shown), "reason": "too small", f"pieces:{tee.id}": "1"}
    assert viewer.press(allow, **wanted).status_code == 403
    assert support.press(allow, key="none").status_code == 400, "no pieces"
    assert support.press(allow, **{**wanted, "reason": " "}).status_code == 400
    assert busy.rows(STATES) == []
    assert f"{number} may come back." in says(support, page, allow, **wanted)
    shown = says(support, page, allow, **wanted)
    assert "It was asked for already." in shown
    assert "“too small”" in shown
    assert "1 came back or are on their way." in shown
    refused = says(support, page, allow, **{**wanted, "key": "two", f"pieces:{tee.id}": "2"})
    assert f"Declined: Line {tee.id}: not so many have left that did not come back." in refused
    kept = busy.rows("SELECT who, reason, after FROM audit WHERE action = 'ask for return' ORDER BY id")
    assert [(row.who, row.reason, row.after["state"]) for row in kept] == [
        ("support", "too small", "authorised"),
        ("support", "too small", "declined"),
    ]

    arrive = f"/admin/returns/{number}/arrivals"
    assert arrive not in shown, "counting moves stock and money: an operator's"
    assert support.press(arrive, location="main").status_code == 403
    assert arrive in operator.page(page)
    here = {"location": "main", f"pieces:{tee.id}": "1", f"to:{tee.id}": "quarantine"}
    assert operator.press(arrive, **{**here, f"pieces:{tee.id}": ""}).status_code == 400
    assert operator.press(arrive, **{**here, f"to:{tee.id}": "shelf"}).status_code == 400
    assert "There is no location mian. Known are: main." in says(operator, page, arrive, **{**here, "location": "mian"})
    many = says(operator, page, arrive, **{**here, f"pieces:{tee.id}": "99"})
    assert f"Line {tee.id}: so many have never left." in many
    assert busy.rows(STATES)[0] == (number, "authorised", "", False)
    for _ in range(2):
        shown = says(operator, page, arrive, **here, reason="it came by post")
        assert f"{number} was received at main" in shown
    assert "gives back" in shown
    assert "1 came, to be looked at" in shown
    assert arrive not in shown
    other = says(operator, page, arrive, **{**here, f"to:{tee.id}": "restock"})
    assert f"{number} is quarantined: it cannot be received again." in other
    assert busy.rows(STATES)[0] == (number, "quarantined", "main", False)
    assert [(row.kind, row.quantity) for row in busy.rows(MOVED)][-2:] == [("return", 1), ("quarantine", -1)]
    kept = busy.rows("SELECT who, reason, after FROM audit WHERE action = 'receive return'")
    assert [(row.who, row.reason, row.after["location"]) for row in kept] == [("operator", "it came by post", "main")]
    assert number in operator.page("/admin/returns/?location=main")


def test_a_gift_is_changed_for_something_else(busy: Hub, played: World) -> None:
    waybill, page, (tee, *_) = sold(busy)
    support, allow = busy.come_in("support"), f"/admin/returns/of/{waybill}"
    named = {f"pieces:{tee.id}": "1", "gift": "1", "instead:none": "1"}
    assert "The order has no line none." in says(support, page, allow, key="a", **named)
    wanted = {f"pieces:{tee.id}": "1", f"instead:{tee.id}": "1", f"sku:{tee.id}": "WB-MUG", f"price:{tee.id}": "8.5"}
    shown = says(support, page, allow, key="b", gift="1", **wanted)
    assert "authorised, a gift" in shown
    assert re.search(r"instead 1 \S WB-MUG", shown)
    (row,) = busy.rows("SELECT gift, exchange FROM return_requests")
    assert row.gift
    assert [(one["sku"], one["quantity"], one["price"]) for one in row.exchange] == [("WB-MUG", "1", "8.5")]


def test_the_page_says_why_nothing_may_come_back(busy: Hub, played: World) -> None:
    support = busy.come_in("support")
    waiting = busy.one("SELECT waybill FROM subjects WHERE kind = 'order' AND state = 'open' ORDER BY id LIMIT 1")
    shown = support.page(f"/admin/orders/{waiting}")
    assert "Nothing of it has left, so nothing may come back." in shown
    assert "Allow a return" not in shown
    asked = says(support, f"/admin/orders/{waiting}", f"/admin/returns/of/{waiting}", key="x", **{"pieces:1": "1"})
    assert "Declined:" in asked
    assert "There is no order WB99999999" in says(
        support, "/admin/orders/", "/admin/returns/of/WB99999999", key="x", **{"pieces:1": "1"}
    )
