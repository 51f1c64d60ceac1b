"""The desk speaks for a location: each word with its reason, role and token; a page for each request, and one for what lies in quarantine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from local.browser import found
from tests.api.houses import KEPT, Houses
from tests.web.conftest import Person

CHROMIUM = found()
PASSWORD = "comes in here and nowhere else"


def somebody(houses: Houses, role: str) -> Person:
    from app.database import transaction
    from app.web import people

    with transaction() as tx:
        people.keep(tx, role, PASSWORD, role)
    return Person(houses.market.app.test_client()).log_in(role, PASSWORD)


def says(houses: Houses, who: Person, number: str, word: str, **form: str) -> str:
    """What the page says afterwards."""
    page = f"/admin/fulfilments/{number}"
    who.get(page)
    answer = who.press(f"{page}/{word}", back=page, **form)
    assert answer.status_code == 302, answer.status_code
    houses.follow()
    return who.page(page)


def test_a_pickup_is_handed_over_at_the_desk_and_all_of_it_is_audited(houses: Houses) -> None:
    houses.shelf("alpha", tee=5, mug=5)
    waybill = houses.place(**KEPT)
    number = f"{waybill}-F1"
    support, viewer = somebody(houses, "support"), somebody(houses, "viewer")
    assert number in viewer.page("/admin/fulfilments/?state=requested&location=alpha")
    seen = viewer.page(f"/admin/fulfilments/{number}")
    assert "Ask for the six-digit code" in seen
    assert "Say it for" not in seen
    assert "Bo Friend" not in seen
    assert viewer.press(f"/admin/fulfilments/{number}/acceptances").status_code == 403
    assert support.client.post(f"/admin/fulfilments/{number}/acceptances", data={"reason": "x"}).status_code == 400
    assert support.press(f"/admin/fulfilments/{number}/acceptances", reason="").status_code == 400
    assert houses.legs() == [("alpha", "requested")], "nobody may, no token, no reason"
    for _ in range(2):
        assert "Accepted." in says(houses, support, number, "acceptances", reason="they rang")
    assert "Ready." in says(houses, support, number, "preparations", reason="they rang again")
    code = str(houses.world.one("SELECT verify FROM fulfilments"))
    page = says(houses, support, number, "collections", code=f"{(int(code) + 1) % 10**6:06d}")
    assert "That is not the code of this pickup" in page
    assert code not in page
    assert "is kept for its customer until" in says(houses, support, number, "no-shows")
    assert "Collected." in says(houses, support, number, "collections", code=code, reason="at the counter")
    assert "is collected: reject is not possible" in says(houses, support, number, "rejections")
    rows = houses.world.rows(
        "SELECT action, reason FROM audit WHERE who = 'support' AND action LIKE '%fulfilment' ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        ("accept fulfilment", "they rang"),
        ("ready fulfilment", "they rang again"),
        ("collect fulfilment", "at the counter"),
    ]
    assert houses.where(waybill)["state"] == "delivered"


def test_the_desk_acknowledges_sends_in_part_substitutes_and_rejects(houses: Houses) -> None:
    houses.shelf("maker", tee=9)
    houses.shelf("beta", mug=9)
    houses.world.code("erp", "sku", "WB-CUP", "WB-CUP")
    waybill = houses.place()
    support, (store, bought) = somebody(houses, "support"), (f"{waybill}-F1", f"{waybill}-F2")
    assert [row[0] for row in houses.legs()] == ["beta", "maker"]
    assert "Accepted." in says(houses, support, bought, "acknowledgements", **{"promised:WB-TEE": "1"})
    assert houses.legs()[1:] == [("maker", "accepted"), ("maker", "rejected")], "one tee is nobody's yet"
    page = says(houses, support, store, "substitutions", line="M-1-2", sku="WB-CUP")
    assert "in place of WB-MUG" in page
    assert "not so many" in says(houses, support, bought, "shipments", **{"pieces:M-1-1": "2"})
    assert "Shipped." in says(houses, support, bought, "shipments", tracking="MK-1", carrier="ups")
    assert "Rejected." in says(houses, support, store, "rejections", reason="cup broken, no mug either")
    assert houses.where(waybill)["state"] == "partly_shipped"
    dc = houses.world.rows("SELECT 1 FROM fulfilments WHERE account <> ''")
    assert dc == []


@pytest.fixture
def opened(houses: Houses) -> Iterator[Any]:
    """A browser's page of somebody from operations, and what it complained of."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: pages were not opened in a browser")
    from playwright.sync_api import sync_playwright

    somebody(houses, "operator")
    server = make_server("127.0.0.1", 0, houses.market.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(20_000)
        complaints: list[str] = []
        page.on("console", lambda told: complaints.append(told.text) if told.type in ("error", "warning") else None)
        page.goto(f"http://127.0.0.1:{server.server_port}/admin/login")
        page.fill("[name=login]", "operator")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Health')")
        yield page
        browser.close()
    server.shutdown()
    server.server_close()
    assert complaints == []


def test_in_a_browser_a_parcel_leaves_and_what_came_back_is_scrapped(
    houses: Houses,
    opened: Any,
    tmp_path: Path,
) -> None:
    from tests.web.test_browser import CONTRAST, NAMES

    houses.shelf("beta", tee=9, mug=9)
    waybill = houses.place()
    base = opened.url.partition("/admin")[0]
    opened.goto(f"{base}/admin/orders/{waybill}")
    opened.click(f"a:has-text('{waybill}-F1')")
    opened.wait_for_selector("#say")
    opened.click("summary:has-text('Sent')")
    form = opened.locator("details.act[open]")
    form.locator("[name=tracking]").fill("B-1")
    form.locator("[name='pieces:M-1-1']").fill("2")
    form.locator("[name=reason]").fill("seen at the door")
    _looks(opened, tmp_path, "fulfilment", CONTRAST, NAMES)
    form.locator("button").click()
    opened.wait_for_selector(".told.good:has-text('It has left.')")
    assert "2" in opened.inner_text("table.rows")
    houses.follow()
    assert houses.legs() == [("beta", "shipped"), ("beta", "accepted")]
    number = _back(houses, waybill)
    opened.goto(f"{base}/admin/fulfilments/")
    _looks(opened, tmp_path, "fulfilments", CONTRAST, NAMES)
    opened.click("text=What lies in quarantine")
    opened.wait_for_selector(f"td:has-text('{number}')")
    opened.click("summary:has-text('Scrap')")
    form = opened.locator("details.act[open]")
    form.locator("[name=pieces]").fill("1")
    form.locator("[name=reason]").fill("torn")
    _looks(opened, tmp_path, "returns", CONTRAST, NAMES)
    form.locator("button").click()
    opened.wait_for_selector(".told.good:has-text('The pieces are scrapped.')")
    assert opened.locator("td.num").inner_text() == "1"
    moved = houses.world.rows(
        "SELECT kind, quantity::int FROM movements WHERE location = 'beta' AND kind <> 'pick' ORDER BY number, n"
    )
    assert [tuple(row) for row in moved] == [("return", 2), ("quarantine", -2), ("release", 1), ("scrap", -1)]
    assert houses.audited("dispose of returned goods") == [("operator", "torn")]
    assert somebody(houses, "support").press(f"/admin/returns/{number}/dispositions").status_code == 403


def _looks(page: Any, folder: Path, name: str, contrast: str, names: str) -> None:
    """Legible to everybody; a picture is kept beside the test's files."""
    assert page.evaluate(contrast) == []
    assert page.evaluate(names) == []
    assert page.locator("h1").count() == 1
    page.screenshot(path=str(folder / f"{name}.png"), full_page=True)


def _back(houses: Houses, waybill: str) -> str:
    wanted = {"lines": [{"line_id": "M-1-1", "quantity": "2", "reason": "smells"}]}
    number = str(houses.market.mine.ask("POST", f"/returns/of/{waybill}", wanted).json["number"])
    told = {"location": "beta", "lines": [{"line_id": "M-1-1", "quantity": "2", "disposition": "quarantine"}]}
    assert houses.beta.ask("POST", f"/returns/{number}/receipt", told).status_code == 200
    return number


def test_what_a_centre_cannot_send_is_decided_on_its_page(houses: Houses) -> None:
    """All of it was refused to be withdrawn, as the mug has left: somebody rings them up."""
    houses.shelf("dc", tee=9, mug=9)
    waybill = houses.place()
    houses.shelf("beta", tee=9, mug=9)
    number, world = f"{waybill}-F1", houses.world
    mug = {"lines": [{"sku": "WB-MUG", "quantity": "1"}]}
    sent = world.ask("warehouse", "POST", f"/_sim/requests/{number}/shipments", json=mug)
    told = {"id": "short", "request": number, "status": "failed", "lines": [], "trackings": []}
    world.deliver("shipment.sent", {**told, "updated_at": "2046-12-01T00:00:00.000000Z"}, account="warehouse")
    world.pump()
    world.deliver("shipment.sent", sent, account="warehouse")
    world.pump()
    houses.follow()
    support, viewer = somebody(houses, "support"), somebody(houses, "viewer")
    page = f"/admin/fulfilments/{number}"
    assert "Keep waiting" in support.page(page)
    assert "Keep waiting" not in viewer.page(page)
    assert viewer.press(f"{page}/reassignments").status_code == 403
    assert support.press(f"{page}/reassignments", reason="").status_code == 400
    assert "The case says who waits" in says(houses, support, number, "waits", reason="they look for it")
    assert len(houses.legs()) == 1
    gone = says(houses, support, number, "reassignments", reason="they rang: lost")
    assert "The pieces are asked of others." in gone
    assert "Keep waiting" not in gone
    assert houses.legs()[1][0] == "beta"
    assert houses.audited("source short pieces elsewhere") == [("support", "they rang: lost")]
