"""A person at a real browser: from the login to the stuck step, by keyboard, with nothing blocked by our own policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from local.browser import found
from tests.web.conftest import PASSWORDS, Hub

CHROMIUM = found()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no chromium on this machine, and `make test` could not install it: pages were not opened in a browser",
)


@pytest.fixture(scope="module")
def address(busy: Hub) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, busy.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def somebody(address: str) -> Iterator[Any]:
    """The browser of somebody from support, who has logged in by keyboard."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        opened = context.new_page()
        opened.goto(f"{address}/admin/")
        opened.keyboard.type("support")
        opened.keyboard.press("Tab")
        opened.keyboard.type(PASSWORDS["support"])
        opened.keyboard.press("Enter")
        opened.wait_for_selector("h1:has-text('Health')")
        yield context
        browser.close()


@pytest.fixture
def page(somebody: Any, address: str) -> Iterator[Any]:
    """A tab of theirs; whatever the browser complains about fails the test."""
    opened = somebody.new_page()
    complaints: list[str] = []
    opened.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"{address}/admin/")
    yield opened
    opened.close()
    assert complaints == []


def test_the_stuck_step_is_two_steps_from_the_search(page: Any, busy: Hub) -> None:
    """By keyboard alone: / and a number lead to the order, whose first sentence says where it is stuck."""
    number = busy.one(
        "SELECT b.number FROM steps s JOIN subjects b ON b.id = s.subject_id WHERE s.state = 'dead' ORDER BY s.id LIMIT 1"
    )
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('{number}')")
    assert "Stopped at “Book the order” at erp" in page.inner_text(".headline")


def test_a_request_and_its_answer_open_in_place(page: Any, address: str) -> None:
    page.goto(f"{address}/admin/orders/WB00000001")
    place = page.locator("details.exchange").first
    place.locator("summary").first.click()
    place.locator("pre").first.wait_for()
    assert "HTTP 20" in place.inner_text()


def test_a_step_is_retried_with_a_reason(page: Any, busy: Hub, address: str) -> None:
    waybill = busy.one(
        "SELECT b.waybill FROM steps s JOIN subjects b ON b.id = s.subject_id WHERE s.state = 'dead' ORDER BY s.id LIMIT 1"
    )
    page.goto(f"{address}/admin/orders/{waybill}")
    page.click("summary:has-text('Retry')")
    page.wait_for_function(
        "document.activeElement.name === 'reason'"
    )  # a details element tells of its toggle a little later
    page.keyboard.type("seen with the ERP team")
    page.keyboard.press("Enter")
    page.wait_for_selector(".told.good")
    assert "seen with the ERP team" in page.inner_text("ol.line")


def test_rows_are_walked_and_marked_by_keys(page: Any, address: str) -> None:
    page.goto(f"{address}/admin/steps/?state=parked")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("tr.here input:checked").count() == 1
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_selector("h1:has-text('Orders')")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1


# Contrast as WCAG 2.2 has it (1.4.3): 4.5 to 1 for text, measured on what the browser computed.
CONTRAST = """
() => {
  const part = (v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const lum = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const solid = (colour) => colour.length === 3 || colour[3] > .99;
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgb(getComputedStyle(node).backgroundColor);
      if (solid(colour)) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
    if (!own || !node.checkVisibility() || node.matches(".visually-hidden, .visually-hidden-focusable, script, option")) continue;
    const [a, b] = [lum(rgb(getComputedStyle(node).color)), lum(ground(node))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) found.push(`${node.tagName}.${node.className} ${ratio.toFixed(2)} ${node.textContent.trim().slice(0, 30)}`);
  }
  return found;
}
"""
NAMES = """
() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a, summary")]
  .filter((node) => node.checkVisibility() && !(node.labels?.length || node.getAttribute("aria-label") || node.textContent.trim() || node.title))
  .map((node) => node.outerHTML.slice(0, 120))
"""


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/orders/",
        "/admin/orders/WB00000001",
        "/admin/cases/",
        "/admin/codes/",
        "/admin/accounts/erp",
        "/admin/connectors/",
        "/admin/connectors/acme",
        "/admin/events/",
        "/admin/steps/?state=parked",
        "/admin/prices/",
        "/admin/feeds/",
        "/admin/audit/",
    ],
)
def test_pages_can_be_read_by_everybody(page: Any, address: str, path: str) -> None:
    """AA contrast, a name for every control, one first heading, a language, and no sideways scrolling of the page."""
    page.goto(f"{address}{path}")
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMES) == []
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
