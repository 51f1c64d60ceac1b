"""An order's life on its page: states and money by tender, held and released by people, sourcing drafts, the customer's page."""

from __future__ import annotations

import re

from tests.orders.places import text
from tests.web.conftest import Hub
from tests.web.test_pages import PERSONAL, order_of


def test_the_page_shows_states_and_the_money_equation(busy: Hub) -> None:
    viewer = busy.come_in("viewer")
    waybill = busy.one("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id LIMIT 1")
    page = viewer.page(f"/admin/orders/{waybill}")
    for word in (
        "Captured",
        "Refunded",
        "Owed",
        "Still to pay",
        "shipped",
        "by number" if "by number" in page else "by e-mail",
    ):
        assert word in page


def test_an_order_is_held_and_released_with_a_reason_and_both_are_kept(busy: Hub) -> None:
    waybill = order_of(busy, "parked")
    assert busy.come_in("viewer").press(f"/admin/holds/{waybill}", kind="address").status_code == 403
    support = busy.come_in("support")
    support.get(f"/admin/orders/{waybill}")
    assert support.press(f"/admin/holds/{waybill}", kind="weather").status_code == 400
    assert support.press(f"/admin/holds/{waybill}", kind="address", reason="").status_code == 400
    assert support.press(f"/admin/holds/{waybill}", kind="address", hours="4", owner="logistics").status_code == 302
    page = support.page(f"/admin/orders/{waybill}")
    assert "Held since" in page
    assert "Freed by logistics" in page
    hold = busy.one("SELECT id FROM holds WHERE released_at IS NULL")
    assert support.press(f"/admin/holds/{hold}/releases").status_code == 302
    assert "Held since" not in support.page(f"/admin/orders/{waybill}")
    kept = busy.rows(
        "SELECT who, action FROM audit WHERE object = :o AND action LIKE '%order' ORDER BY id", o=f"order:{waybill}"
    )
    assert [tuple(row) for row in kept] == [("support", "hold order"), ("support", "release order")]


def test_a_draft_is_kept_simulated_and_activated_by_an_operator(busy: Hub) -> None:
    operator = busy.come_in("operator")
    operator.get("/admin/sourcing/")
    operator.press("/admin/sourcing/drafts", content="name = 1")
    assert "cannot be read" in operator.page("/admin/sourcing/")
    far = text().replace("[weights]", "[weights]\ndistance = 1")
    answer = operator.press("/admin/sourcing/drafts", content=far)
    assert "simulation" in answer.headers["location"]
    page = operator.page(answer.headers["location"])
    for word in (
        "In several parcels",
        "Busiest day",
        "Who would have got what",
        "to a place that is not known",
        "equally far from it",
    ):
        assert word in page
    kept = busy.one("SELECT id FROM rule_sets")
    assert busy.come_in("support").press(f"/admin/sourcing/{kept}/activations").status_code == 403
    operator.get("/admin/sourcing/")
    assert operator.press(f"/admin/sourcing/{kept}/activations", reason="cheaper").status_code == 302
    assert "tests@1</b>" in operator.page("/admin/sourcing/")
    assert "no place is known" in operator.page("/admin/sourcing/")
    busy.write("DELETE FROM rule_activations")


def test_the_customers_page_needs_its_link_and_tells_nothing_personal(busy: Hub) -> None:
    waybill = busy.one("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id LIMIT 1")
    told = busy.come_in("support").page(f"/admin/orders/{waybill}")
    link = re.search(r'href="(/where/[^"]+)"', told)
    assert link is not None
    anybody = busy.app.test_client()
    page = anybody.get(link.group(1))
    assert page.status_code == 200
    assert "Your order is on its way." in page.text
    assert not [word for word in (*PERSONAL, "shop", "erp", "warehouse") if word in page.text]
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert anybody.get(link.group(1)[:-1] + "x").status_code == 404
    assert anybody.get(f"/where/WB99999999/{'0' * 20}").status_code == 404


def test_an_operator_has_an_order_cancelled_in_its_channel(busy: Hub) -> None:
    """Asked for once, with a reason; whoever may not is not offered it; what has left is refused with a sentence."""
    waybill = order_of(busy, "parked")
    offered = f"/admin/orders/{waybill}/cancellations"
    support = busy.come_in("support")
    assert offered not in support.page(f"/admin/orders/{waybill}")
    assert support.press(offered, kind="customer").status_code == 403
    operator = busy.come_in("operator")
    page = operator.page(f"/admin/orders/{waybill}")
    assert offered in page
    assert "Take them off in shop: its own word then takes them off here" in page
    assert "reductions" not in page
    operator.press(f"/admin/orders/{waybill}/reductions", kind="customer", back=f"/admin/orders/{waybill}", whole="1")
    assert "shop has a word of its own" in operator.page(f"/admin/orders/{waybill}")
    assert operator.press(offered, kind="weather").status_code == 400
    assert operator.press(offered, kind="customer", reason="").status_code == 400
    assert operator.press("/admin/orders/WB99999999/cancellations", kind="customer").status_code == 302
    assert "There is no order WB99999999." in operator.page("/admin/orders/")
    assert operator.press(offered, kind="customer", back=f"/admin/orders/{waybill}").status_code == 302
    page = operator.page(f"/admin/orders/{waybill}")
    assert "shop is told within seconds" in page
    assert "To be cancelled in shop: asked" in page
    assert "for the customer does not want it any more" in page
    operator.press(offered, kind="customer", back=f"/admin/orders/{waybill}")
    assert "Its channel was asked already" in operator.page(f"/admin/orders/{waybill}")
    kept = busy.rows(
        "SELECT who, reason FROM audit WHERE object = :o AND action = 'cancel order'", o=f"order:{waybill}"
    )
    assert [tuple(row) for row in kept] == [("operator", "a test")]
    gone = busy.one("SELECT waybill FROM subjects WHERE kind = 'order' AND state = 'shipped' LIMIT 1")
    assert "cancellations" not in operator.page(f"/admin/orders/{gone}")
    operator.press(f"/admin/orders/{gone}/cancellations", kind="customer", back=f"/admin/orders/{gone}")
    assert "Something of it has left" in operator.page(f"/admin/orders/{gone}")
    busy.write("DELETE FROM deadlines WHERE kind = 'cancel_sale'")
